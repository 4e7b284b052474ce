"""Cycles of measured or simulated data as a model is driven by them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from nanogap.compact.model import CompactModel, Features, Trajectory
from nanogap.errors import DataFormatError
from nanogap.io.sweeps import CONSTANT, current_swept
from nanogap.measured.files import DataFiles, Trace
from nanogap.measured.reading import Reading
from nanogap.typing import BoolArray, FloatArray

#: Readings of a cycle that a fit uses; a longer one is thinned evenly.
MOST_READINGS = 500

#: Fewest readings of a cycle.
FEWEST_READINGS = 20

#: Readings below this part of the largest source value say little of the conductance.
_LEAST_SOURCE = 0.03

#: Standard deviation of ln G of a reading where the current is far above its noise.
READING_ERROR = 0.02

#: Of the integration, for fits; see `nanogap.compact.model.TOLERANCE`.
_TOLERANCE = 1e-3

#: A cycle switches if its conductance spans this factor.
LEAST_CONTRAST = 2.0


@dataclass(frozen=True)
class Cycle:
    """A cycle: what the source did, and the conductance that was read; all (n_readings,).

    Attributes
    ----------
    device, file : str
    number : int
        In its device.
    time : ndarray
        s.
    voltage, limit : ndarray
        Programme of the source, V and A; see `CompactModel.simulate`.
    resistance : float
        In series with the gap, ohm.
    log_conductance : ndarray
        ln of I/V, with the series resistance, S.
    error : ndarray
        Of it, from the noise of the current.
    used : ndarray of bool
        Readings that say the conductance.
    driven : str
        "voltage" or "current".
    """

    device: str
    file: str
    number: int
    time: FloatArray
    voltage: FloatArray
    limit: FloatArray
    resistance: float
    log_conductance: FloatArray
    error: FloatArray
    used: BoolArray
    driven: str

    def run(self, model: CompactModel) -> Trajectory:
        """Drive a model as the device was driven."""
        return model.simulate(
            self.time,
            self.voltage,
            limit=self.limit,
            resistance=self.resistance,
            state=self.first_state(model),
            tolerance=_TOLERANCE,
        )

    def predicted(self, model: CompactModel) -> FloatArray:
        """Return ln of I/V of a model, driven alike, shape (n_readings,)."""
        run = self.run(model)
        if self.driven == "voltage":
            source = self.voltage
        else:
            source = run.voltage + self.resistance * run.current
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log(run.current / source)
        return np.where(np.isfinite(found), found, 0.0)

    def residuals(self, model: CompactModel) -> FloatArray:
        """Return what the model is above the reading, in errors of it, shape (n_used,)."""
        beyond = self.predicted(model) - self.log_conductance
        return np.asarray((beyond / self.error)[self.used])

    @property
    def known(self) -> FloatArray:
        """The readings that count, ln of S."""
        return self.log_conductance[self.used]

    @property
    def contrast(self) -> float:
        """Factor between the ends of the conductance, without the last 5 % on either side."""
        smooth = median_filter(self.known, 5)
        low, high = np.quantile(smooth, [0.05, 0.95])
        return float(np.exp(high - low))

    def first_state(self, model: CompactModel) -> float:
        """Return the state at the beginning: open, unless the readings say closed."""
        known = self.known
        first = float(np.median(known[:5]))
        low, high = np.quantile(known, [0.02, 0.98])
        if first <= 0.5 * (low + high):
            return 0.0
        return model.state_of(float(_without(np.exp(first), self.resistance)))

    def features(self) -> Features:
        """Return what the curve shows at a glance."""
        smooth = median_filter(self.known, 5)
        gap = _without(np.exp(smooth), self.resistance)
        source = self._source()[self.used]
        volts = source / (1.0 + self.resistance * gap)
        low, high = np.quantile(gap, [0.05, 0.97])
        rise = np.diff(smooth)
        up = np.where(source[1:] > 0.0, rise, 0.0)
        down = np.where(source[1:] < 0.0, rise, 0.0)
        set_at, reset_at = int(np.argmax(up)), int(np.argmin(down))
        # a source of current pins the voltage, which is then that of the growth throughout
        pinned = float(np.quantile(volts[volts > 0.0], 0.9)) if (volts > 0.0).any() else None
        if self.driven == "voltage":
            set_voltage = float(volts[set_at]) if up[set_at] > 0.1 else pinned
        else:
            set_voltage = pinned
        reset = float(volts[reset_at]) if down[reset_at] < -0.1 else None
        steps = np.abs(np.diff(self._source()) / np.diff(self.time))
        return Features(
            float(low), float(max(high, 1.01 * low)), set_voltage, reset, float(np.median(steps))
        )

    def _source(self) -> FloatArray:
        """Voltage at the source, as set or read, V."""
        if self.driven == "voltage":
            return self.voltage
        return np.asarray(self.limit / np.exp(self.log_conductance))


def _without(total: float | FloatArray, resistance: float) -> FloatArray:
    """Return the conductance of the gap behind a resistance, S."""
    left = np.maximum(1.0 / np.asarray(total) - resistance, 1e-3 / np.asarray(total))
    return np.asarray(1.0 / left)


def read_cycles(data: DataFiles, reading: Reading) -> list[Cycle]:
    """Read the cycles of all files.

    Parameters
    ----------
    data : DataFiles
    reading : Reading
        Gets what reading left out.

    Raises
    ------
    DataFormatError
        If a file has no times, or is no sweep, or no cycle has enough readings.
    """
    found: list[Cycle] = []
    for trace in data.traces():
        reading.add_file(trace)
        found.extend(_cycles_of(trace))
    if not found:
        raise DataFormatError(
            f"no cycle of the data has {FEWEST_READINGS} readings that say a conductance: there "
            "is nothing to fit a model to"
        )
    return found


def _cycles_of(trace: Trace) -> Iterator[Cycle]:
    if "conductance" in trace.dataset:
        raise DataFormatError(
            f"{trace.source} has conductances without voltage and current: a model needs to be "
            "driven as the device was"
        )
    if not np.isfinite(trace.time).any():
        raise DataFormatError(
            f"{trace.source} has no times, which kinetics need: give --sampling-rate"
        )
    volts = trace.dataset["voltage"].to_numpy().astype(np.float64)
    amperes = trace.dataset["current"].to_numpy().astype(np.float64)
    by_current = current_swept(trace.dataset)
    source = amperes if by_current else volts
    finite = source[np.isfinite(source)]
    if not len(finite) or np.ptp(finite) <= CONSTANT * np.abs(finite).max():
        raise DataFormatError(
            f"the source of {trace.source} is constant: a model is fitted to sweeps that switch "
            "the device"
        )
    for number in np.unique(trace.cycle_number):
        own = np.flatnonzero((trace.cycle_number == number) & np.isfinite(trace.time))
        own = own[np.isfinite(volts[own]) & np.isfinite(amperes[own])]
        rising = np.append(True, np.diff(trace.time[own]) > 0.0) if len(own) else own
        cycle = _cycle(trace, own[np.asarray(rising, dtype=bool)], volts, amperes, by_current)
        if cycle is not None:
            yield cycle


def _cycle(
    trace: Trace, own: FloatArray, volts: FloatArray, amperes: FloatArray, by_current: bool
) -> Cycle | None:
    """Make the cycle of some readings; None if too few of them count."""
    if len(own) < FEWEST_READINGS:
        return None
    noise = _noise(amperes[own])
    own = own[:: max(1, -(-len(own) // MOST_READINGS))]
    v, i, limited = volts[own], amperes[own], trace.compliance[own]
    if by_current:
        held = float(np.median(np.abs(v[limited]))) if limited.any() else np.inf
        voltage, limit = np.copysign(held, i), np.maximum(np.abs(i), 1e-30)
        size = np.abs(i)
    else:
        voltage, limit = v, np.full(len(v), np.inf)
        if limited.any() and trace.limit.current is not None:
            # a limit of the SET need not hold for the RESET
            for sign in (1.0, -1.0):
                if (limited & (np.sign(v) == sign)).any():
                    limit[np.sign(v) == sign] = trace.limit.current
        size = np.abs(v)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_conductance = np.log(i / v)
        error = np.hypot(READING_ERROR, noise / np.abs(i))
    used = np.isfinite(log_conductance) & (size > _LEAST_SOURCE * size.max()) & (error < 1.0)
    if by_current:
        used &= ~limited
    if used.sum() < FEWEST_READINGS:
        return None
    return Cycle(
        device=trace.device,
        file=trace.name,
        number=int(trace.cycle_number[own[0]]),
        time=trace.time[own],
        voltage=voltage,
        limit=limit,
        resistance=trace.series.resistance,
        log_conductance=np.where(used, log_conductance, 0.0),
        error=np.where(used, error, 1.0),
        used=used,
        driven="current" if by_current else "voltage",
    )


def _noise(amperes: FloatArray) -> float:
    """Noise of the current where it is smallest, A: of second differences, robustly."""
    second = np.abs(np.diff(amperes, 2))
    small = np.abs(amperes[1:-1]) <= np.quantile(np.abs(amperes), 0.3)
    return float(np.median(second[small]) / 0.6745 / np.sqrt(6.0)) if small.any() else 0.0
