"""Figures and the HTML report."""

from nanogap.report.page import write_report

__all__ = ["write_report"]
