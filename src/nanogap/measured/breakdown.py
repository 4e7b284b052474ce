"""Breakdown of the wires of a campaign."""

from dataclasses import dataclass, field, replace

import numpy as np

from nanogap.analysis import BreakdownAnalysis, Spread, spread
from nanogap.errors import DataFormatError
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.reading import Reading
from nanogap.typing import ABSENT_IF_NONE


@dataclass(frozen=True)
class BreakdownRow:
    """Breakdown of one sweep.

    Attributes
    ----------
    file, device : str
    cycle : int
    found : bool
        Whether the wire broke; if not, the last four are None.
    resistance_before : float
        ohm.
    voltage, current, power : float or None
        At the last point before the drop, V, A, W.
    resistance_after : float or None
        ohm.
    """

    file: str
    device: str
    cycle: int
    found: bool
    resistance_before: float
    voltage: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    current: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    power: float | None = field(default=None, metadata=ABSENT_IF_NONE)
    resistance_after: float | None = field(default=None, metadata=ABSENT_IF_NONE)


@dataclass(frozen=True)
class BreakdownSummary:
    """Breakdown of a campaign.

    Attributes
    ----------
    devices : list of BreakdownRow
    broken : int
        Sweeps that broke a wire.
    spread : dict of str to Spread
        ``voltage``, ``current``, ``power``, ``resistance_before`` and ``resistance_after`` of
        these.
    synthetic : bool
        Whether any file says that it is synthetic.
    notes : list of str
        What reading left out or assumed.
    """

    devices: list[BreakdownRow]
    broken: int
    spread: dict[str, Spread]
    synthetic: bool
    notes: list[str]


@dataclass
class BreakdownCampaign:
    """Breakdown of every sweep.

    Attributes
    ----------
    rows : list of (Trace, int, BreakdownAnalysis)
        Trace, cycle and analysis.
    reading : Reading
        What reading left out or assumed.
    """

    rows: list[tuple[Trace, int, BreakdownAnalysis]] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _, _ in self.rows)

    def summary(self) -> BreakdownSummary:
        """Return the result as plain numbers."""
        table = [_row(*row) for row in self.rows]
        broken = [row for row in table if row.found]
        return BreakdownSummary(
            devices=table,
            broken=len(broken),
            spread={
                key: spread([getattr(row, key) for row in broken])
                for key in ("voltage", "current", "power", "resistance_before", "resistance_after")
            },
            synthetic=self.synthetic,
            notes=self.reading.sentences,
        )


def _row(trace: Trace, cycle: int, analysis: BreakdownAnalysis) -> BreakdownRow:
    row = BreakdownRow(trace.name, trace.device, cycle, analysis.found, analysis.resistance_before)
    if not analysis.found:
        return row
    return replace(
        row,
        voltage=analysis.voltage,
        current=analysis.current,
        power=analysis.power,
        resistance_after=analysis.resistance_after,
    )


def breakdown_campaign(files: DataFiles, minimum_drop: float = 0.5) -> BreakdownCampaign:
    """Find the breakdown in every sweep of every file."""
    result = BreakdownCampaign(reading=files.new_reading())
    for trace in files.traces():
        result.reading.add_file(trace)
        if "conductance" in trace.dataset:
            raise DataFormatError(
                f"{trace.name} gives a conductance; a breakdown needs voltage and current"
            )
        for number in np.unique(trace.cycle):
            inside = np.flatnonzero((trace.cycle == number) & ~trace.compliance)
            part = trace.dataset.isel(point=inside)
            try:
                analysis = BreakdownAnalysis(minimum_drop).compute(
                    part["voltage"].to_numpy(), part["current"].to_numpy()
                )
            except DataFormatError as error:
                raise DataFormatError(f"{trace.name}, cycle {number}: {error}") from None
            result.rows.append((trace, int(number), analysis))
    return result
