"""Computing time of a device's measurement beforehand, from a short trial."""

import time
from dataclasses import dataclass
from itertools import islice

from nanogap.device.device import Device
from nanogap.device.measurement import Measurement
from nanogap.device.throttling import measure_cost
from nanogap.printing import time_in_words
from nanogap.settings.device import DeviceSettings

#: Readings and events of the trial.
_READINGS, _EVENTS = 8, 20_000


@dataclass(frozen=True)
class MeasurementCost:
    """Computing time of a measurement, with the gap as it is at the start.

    Attributes
    ----------
    cpu_time : float
        Of all devices, s; without new conductances.
    wall_time : float
        With so many devices at a time as asked for, s.
    per_reading : float
        Of one reading, s.
    per_neck : float or None
        Of the conductance of one neck of the start, s; None if it was known.
    """

    cpu_time: float
    wall_time: float
    per_reading: float
    per_neck: float | None

    @property
    def sentence(self) -> str:
        """The cost in words, and what of it is not known."""
        neck = "" if self.per_neck is None else f" ({self.per_neck:.2g} s for the first)"
        return (
            f"About {time_in_words(max(self.wall_time, 1.0))} of computing with the gap as it is "
            f"at the start, {1e3 * self.per_reading:.2g} ms per reading. Not known beforehand: "
            f"each new shape of the neck costs a transmission{neck}, wide contacts some seconds "
            "each, and more ions or a bridge cost more events."
        )


def estimate_cost(settings: DeviceSettings, processes: int = 1) -> MeasurementCost:
    """Do the first readings of the first device, and some events, on a device that is given up.

    Parameters
    ----------
    settings : DeviceSettings
    processes : int
        Devices at a time.

    Returns
    -------
    MeasurementCost

    Raises
    ------
    NanogapError
        If the device cannot be made.
    """
    members = settings.members()
    device = Device(members[0])
    count = device.necks.count
    per_neck = count.seconds if count.computed else None
    readings = iter(Measurement(device))
    next(readings, None)  # compiles
    begun, transport, since = time.process_time(), count.seconds, device.time
    done = sum(1 for _ in islice(readings, _READINGS))
    spent = time.process_time() - begun - (count.seconds - transport)
    events = measure_cost(device.engine, events=_EVENTS).cpu_per_second
    around = max(spent - events * (device.time - since), 0.0) / max(done, 1)
    cpu_time = sum(
        events * member.total_duration + around * member.total_samples for member in members
    )
    samples = sum(member.total_samples for member in members)
    return MeasurementCost(
        cpu_time=cpu_time,
        wall_time=cpu_time / min(processes, len(members)),
        per_reading=cpu_time / max(samples, 1),
        per_neck=per_neck,
    )
