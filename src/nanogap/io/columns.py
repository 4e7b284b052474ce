"""Meaning of the columns of a table, from their names and units."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from nanogap.arguments import shown
from nanogap.errors import SettingsError
from nanogap.io.column_names import HeaderCell, read_header, split_unit
from nanogap.io.column_units import KNOWN_UNITS, parse_unit

#: What a column can be.
QUANTITIES = (
    "time",
    "voltage",
    "current",
    "conductance",
    "resistance",
    "cycle",
    "compliance",
    "date",
)

#: Columns that the user names: quantity to name or number, or in the words of the command line.
Choice: TypeAlias = Mapping[str, str | int] | str

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
        To the unit of a measurement dataset: s, V, A, G0, ohm. Negative where the sign is turned.
    base : float
        Of the logarithm that the numbers are; 0 if they are none.
    unit : str
        The unit as written, or the layout of a time (``mm:ss``); empty if none is.
    """

    index: int
    name: str
    factor: float = 1.0
    base: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class _Candidate:
    rank: int
    column: Column
    terminal: bool = False
    problem: str = ""


def parse_columns(choice: Choice | None) -> dict[str, str] | None:
    """Read a choice of columns, given as a mapping or as the command line takes it.

    Raises
    ------
    SettingsError
        If a text is not of this form.

    Examples
    --------
    >>> parse_columns("voltage=AnodeV,current=-3:uA")
    {'voltage': 'AnodeV', 'current': '-3:uA'}
    >>> parse_columns({"voltage": 2})
    {'voltage': '2'}
    """
    if choice is None or choice == {}:
        return None
    if not isinstance(choice, str):
        return {quantity: str(column) for quantity, column in choice.items()}
    chosen: dict[str, str] = {}
    called = shown(choice).strip("'\"")
    # a comma may stand in a name: Current, mA
    for part in re.split(r",(?=\s*\w+\s*=)", choice):
        quantity, sign, column = part.partition("=")
        if not sign or not column.strip() or quantity.strip() not in QUANTITIES:
            raise SettingsError(
                f"`columns={called}`: write it as QUANTITY=NAME_OR_NUMBER,... (3:uA states a "
                f"unit, -Id turns the sign); quantities are "
                f"{', '.join(QUANTITIES)}"
            )
        if quantity.strip() in chosen:
            raise SettingsError(f"`columns={called}` gives the {quantity.strip()} twice")
        chosen[quantity.strip()] = column.strip()
    return chosen


def as_argument(choice: Mapping[str, str]) -> str:
    """Write a choice of columns as the argument that makes it, for sentences to the user.

    Examples
    --------
    >>> as_argument({"current": "3:uA"})
    "`columns={'current': '3:uA'}`"
    """
    return f"`columns={dict(choice)!r}`"


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
    header: Sequence[str],
    choice: Mapping[str, str] | None,
    where: str,
    notes: list[str] | None = None,
) -> dict[str, Column]:
    """Find the quantities of a table.

    Parameters
    ----------
    header : sequence of str
        Name of every column; empty where a column has none.
    choice : mapping, optional
        Quantity to column name or number (from 1); wins over what the names say. ``-Id`` turns the
        sign, ``3:uA`` states the unit.
    where : str
        File and sheet, for error messages.
    notes : list of str, optional
        What was decided is added to it.

    Returns
    -------
    dict
        Quantity to `Column`; ``fraction`` is a column of parts of a second.

    Raises
    ------
    SettingsError
        If a chosen column does not exist, a quantity could be several columns, or the unit of one
        that is needed is not understood.
    """
    notes = [] if notes is None else notes
    chosen = {
        quantity: _choose(header, quantity, wanted, where, notes)
        for quantity, wanted in (choice or {}).items()
    }
    taken = {column.index for column in chosen.values()}
    if len(taken) < len(chosen):
        raise SettingsError(f"{where}: `columns` gives one column for two quantities")
    found: dict[str, list[_Candidate]] = {}
    for index, cell in enumerate(header):
        if index not in taken and (guess := _recognize(index, cell)) is not None:
            quantity, candidate = guess
            found.setdefault(quantity, []).append(candidate)
    columns, problems = dict(chosen), {}
    for quantity, candidates in found.items():
        if quantity in columns:
            continue
        best = _best(candidates, quantity, notes)
        if best.problem:
            problems[quantity] = best.problem
        else:
            columns[quantity] = best.column
    if {"conductance", "resistance"} & set(chosen):
        # what was chosen counts, not a current beside it
        for quantity in {"current", "conductance", "resistance"} - set(chosen):
            columns.pop(quantity, None)
            problems.pop(quantity, None)
    _settle(columns, problems, where, notes)
    return columns


def _settle(
    columns: dict[str, Column], problems: dict[str, str], where: str, notes: list[str]
) -> None:
    """Refuse what is needed and not understood; leave out, and say so, what is not needed."""
    pair, optional = {"voltage", "current"}, {"time", "date", "fraction", "compliance"}
    if pair <= set(columns):
        problems.pop("conductance", None)
        problems.pop("resistance", None)
    elif "conductance" in columns or ("resistance" in columns and "conductance" not in problems):
        optional |= pair
    left_out = sorted(optional & set(problems))
    notes.extend(f"{problems.pop(quantity)}; it was left out" for quantity in left_out)
    for problem in problems.values():
        raise SettingsError(f"{where}: {problem}")
    if "fraction" in columns and not {"time", "date"} & set(columns):
        columns["time"] = columns.pop("fraction")


def _best(candidates: list[_Candidate], quantity: str, notes: list[str]) -> _Candidate:
    """Take the surest column of a quantity; equally sure ones are a problem."""
    best = min(candidate.rank for candidate in candidates)
    leading = [candidate for candidate in candidates if candidate.rank == best]
    plain = [one for one in leading if split_unit(one.column.name)[0].casefold() == quantity]
    if len(plain) == 1:  # 'voltage' beside 'gap_voltage'
        leading = plain
    if len(leading) > 1:
        names = ", ".join(f"{one.column.name!r} (column {one.column.index + 1})" for one in leading)
        number = leading[0].column.index + 1
        return _Candidate(
            best,
            leading[0].column,
            problem=f"{names} could all be the {quantity}; choose one with "
            f"{as_argument({quantity: 'NAME'})}, or by its number, {number}",
        )
    others = [one.column.name for one in candidates if one is not leading[0] and not one.terminal]
    if others and quantity in {"voltage", "current", "conductance", "resistance"}:
        notes.append(
            f"{leading[0].column.name!r} was taken as the {quantity}, not "
            + ", ".join(map(repr, others))
        )
    return leading[0]


def buffer_columns(header: Sequence[str]) -> tuple[int, int] | None:
    """Places of the source values and readings of a source-measure unit's buffer, if both exist."""
    names = [re.sub(r"[\s_]", "", split_unit(cell)[0]) for cell in header]
    source = [i for i, name in enumerate(names) if _BUFFER_SOURCE.fullmatch(name)]
    reading = [i for i, name in enumerate(names) if _BUFFER_READING.fullmatch(name)]
    return (source[0], reading[0]) if len(source) == len(reading) == 1 else None


def _choose(
    header: Sequence[str], quantity: str, wanted: str, where: str, notes: list[str]
) -> Column:
    """Find the column that the user named, with the unit that the user or the header gives."""
    if quantity not in QUANTITIES:
        raise SettingsError(f"`columns`: {shown(quantity)} is none of {', '.join(QUANTITIES)}")
    index, sign, unit_text = _place(header, quantity, wanted, where)
    cell = read_header(header[index])
    name = header[index].strip() or f"column {index + 1}"
    option = as_argument({quantity: wanted})
    if quantity not in KNOWN_UNITS:
        return Column(index, name)
    if unit_text:
        if quantity == "time" and re.fullmatch(r"[hms:.f]*(hh|mm|ss)[hms:.f]*", unit_text):
            return Column(index, name, unit=unit_text)
        unit = parse_unit(unit_text, quantity)
        if unit is None or unit.quantity != quantity:
            raise SettingsError(
                f"{option}: unknown unit {unit_text!r}; known for a {quantity} are "
                f"{KNOWN_UNITS[quantity]}"
            )
        return Column(index, name, sign * unit.factor, unit.base, unit_text)
    stated = cell.unit_text or (cell.unit is not None and name) or ""
    unit = cell.unit or parse_unit(cell.unit_text, quantity)
    if unit is not None and unit.quantity == quantity:
        return Column(index, name, sign * unit.factor, unit.base, stated)
    if stated and not (quantity == "time" and unit is None and cell.quantity != "time"):
        raise SettingsError(
            f"{where}: column {name!r} has {_trouble(stated, quantity, unit is not None)}; "
            f"state it: {as_argument({quantity: f'{wanted}:UNIT'})}"
        )
    if quantity == "conductance":
        notes.append(f"the conductance in {name!r} names no unit and was taken as G0")
    return Column(index, name, sign)


def _place(header: Sequence[str], quantity: str, wanted: str, where: str) -> tuple[int, float, str]:
    """Place, sign and unit of a choice such as ``Id``, ``-3`` or ``3:uA``."""
    cuts = [len(wanted)] + [i for i, letter in enumerate(wanted) if letter == ":"]
    for cut in cuts:
        name, unit = wanted[:cut].strip().strip("\"'"), wanted[cut + 1 :].strip()
        for sign, key in ((1.0, name), (-1.0, name.removeprefix("-").strip())):
            if sign < 0.0 and not name.startswith("-"):
                continue
            index = _named(header, key.casefold(), quantity, where)
            if index is not None:
                return index, sign, unit
    known = ", ".join(repr(cell) for cell in header if cell.strip()) or "no names"
    raise SettingsError(
        f"{where}: no column {wanted!r} for the {quantity}; it has {len(header)} columns ({known})"
    )


def _named(header: Sequence[str], key: str, quantity: str, where: str) -> int | None:
    """Place of a column by its whole name, its name without unit, or its number."""
    for names in (
        [cell.strip().casefold() for cell in header],
        [split_unit(cell)[0].casefold() for cell in header],
    ):
        places = [i for i, name in enumerate(names) if name == key and key]
        if len(places) > 1:
            numbers = ", ".join(str(place + 1) for place in places)
            raise SettingsError(
                f"{where}: columns {numbers} are all called {key!r}; choose the {quantity} by its "
                "number"
            )
        if places:
            return places[0]
    if key.isascii() and key.isdecimal() and len(key) < 7 and 1 <= int(key) <= len(header):
        return int(key) - 1
    return None


def _recognize(index: int, text: str) -> tuple[str, _Candidate] | None:
    """Quantity of a header cell and how sure it is; None if it says nothing."""
    cell: HeaderCell = read_header(text)
    if cell.quantity is None:
        return None
    name, quantity = text.strip(), cell.quantity
    column = Column(index, name, unit=cell.unit_text)
    problem = ""
    layout = re.search(r"h{1,2}:mm(:ss)?|mm:ss", text.casefold())
    if quantity == "time" and layout:
        column = replace(column, unit=layout[0])
    if cell.unit is not None and not cell.conflict:
        column = replace(column, factor=cell.unit.factor, base=cell.unit.base)
        if not cell.unit_text:
            column = replace(column, unit=name)
    elif quantity in KNOWN_UNITS and (cell.unit_text or cell.conflict):
        problem = f"column {name!r} has {_trouble(cell.unit_text, quantity, cell.conflict)}"
    elif quantity == "conductance" and not _dimensionless(cell.name):
        problem = (
            f"the conductance in column {name!r} names no unit; state it: "
            f"{as_argument({'conductance': f'{index + 1}:G0'})}, or {index + 1}:S"
        )
    return quantity, _Candidate(cell.rank, column, cell.terminal, problem)


def _dimensionless(name: str) -> bool:
    """Whether a name means a conductance in units of G0."""
    return bool(re.search(r"transmission|g\W?norm|g[_ ]?[0o]", name.casefold()))


def _trouble(unit: str, quantity: str, conflict: bool) -> str:
    """Say why a unit cannot be used."""
    if conflict:
        return f"the unit {unit!r}, which is none of a {quantity} ({KNOWN_UNITS[quantity]})"
    return (
        f"unknown unit {unit.removeprefix('?')!r}; known for a {quantity} are "
        f"{KNOWN_UNITS[quantity]}, also in words"
    )
