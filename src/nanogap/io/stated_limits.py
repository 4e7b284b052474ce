"""Limits of the current that a file states: in a column, or in the lines above its table."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from nanogap.io.cells import column_numbers
from nanogap.io.column_names import split_unit
from nanogap.io.column_units import parse_unit
from nanogap.io.columns import Column
from nanogap.io.text_table import Table
from nanogap.typing import BoolArray, FloatArray

#: Part of a stated limit from which a current is at it.
_AT_LIMIT = 0.99

#: A reading above a stated limit by more than this part shows that it was not in force.
_ABOVE = 0.05

#: Attribute of a measurement dataset: limits that the lines above its table state, A.
STATED = "stated_current_limits"

#: A column of more different limits is none.
_MOST = 1000

_CURRENT = r"(current|strom|courant|corrente|corriente|amp)"
_LIMIT = re.compile(r"limit|complian|begrenz|clamp|\bi_?(cc|comp|cmpl|compl|lim)\b")
_OF_CURRENT = re.compile(rf"{_CURRENT}|\bi_?(cc|comp|cmpl|compl|lim)|\bi\b|\bilimit|limiti\b")
_NONE = re.compile(r"volt|spannung|tension|reached|status|flag|range|resist|power|leistung|\bv\b")
_VALUE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([^\s,;\d]*)", re.IGNORECASE)


def limit_column(header: Sequence[str]) -> Column | None:
    """Find the column of the limit of the current, with its unit; None unless exactly one is.

    Examples
    --------
    >>> limit_column(["V (V)", "I (A)", "Current limit (uA)"]).factor
    1e-06
    >>> limit_column(["V (V)", "I (A)", "Compliance (V)"]) is None
    True
    """
    found = []
    for index, cell in enumerate(header):
        factor = _limit_factor(*split_unit(cell))
        if factor is not None:
            found.append(Column(index, cell.strip(), factor))
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=4096)
def _limit_factor(name: str, unit_text: str) -> float | None:
    """Factor to A of what a name calls a limit of the current; None if it is none."""
    words = re.sub(r"[_\-.]", " ", name).casefold()
    if not _LIMIT.search(words) or _NONE.search(words):
        return None
    unit = parse_unit(unit_text, "current") if unit_text else None
    if unit_text:
        return unit.factor if unit is not None and unit.quantity == "current" else None
    return 1.0 if _OF_CURRENT.search(words) else None


def limits_above(metadata: Mapping[str, str]) -> dict[str, str]:
    """Find the limits of the current that the lines above a table state.

    Returns
    -------
    dict
        The attribute `STATED` with the limits, A; empty if there is none.

    Examples
    --------
    >>> limits_above({"compliance": "100 uA", "voltage limit": "2", "smu1 compliance (a)": "1e-3"})
    {'stated_current_limits': '0.0001 0.001'}
    """
    found: dict[str, None] = {}
    for key, text in metadata.items():
        name, unit_text = split_unit(key)
        words = re.sub(r"[_\-.]", " ", name).casefold()
        named = _LIMIT.search(words) and not _NONE.search(words)
        if not named or not ("complian" in words or _OF_CURRENT.search(words)):
            continue
        for number, given in _VALUE.findall(text):
            unit = parse_unit(given or unit_text or "A", "current")
            if unit is not None and unit.quantity == "current" and float(number) != 0.0:
                found[f"{abs(float(number)) * unit.factor:.9g}"] = None
    return {STATED: " ".join(found)} if found else {}


def column_limits(table: Table, column: Column) -> FloatArray:
    """Return the limit of every row, A; NaN where the column holds no number."""
    cells = table.column(column.index)
    return column.factor * column_numbers(cells, np.full(len(cells), "N", dtype="<U1"))


def stated(
    table: Table, keep: BoolArray, current: FloatArray, flags: Column | None = None
) -> BoolArray:
    """Return which points are at a limit that a column states.

    Parameters
    ----------
    table : Table
    keep : ndarray of bool, shape (n_rows,)
        Rows that hold data.
    current : ndarray, shape (n_points,)
        Of these, A.
    flags : Column, optional
        A column that flags no point: its numbers are limits in A.
    """
    column = limit_column(table.header) or flags
    if column is not None:
        found = StatedLimits()
        limits = column_limits(table, column)[keep]
        found.add(current, limits)
        return found.limited(current, limits)
    return np.zeros(len(current), dtype=bool)


class StatedLimits:
    """Limits of single points, and in which of them the current stays at its limit.

    A limit is in force if no more than a few readings exceed it by a twentieth; `add` all points,
    in any pieces, before `limited` is asked.
    """

    def __init__(self) -> None:
        self._counts: dict[float, tuple[int, int]] = {}

    def add(self, current: FloatArray, limit: FloatArray) -> None:
        """Count points at their limits and above them, A; points without a limit have NaN."""
        size, stated_limit = np.abs(current), np.abs(limit)
        known = np.isfinite(size) & np.isfinite(stated_limit) & (stated_limit > 0.0)
        values, place = np.unique(stated_limit[known], return_inverse=True)
        parts = size[known] / stated_limit[known]
        reached = np.bincount(place, parts >= _AT_LIMIT, len(values))
        above = np.bincount(place, parts > 1.0 + _ABOVE, len(values))
        for value, *counts in zip(values.tolist(), reached, above, strict=True):
            before = self._counts.get(value, (0, 0))
            self._counts[value] = before[0] + int(counts[0]), before[1] + int(counts[1])

    def limited(self, current: FloatArray, limit: FloatArray) -> BoolArray:
        """Return which points are at a limit that is in force."""
        if len(self._counts) > _MOST:
            return np.zeros(len(current), dtype=bool)
        held = [
            value
            for value, (reached, above) in self._counts.items()
            if above <= max(2, 0.1 * reached)
        ]
        size = np.abs(limit)
        return np.asarray(np.isin(size, held) & (np.abs(current) >= _AT_LIMIT * size))
