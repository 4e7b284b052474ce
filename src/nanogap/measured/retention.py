"""Retention of a campaign: how states that are only read drift."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nanogap.analysis import RetentionDrift
from nanogap.analysis.grouping import Grouping
from nanogap.electrical import SeriesResistance
from nanogap.errors import DataFormatError
from nanogap.io.columns import as_argument
from nanogap.measured.axes import GroupedByAxis, Quantities, axis_value
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.reading import Reading
from nanogap.measured.steady import steady_trace
from nanogap.typing import ABSENT_IF_NONE, FloatArray

_TEN_YEARS = 10 * 365.25 * 86400.0


@dataclass(frozen=True)
class RetentionRow:
    """Drift of the state of one file.

    Attributes
    ----------
    file, device : str
    duration : float
        s.
    conductance_after_one_second : float
        G0.
    exponent, exponent_uncertainty, relative_fluctuation : float
        See `nanogap.analysis.RetentionDrift`.
    lost_at : float or None
        Time at which the state was left for good, s; None if it lasted.
    after_ten_years : float
        Conductance that the drift gives, G0.
    """

    file: str
    device: str
    duration: float
    conductance_after_one_second: float
    exponent: float
    exponent_uncertainty: float
    relative_fluctuation: float
    lost_at: float | None
    after_ten_years: float


@dataclass(frozen=True)
class RetentionSummary:
    """Retention of a campaign.

    Attributes
    ----------
    states : list of RetentionRow
    synthetic : bool
        Whether any file says that it is synthetic.
    notes : list of str
        What reading left out or assumed.
    series_resistance : dict of str to SeriesResistance
        What was subtracted of each device, ohm.
    by : Grouping or None
        Drift of each device by the values of an axis; None if none was asked for.
    """

    states: list[RetentionRow]
    synthetic: bool
    notes: list[str]
    series_resistance: dict[str, SeriesResistance]
    by: Grouping | None = field(default=None, metadata=ABSENT_IF_NONE)


@dataclass
class RetentionCampaign(GroupedByAxis):
    """Retention of every file.

    Attributes
    ----------
    rows : list of (Trace, RetentionDrift)
    reading : Reading
        What reading left out or assumed.
    axis : str or None
        What was varied between the devices, if the results are to be grouped by it.
    """

    rows: list[tuple[Trace, RetentionDrift]] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    axis: str | None = None

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _ in self.rows)

    def _quantities(self) -> Iterator[tuple[Trace, Quantities]]:
        return ((trace, _found(drift)) for trace, drift in self.rows)

    def summary(self) -> RetentionSummary:
        """Return the result as plain numbers."""
        states = [
            RetentionRow(
                file=trace.name,
                device=trace.device,
                duration=float(np.nanmax(trace.time) - np.nanmin(trace.time)),
                conductance_after_one_second=drift.conductance_after_one_second,
                exponent=drift.exponent,
                exponent_uncertainty=drift.exponent_uncertainty,
                relative_fluctuation=drift.relative_fluctuation,
                lost_at=drift.lost_at,
                after_ten_years=float(drift.extrapolate(_TEN_YEARS)),
            )
            for trace, drift in self.rows
        ]
        return RetentionSummary(
            states=states,
            synthetic=self.synthetic,
            notes=self.reading.notes,
            series_resistance=self.reading.series.by_device,
            by=self.by,
        )


def retention_campaign(
    files: DataFiles, tolerance: float = 2.0, *, by: str | None = None
) -> RetentionCampaign:
    """Fit the drift of the state in every file.

    Parameters
    ----------
    files : DataFiles
    tolerance : float
        See `RetentionDrift`.
    by : str, optional
        What was varied between the devices, to group by its values.

    Raises
    ------
    SettingsError
        If the data do not say it.
    """
    result = RetentionCampaign(reading=files.new_reading(), axis=by)
    for trace in files.traces():
        axis_value(trace.dataset, by)  # refused before the work
        trace = steady_trace(trace, "retention")  # noqa: PLW2901 the read alone from here on
        result.reading.add_file(trace)
        gap = np.where(trace.usable, trace.gap, np.nan)
        try:
            drift = RetentionDrift(tolerance).compute(since_written(trace), gap)
            result.rows.append((trace, drift))
        except DataFormatError as error:
            raise DataFormatError(f"{trace.name}: {error}") from None
    return result


def _found(drift: RetentionDrift) -> Quantities:
    """Yield the drift of a device."""
    first, scatter = drift.conductance_after_one_second, drift.relative_fluctuation
    yield ("conductance after 1 s", "G0", first)
    yield ("exponent of time", "", drift.exponent)
    yield ("relative fluctuation", "", scatter)


def since_written(trace: Trace) -> FloatArray:
    """Return the time since the state was written, shape (n_points,), s.

    Where the times begin at zero or below, the first point is taken one sampling interval after
    the writing: the drift is a power of that time.

    Raises
    ------
    DataFormatError
        If the trace has no times.
    """
    if not np.isfinite(trace.time).any():
        why = f" ({trace.notes})" if trace.notes else ""
        raise DataFormatError(
            f"{trace.name} has no times, which retention needs{why}: choose the column with "
            f"{as_argument({'time': 'NAME'})}, or give the `sampling_rate`"
        )
    first = float(np.nanmin(trace.time))
    if first > 0.0:
        return trace.time
    return np.asarray(trace.time - first + float(np.nanmedian(np.diff(trace.time))))
