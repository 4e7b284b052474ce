"""Short calls for a notebook: data in, a computed analysis out, and a figure of it.

Data are a conductance array (G0), a measurement dataset as `nanogap.io.read_measurement` returns
it, the path of a file, folder or run directory, or a list of these.
"""

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any, Literal

import numpy as np
import xarray as xr

from nanogap.analysis import (
    BreakdownAnalysis,
    ConductanceHistogram,
    NoiseAnalysis,
    RetentionDrift,
    SwitchingAnalysis,
)
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.arguments import checked
from nanogap.computed import Analysis, as_trace
from nanogap.errors import DataFormatError, NoDataError, SettingsError
from nanogap.io import iterate_measurements, measurement_dataset, simulated_trace
from nanogap.io.dataset import flags_compliance, sources_of, without_preparation
from nanogap.measured.files import Trace, gap_trace
from nanogap.measured.resistances import DeviceResistances, SeriesChoice
from nanogap.measured.result_figures import plot
from nanogap.measured.retention import since_written
from nanogap.measured.steady import steady_trace
from nanogap.measured.subtracted import name_of
from nanogap.typing import BoolArray, FloatArray, Int64Array

__all__ = ["breakdown", "histogram", "noise", "plateaus", "plot", "retention", "switching"]


@checked
def histogram(
    data: Any,
    bin_width: float | None = None,
    maximum: float | None = 10.0,
    *,
    scale: Literal["linear", "logarithmic"] = "linear",
    minimum: float = 1e-6,
    series_resistance: SeriesChoice = 0.0,
) -> ConductanceHistogram:
    """Count conductances.

    Parameters
    ----------
    data : array_like, xarray.Dataset, path or list of them
        G0, or measurements; several are counted together.
    bin_width, maximum, scale, minimum
        See `nanogap.analysis.ConductanceHistogram`.
    series_resistance : float, "circuit" or mapping
        In series with the gap of measured data, ohm: of all, as the data of simulated devices say
        of each (``"circuit"``), or of each device by its name.

    Returns
    -------
    ConductanceHistogram
        Computed, by cycle.

    Raises
    ------
    DataFormatError
        If the data hold no conductance.

    Examples
    --------
    >>> found = histogram([0.98, 1.01, 1.02, 2.03], bin_width=0.1)
    >>> int(found.counts.sum()), round(float(found.edges[1]), 3)
    (4, 0.1)
    """
    found = ConductanceHistogram(bin_width, maximum, scale=scale, minimum=minimum)
    begin = known = 0
    for trace in _traces(data, series_resistance):
        values, cycles = _gap(trace), trace.cycle_number
        usable = np.flatnonzero(trace.usable)
        known += int(np.isfinite(values).sum())
        found.add(values[usable], cycle=cycles[usable] + begin)
        _tell(found, trace)
        begin += int(cycles.max(initial=-1)) + 1
    if not known:
        raise DataFormatError("there is no conductance to count: no point is a finite number")
    return found


@checked
def plateaus(
    data: Any,
    minimum_length: int = 8,
    minimum_step: float = 0.0,
    strictness: float = 1.0,
    *,
    series_resistance: SeriesChoice = 0.0,
) -> PlateauDetection:
    """Cut conductances into plateaus, cycle by cycle.

    Parameters
    ----------
    data : array_like, xarray.Dataset, path or list of them
        G0, or measurements; the points of several are numbered through.
    minimum_length, minimum_step, strictness
        See `nanogap.analysis.traces.plateaus.PlateauDetection`.
    series_resistance : float, "circuit" or mapping
        In series with the gap of measured data, ohm: of all, as the data of simulated devices say
        of each (``"circuit"``), or of each device by its name.

    Returns
    -------
    PlateauDetection
        Computed.

    Raises
    ------
    DataFormatError
        If no cycle is long enough.

    Examples
    --------
    >>> found = plateaus([1.0] * 20 + [2.0] * 20)
    >>> [(one.first, one.last, one.level) for one in found.plateaus]
    [(0, 20, 1.0), (20, 40, 2.0)]
    """
    detection = PlateauDetection(minimum_length, minimum_step, strictness)
    values: list[FloatArray] = []
    cycles: list[Int64Array] = []
    begin = 0
    for trace in _traces(data, series_resistance):
        values.append(_usable_gap(trace))
        cycles.append(trace.cycle_number + begin)
        begin = int(cycles[-1].max(initial=begin - 1)) + 1
        _tell(detection, trace)
    return detection.compute(np.concatenate(values), np.concatenate(cycles))


@checked
def switching(
    data: Any,
    read_voltage: float = 0.4,
    minimum_ratio: float = 3.0,
    method: Literal["steepest", "threshold", "compliance"] = "steepest",
    compliance: float | None = None,
) -> SwitchingAnalysis:
    """Find SET and RESET events in the loops of one device.

    Parameters
    ----------
    data : xarray.Dataset, path or list of them
        Measurements with voltage and current; the cycles of several are numbered through.
    read_voltage, minimum_ratio, method, compliance
        See `nanogap.analysis.SwitchingAnalysis`.

    Returns
    -------
    SwitchingAnalysis
        Computed.

    Raises
    ------
    DataFormatError
        If the data have no voltage and current, or the voltage was not swept.

    Examples
    --------
    >>> volts = np.concatenate([np.linspace(0, 1, 50), np.linspace(1, 0, 50)])
    >>> ohms = np.where((np.arange(100) < 30), 1e6, 1e3)
    >>> data = measurement_dataset(time=np.arange(100.0), voltage=volts, current=volts / ohms)
    >>> [(event.kind, round(event.voltage, 2)) for event in switching(data).events]
    [('set', 0.61)]
    """
    analysis = SwitchingAnalysis(read_voltage, minimum_ratio, method, compliance)
    found = [_with_curves(trace, "switching") for trace in _traces(data)]
    begins = np.cumsum([0, *(int(trace.cycle_number.max(initial=-1)) + 1 for trace in found)])
    for trace in found:
        _tell(analysis, trace)
    return analysis.compute(
        _joined(trace.dataset["voltage"].to_numpy() for trace in found),
        _joined(trace.dataset["current"].to_numpy() for trace in found),
        _joined(one.cycle_number + begin for one, begin in zip(found, begins, strict=False)),
        _flags([trace.dataset for trace in found]),
    )


def _flags(datasets: Sequence[xr.Dataset]) -> BoolArray | None:
    """Join the flags of points in compliance; None if a dataset does not tell of them."""
    flags = [dataset["compliance"].to_numpy().astype(bool) for dataset in datasets]
    if not any(one.any() for one in flags) and not all(map(flags_compliance, datasets)):
        return None
    return np.concatenate(flags)


@checked
def noise(
    data: Any,
    interval: float | None = None,
    band: tuple[float, float] | None = None,
    *,
    series_resistance: SeriesChoice = 0.0,
) -> NoiseAnalysis:
    """Analyse the fluctuations of one trace.

    Parameters
    ----------
    data : array_like, xarray.Dataset or path
        G0, or one measurement.
    interval : float, optional
        Between two samples, s. Default: that of the measurement's times.
    band : tuple of float, optional
        Frequencies between which the exponent is fitted, Hz.
    series_resistance : float, "circuit" or mapping
        In series with the gap of measured data, ohm: of all, as the data of simulated devices say
        of each (``"circuit"``), or of each device by its name.

    Returns
    -------
    NoiseAnalysis
        Computed.

    Raises
    ------
    DataFormatError
        If there are several traces, too few samples, a sweep, or no variation.
    SettingsError
        If the interval is not known.

    Examples
    --------
    >>> trace = 2.5 + 0.01 * np.random.default_rng(0).normal(size=4096)
    >>> found = noise(trace, interval=0.01)
    >>> round(found.relative, 4), abs(found.exponent) < 0.1
    (0.004, True)
    """
    trace = steady_trace(_only(data, "noise", series_resistance), "noise")
    if interval is None and not np.isfinite(trace.time).any():
        raise SettingsError("noise needs the time between two samples: give interval, in s")
    analysis = NoiseAnalysis(trace.interval(interval), band=band)
    _tell(analysis, trace)
    return analysis.compute(_usable_gap(trace))


@checked
def retention(
    data: Any,
    time: Any = None,
    tolerance: float = 2.0,
    *,
    series_resistance: SeriesChoice = 0.0,
) -> RetentionDrift:
    """Fit how one state that is only read drifts with time.

    Parameters
    ----------
    data : array_like, xarray.Dataset or path
        G0, or one measurement.
    time : array_like, optional
        s since the state was written. Default: that of the measurement.
    tolerance : float
        See `nanogap.analysis.RetentionDrift`.
    series_resistance : float, "circuit" or mapping
        In series with the gap of measured data, ohm: of all, as the data of simulated devices say
        of each (``"circuit"``), or of each device by its name.

    Returns
    -------
    RetentionDrift
        Computed.

    Raises
    ------
    DataFormatError
        If there are several traces, too few points, no times, or a sweep.

    Examples
    --------
    >>> seconds = np.arange(1.0, 1001.0)
    >>> found = retention(2.5 * seconds**-0.02, seconds)
    >>> round(found.exponent, 3), round(found.conductance_after_one_second, 3)
    (-0.02, 2.5)
    """
    trace = steady_trace(_only(data, "retention", series_resistance), "retention")
    drift = RetentionDrift(tolerance)
    _tell(drift, trace)
    return drift.compute(since_written(trace) if time is None else time, _usable_gap(trace))


@checked
def breakdown(data: Any, minimum_drop: float = 0.5) -> BreakdownAnalysis:
    """Find where one pristine wire broke.

    Parameters
    ----------
    data : xarray.Dataset or path
        One measurement with voltage and current.
    minimum_drop : float
        Least part of the current that is lost for good, between 0 and 1.

    Returns
    -------
    BreakdownAnalysis
        Computed.

    Raises
    ------
    DataFormatError
        If there are several traces, no voltage and current, or no sweep.

    Examples
    --------
    >>> volts = np.linspace(0.0, 1.0, 101)
    >>> amperes = np.where(volts < 0.805, volts / 500.0, volts / 1e8)
    >>> data = measurement_dataset(time=np.arange(101.0), voltage=volts, current=amperes)
    >>> found = breakdown(data)
    >>> round(found.voltage, 2), round(found.resistance_before)
    (0.8, 500)
    """
    trace = _with_curves(_only(data, "breakdown"), "breakdown")
    analysis = BreakdownAnalysis(minimum_drop)
    _tell(analysis, trace)
    return analysis.compute(trace.dataset["voltage"], trace.dataset["current"])


def _tell(analysis: Analysis, trace: Trace) -> None:
    """Note on an analysis what its data say of themselves, and what was subtracted of them."""
    analysis.synthetic |= bool(trace.synthetic)
    analysis.prepared += int(trace.dataset.attrs.get("n_prepared", 0))
    if given := trace.series.resistance:
        told = dict(analysis.subtracted)
        told[name_of(trace.device, trace.source, given, told)] = given
        analysis.subtracted = told


def _traces(data: Any, choice: SeriesChoice = 0.0) -> Iterator[Trace]:
    """Yield the conductance of the gap in every file, dataset and array of the data."""
    resistances = DeviceResistances.chosen(choice)
    unread: list[NoDataError] = []
    found = False
    for dataset in _datasets(data):
        try:
            (one,) = without_preparation(dataset)
        except NoDataError as error:
            unread.append(error)
            continue
        found = True
        yield gap_trace(one, resistances)
    if unread and not found:
        raise unread[0]


def _datasets(data: Any) -> Iterator[xr.Dataset]:
    """Yield measurement datasets of one source each."""
    if _is_path(data):
        yield from iterate_measurements(data)
    elif isinstance(data, xr.Dataset):
        yield from _of_dataset(data)
    elif isinstance(data, list | tuple) and any(_is_several(one) for one in data):
        # paths are read together, so that a file in two folders counts once
        paths = [one for one in data if _is_path(one)]
        if paths:
            yield from iterate_measurements(paths)
        for one in data:
            if not _is_path(one):
                yield from _datasets(one)
    else:
        values = as_trace(data)
        yield measurement_dataset(time=np.full(len(values), np.nan), conductance=values)


def _is_several(one: Any) -> bool:
    """Whether an element of a list is data by itself, and no number."""
    return _is_path(one) or isinstance(one, xr.Dataset) or np.ndim(one) > 0


def _is_path(data: Any) -> bool:
    return isinstance(data, str | PathLike)


def _of_dataset(data: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield the sources of a measurement dataset, or the conductance of a transmission."""
    if "transmission_average" in data:
        yield simulated_trace(data, "transmission")
        return
    if not {"point", "source"} <= set(data.dims) or "cycle" not in data:
        raise DataFormatError(
            "the dataset is no measurement with voltage and current over 'point': make one with "
            "read_measurement, or give its conductance as an array"
        )
    yield from sources_of(data)


def _only(data: Any, what: str, choice: SeriesChoice = 0.0) -> Trace:
    """Return the one trace of the data."""
    found = list(_traces(data, choice))
    if len(found) != 1:
        raise DataFormatError(f"{what} is of one trace, and there are {len(found)}: give one")
    return found[0]


def _with_curves(trace: Trace, what: str) -> Trace:
    if "conductance" in trace.dataset:
        raise DataFormatError(
            f"{what} needs voltage and current, and {trace.name} gives a conductance: give a "
            "measurement as read_measurement returns it"
        )
    return trace


def _gap(trace: Trace) -> FloatArray:
    """Conductance of the gap; as it was given, to the last bit, where nothing is subtracted."""
    return trace.gap if trace.series.resistance else trace.raw


def _usable_gap(trace: Trace) -> FloatArray:
    return np.where(trace.usable, _gap(trace), np.nan)


def _joined(parts: Any) -> Any:
    return np.concatenate(list(parts))
