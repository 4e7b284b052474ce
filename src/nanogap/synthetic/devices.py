"""Synthetic nanogap devices: measurements whose every answer is known.

The numbers follow those of the paper (doi:10.1039/d3nh00476g) where it gives them: current sweeps
from 0 to 20 uA, voltage sweeps with a compliance of 400 uA, retention at 0.1 V for 1000 s, eleven
wires broken by a voltage sweep. They are no model of the device.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nanogap.electrical.instrument import Instrument
from nanogap.errors import SettingsError
from nanogap.synthetic.signals import coloured_noise, telegraph_states
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Between two points of a fast voltage sweep, s.
_SWEEP_INTERVAL = 0.1


@dataclass(frozen=True)
class SyntheticCurve:
    """A synthetic measurement of one device.

    Attributes
    ----------
    time, voltage, current : ndarray, shape (n_points,)
        s, V, A.
    cycle : ndarray of int, shape (n_points,)
    compliance : ndarray of bool, shape (n_points,)
    truth : dict
        Every answer that is known.
    """

    time: FloatArray
    voltage: FloatArray
    current: FloatArray
    cycle: NDArray[np.int64]
    compliance: NDArray[np.bool_]
    truth: dict[str, Any] = field(default_factory=dict)


def _need_positive(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0.0):
            raise SettingsError(f"{name.replace('_', ' ')} is {value}; it must be positive")


def level_sweeps(
    random: Generator,
    *,
    cycles: int = 23,
    points: int = 4000,
    series_resistance: float = 500.0,
    levels: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0),
    level_spread: float = 0.05,
    fluctuation: float = 0.01,
    highest_current: float = 20e-6,
    rate: float = 90e-9,
) -> SyntheticCurve:
    """Sweep the current of a device whose gap closes through quantized levels (Figs. 3a, 4).

    Parameters
    ----------
    random : numpy.random.Generator
    cycles, points : int
        Sweeps, and points of each.
    series_resistance : float
        R_s, ohm.
    levels : tuple of float
        Conductances that the gap takes in this order, some of them skipped, G0.
    level_spread : float
        Standard deviation of a level from cycle to cycle, G0.
    fluctuation : float
        Standard deviation within a plateau, relative.
    highest_current, rate : float
        A and A/s.
    """
    _need_positive(cycles=cycles, points=points, highest_current=highest_current, rate=rate)
    current = np.linspace(0.0, highest_current, points + 1)[1:]
    meter = Instrument()
    parts, plateaus = [], []
    for number in range(cycles):
        true = np.empty(points)
        # tunnelling before contact, until the voltage reaches that of the SET
        tunnelling = 10.0 ** random.uniform(-2.0, -0.7)
        threshold = random.uniform(0.15, 0.45)
        contact = int(np.searchsorted(current, threshold * tunnelling * CONDUCTANCE_QUANTUM))
        contact = min(max(contact, 5), points // 2)
        true[:contact] = tunnelling
        place = contact
        for index, level in enumerate(levels):
            if place >= points:
                break
            if index not in {0, len(levels) - 1} and random.random() < 0.15:
                continue
            mean = points * (0.35 if index == 0 else 0.2)
            length = points if index == len(levels) - 1 else int(20 + random.exponential(mean))
            end = min(points, place + length)
            value = float(level + level_spread * random.normal())
            true[place:end] = value
            plateaus.append({"cycle": number, "first": place, "last": end, "level": value})
            place = end
        true *= 1.0 + fluctuation * random.normal(size=points)
        voltage = current * (1.0 / (true * CONDUCTANCE_QUANTUM) + series_resistance)
        parts.append(meter.read(voltage, random))
    truth = {
        "kind": "levels",
        "series_resistance": series_resistance,
        "levels": list(levels),
        "level_spread": level_spread,
        "fluctuation": fluctuation,
        "plateaus": plateaus,
    }
    return SyntheticCurve(
        np.arange(cycles * points, dtype=np.float64) * (highest_current / points / rate),
        np.concatenate(parts),
        np.tile(current, cycles).astype(np.float64),
        np.repeat(np.arange(cycles), points),
        np.zeros(cycles * points, dtype=bool),
        truth,
    )


def switching_loops(
    random: Generator,
    *,
    cycles: int = 100,
    step: float = 0.02,
    highest: float = 2.5,
    lowest: float = -1.5,
    compliance: float = 400e-6,
    series_resistance: float = 500.0,
    switching: bool = True,
) -> SyntheticCurve:
    """Sweep the voltage in loops 0, +highest, 0, lowest, 0 (Fig. 2a).

    The first SET, the forming, needs more voltage than the others.

    Parameters
    ----------
    random : numpy.random.Generator
    cycles : int
    step, highest, lowest : float
        V.
    compliance : float
        Largest current, A.
    series_resistance : float
        ohm.
    switching : bool
        Whether the device switches at all; if not it stays in its high-resistance state.
    """
    _need_positive(cycles=cycles, step=step, highest=highest, compliance=compliance)
    up = np.round(np.arange(0.0, highest + step / 2, step), 9)
    down = np.round(np.arange(0.0, -lowest + step / 2, step), 9)
    loop = np.concatenate([up, up[-2::-1], -down[1:], -down[-2:0:-1]])
    reader = Instrument(lowest_range=1e-6, spike=0.0)
    currents, limited, events = [], [], []
    for number in range(cycles):
        set_voltage = float(np.clip(random.normal(1.2, 0.15), 0.4, highest - 0.3))
        if number == 0:
            set_voltage = min(set_voltage + 0.8, highest - 0.1)
        reset_voltage = float(np.clip(random.normal(-0.6, 0.1), 0.8 * lowest, -0.15))
        low = float(np.clip(random.normal(2.5, 0.25), 1.2, 4.0))
        high = float(10.0 ** random.normal(-2.0, 0.15))
        conductance = np.full(len(loop), high)
        first = last = len(loop)
        if switching:
            first = int(np.argmax(loop >= set_voltage))
            last = int(np.argmax((loop <= reset_voltage) & (np.arange(len(loop)) > len(up))))
            conductance[first:last] = low
        gap = 1.0 / (conductance * CONDUCTANCE_QUANTUM)
        # tunnelling conducts more at higher voltage
        gap[conductance < 0.3] /= 1.0 + 0.3 * loop[conductance < 0.3] ** 2
        true = loop / (gap + series_resistance)
        true *= 1.0 + 0.005 * random.normal(size=len(loop))
        over = np.abs(true) > compliance
        current = reader.read(np.clip(true, -compliance, compliance), random)
        current[over] = (
            np.sign(true[over]) * compliance * (1.0 + 1e-5 * random.normal(size=over.sum()))
        )
        currents.append(current)
        limited.append(over)
        if switching:
            events.append(
                {
                    "cycle": number,
                    "set_voltage": float(loop[first]),
                    "reset_voltage": float(loop[last]),
                    "low_resistance": float(gap[first] + series_resistance),
                    "high_conductance": high,
                }
            )
    count = cycles * len(loop)
    return SyntheticCurve(
        np.arange(count, dtype=np.float64) * 0.05,
        np.tile(loop, cycles).astype(np.float64),
        np.concatenate(currents),
        np.repeat(np.arange(cycles), len(loop)),
        np.concatenate(limited),
        {
            "kind": "switching",
            "compliance": compliance,
            "series_resistance": series_resistance,
            "voltage_step": step,
            "events": events,
        },
    )


def retention_trace(
    random: Generator,
    *,
    level: float = 2.5,
    duration: float = 1000.0,
    interval: float = 0.1,
    read_voltage: float = 0.1,
    drift: float = -0.02,
    series_resistance: float = 500.0,
) -> SyntheticCurve:
    """Read a state at constant voltage (Figs. 2c, 2e): power-law drift, 1/f noise.

    Parameters
    ----------
    random : numpy.random.Generator
    level : float
        Conductance of the gap after one second, G0.
    duration, interval : float
        s.
    read_voltage : float
        V.
    drift : float
        nu of G(t) = level (t/1 s)^nu.
    series_resistance : float
        ohm.
    """
    _need_positive(level=level, duration=duration, interval=interval, read_voltage=read_voltage)
    time = np.arange(1, int(duration / interval) + 1) * interval
    gap = level * np.maximum(time, interval) ** drift
    gap = gap * (1.0 + 0.01 * coloured_noise(len(time), 1.0, random))
    true = read_voltage / (1.0 / (gap * CONDUCTANCE_QUANTUM) + series_resistance)
    current = Instrument(lowest_range=1e-6, spike=0.0).read(true, random)
    return _one_cycle(
        time,
        read_voltage,
        current,
        {
            "kind": "retention",
            "level": level,
            "drift": drift,
            "read_voltage": read_voltage,
            "series_resistance": series_resistance,
        },
    )


def noise_trace(
    random: Generator,
    *,
    level: float = 2.5,
    relative: float = 0.01,
    exponent: float = 1.0,
    count: int = 32768,
    interval: float = 0.01,
    read_voltage: float = 0.1,
) -> SyntheticCurve:
    """Read a plateau with 1/f^exponent noise (Fig. 5a)."""
    _need_positive(level=level, relative=relative, count=count, interval=interval)
    gap = level * (1.0 + relative * coloured_noise(count, exponent, random))
    current = read_voltage * gap * CONDUCTANCE_QUANTUM
    truth = {"kind": "noise", "level": level, "relative": relative, "exponent": exponent}
    return _one_cycle(np.arange(count) * interval, read_voltage, current, truth)


def telegraph_trace(
    random: Generator,
    *,
    levels: tuple[float, float] = (2.4, 2.6),
    dwell: tuple[float, float] = (0.5, 0.3),
    noise: float = 0.04,
    count: int = 50000,
    interval: float = 0.01,
    read_voltage: float = 0.1,
) -> SyntheticCurve:
    """Read a gap that jumps between two conductances."""
    states = telegraph_states(count, interval, dwell, random)
    gap = np.asarray(levels)[states] + noise * random.normal(size=count)
    current = read_voltage * gap * CONDUCTANCE_QUANTUM
    truth = {"kind": "telegraph", "levels": list(levels), "dwell": list(dwell), "noise": noise}
    return _one_cycle(np.arange(count) * interval, read_voltage, current, truth)


def breakdown_sweep(
    random: Generator,
    *,
    step: float = 0.01,
    interface: float = 150.0,
    wire: float = 200.0,
) -> SyntheticCurve:
    """Sweep the voltage on a pristine wire until it breaks (Fig. 1b).

    Parameters
    ----------
    random : numpy.random.Generator
    step : float
        V.
    interface, wire : float
        R* and R_NW, ohm.
    """
    _need_positive(step=step, interface=interface, wire=wire)
    before = 2.0 * interface + wire
    breaks = float(np.clip(random.normal(0.9, 0.2), 0.4, 1.8))
    voltage = np.round(np.arange(0.0, breaks + 0.3, step), 9)
    # Joule heat raises the resistance with the square of the voltage
    resistance = before * (1.0 + 0.1 * (voltage / breaks) ** 2)
    last = int(np.flatnonzero(voltage <= breaks)[-1])
    after = float(10.0 ** random.uniform(7.0, 9.0))
    resistance[last + 1 :] = after
    current = Instrument(lowest_range=1e-9, spike=0.0).read(voltage / resistance, random)
    truth = {
        "kind": "breakdown",
        "voltage": float(voltage[last]),
        "current": float(voltage[last] / resistance[last]),
        "resistance_before": before,
        "resistance_after": after,
    }
    return _one_cycle(np.arange(len(voltage)) * _SWEEP_INTERVAL, voltage, current, truth)


def pristine_curve(
    random: Generator, *, resistance: float, highest: float = 0.05
) -> SyntheticCurve:
    """Sweep a little voltage on a pristine wire, for its resistance (ohm)."""
    voltage = np.linspace(-highest, highest, 101)
    current = Instrument(lowest_range=1e-6, spike=0.0).read(voltage / resistance, random)
    truth = {"kind": "pristine", "resistance": resistance}
    return _one_cycle(np.arange(len(voltage)) * _SWEEP_INTERVAL, voltage, current, truth)


def _one_cycle(
    time: NDArray[np.floating[Any]],
    voltage: float | NDArray[np.floating[Any]],
    current: FloatArray,
    truth: dict[str, Any],
) -> SyntheticCurve:
    """Make a curve of one cycle in which the instrument never limits; the voltage may be one."""
    zeros = np.zeros(len(time), dtype=np.int64)
    volts = np.full(len(time), voltage, dtype=np.float64)
    seconds = np.asarray(time, dtype=np.float64)
    return SyntheticCurve(seconds, volts, current, zeros, zeros.astype(bool), truth)
