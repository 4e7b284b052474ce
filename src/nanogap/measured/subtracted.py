"""Series resistances that were subtracted, device by device, and what the data say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import xarray as xr

from nanogap.electrical import SeriesResistance
from nanogap.io.dataset import known_series_resistance
from nanogap.printing import listed, number

#: Relative difference of two resistances that is worth a word.
_ALIKE = 0.01


@dataclass
class Subtracted:
    """Series resistances that were subtracted of the devices of a campaign.

    Attributes
    ----------
    by_device : dict of str to SeriesResistance
        Of two devices of one name with different resistances, the second has its file beside the
        name.
    known : dict of str to float
        What the data say is in series with the gap of a device, ohm, where they say it.
    """

    by_device: dict[str, SeriesResistance] = field(default_factory=dict)
    known: dict[str, float] = field(default_factory=dict)
    _noted: dict[str, tuple[SeriesResistance, float | None]] = field(default_factory=dict)

    def add(self, dataset: xr.Dataset, file: str, series: SeriesResistance) -> None:
        """Note what was subtracted of the one source of a dataset of a file, and what it says."""
        known = known_series_resistance(dataset)
        device = str(dataset["device_name"].to_numpy()[0])
        name = name_of(device, file, (series, known), self._noted)
        self._noted[name] = series, known
        self.by_device[name] = series
        if known is not None:
            self.known[name] = known

    @property
    def sentences(self) -> list[str]:
        """Sentences on what was subtracted by the data, and on where they say something else."""
        told = [
            (name, one, self.known[name])
            for name, one in self.by_device.items()
            if name in self.known
        ]
        followed = [
            f"{name} {number(one.resistance, 'ohm')}" for name, one, _ in told if one.origin
        ]
        others = [
            (name, one.resistance, known)
            for name, one, known in told
            if abs(one.resistance - known) > _ALIKE * known
        ]
        passed = [f"{name} {number(known, 'ohm')}" for name, given, known in others if not given]
        changed = [
            f"{name} {number(known)}, not {number(given, 'ohm')}"
            for name, given, known in others
            if given
        ]
        return [
            *_said("subtracted, as the circuit of each device says", followed),
            *_said(
                "nothing was subtracted of what the data say is in series with the gap",
                passed,
                "; `series_resistance=circuit` subtracts it",
            ),
            *_said(
                "the data say another resistance in series with the gap than was subtracted",
                changed,
                "; `series_resistance=circuit` subtracts theirs",
            ),
        ]


def name_of(device: str, file: str, value: object, noted: Mapping[str, object]) -> str:
    """Return the name of a device; with its file, if there is another value of that name.

    Examples
    --------
    >>> name_of("nw3", "b/nw3.nc", 5, {"nw3": 4}), name_of("nw3", "a/nw3.nc", 4, {"nw3": 4})
    ('nw3 (b/nw3.nc)', 'nw3')
    """
    return device if noted.get(device, value) == value else f"{device} ({file})"


def _said(what: str, devices: Sequence[str], end: str = "") -> list[str]:
    return [f"{what}: {listed(devices)}{end}"] if devices else []
