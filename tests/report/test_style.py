"""Names in figures are text, and the figures own symbols are drawn."""

import re
from pathlib import Path

from nanogap.report import style


def test_the_figures_own_mathematics_stays():
    """Every symbol that a figure of the report writes is known; names with a dollar are text."""
    folder = Path(style.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    found = set(re.findall(r"\$[_^\\][^$ ]{0,12}\$", text.replace("{{", "{").replace("}}", "}")))
    assert len(found) > 8
    assert {symbol: style.inert_text(symbol) for symbol in found} == {s: s for s in found}
    assert style.inert_text("464\N{THIN SPACE}505 of a$b$") == "464\N{THIN SPACE}505 of a\\$b\\$"
    assert style.inert_text("a\x1b[31m\u202e") == "a\ufffd[31m\ufffd"
