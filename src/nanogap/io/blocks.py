"""Curves that stand side by side in one table."""

import re
from collections.abc import Sequence

# what a program adds to a name that occurs a second time
_AGAIN = re.compile(r"(?<=\D)\.\d+$")


def plain_name(cell: str) -> str:
    """Take off what a program adds to a name that occurs a second time: ``I (A).1``."""
    return _AGAIN.sub("", cell.strip())


def side_by_side(header: Sequence[str]) -> dict[int, list[int]]:
    """Group columns whose names repeat as a whole, ``V (V), I (A), V (V), I (A)``.

    One column before names that are all the same, ``V (V), I (A), I (A), I (A)``, belongs to every
    curve.

    Returns
    -------
    dict
        Number of the curve, from 1, to its columns; empty if nothing repeats.

    Examples
    --------
    >>> side_by_side(["V", "I", "V", "I"])
    {1: [0, 1], 2: [2, 3]}
    >>> side_by_side(["V", "I", "I.1"])
    {1: [0, 1], 2: [0, 2]}
    >>> side_by_side(["t", "V", "I"])
    {}
    """
    filled = [place for place, cell in enumerate(header) if cell.strip()]
    names = [plain_name(header[place]).casefold() for place in filled]
    for size in range(2, len(names) // 2 + 1):
        if len(names) % size == 0 and names == names[:size] * (len(names) // size):
            curves = range(0, len(names), size)
            return {n: filled[at : at + size] for n, at in enumerate(curves, 1)}
    if len(names) > 2 and len(set(names[1:])) == 1 and names[0] != names[1]:
        return {n: [filled[0], place] for n, place in enumerate(filled[1:], 1)}
    return {}
