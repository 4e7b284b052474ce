"""A network driven by a slow ramp of current: the states of its junctions over time.

The states follow dx/dt = f(x, v) of the exported module, with the voltages v of Kirchhoff's laws,
by the exponential midpoint rule: x follows its linearised equation exactly at the voltages of the
middle of the step (Hochbruck and Ostermann, Acta Numerica 19, 209 (2010),
doi:10.1017/S0962492910000048). The voltages at the beginning of the step give the error.
"""

import runpy
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from docs.build.network_wires import Wires
from nanogap.analysis.traces.histogram_peaks import OPEN_GAP
from nanogap.compact.export import exported
from nanogap.compact.file import FittedModel
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Of ln of a junction's conductance in a step.
TOLERANCE = 0.05

#: A step may change ln of a junction's conductance by so much.
_LARGEST_CHANGE = 0.5

#: The shortest step, parts of the time between two readings.
_SHORTEST = 1e-9


@dataclass(frozen=True)
class Ramp:
    """A source of current that rises from 0, read at equal times.

    Attributes
    ----------
    rate : float
        A/s.
    duration : float
        s.
    readings : int
    limit : float
        Of the voltage, V.
    """

    rate: float
    duration: float
    readings: int
    limit: float

    @property
    def time(self) -> FloatArray:
        """When it is read, s, shape (n_readings,)."""
        return np.linspace(0.0, self.duration, self.readings + 1, dtype=np.float64)[1:]

    def voltage(self, time: float, resistance: float) -> float:
        """Return the voltage at a resistance (ohm), V."""
        return min(self.rate * time * resistance, self.limit)


@dataclass(frozen=True)
class Driven:
    """A network that was driven; all (n_readings,) but the last three.

    Attributes
    ----------
    conductance : ndarray
        G0.
    voltage : ndarray
        Between the electrodes, V.
    closed : ndarray of int
        Junctions above a tenth of G0.
    imbalance : ndarray
        Sum of currents at the worst wire, parts of the current.
    path : list of int
        Junctions of the first way between the electrodes through closed junctions.
    path_reading : int or None
        When it was there.
    at_path : ndarray, shape (n_junctions,)
        Conductances of the junctions then, else at the end, G0.
    """

    conductance: FloatArray
    voltage: FloatArray
    closed: FloatArray
    imbalance: FloatArray
    path: list[int]
    path_reading: int | None
    at_path: FloatArray


def module_of(fitted: FittedModel) -> dict[str, Any]:
    """Return the names of the exported module of a model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "device.py"
        path.write_text(exported(fitted, "python"), encoding="utf-8")
        return runpy.run_path(str(path))


class Network:
    """Junctions with devices of their own.

    Parameters
    ----------
    wires : Wires
    device : Device of an exported module
        Of one junction or of each.
    read : float
        Voltage at which a conductance is read, V.
    """

    def __init__(self, wires: Wires, device: Any, read: float) -> None:
        self.wires, self.device, self.read = wires, device, read

    def conductance(self, state: FloatArray) -> FloatArray:
        """Return the conductance of every junction, S."""
        return np.asarray(self.device.current(state, self.read) / self.read)

    def voltages(self, state: FloatArray, time: float, ramp: Ramp) -> FloatArray:
        """Return the voltage at every junction, V."""
        potential = self.wires.potentials(self.conductance(state))
        resistance = float(potential[self.wires.source])
        # without polarity, the size of the voltage counts
        return np.abs(self.wires.across(potential)) * (ramp.voltage(time, resistance) / resistance)

    def stepped(self, state: FloatArray, voltage: FloatArray, step: float) -> FloatArray:
        """Return the state after a step at constant voltages; exact where f is linear in x."""
        rate = self.device.rate(state, voltage)
        apart = np.where(state < 0.5, 1e-6, -1e-6)
        slope = (self.device.rate(state + apart, voltage) - rate) / apart
        exponent = np.clip(slope * step, -700.0, 50.0)
        small = np.abs(exponent) < 1e-9
        part = np.where(small, 1.0, np.expm1(exponent) / np.where(small, 1.0, exponent))
        return np.asarray(np.clip(state + rate * step * part, 0.0, 1.0))

    def advanced(  # noqa: PLR0917  # two ends of an integral, and how it is done
        self, state: FloatArray, begin: float, end: float, step: float, ramp: Ramp, tolerance: float
    ) -> tuple[FloatArray, float]:
        """Integrate the states between two times; returns them and the next step, s."""
        time, shortest = begin, _SHORTEST * (end - begin)
        before = np.log(self.conductance(state))
        first = self.voltages(state, time, ramp)
        while end - time > shortest:
            h = min(step, end - time)
            half = self.stepped(state, first, 0.5 * h)
            middle = self.voltages(half, time + 0.5 * h, ramp)
            new = self.stepped(state, middle, h)
            after = np.log(self.conductance(new))
            other = np.log(self.conductance(self.stepped(state, first, h)))
            error = max(
                float(np.abs(after - other).max()) / tolerance,
                float(np.abs(after - before).max()) / _LARGEST_CHANGE,
            )
            if error > 1.0 and h > shortest:
                step = h * max(0.2, 0.8 / np.sqrt(error))
                continue
            state, before, time = new, after, time + h
            first = self.voltages(state, time, ramp)
            step = h * min(3.0, 0.8 / np.sqrt(error + 1e-3))
        return state, step


def drive(network: Network, ramp: Ramp, tolerance: float = TOLERANCE, until: int = -1) -> Driven:
    """Drive a network whose junctions are open.

    Parameters
    ----------
    network : Network
    ramp : Ramp
    tolerance : float
        Of ln of a junction's conductance in a step.
    until : int
        Readings after which to stop; -1 for all.
    """
    wires = network.wires
    state = np.zeros(len(wires.ends))
    time, step = 0.0, np.inf
    rows = []
    path: list[int] = []
    path_reading, at_path = None, None
    for reading, end in enumerate(ramp.time.tolist()[: until if until > 0 else None]):
        state, step = network.advanced(state, time, end, step, ramp, tolerance)
        time = end
        junctions = network.conductance(state)
        closed = junctions > OPEN_GAP * CONDUCTANCE_QUANTUM
        potential = wires.potentials(junctions)
        resistance = float(potential[wires.source])
        imbalance = wires.imbalance(junctions, potential)
        rows.append((1.0 / resistance, ramp.voltage(time, resistance), closed.sum(), imbalance))
        if not path and (path := wires.path(closed)):
            path_reading, at_path = reading, junctions / CONDUCTANCE_QUANTUM
    conductance, voltage, closed_count, imbalances = np.array(rows).T
    return Driven(
        conductance / CONDUCTANCE_QUANTUM,
        voltage,
        closed_count,
        imbalances,
        path,
        path_reading,
        junctions / CONDUCTANCE_QUANTUM if at_path is None else at_path,
    )
