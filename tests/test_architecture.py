"""The house plan: a room imports only from rooms to its left; no module is too long to see."""

import ast
from pathlib import Path

import pytest

import nanogap

ROOT = Path(nanogap.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

#: What every room may use.
FOUNDATION = {"errors", "units"}

#: Which rooms a room may import from, besides itself and the foundation. Measurements join at the
#: analysis, so neither `analysis` nor `electrical` knows how a simulation is made.
MAY_IMPORT = {
    "errors": set(),
    "units": set(),
    "settings": set(),
    "structure": {"settings"},
    "dynamics": {"settings", "structure"},
    "transport": {"settings", "structure", "io"},  # a backend keeps what is finished
    "electrical": {"settings"},
    "analysis": set(),
    "io": set(),
    "report": {"settings", "structure", "dynamics", "transport", "electrical", "analysis", "io"},
    "run": {
        "settings",
        "structure",
        "dynamics",
        "transport",
        "electrical",
        "analysis",
        "io",
        "report",
    },
    # many runs
    "campaign": {
        "settings",
        "structure",
        "electrical",
        "analysis",
        "io",
        "report",
        "run",
        "measured",
    },
    # the counterpart of a run for measured files
    "measured": {"settings", "electrical", "analysis", "io", "report"},
}


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path):
    """Rooms that a module imports from, wherever in it the import stands."""
    package = ("nanogap", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            # "from nanogap import report" imports the room that it names
            names = (
                [f"{module}.{alias.name}" for alias in node.names]
                if module == "nanogap"
                else [module]
            )
        for name in names:
            parts = name.split(".")
            if parts[0] == "nanogap" and len(parts) > 1 and not parts[1].startswith("_"):
                yield parts[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_to_its_left(path):
    room = room_of(path)
    if room in {"__init__", "__main__"} or room.split("_")[0] == "cli":
        return  # the doors of the house
    allowed = MAY_IMPORT[room] | FOUNDATION | {room}
    assert set(imported_rooms(path)) <= allowed


def test_the_checked_imports_are_the_real_ones():
    rooms = set(imported_rooms(ROOT / "run" / "driver.py"))
    assert {"dynamics", "errors", "run", "settings", "structure"} <= rooms


def test_every_room_is_in_the_plan():
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert rooms <= MAY_IMPORT.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_too_long_to_see(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
