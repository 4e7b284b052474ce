"""A trial of a measurement with guessed conductances: what it will compute, without computing it.

The device goes through its first cycle, and each new shape of its neck is
counted instead of computed, but for the first ones of each width, whose time is measured. The
guess is about half a quantum per atom of the narrowest layer, so that the source limits the growth
about as it will.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nanogap.device.conductance import NeckConductance
from nanogap.device.device import Device
from nanogap.device.measurement import Measurement
from nanogap.device.neck import Neck
from nanogap.device.neck_store import StoredTransmission
from nanogap.device.parts import make_energetics, make_necks
from nanogap.runs.compilation import clock_without_compilation
from nanogap.settings.device import DeviceSettings
from nanogap.structure.tips import layer_spacing

#: Processor time of a trial without conductances, s.
_BUDGET = 10.0
#: Readings after which it is known how long one takes.
_EARLY = 50
#: Part of the first cycle that is enough to know the rest, which is as the end, this part, of it.
_ENOUGH, _END = 0.7, 0.3
#: Necks of each width that are computed, so that their time is known; the first may pay for leads.
_COMPUTED = 2
#: Time of a neck, s, above which one is enough to know it.
_DEAR = 3.0
#: Conductance of an atom of the narrowest layer, and of a gap without an empty layer, G0.
_PER_ATOM, _CLOSE = 0.6, 0.1


@dataclass(frozen=True)
class Trial:
    """Cost of the first cycle of a device, with its preparation, by a trial.

    Attributes
    ----------
    duration : float
        Of the cycle, s.
    share : float
        Part of it that the trial went through; the rest is as the end of that part.
    readings : int
        Readings of the trial.
    cpu_time : float
        Processor time of atoms, potential and circuit, s.
    per_reading : float
        The same of an early reading, s.
    new : int
        Shapes of the neck whose conductance the cache does not know.
    neck_time : float
        Processor time that these will take, s.
    """

    duration: float
    share: float
    readings: int
    cpu_time: float
    per_reading: float
    new: int
    neck_time: float


class GuessedNecks(NeckConductance):
    """Conductance of necks that is guessed where it is not known.

    Attributes
    ----------
    new : dict of int to int
        Energies of necks that were not known, by the width of their cell.
    shapes : int
        Necks that were not known.
    """

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.new: dict[int, int] = defaultdict(int)
        self.shapes = 0
        #: Gives the processor time, s; and what of it went into conductances.
        self.clock: Callable[[], float] = time.process_time
        self.spent = 0.0
        self._times: dict[int, list[float]] = defaultdict(list)

    @property
    def neck_time(self) -> float:
        """Processor time that all new necks take, s."""
        return sum(min(self._times[width]) * count for width, count in self.new.items())

    def _compute(self, neck: Neck, steps: Sequence[int]) -> list[StoredTransmission]:
        """Guess, but compute the first ones of each width."""
        width = neck.occupied.shape[1]
        self.new[width] += len(steps)
        self.shapes += 1
        times = self._times[width]
        computes = len(times) < _COMPUTED and not (times and times[0] > _DEAR)
        self.store.is_read_only = not computes
        if computes:
            begun = self.clock()
            found = super()._compute(neck, steps)
            passed = self.clock() - begun
            self.spent += passed
            times.append(passed / len(steps))
            return found
        return [StoredTransmission(self._guess(neck))] * len(steps)

    def _guess(self, neck: Neck) -> float:
        """Guess a transmission by the atoms of the narrowest layer, or the empty layers."""
        atoms = neck.occupied.sum(axis=(1, 2))
        if neck.bridged:
            return _PER_ATOM * float(atoms.min())
        empty = int((atoms == 0).sum()) * layer_spacing(self.lattice_constant)
        return _CLOSE * math.exp(-2.0 * self.decay * empty)


def try_device(settings: DeviceSettings) -> Trial:
    """Go through the first cycle of a device with guessed conductances.

    With the settings' own readings, so that a measurement whose conductances are all known is gone
    through as it will be; only where that takes far too long, with fewer.

    Parameters
    ----------
    settings : DeviceSettings
        Of one device.

    Returns
    -------
    Trial

    Raises
    ------
    NanogapError
        If the device cannot be made.
    """
    one_cycle = settings.model_copy(
        update={
            name: part.model_copy(update={"cycles": 1})
            for name, part in settings.parts().items()
            if hasattr(part, "cycles")
        }
    )
    found = _try(one_cycle, _BUDGET)
    if found.share > _ENOUGH:
        return found
    fewer = _with_fewer_readings(one_cycle, int(_BUDGET / found.per_reading))
    coarse = _try(fewer, _BUDGET)
    further = max(one_cycle.total_samples - fewer.total_samples, 0) * found.per_reading
    whole = replace(coarse, cpu_time=coarse.cpu_time + further)
    # other distances of the readings are another course; on its own the cache knows all
    return whole if found.new else replace(whole, new=0, neck_time=0.0)


def _try(settings: DeviceSettings, budget: float) -> Trial:
    """Go through a device's protocol as far as a processor time allows, s."""
    whole, early = settings.total_duration, 0.0
    necks = make_necks(settings, make_energetics(settings).lattice_constant, GuessedNecks)
    with clock_without_compilation() as clock:
        necks.clock = clock
        device = Device(settings, necks)
        begun = clock() - necks.spent
        marks = [_Mark(0.0, 0.0, necks.shapes, necks.neck_time)]
        for point in Measurement(device):
            spent = clock() - begun - necks.spent
            marks.append(_Mark(point.time, spent, necks.shapes, necks.neck_time))
            if len(marks) <= _EARLY:
                early = spent / (len(marks) - 1)
            if spent > budget:
                break
        else:
            whole = marks[-1].time  # with feedback, it may have ended early
    last = marks[-1]
    before = next(one for one in marks if one.time >= (1.0 - _END) * last.time)
    rest = max(whole - last.time, 0.0) / max(last.time - before.time, 1e-300)
    return Trial(
        duration=settings.total_duration,
        share=last.time / whole if whole else 1.0,
        readings=len(marks) - 1,
        cpu_time=last.cpu_time + rest * (last.cpu_time - before.cpu_time),
        per_reading=early,
        new=round(last.new + rest * (last.new - before.new)),
        neck_time=last.neck_time + rest * (last.neck_time - before.neck_time),
    )


@dataclass(frozen=True)
class _Mark:
    """Work done up to a moment of a trial."""

    time: float
    cpu_time: float
    new: int
    neck_time: float


def _with_fewer_readings(settings: DeviceSettings, readings: int) -> DeviceSettings:
    """Return the settings with about so many readings, at larger distances."""
    longest = settings.total_duration / max(readings, _EARLY)
    changed = {
        name: part.model_copy(update={"interval": longest})
        for name, part in settings.parts().items()
        if getattr(part, "interval", longest) < longest
    }
    return settings.model_copy(update=changed)
