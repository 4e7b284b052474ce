"""Plateaus of a campaign, cycle by cycle."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nanogap.analysis.grouping import Grouping
from nanogap.analysis.traces.plateaus import Plateau, PlateauDetection
from nanogap.electrical import SeriesResistance
from nanogap.errors import DataFormatError
from nanogap.measured.axes import GroupedByAxis, Quantities, axis_value
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.reading import Reading
from nanogap.typing import ABSENT_IF_NONE


@dataclass(frozen=True)
class PlateauRow:
    """A plateau of a cycle.

    Attributes
    ----------
    file, device : str
    cycle, first, last, length : int
        Points from the beginning of the file, `last` exclusive.
    duration : float or None
        From the first to the last point, s; None without times.
    level, deviation, uncertainty : float
        G0; see `nanogap.analysis.traces.plateaus.Plateau`.
    step : float or None
        Level less that of the plateau before, G0; None for the first of a cycle.
    nearest_level : int
        The integer multiple of G0 that is nearest.
    offset : float
        Level less that, G0.
    """

    file: str
    device: str
    cycle: int
    first: int
    last: int
    length: int
    duration: float | None
    level: float
    deviation: float
    uncertainty: float
    step: float | None
    nearest_level: int
    offset: float


@dataclass(frozen=True)
class PlateauSummary:
    """Plateaus of a campaign.

    Attributes
    ----------
    plateaus : list of PlateauRow
    n_plateaus, n_steps, cycles : int
    skipped : list of str
        Cycles that are too short, and why.
    synthetic : bool
        Whether any file says that it is synthetic.
    notes : list of str
        What reading left out or assumed.
    series_resistance : dict of str to SeriesResistance
        What was subtracted of each device, ohm.
    by : Grouping or None
        Plateaus of each device by the values of an axis; None if none was asked for.
    """

    plateaus: list[PlateauRow]
    n_plateaus: int
    n_steps: int
    cycles: int
    skipped: list[str]
    synthetic: bool
    notes: list[str]
    series_resistance: dict[str, SeriesResistance]
    by: Grouping | None = field(default=None, metadata=ABSENT_IF_NONE)


@dataclass
class PlateauCampaign(GroupedByAxis):
    """Plateaus of all cycles.

    Attributes
    ----------
    rows : list of (Trace, int, list of Plateau)
        Trace, cycle and its plateaus; points count from the beginning of the file.
    skipped : list of str
        Cycles that are too short, and why.
    reading : Reading
        What reading left out or assumed.
    axis : str or None
        What was varied between the devices, if the results are to be grouped by it.
    """

    rows: list[tuple[Trace, int, list[Plateau]]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    axis: str | None = None

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _, _ in self.rows)

    def _quantities(self) -> Iterator[tuple[Trace, Quantities]]:
        traces = {id(trace): trace for trace, _, _ in self.rows}
        for place, trace in traces.items():
            yield trace, _found(trace, [found for one, _, found in self.rows if id(one) == place])

    def summary(self) -> PlateauSummary:
        """Return the result as plain numbers."""
        table = [
            PlateauRow(
                file=trace.name,
                device=trace.device,
                cycle=cycle,
                first=plateau.first,
                last=plateau.last,
                length=plateau.length,
                duration=_duration(trace, plateau),
                level=plateau.level,
                deviation=plateau.deviation,
                uncertainty=plateau.uncertainty,
                step=None if np.isnan(plateau.step) else plateau.step,
                nearest_level=plateau.nearest_level,
                offset=plateau.offset,
            )
            for trace, cycle, plateaus in self.rows
            for plateau in plateaus
        ]
        return PlateauSummary(
            plateaus=table,
            n_plateaus=len(table),
            n_steps=sum(row.step is not None for row in table),
            cycles=len(self.rows),
            skipped=self.skipped,
            synthetic=self.synthetic,
            notes=self.reading.notes,
            series_resistance=self.reading.series.by_device,
            by=self.by,
        )


def _duration(trace: Trace, plateau: Plateau) -> float | None:
    """Time from the first to the last point of a plateau, s; None without times."""
    span = float(trace.time[plateau.last - 1] - trace.time[plateau.first])
    return span if np.isfinite(span) else None


def plateau_campaign(
    files: DataFiles, detection: PlateauDetection, *, by: str | None = None
) -> PlateauCampaign:
    """Cut every cycle of every file into plateaus; cycles that are too short are named.

    Parameters
    ----------
    files : DataFiles
    detection : PlateauDetection
    by : str, optional
        What was varied between the devices, to group by its values.

    Raises
    ------
    DataFormatError
        If there is no cycle that is long enough.
    SettingsError
        If the data do not say what was varied.
    """
    result = PlateauCampaign(reading=files.new_reading(), axis=by)
    for trace in files.traces():
        axis_value(trace.dataset, by)  # refused before the work
        result.reading.add_file(trace)
        gap = np.where(trace.usable, trace.gap, np.nan)
        for number in np.unique(trace.cycle):
            inside = np.flatnonzero(trace.cycle == number)
            try:
                found = detection.compute(gap[inside]).plateaus
            except DataFormatError as error:
                result.skipped.append(f"{trace.name}, cycle {number}: {error}")
                continue
            moved = [
                Plateau(
                    int(inside[p.first]),
                    int(inside[p.last - 1]) + 1,
                    p.level,
                    p.deviation,
                    p.uncertainty,
                    p.step,
                )
                for p in found
            ]
            result.rows.append((trace, int(number), moved))
    if not result.rows:
        raise DataFormatError("; ".join(result.skipped) or "the files hold no cycles")
    return result


def _found(trace: Trace, cycles: list[list[Plateau]]) -> Quantities:
    """Yield the plateaus of a device."""
    plateaus = [plateau for cycle in cycles for plateau in cycle]
    durations = [_duration(trace, plateau) for plateau in plateaus]
    known = [one for one in durations if one is not None]
    yield ("plateaus of a cycle", "", [len(cycle) for cycle in cycles])
    yield ("level of plateaus", "G0", [one.level for one in plateaus])
    yield ("duration of plateaus", "s", known)
    yield ("size of steps", "G0", [abs(one.step) for one in plateaus])
