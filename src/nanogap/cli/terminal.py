"""Terminal output that shows names of files and devices as they are: no markup, no escapes."""

import ast
import logging
import re
import sys
import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text

_ARGUMENT = re.compile(
    r"`(?P<name>averaging_time|by|columns|compliance|cycle|file|interval|origin|pristine"
    r"|sampling_rate|series_resistance)(=(?P<value>[^`]*))?`"
)


def inert(text: str) -> str:
    r"""Replace what steers a terminal by what shows it.

    Examples
    --------
    >>> inert("a\x1b[31mb\rc\n")
    'a\\x1b[31mb\\x0dc\n'
    """
    if text.isprintable():
        return text
    return "".join(
        f"\\x{ord(sign):02x}"
        if sign not in "\n\t" and unicodedata.category(sign) in {"Cc", "Cf", "Cs"}
        else sign
        for sign in text
    )


def as_options(text: str) -> str:
    """Turn the arguments that a sentence of the library speaks of into options.

    Examples
    --------
    >>> as_options("give `interval` or `columns={'time': '1', 'current': '3:uA'}`")
    'give --interval or --columns time=1,current=3:uA'
    """
    return _ARGUMENT.sub(_option, text)


def _option(found: re.Match[str]) -> str:
    value = found["value"] or ""
    if value.startswith("{"):
        try:
            pairs = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return found[0]
        value = ",".join(f"{key}={item}" for key, item in pairs.items())
    return f"--{found['name'].replace('_', '-')} {value}".rstrip()


def complain(sentence: str, program: str = "nanogap") -> None:
    """Write one line to stderr, whatever line breaks a library's own message has."""
    sys.stderr.write(f"{program}: {inert(as_options(' '.join(sentence.split())))}\n")


def words_of(error: OSError) -> str:
    """Say what the system refused, and at which file."""
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


class Terminal(Console):
    """A console on which every text is only text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a text whose markup and control characters do nothing."""
        return super().render_str(inert(text), **options)


class LogLines(logging.Handler):
    """Writes what the package logs as lines on a console.

    Parameters
    ----------
    console : Terminal
    """

    def __init__(self, console: Terminal) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        sentence = as_options(" ".join(record.getMessage().split()))
        self._console.print(sentence, highlight=False, soft_wrap=True)
