"""Computing time of a device's measurement beforehand, from a short trial."""

from dataclasses import dataclass

from nanogap.printing import time_in_words
from nanogap.runs.device_trial import try_device
from nanogap.settings.device import DeviceSettings

#: Factor to either side that the time of new necks is known to, and that of all else.
_NECKS_UNKNOWN, _REST_UNKNOWN = 2.5, 1.5


@dataclass(frozen=True)
class MeasurementCost:
    """Computing time of a measurement, from a trial of its first cycle.

    Attributes
    ----------
    cpu_time : float
        Of all devices, s.
    wall_time : float
        With so many devices at a time as asked for, s.
    per_reading : float
        Of one reading, without new conductances, s.
    per_neck : float or None
        Of the conductance of one neck that the cache does not know, s; None if it knows all.
    necks : int
        Conductances that the cache does not know.
    """

    cpu_time: float
    wall_time: float
    per_reading: float
    per_neck: float | None
    necks: int = 0

    @property
    def neck_share(self) -> float:
        """Part of the time that goes into new conductances."""
        return min(self.necks * (self.per_neck or 0.0) / max(self.cpu_time, 1e-9), 1.0)

    @property
    def range(self) -> tuple[float, float]:
        """Least and most that the time may turn out to be, s with so many devices at a time."""
        necks, rest = self.neck_share * self.wall_time, (1.0 - self.neck_share) * self.wall_time
        least = necks / _NECKS_UNKNOWN + rest / _REST_UNKNOWN
        return least, necks * _NECKS_UNKNOWN + rest * _REST_UNKNOWN

    @property
    def sentence(self) -> str:
        """The cost in words, and what it is made of."""
        least, most = (time_in_words(max(one, 1.0)) for one in self.range)
        about = time_in_words(max(self.wall_time, 1.0))
        between = "" if least == most else f" ({least} to {most})"
        new = "all conductances of the trial are known"
        if self.necks:
            shapes = "one new shape" if self.necks == 1 else f"some {self.necks} new shapes"
            new = (
                f"{shapes} of the neck, {self.per_neck or 0.0:.2g} s each, "
                "fewer if the cache knows them from other devices, more in a wide contact"
            )
        return (
            f"About {about} of computing{between}, from a trial of the first cycle: "
            f"{1e3 * self.per_reading:.2g} ms per reading, and {new}."
        )


def estimate_cost(settings: DeviceSettings, processes: int = 1) -> MeasurementCost:
    """Try the first cycle of the first device with guessed conductances; it is given up then.

    Some conductances are computed, whose time is so known, and kept.

    Parameters
    ----------
    settings : DeviceSettings
    processes : int
        Devices at a time.

    Returns
    -------
    MeasurementCost
        With compiled functions: what is to be compiled is compiled in the trial.

    Raises
    ------
    NanogapError
        If the device cannot be made.
    """
    number, first = settings.devices.number, settings.member(0)
    trial = try_device(first)
    # devices that share cycles have one more or one less
    devices = _total(settings) / max(first.total_samples, 1)
    scale = devices * first.total_duration / trial.duration
    rest, necks = scale * trial.cpu_time, scale * trial.neck_time
    return MeasurementCost(
        cpu_time=rest + necks,
        wall_time=(rest + necks) / min(processes, number),
        per_reading=rest / max(devices * first.total_samples, 1),
        per_neck=trial.neck_time / trial.new if trial.new else None,
        necks=round(scale * trial.new),
    )


def _total(settings: DeviceSettings) -> int:
    """Return the readings of all devices, without making each: the first ones are the longest."""
    number = settings.devices.number
    first, last = settings.member(0).total_samples, settings.member(number - 1).total_samples
    if first == last:
        return number * first
    longer = getattr(settings.protocol, "cycles", number) % number
    return longer * first + (number - longer) * last
