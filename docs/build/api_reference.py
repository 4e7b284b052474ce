"""Write the pages of the API reference: one for each room of the package, with all its modules.

The site calls it before every build (docs/conf.py), so a module that moves needs no word here.
"""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import nanogap
from nanogap.io import write_text

#: Rooms in the order in which a value travels; a room that is not listed follows by its name.
ORDER = (
    *("settings", "structure", "dynamics", "transport", "device", "runs", "campaign"),
    *("electrical", "io", "analysis", "measured", "synthetic", "report", "cli"),
)

HEAD = """\
API reference
=============

Everything that a notebook needs is in the namespace ``nanogap`` itself:

.. toctree::
   :maxdepth: 1

   nanogap

Behind it are rooms, each with one job. A room uses only rooms below it, so each can be used and
understood without those above.

"""


def module_names(package: ModuleType) -> list[str]:
    """Give the names of the public modules of a package that are no packages."""
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    public = (one for one in found if not one.name.rpartition(".")[2].startswith("_"))
    return [one.name for one in public if not one.ispkg]


def package_names(package: ModuleType) -> Iterator[str]:
    """Give the names of the packages below a package, in their order, each before its own."""
    found = [one.name for one in pkgutil.iter_modules(package.__path__) if one.ispkg]
    for name in sorted(found, key=lambda one: (ORDER.index(one) if one in ORDER else 99, one)):
        whole = f"{package.__name__}.{name}"
        yield whole
        yield from package_names(import_module(whole))


def title(text: str, line: str) -> str:
    """Underline a title."""
    return f"{text}\n{line * len(text)}\n\n"


def summary(thing: object) -> str:
    """Give the first sentence of a docstring, on one line."""
    first = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(first.split())


def offered(package: ModuleType) -> str:
    """Write a table of the names that a package offers, each with a link to where it stands."""
    rows = []
    for name in getattr(package, "__all__", ()):
        thing = getattr(package, name)
        home = getattr(thing, "__module__", package.__name__)
        documented = inspect.isclass(thing) or inspect.isfunction(thing)
        link = f":py:obj:`{name} <{home}.{name}>`" if documented else f"``{name}``"
        rows.append(f"   * - {link}\n     - {summary(thing) if documented else ''}\n")
    table = ".. list-table::\n   :widths: 30 70\n\n" + "".join(rows)
    return f"It offers\n\n{table}\n" if rows else ""


def room_page(name: str) -> str:
    """Write the page of one package: what it offers, then its modules."""
    package = import_module(name)
    page = title(name, "=") + f".. automodule:: {name}\n   :no-members:\n\n"
    # what a package defines itself is documented here, what it passes on where it is defined
    own = [
        key
        for key, thing in vars(package).items()
        if not key.startswith("_") and getattr(thing, "__module__", None) == name
    ]
    page += offered(package)
    if own:
        page += f".. automodule:: {name}\n   :no-index:\n   :members: {', '.join(own)}\n\n"
    for module in module_names(package):
        page += title(module.removeprefix("nanogap."), "-")
        page += f".. automodule:: {module}\n   :members:\n\n"
    return page


def face_page() -> str:
    """Write the page of the public face: a table of its names by the room, then each of them."""
    public = [name for name in nanogap.__all__ if not name.startswith("_")]
    things = {name: getattr(nanogap, name) for name in public}
    # functions and classes in the order of the rooms, errors last
    rooms = list(ORDER)

    def place(name: str) -> tuple[int, str]:
        room = things[name].__module__.split(".")[1]
        return (rooms.index(room) if room in rooms else len(rooms), name)

    ordered = sorted(public, key=place)
    rows = "".join(
        f"   * - :py:obj:`~nanogap.{name}`\n     - {summary(things[name])}\n" for name in ordered
    )
    page = title("nanogap", "=") + ".. automodule:: nanogap\n   :no-members:\n\n"
    page += f".. list-table::\n   :widths: 25 75\n\n{rows}\n"
    for name in ordered:
        kind = "exception" if isinstance(things[name], type) else "function"
        if isinstance(things[name], type) and not issubclass(things[name], Exception):
            kind = "class"
        members = "" if kind == "function" else "   :members:\n"
        page += f".. auto{kind}:: nanogap.{name}\n{members}\n"
    return page


def index(rooms: list[str]) -> str:
    """Write the first page of the reference: every room with its one job."""
    rows = "".join(
        f"   * - :doc:`{name}`\n     - {summary(import_module(name))}\n" for name in rooms
    )
    pages = "".join(f"   {name.removeprefix('nanogap.')} <{name}>\n" for name in rooms)
    return (
        f"{HEAD}.. list-table::\n   :widths: 30 70\n\n{rows}"
        "   * - :doc:`foundation`\n     - Units, errors and types that all rooms use.\n"
        f"\n.. toctree::\n   :hidden:\n   :maxdepth: 1\n\n{pages}   foundation\n"
    )


def foundation_page() -> str:
    """Write the page of the modules that stand in no room."""
    page = title("foundation", "=") + "Modules that every room may use.\n\n"
    for module in module_names(nanogap):
        page += title(module.removeprefix("nanogap."), "-")
        page += f".. automodule:: {module}\n   :members:\n\n"
    return page


def write_pages(folder: Path) -> None:
    """Write all pages, and remove those of rooms that are gone."""
    rooms = list(package_names(nanogap))
    pages = {name: room_page(name) for name in rooms}
    pages |= {"index": index(rooms), "nanogap": face_page(), "foundation": foundation_page()}
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        # an unchanged page is not touched, so that it is not built again
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
