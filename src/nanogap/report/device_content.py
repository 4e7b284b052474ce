"""Content of the report of a simulated device: readings, frames, and how they were made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.electrical import GapConductance, SeriesResistance
from nanogap.settings.device import DeviceSettings
from nanogap.typing import FloatArray


@dataclass(frozen=True)
class Step:
    """A change of the conductance from one reading to the next.

    Attributes
    ----------
    before, after : ase.Atoms
        With arrays ``kind`` and ``site``; ``info`` has ``time`` (s), ``conductance`` (G0),
        ``bridged``, ``constriction`` (atoms of it).
    """

    before: Atoms
    after: Atoms

    @property
    def size(self) -> float:
        """Change of the conductance, G0."""
        return abs(float(self.after.info["conductance"] - self.before.info["conductance"]))


@dataclass(frozen=True)
class ParameterRow:
    """A number that the simulation rests on.

    Attributes
    ----------
    name, value, kind, source : str
        ``kind``: fitted, not fitted, set by the user, or off.
    """

    name: str
    value: str
    kind: str
    source: str


@dataclass(frozen=True)
class OneDevice:
    """Readings of one device and its frames.

    Attributes
    ----------
    name : str
    series_resistance : float
        Ohm.
    data : xarray.Dataset
        Its readings, as `nanogap.runs.device_run.DeviceRun.dataset` returns them.
    steps : sequence of Step
        In order of time.
    first, last : ase.Atoms or None
        Frames as in `Step`.
    capacitance : float
        Beside the gap, F.
    steps_kept, steps_left_out : int
        Steps of the device with frames on disk, of which `steps` are the largest, and those whose
        frames found no room there.
    """

    name: str
    series_resistance: float
    data: xr.Dataset
    steps: Sequence[Step]
    first: Atoms | None = None
    last: Atoms | None = None
    capacitance: float = 0.0
    steps_kept: int = 0
    steps_left_out: int = 0

    def column(self, name: str) -> FloatArray:
        """Return a variable as numbers, shape (n_points,)."""
        return self.data[name].to_numpy().astype(np.float64)

    @property
    def seen(self) -> FloatArray:
        """Conductance that the readings give once the series resistance is subtracted, G0."""
        gap = GapConductance(SeriesResistance(self.series_resistance))
        return gap.compute(self.column("voltage"), self.column("current")).conductance


@dataclass(frozen=True)
class DeviceContent:
    """Everything that the report of simulated devices shows.

    Attributes
    ----------
    settings : DeviceSettings
    state : str
        Running, finished or interrupted.
    planned : float
        Time of the protocol of one device, s.
    devices : sequence of OneDevice
    parameters : sequence of ParameterRow
    making : sequence of (str, str)
        How it was made: cost, cache, versions.
    measured : sequence of xarray.Dataset
        Measurements to draw beside it.
    """

    settings: DeviceSettings
    state: str
    planned: float
    devices: Sequence[OneDevice]
    parameters: Sequence[ParameterRow] = ()
    making: Sequence[tuple[str, str]] = ()
    measured: Sequence[xr.Dataset] = field(default_factory=tuple)
