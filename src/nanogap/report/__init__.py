"""Figures and the HTML report."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanogap.report.page import write_report as write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> Any:
    """Load the report of a run when it is first used: other pages need nothing of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nanogap.report.page import write_report  # noqa: PLC0415

    return write_report
