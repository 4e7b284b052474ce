"""The tables of docs/instruments.md: what the virtual units understand, from the units themselves.

python -m docs.build.instruments_page
"""

from collections.abc import Iterator
from pathlib import Path

from docs.build.page_tables import filled, head
from nanogap.instruments import LOADS, DataSheet, Keithley2614B, data_sheet, make_unit
from nanogap.instruments.kxci_unit import COMMANDS
from nanogap.instruments.tsp_objects import Attribute, Buffer, Function, Node
from nanogap.instruments.tsp_unit import COMMON

PAGE = Path(__file__).resolve().parents[1] / "instruments.md"


def page(text: str) -> str:
    """Return the page with its tables made anew."""
    return filled(
        text,
        {
            "loads": lambda _: loads(),
            "tsp": lambda _: script_names(),
            "kxci": lambda _: kxci_commands(),
            "2614B": lambda _: ranges(data_sheet("keithley-2614b")),
            "4200": lambda _: ranges(data_sheet("keithley-4200")),
        },
        None,
    )


def loads() -> str:
    """List what can be connected."""
    return "\n".join(
        [
            *head("word", "what it is"),
            *(f"| `{word}` | {about} |" for word, about in LOADS.items()),
            "| a preset, or a file | a simulated device: `nanogap device new --list` |",
        ]
    )


def script_names() -> str:
    """List what the virtual 2614B understands."""
    unit = make_unit("keithley-2614b", "open")
    if not isinstance(unit, Keithley2614B):
        raise TypeError(type(unit))
    rows = [f"| `{word}` | | {about} |" for word, about in COMMON.items()]
    for name, member in sorted(_members(unit.root)):
        if isinstance(member, Function):
            rows.append(f"| `{name}()` | | {member.about} |")
        else:
            allowed = member.allowed if member.set else "read only"
            rows.append(f"| `{name}` | {allowed} | {member.about} |")
    return "\n".join([*head("name", "values", "what it does"), *rows])


def _members(node: Node) -> Iterator[tuple[str, Attribute | Function]]:
    """Give the names of a table; of two channels or buffers alike, the first."""
    for name, member in node.members.items():
        path = f"{node.name}.{name}" if node.name else name
        if any(again in path for again in ("smub", "nvbuffer2", "blender.2")):
            continue
        if isinstance(member, Node):
            shown = member.name if isinstance(member, Buffer) else path
            if not any(f"blender.{number}" in shown for number in range(3, 7)):
                yield from _members(member)
        elif isinstance(member, Attribute | Function):
            yield path, member


def kxci_commands() -> str:
    """List what the virtual 4200 understands."""
    rows = [f"| `{word}` | {page or 'any'} | {about} |" for word, (page, about) in COMMANDS.items()]
    return "\n".join([*head("command", "page", "what it does"), *rows])


def ranges(sheet: DataSheet) -> str:
    """List the ranges of a unit."""
    rows = [
        f"| {one.range:g} {unit} | {one.source_step:g} | {one.digit:g} | {one.noise:g} "
        f"| {100.0 * one.gain_error:.3g} % + {one.offset_error:g} |"
        for unit, several in (("V", sheet.voltage), ("A", sheet.current))
        for one in several
    ]
    names = ("range", "step of the source", "digit", "noise, peak to peak", "error of a reading")
    return "\n".join([*head(*names), *rows])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
