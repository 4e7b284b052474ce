"""Switching events and states of a campaign."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from nanogap.analysis import Spread, SwitchingAnalysis, WeibullFit, spread
from nanogap.analysis.grouping import Grouping
from nanogap.electrical import SeriesResistance
from nanogap.errors import DataFormatError
from nanogap.measured.axes import GroupedByAxis, Quantities, axis_value
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.reading import Reading
from nanogap.typing import ABSENT_IF_NONE, FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Probability inside the intervals of a Weibull law.
_LEVEL = 0.95


@dataclass(frozen=True)
class EventRow:
    """A switch.

    Attributes
    ----------
    file, device : str
    cycle : int
    kind : {"set", "reset", "forming"}
    index : int
        Point of the file.
    voltage, current : float
        Of the first point in the new state, V and A.
    ratio : float
        Conductance after over conductance before.
    """

    file: str
    device: str
    cycle: int
    kind: str
    index: int
    voltage: float
    current: float
    ratio: float


@dataclass(frozen=True)
class EnduranceRow:
    """Both states of one file over its cycles.

    Attributes
    ----------
    file, device : str
    read_voltage : float
        V.
    compliance_current : float or None
        A; None if the instrument did not limit.
    orientation : str
        Way the loop is run through: clockwise, anticlockwise or none.
    cycle : list of int, length n_cycles
    high_resistance, low_resistance : list of float or None, length n_cycles
        ohm; None where a state was not read.
    low_conductance : list of float or None, length n_cycles
        Of the gap in the low state, without the series resistance, G0.
    """

    file: str
    device: str
    read_voltage: float
    compliance_current: float | None
    orientation: str
    cycle: list[int]
    high_resistance: list[float | None]
    low_resistance: list[float | None]
    low_conductance: list[float | None]


@dataclass(frozen=True)
class WeibullRow:
    """Weibull law of the sizes of switching voltages.

    Attributes
    ----------
    shape : float
    scale : float
        V.
    shape_interval, scale_interval : tuple of float
        Confidence intervals.
    level : float
        Probability inside them.
    """

    shape: float
    shape_interval: tuple[float, float]
    scale: float
    scale_interval: tuple[float, float]
    level: float


@dataclass(frozen=True)
class VoltageLaw(Spread):
    """Distribution of switching voltages, V.

    Attributes
    ----------
    weibull : WeibullRow or None
        None where there are too few.
    """

    weibull: WeibullRow | None = None


@dataclass(frozen=True)
class SwitchingSummary:
    """Switching of a campaign.

    Attributes
    ----------
    events : list of EventRow
    endurance : list of EnduranceRow
        One per file.
    set_voltage, reset_voltage : VoltageLaw
        Of all devices.
    devices : dict of str to dict of str to Spread
        Device to ``set`` and ``reset``: their voltages, V.
    synthetic : bool
        Whether any file says that it is synthetic.
    notes : list of str
        What reading left out or assumed.
    series_resistance : dict of str to SeriesResistance
        What was subtracted of each device for its ``low_conductance``, ohm; voltages and
        resistances are those of the whole device.
    by : Grouping or None
        Voltages, and the conductance after the SET, by the values of an axis; None if none was
        asked for.
    """

    events: list[EventRow]
    endurance: list[EnduranceRow]
    set_voltage: VoltageLaw
    reset_voltage: VoltageLaw
    devices: dict[str, dict[str, Spread]]
    synthetic: bool
    notes: list[str]
    series_resistance: dict[str, SeriesResistance]
    by: Grouping | None = field(default=None, metadata=ABSENT_IF_NONE)

    def laws(self) -> list[tuple[str, VoltageLaw]]:
        """Return the voltages of every kind of event there is; together they are all events."""
        forming = [event.voltage for event in self.events if event.kind == "forming"]
        kinds = (
            ("forming", _law(np.array(forming))),
            ("SET", self.set_voltage),
            ("RESET", self.reset_voltage),
        )
        return [(kind, law) for kind, law in kinds if law.count]


@dataclass
class SwitchingCampaign(GroupedByAxis):
    """Switching of every file.

    Attributes
    ----------
    rows : list of (Trace, SwitchingAnalysis)
    reading : Reading
        What reading left out or assumed.
    axis : str or None
        What was varied between the devices, if the results are to be grouped by it.
    """

    rows: list[tuple[Trace, SwitchingAnalysis]] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    axis: str | None = None

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _ in self.rows)

    def voltages(self, kind: str) -> FloatArray:
        """Voltages of all events of a kind, V."""
        found = [e.voltage for _, one in self.rows for e in one.events if e.kind == kind]
        return np.array(found, dtype=np.float64)

    def _quantities(self) -> Iterator[tuple[Trace, Quantities]]:
        return ((trace, _found(trace, analysis)) for trace, analysis in self.rows)

    def summary(self) -> SwitchingSummary:
        """Return the result as plain numbers."""
        events = [
            EventRow(
                file=trace.name,
                device=trace.device,
                cycle=event.cycle,
                kind=event.kind,
                index=event.index,
                voltage=event.voltage,
                current=event.current,
                ratio=event.ratio,
            )
            for trace, analysis in self.rows
            for event in analysis.events
        ]
        return SwitchingSummary(
            events=events,
            endurance=[_endurance(trace, analysis) for trace, analysis in self.rows],
            set_voltage=_law(self.voltages("set")),
            reset_voltage=_law(self.voltages("reset")),
            devices={
                device: {
                    kind: spread(
                        [one.voltage for one in events if (one.kind, one.device) == (kind, device)]
                    )
                    for kind in ("set", "reset")
                }
                for device in dict.fromkeys(trace.device for trace, _ in self.rows)
            },
            synthetic=self.synthetic,
            notes=self.reading.notes,
            series_resistance=self.reading.series.by_device,
            by=self.by,
        )


def _endurance(trace: Trace, analysis: SwitchingAnalysis) -> EnduranceRow:
    table = analysis.endurance
    return EnduranceRow(
        file=trace.name,
        device=trace.device,
        read_voltage=float(table.attrs["read_voltage"]),
        compliance_current=analysis.compliance_current,
        orientation=analysis.orientation,
        cycle=table["cycle"].to_numpy().tolist(),
        high_resistance=_plain(table["high_resistance"].to_numpy()),
        low_resistance=_plain(table["low_resistance"].to_numpy()),
        low_conductance=_plain(_gap_conductance(table["low_resistance"].to_numpy(), trace.series)),
    )


def _gap_conductance(resistance: FloatArray, series: SeriesResistance) -> FloatArray:
    """Return what is left of resistances as conductance, G0; NaN where nothing is."""
    gap = resistance - series.resistance
    return 1.0 / (np.where(gap > 0.0, gap, np.nan) * CONDUCTANCE_QUANTUM)


def _plain(values: FloatArray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _law(values: FloatArray) -> VoltageLaw:
    """Spread of voltages and the Weibull law of their sizes, where there are enough."""
    law = VoltageLaw(**vars(spread(values)))
    try:
        fit = WeibullFit(_LEVEL).compute(np.abs(values))
    except DataFormatError:
        return law
    return replace(
        law,
        weibull=WeibullRow(
            shape=fit.shape,
            shape_interval=fit.shape_interval,
            scale=fit.scale,
            scale_interval=fit.scale_interval,
            level=_LEVEL,
        ),
    )


def switching_campaign(
    files: DataFiles,
    *,
    read_voltage: float = 0.4,
    minimum_ratio: float = 3.0,
    method: Literal["steepest", "threshold", "compliance"] = "steepest",
    compliance: float | None = None,
    by: str | None = None,
) -> SwitchingCampaign:
    """Find the switching events of every file.

    Parameters
    ----------
    files : DataFiles
    read_voltage, minimum_ratio, method, compliance
        See `SwitchingAnalysis`.
    by : str, optional
        What was varied between the devices, to group by its values.

    Raises
    ------
    SettingsError
        If the data do not say it.
    """
    result = SwitchingCampaign(reading=files.new_reading(), axis=by)
    if compliance is not None:
        files = replace(files, compliance=compliance)
    for trace in files.traces():
        result.reading.add_file(trace)
        analysis = SwitchingAnalysis(read_voltage, minimum_ratio, method)
        _need_curves(trace)
        axis_value(trace.dataset, by)  # refused before the work
        try:
            analysis.compute(
                trace.dataset["voltage"].to_numpy(),
                trace.dataset["current"].to_numpy(),
                trace.cycle,
                limit=trace.limit,
            )
        except DataFormatError as error:
            raise DataFormatError(f"{trace.name}: {error}") from None
        result.rows.append((trace, analysis))
    return result


def _found(trace: Trace, analysis: SwitchingAnalysis) -> Quantities:
    """Yield the voltages of a device, and what it conducts in the cycles that had a SET."""
    forming = [event.voltage for event in analysis.events if event.kind == "forming"]
    kinds = (
        ("forming", np.array(forming)),
        ("SET", analysis.set_voltages),
        ("RESET", analysis.reset_voltages),
    )
    for kind, volts in kinds:  # a mean over both polarities would be the voltage of no event
        yield (f"{kind} voltage, positive", "V", volts[volts > 0.0])
        yield (f"{kind} voltage, negative", "V", volts[volts < 0.0])
    switched = {event.cycle for event in analysis.events if event.kind != "reset"}
    states = analysis.endurance
    low = _gap_conductance(states["low_resistance"].to_numpy(), trace.series)
    after = low[np.isin(states["cycle"].to_numpy(), list(switched))]
    yield ("conductance after the SET", "G0", after)


def _need_curves(trace: Trace) -> None:
    if "conductance" in trace.dataset:
        raise DataFormatError(
            f"{trace.name} gives a conductance; switching and breakdown need voltage and current"
        )
