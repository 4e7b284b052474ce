"""Rows of data, apart from what else stands among and below them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nanogap.io.decoding import CONTROL, refuse_binary
from nanogap.io.dialect import COMMENTS, MARKERS, Layout, fields, is_moment, is_number
from nanogap.io.header import bare, is_unit, means_something

#: Words that name a row of statistics, not of data.
_STATISTICS = re.compile(
    r"(?:the\s)?(?:min(?:imum)?|max(?:imum)?|mean|average|avg|median|std(?:[\s._-]?dev)?|stdev(?:\.?[sp])?"
    r"|std[\s._-]?err(?:or)?|standard[\s-](?:deviation|error)|s\.?d\.?|sem|cv|variance|var|sum|total"
    r"|count|rms|range|peak[\s-]to[\s-]peak|pk-?pk|statistics?|summary|rsd|quartile|skew(?:ness)?"
    r"|kurtosis|mittelwert|durchschnitt|standardabweichung|varianz|summe|anzahl|moyenne|[ée]cart[\s-]type"
    r"|somme|media|desviaci[oó]n|deviazione(?:\sstandard)?|somma|moyen|medel(?:v[aä]rde)?)"
    r"(?:\s*\(.*\))?\s*[:=]?",
    re.IGNORECASE,
)
_PLAIN = frozenset("0123456789+-.")
#: A block of so few rows below a blank line, next to so many above it, is no sweep.
_FEW, _MANY = 6, 20


@dataclass
class Section:
    """Rows that belong under one line of names.

    Attributes
    ----------
    header : list of str
        Names of the columns.
    layout : Layout
        Of the rows.
    rows : list of str
        Lines.
    lines : list of int
        Number of each in the file, from 1.
    """

    header: list[str]
    layout: Layout
    rows: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


@dataclass
class Division:
    """Lines below the first header, being divided into tables.

    Attributes
    ----------
    found : list of Section
        The tables so far; the last goes on.
    where : str
        File, for error messages.
    statistics : list of str
        Labels of rows that were passed over.
    footer : bool
        Whether the lines are below a label of statistics.
    blank : int
        Place in the section of the first row below the last blank line; -1 if there is none.
    released : int
        Rows of the last section that were taken out of it.
    """

    found: list[Section]
    where: str
    statistics: list[str] = field(default_factory=list)
    footer: bool = False
    blank: int = -1
    released: int = 0

    def take_all(self, begin: int, lines: list[str]) -> None:
        """Put lines where they belong; the first has this number."""
        plain = not CONTROL.search("\n".join(lines))
        for number, line in enumerate(lines, begin):
            if plain and line[:1] in _PLAIN and not self.footer:
                self.found[-1].rows.append(line)
                self.found[-1].lines.append(number)
            else:
                self.take(number, line)

    def release(self) -> Section:
        """Take rows out of the last section, but for those that may yet be passed over."""
        last = self.found[-1]
        count = max(0, len(last.rows) - _FEW - 1)
        taken = replace(last, rows=last.rows[:count], lines=last.lines[:count])
        del last.rows[:count], last.lines[:count]
        self.released += count
        return taken

    def take(self, number: int, line: str) -> None:
        """Put a line where it belongs."""
        section = self.found[-1]
        start = line.lstrip(' \t",;')[:1]
        if not start:
            self.blank = self.released + len(section.rows)
            return
        if start not in _PLAIN or self.footer:
            if line.lstrip().startswith(COMMENTS):
                return
            kind, parts = _kind(line, section)
            if kind == "names":
                self.begin(parts, section)
                return
            if kind == "statistics" or (self.footer and kind == "row"):
                # a label alone stands above rows of statistics
                self.footer |= kind == "statistics" and sum(map(bool, parts)) == 1
                self.statistics.append(next((part for part in parts if part), ""))
                return
        if CONTROL.search(line):
            refuse_binary(line, number, self.where)
        section.rows.append(line)
        section.lines.append(number)

    def begin(self, names: list[str], before: Section) -> None:
        """Begin a new table, if it is one."""
        if self.footer or _folded(names) != _folded(before.header):
            layout = replace(before.layout, width=len(names), pattern=())
            self.found.append(Section(names, layout))
        self.footer, self.blank = False, -1

    def end(self) -> list[str]:
        """Leave out a few rows below a blank line at the end; return what was passed over."""
        notes = []
        if self.statistics:
            words = [one for one in dict.fromkeys(self.statistics) if _STATISTICS.fullmatch(one)]
            listed = ", ".join(words[:6])
            notes.append(f"{_rows(len(self.statistics))} of statistics passed over ({listed})")
        last = self.found[-1]
        left = self.released + len(last.rows) - self.blank
        if self.blank >= _MANY and 0 < left <= _FEW and last.layout.pattern:
            notes.append(f"{_rows(left)} below a blank line at the end passed over")
            del last.rows[-left:], last.lines[-left:]
        return notes


def sections(
    body: list[str], begin: int, first: Section, where: str
) -> tuple[list[Section], list[str]]:
    """Divide the lines below the first header into tables, without statistics and comments.

    Parameters
    ----------
    body : list of str
        Lines below the first line of names.
    begin : int
        Number of the first of them in the file, from 1.
    first : Section
        The first table, without rows.
    where : str
        File, for error messages.

    Returns
    -------
    sections : list of Section
        Those that have rows.
    notes : list of str
        What was passed over.

    Raises
    ------
    DataFormatError
        If a row holds binary data.
    """
    division = Division([first], where)
    division.take_all(begin, body)
    notes = division.end()
    return [one for one in division.found if one.rows], notes


def _rows(number: int) -> str:
    return f"{number} row{'s' if number != 1 else ''}"


def _folded(names: list[str]) -> list[str]:
    return [name.casefold() for name in names]


def _kind(line: str, section: Section) -> tuple[str, list[str]]:
    """Tell a row, a row of statistics, a line of names and other text apart."""
    layout = section.layout
    parts = fields(bare(line), layout.separator)
    labels = [part for part in parts if part]
    if labels and _STATISTICS.fullmatch(labels[0]) and labels[0] not in section.header:
        return "statistics", parts
    numbers = [part for part in parts if is_number(part, layout.decimal) or is_moment(part)]
    if numbers or all(part.casefold() in MARKERS for part in parts):
        return "row", parts
    if len(parts) > 1 and all(is_unit(part) or not part for part in parts):
        return "text", parts
    if _folded(parts) == _folded(section.header):
        return "names", parts
    if len(parts) > 1 and means_something(parts):
        return "names", parts
    return "text", parts


def cut_off(body: list[str], layout: Layout, goes_on: Callable[[list[str], str], bool]) -> bool:
    """Whether the last line, which has no line end, ends in the middle of a number.

    Digits that are missing cannot be seen in one number, so it is compared with those above it:
    one of numbers of one length is whole if it is as long.
    """
    last = fields(body[-1], layout.separator)
    above = [fields(line, layout.separator) for line in body[-200:-1]]
    widths = [len(parts) for parts in above if parts]
    if not last or not widths or len(last) < min(widths):
        return True
    column = [parts[len(last) - 1] for parts in above if len(parts) == len(last)]
    column = [cell for cell in column if cell]
    if not column:
        return False
    seen = last[-1] in column
    if not is_number(last[-1], layout.decimal):
        # an unfinished word, or an unfinished number such as 1.2e-
        begun = any(word.startswith(last[-1]) for word in column)
        return not seen and (begun or all(is_number(word, layout.decimal) for word in column))
    if len({len(cell.lstrip("+-")) for cell in column}) == 1:
        return _unfinished(last[-1], column)
    short = not seen and _unfinished(last[-1], column)
    return short or not goes_on([*column, last[-1]], layout.decimal)


def _unfinished(number: str, column: list[str]) -> bool:
    """Whether a number lacks digits that all others have."""
    whole = re.compile(r"[eE][+-]?\d{2,}$")
    if any(map(whole.search, column)) and all("e" in cell.casefold() for cell in column):
        return not whole.search(number)
    return len(number.lstrip("+-")) < min(len(cell.lstrip("+-")) for cell in column)
