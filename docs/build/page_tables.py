"""Tables of a page of docs/, each between its marks."""

from collections.abc import Callable, Mapping
from typing import TypeVar

Findings = TypeVar("Findings")


def head(*cells: str) -> list[str]:
    """Begin a table."""
    return [f"| {' | '.join(cells)} |", "|---" * len(cells) + "|"]


def filled(page: str, tables: Mapping[str, Callable[[Findings], str]], found: Findings) -> str:
    """Put each table into the page, between its marks."""
    for name, table in tables.items():
        begin, end = f"<!-- table {name} -->\n", f"\n<!-- end {name} -->"
        before, rest = page.split(begin)
        page = before + begin + table(found) + end + rest.split(end)[1]
    return page
