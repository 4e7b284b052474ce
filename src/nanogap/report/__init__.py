"""Figures and the HTML report."""

from typing import TYPE_CHECKING

from nanogap.lazy import on_first_use

if TYPE_CHECKING:
    from nanogap.report.page import write_report as write_report

__all__ = ["write_report"]

# other pages need nothing of the report of a run
__getattr__ = on_first_use(__name__, {"nanogap.report.page": __all__})
