"""Terminal output that shows names of files and devices as they are: no markup, no escapes."""

import logging
import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text


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
        self._console.print(" ".join(record.getMessage().split()), highlight=False, soft_wrap=True)
