"""Breakdown of the wires of a campaign."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nanogap.analysis import BreakdownAnalysis, spread
from nanogap.errors import DataFormatError
from nanogap.measured.files import DataFiles, Trace


@dataclass
class BreakdownCampaign:
    """Breakdown of every sweep.

    Attributes
    ----------
    rows : list of (Trace, int, BreakdownAnalysis)
        Trace, cycle and analysis.
    """

    rows: list[tuple[Trace, int, BreakdownAnalysis]] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _, _ in self.rows)

    def summary(self) -> dict[str, Any]:
        """Return the result as plain data."""
        table = [_row(*row) for row in self.rows]
        broken = [row for row in table if row["found"]]
        keys = ("voltage", "current", "power", "resistance_before", "resistance_after")
        return {
            "devices": table,
            "broken": len(broken),
            "spread": {key: spread([row[key] for row in broken]) for key in keys},
            "synthetic": self.synthetic,
        }


def _row(trace: Trace, cycle: int, analysis: BreakdownAnalysis) -> dict[str, Any]:
    row: dict[str, Any] = {
        "file": trace.name,
        "device": trace.device,
        "cycle": cycle,
        "found": analysis.found,
        "resistance_before": analysis.resistance_before,
    }
    if analysis.found:
        row |= {
            "voltage": analysis.voltage,
            "current": analysis.current,
            "power": analysis.power,
            "resistance_after": analysis.resistance_after,
        }
    return row


def breakdown_campaign(files: DataFiles, minimum_drop: float = 0.5) -> BreakdownCampaign:
    """Find the breakdown in every sweep of every file."""
    result = BreakdownCampaign()
    for trace in files.traces():
        if "conductance" in trace.dataset:
            raise DataFormatError(
                f"{trace.name} gives a conductance; a breakdown needs voltage and current"
            )
        for number in np.unique(trace.cycle):
            inside = np.flatnonzero(trace.cycle == number)
            part = trace.dataset.isel(point=inside)
            try:
                analysis = BreakdownAnalysis(minimum_drop).compute(
                    part["voltage"].to_numpy(), part["current"].to_numpy()
                )
            except DataFormatError as error:
                raise DataFormatError(f"{trace.name}, cycle {number}: {error}") from None
            result.rows.append((trace, int(number), analysis))
    return result
