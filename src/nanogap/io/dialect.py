"""Dialect of a text table: separator, decimal mark, where its rows are and how wide they are."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from nanogap.errors import NoDataError

COMMENTS = ("#", "%", "//", "!")

#: Lines looked at for a dialect: more, if rows are not this part of them and so many.
_SAMPLES = (60, 300, 20_000)
_ENOUGH, _PART = 20, 0.5
#: No line below these has a say in the dialect.
LOOKED_AT = _SAMPLES[-1]
#: A column of single numbers is a table from so many rows on.
_SINGLE = 8
#: No number is written with more characters.
_LONGEST = 60

# every part can match in one way only, so that no long line takes quadratic time
_NUMBER = re.compile(r"[NLVXCT]?\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?")
_MOMENT = re.compile(
    r"\d{1,4}([-/.:])\d{1,2}\1\d{1,4}(?:[.,]\d+)?(?:[ T]\s*[\d:.,]+)?|\d+:\d+[.,\d]*"
)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
#: Markers of a missing or impossible reading.
MARKERS = frozenset(
    {"nan", "inf", "-inf", "+inf", "overflow", "ovrflw", "#ref", "-nan(ind)", "--", "-", "na", ""}
)

#: (separator, decimal mark), the surest first.
_DIALECTS = (
    *(("\t", "."), ("\t", ","), (";", ","), (";", "."), (",", ".")),
    *((" ", "."), (" ", ","), (",", ","), ("|", ".")),
)


@dataclass(frozen=True)
class Layout:
    """The dialect of a table.

    Attributes
    ----------
    separator, decimal : str
        Between the columns (a blank stands for any white space), and in the numbers.
    first : int
        Place of the first row among the lines, from 0.
    width : int
        Number of columns.
    pattern : tuple of str or None
        For every column the one word that it always holds, an empty text where it holds various
        words, None where it holds numbers.
    """

    separator: str
    decimal: str
    first: int
    width: int
    pattern: tuple[str | None, ...] = ()


def fields(line: str, separator: str) -> list[str]:
    """Split a line; separators at its end are no fields, those inside quotes separate nothing."""
    if separator == " ":
        if '"' not in line:
            return line.split()
        found = re.findall(r'(?:"[^"]*"|[^\s"])+', line)
        return [part.strip('"').strip() for part in found]
    stripped = line.strip(" ").rstrip(separator + " ")
    if '"' not in line:
        return [part.strip() for part in stripped.split(separator)]
    hidden = _QUOTED.sub(lambda found: found[0].replace(separator, "\x00"), stripped)
    return [
        part.replace("\x00", separator).strip().strip('"').strip()
        for part in hidden.split(separator)
    ]


@lru_cache(maxsize=4096)  # the same fields are asked about several times
def is_number(text: str, decimal: str) -> bool:
    """Whether a field is a number of this dialect."""
    if len(text) > _LONGEST or (decimal == "," and "." in text):
        return False
    return bool(_NUMBER.fullmatch(text.replace(decimal, ".", 1) if decimal == "," else text))


def is_moment(text: str) -> bool:
    """Whether a field is a date or a time of day."""
    return len(text) < _LONGEST and bool(_MOMENT.fullmatch(text))


def row_fields(line: str, separator: str, decimal: str) -> list[str]:
    """Return the fields of a row of data; nothing if the line is none.

    A field may be missing or a word, but more than half of the others must be numbers.
    """
    if not line.strip() or line.lstrip().startswith(COMMENTS):
        return []
    parts = fields(line, separator)
    numbers = others = 0
    for part in parts:
        if is_number(part, decimal):
            numbers += 1
        elif part and not is_moment(part):
            others += 1
    return parts if numbers > others else []


def sniff(lines: list[str], where: str) -> Layout:
    """Find the dialect in which most of the first lines are rows of one width.

    Raises
    ------
    NoDataError
        If there is no table of numbers.
    """
    for size in _SAMPLES:
        found, count = _best(lines[:size], least=2)
        plain = count >= max(_ENOUGH, _PART * min(size, len(lines)))
        if found and (plain or len(lines) <= size or size == _SAMPLES[-1]):
            return found
    found, count = _best(lines[: _SAMPLES[1]], least=1)
    if found and count >= _SINGLE:
        return found
    raise NoDataError(
        f"{where} holds no table of numbers in its first {_SAMPLES[-1]} lines; columns are "
        "separated by tab, semicolon, comma or blanks"
    )


def _best(sample: list[str], least: int) -> tuple[Layout | None, int]:
    """Return the layout with the most rows of at least so many columns, and their number."""
    best: Layout | None = None
    most = 0
    text = "\n".join(sample)
    for separator, decimal in _DIALECTS:
        if (separator != " " and separator not in text) or (decimal == "," and "," not in text):
            continue
        if separator == decimal == "," and '"' not in text:
            continue
        if least > 1 and sum(_could_divide(line, separator) for line in sample) <= most:
            continue
        rows = [row_fields(line, separator, decimal) for line in sample]
        counted = Counter(len(row) for row in rows if len(row) >= least)
        if not counted:
            continue
        width, count = counted.most_common(1)[0]
        if count > most:
            best, most = _layout(rows, width, separator, decimal), count
    return best, most


def _could_divide(line: str, separator: str) -> bool:
    """Whether a separator may divide a line into fields."""
    return separator in line if separator != " " else len(line.split(None, 1)) > 1


def _layout(rows: list[list[str]], width: int, separator: str, decimal: str) -> Layout:
    """Describe the rows of one width, and find the first that is like most of them."""
    alike = [row for row in rows if len(row) == width]
    pattern: list[str | None] = []
    for place in range(width):
        words = [row[place] for row in alike if not _numeric(row[place], decimal)]
        if len(words) <= 0.2 * len(alike):
            pattern.append(None)
        else:
            usual, count = Counter(words).most_common(1)[0]
            pattern.append(usual if usual and count > 0.8 * len(alike) else "")
    layout = Layout(separator, decimal, 0, width, tuple(pattern))
    fits = [len(row) == width and is_like(row, layout) for row in rows]
    first = fits.index(True) if True in fits else [len(row) for row in rows].index(width)
    # a row of statistics may have its label in a column of its own
    longest = max([width, *(len(row) for row in rows[first:] if row and is_like(row, layout))])
    return Layout(separator, decimal, first, longest, tuple(pattern))


def _numeric(part: str, decimal: str) -> bool:
    return is_number(part, decimal) or part.casefold() in MARKERS or is_moment(part)


def is_like(row: list[str], layout: Layout) -> bool:
    """Whether the fields of a row are numbers and words where those of most rows are."""
    return all(
        _numeric(part, layout.decimal) if word is None else (not word or part == word)
        for part, word in zip(row, layout.pattern, strict=False)
    )
