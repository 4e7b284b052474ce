"""Meaning of the columns of a table, from their names and units."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nanogap.errors import SettingsError
from nanogap.units import CONDUCTANCE_QUANTUM

#: Unit to (quantity, factor to the unit of a measurement dataset): s, V, A, G0, ohm.
UNITS: dict[str, tuple[str, float]] = {
    **{f"{prefix}A": ("current", factor) for prefix, factor in (("", 1.0), ("m", 1e-3))},
    **{f"{mu}A": ("current", 1e-6) for mu in ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")},
    "nA": ("current", 1e-9),
    "pA": ("current", 1e-12),
    "V": ("voltage", 1.0),
    "kV": ("voltage", 1e3),
    "mV": ("voltage", 1e-3),
    **{f"{mu}V": ("voltage", 1e-6) for mu in ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")},
    "s": ("time", 1.0),
    "sec": ("time", 1.0),
    "ms": ("time", 1e-3),
    **{f"{mu}s": ("time", 1e-6) for mu in ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")},
    "ns": ("time", 1e-9),
    "ps": ("time", 1e-12),
    "fs": ("time", 1e-15),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "S": ("conductance", 1.0 / CONDUCTANCE_QUANTUM),
    "mS": ("conductance", 1e-3 / CONDUCTANCE_QUANTUM),
    **{
        f"{mu}S": ("conductance", 1e-6 / CONDUCTANCE_QUANTUM)
        for mu in ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")
    },
    "nS": ("conductance", 1e-9 / CONDUCTANCE_QUANTUM),
    "G0": ("conductance", 1.0),
    "G_0": ("conductance", 1.0),
    "G\N{SUBSCRIPT ZERO}": ("conductance", 1.0),
    "2e^2/h": ("conductance", 1.0),
    "ohm": ("resistance", 1.0),
    "Ohm": ("resistance", 1.0),
    "\N{GREEK CAPITAL LETTER OMEGA}": ("resistance", 1.0),
    "\N{OHM SIGN}": ("resistance", 1.0),
    "kohm": ("resistance", 1e3),
    "kOhm": ("resistance", 1e3),
    "k\N{GREEK CAPITAL LETTER OMEGA}": ("resistance", 1e3),
    "k\N{OHM SIGN}": ("resistance", 1e3),
    "Mohm": ("resistance", 1e6),
    "MOhm": ("resistance", 1e6),
    "M\N{GREEK CAPITAL LETTER OMEGA}": ("resistance", 1e6),
}

#: What a column can be.
QUANTITIES = ("time", "voltage", "current", "conductance", "resistance", "cycle", "compliance")

# of two-terminal devices with several recorded terminals, the one whose readings are the device's
_TERMINALS = ("anode", "a", "drain", "d", "top", "smua", "smu1", "ch1")

_NAMES: dict[str, re.Pattern[str]] = {
    "time": re.compile(r"(t|time|times|timestamps?|.*time(stamps?)?|elapsed.*|seconds)"),
    "voltage": re.compile(
        r"([vu](meas|read|source|set)?(ch)?\d*|volts?|.*voltage.*|bias|.*volt|sourcev|smu[ab]v)"
    ),
    "current": re.compile(
        r"(i(meas|read|source|set)?(ch)?\d*|amps?|.*current.*|.*amp|readi|smu[ab]i)"
    ),
    "conductance": re.compile(r"(g|.*conductance.*|transmission|gnorm)"),
    "resistance": re.compile(r"(r|.*resistance.*)"),
    "cycle": re.compile(r"(cycle.*|sweep(no|number|index)?|loop|run(no|number)?)"),
    "compliance": re.compile(r"(compliance|incompliance|.*compl)"),
}
_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[{](?P<unit>[^)\]}]*)[)\]}]\s*$")
_SLASH = re.compile(r"^(?P<name>.+?)\s*/\s*(?P<unit>\S+)$")
_SUFFIX = re.compile(rf"^(?P<name>.+?)[_ ](?P<unit>{'|'.join(map(re.escape, UNITS))})$")
_TERMINAL = re.compile(r"^(?P<terminal>[A-Za-z][A-Za-z0-9_ ]*?)(?P<letter>[VI])$")
_STEP = re.compile(r"^(?P<name>.+?)\((?P<step>\d+)\)$")
_BUFFER_SOURCE = re.compile(r"source_?\s?values?|sourcevals?|source", re.IGNORECASE)
_BUFFER_READING = re.compile(r"readings?|measured?values?|measurement", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A column whose meaning is known.

    Attributes
    ----------
    index : int
        Place in the table, from 0.
    name : str
        As in the header.
    factor : float
        To the unit of a measurement dataset: s, V, A, G0, ohm.
    """

    index: int
    name: str
    factor: float = 1.0


def split_unit(cell: str) -> tuple[str, str]:
    """Split a header cell into name and unit: ``I (uA)``, ``I [uA]``, ``I/uA`` or ``I_uA``."""
    text = cell.strip()
    match = _BRACKETS.match(text) or _SLASH.match(text) or _SUFFIX.match(text)
    return (match["name"].strip(), match["unit"].strip()) if match else (text, "")


def steps_of(header: Sequence[str]) -> dict[int, list[int]]:
    """Group the columns of stepped sweeps, ``AnodeI(1), AnodeV(1), AnodeI(2), ...``, by step.

    Returns
    -------
    dict
        Step number to the columns that belong to it; columns without a step belong to all. Empty
        if the header has no steps.
    """
    found = [_STEP.match(cell.strip()) for cell in header]
    steps = sorted({int(match["step"]) for match in found if match})
    return {
        step: [i for i, match in enumerate(found) if match is None or int(match["step"]) == step]
        for step in steps
    }


def identify_columns(
    header: Sequence[str], choice: Mapping[str, str] | None, where: str
) -> dict[str, Column]:
    """Find the quantities of a table.

    Parameters
    ----------
    header : sequence of str
        Name of every column; empty where a column has none.
    choice : mapping, optional
        Quantity to column name or number (from 1); wins over what the names say.
    where : str
        File and sheet, for error messages.

    Returns
    -------
    dict
        Quantity to `Column`.

    Raises
    ------
    SettingsError
        If a chosen column does not exist, or a quantity could be several columns.
    """
    chosen = {
        quantity: _choose(header, quantity, wanted, where)
        for quantity, wanted in (choice or {}).items()
    }
    taken = {column.index for column in chosen.values()}
    found: dict[str, list[tuple[int, Column]]] = {}
    for index, cell in enumerate(header):
        if index not in taken and (guess := _recognize(index, cell, where)) is not None:
            quantity, rank, column = guess
            found.setdefault(quantity, []).append((rank, column))
    columns = dict(chosen)
    for quantity, candidates in found.items():
        if quantity in columns:
            continue
        best = min(rank for rank, _ in candidates)
        leading = [column for rank, column in candidates if rank == best]
        if len(leading) > 1 and quantity in {"voltage", "current"}:
            names = ", ".join(repr(column.name) for column in leading)
            raise SettingsError(
                f"{where}: {names} could all be the {quantity}; choose one with "
                f"--columns {quantity}=NAME"
            )
        columns[quantity] = leading[0]
    return columns


def buffer_columns(header: Sequence[str]) -> tuple[int, int] | None:
    """Places of the source values and readings of a source-measure unit's buffer, if both exist."""
    names = [re.sub(r"[\s_]", "", split_unit(cell)[0]) for cell in header]
    source = [i for i, name in enumerate(names) if _BUFFER_SOURCE.fullmatch(name)]
    reading = [i for i, name in enumerate(names) if _BUFFER_READING.fullmatch(name)]
    return (source[0], reading[0]) if len(source) == len(reading) == 1 else None


def _choose(header: Sequence[str], quantity: str, wanted: str, where: str) -> Column:
    """Find the column that the user named."""
    if quantity not in QUANTITIES:
        raise SettingsError(
            f"--columns {quantity}={wanted}: {quantity!r} is none of {', '.join(QUANTITIES)}"
        )
    names = [cell.strip().casefold() for cell in header]
    bare = [split_unit(cell)[0].casefold() for cell in header]
    key = wanted.strip().casefold()
    if key in names or key in bare:
        index = names.index(key) if key in names else bare.index(key)
    elif key.isdecimal() and 1 <= int(key) <= len(header):
        index = int(key) - 1
    else:
        known = ", ".join(repr(cell) for cell in header if cell.strip()) or "no names"
        raise SettingsError(
            f"{where}: no column {wanted!r} for the {quantity}; it has {len(header)} columns "
            f"({known})"
        )
    unit = split_unit(header[index])[1]
    _, factor = UNITS.get(unit, (quantity, 1.0))
    return Column(index, header[index].strip() or f"column {index + 1}", factor)


def _recognize(index: int, cell: str, where: str) -> tuple[str, int, Column] | None:
    """Quantity, rank (lower is better) and column of a header cell; None if it says nothing."""
    step = _STEP.match(cell.strip())
    name, unit = split_unit(step["name"] if step else cell)
    by_unit = UNITS.get(unit)
    terminal = _TERMINAL.match(name)
    squeezed = re.sub(r"[\s_\-.]", "", name).casefold()
    quantity, rank = None, 50
    for candidate, pattern in _NAMES.items():
        if pattern.fullmatch(squeezed):
            quantity, rank = candidate, 10
            break
    if terminal and squeezed not in {"v", "i"} and (quantity is None or len(name) <= 4):
        quantity = {"V": "voltage", "I": "current"}[terminal["letter"]]
        who = terminal["terminal"].strip().casefold()
        rank = 20 + (_TERMINALS.index(who) if who in _TERMINALS else len(_TERMINALS))
    if by_unit is not None and (quantity is None or quantity != by_unit[0]):
        # the unit decides: 'Reading (A)' is a current whatever it is called
        quantity, rank = by_unit[0], 30
    if quantity is None:
        return None
    if unit and by_unit is None and quantity not in {"cycle", "compliance"}:
        raise SettingsError(
            f"{where}: column {cell!r}: unknown unit {unit!r}; known are {', '.join(UNITS)}"
        )
    return quantity, rank, Column(index, cell.strip(), by_unit[1] if by_unit else 1.0)
