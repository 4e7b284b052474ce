"""Results as a prompt or a notebook prints them: a few lines, with units, and what to do next."""

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape

#: Rows of a result: what it is, and its value in words.
Rows = Iterable[tuple[str, str]]

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_NAMED = 6
#: Part of the value below which an uncertainty is that of arithmetic.
_NEGLIGIBLE = 1e-9


class Printed:
    """Base of what prints as a title and a few rows.

    Examples
    --------
    >>> class Answer(Printed):
    ...     def _rows(self):
    ...         yield "resistance", quantity(12906.4, "ohm")
    >>> Answer()
    Answer
      resistance  12.9 kohm
    >>> Answer()._repr_html_()
    '<b>Answer</b><table><tr><th>resistance</th><td>12.9 kohm</td></tr></table>'
    """

    def _title(self) -> str:
        """Say what it is."""
        return type(self).__name__

    def _rows(self) -> Rows:
        """Give what is worth reading first, in words."""
        return ()

    def __repr__(self) -> str:
        rows = list(self._rows())
        width = max((len(name) for name, _ in rows), default=0)
        return "\n".join([self._title(), *(f"  {name:{width}}  {value}" for name, value in rows)])

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        """Write the same as a table, for a notebook."""
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in self._rows()
        )
        return f"<b>{escape(self._title())}</b><table>{rows}</table>"


def quantity(value: float | None, unit: str) -> str:
    """Write a value with a decimal prefix of its unit.

    Examples
    --------
    >>> quantity(7.75e-6, "A"), quantity(0.8, "V"), quantity(float("nan"), "A"), quantity(0, "s")
    ('7.75 µA', '800 mV', 'not known', '0 s')
    """
    if value is None or not math.isfinite(value):
        return "not known"
    if value == 0.0:
        return f"0 {unit}"
    power = 3 * math.floor(math.log10(abs(float(f"{value:.3g}"))) / 3.0)
    if power not in _PREFIXES:
        return f"{value:.3g} {unit}"
    return f"{value / 10.0**power:.3g} {_PREFIXES[power]}{unit}"


def number(value: float, unit: str = "", uncertainty: float | None = None) -> str:
    """Write a value, its standard uncertainty and its unit.

    Examples
    --------
    >>> number(1.0123, "G0", 0.014), number(-0.02), number(1234.5, "G0")
    ('1.012 ± 0.014 G0', '-0.02', '1234 G0')
    """
    if not math.isfinite(value):
        return "not known"
    end = f" {unit}" if unit else ""
    stated = uncertainty is not None and math.isfinite(uncertainty)
    if uncertainty is None or not stated or uncertainty <= _NEGLIGIBLE * abs(value):
        return f"{_rounded(value)}{end}"
    places = max(0, 1 - math.floor(math.log10(uncertainty)))
    return f"{value:.{places}f} ± {uncertainty:.{places}f}{end}"


def counted(count: int, noun: str) -> str:
    """Write a count and its noun.

    Examples
    --------
    >>> counted(1, "point"), counted(12000, "point")
    ('1 point', '12000 points')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def time_in_words(seconds: float | None) -> str:
    """Say a time in its natural unit; one that is not known is None.

    Examples
    --------
    >>> time_in_words(12.4), time_in_words(600.0), time_in_words(32400.0), time_in_words(None)
    ('12 s', '10 min', '9.0 h', 'not known')
    """
    if seconds is None:
        return "not known"
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"


def listed(values: Sequence[str]) -> str:
    """Name a few values, and how many more there are.

    Examples
    --------
    >>> listed(["1", "2"]), listed([]), listed(list("abcdefghij"))
    ('1, 2', 'none', 'a, b, c, d, e, f and 4 more')
    """
    if not values:
        return "none"
    more = len(values) - _NAMED
    return ", ".join(values[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _rounded(value: float) -> str:
    """Write four digits, without an exponent if that is short."""
    if value != 0.0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}"
    whole = len(str(int(abs(value))))
    return f"{value:.{max(0, 4 - whole)}f}".rstrip("0").rstrip(".") if whole < 4 else f"{value:.0f}"


def results_of(kind: type) -> Iterator[str]:
    """Yield the names of the public properties of a class, those of its own first."""
    for owner in kind.__mro__:
        for name, member in vars(owner).items():
            if isinstance(member, property) and not name.startswith("_"):
                yield name
