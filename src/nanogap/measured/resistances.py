"""The series resistance of every device of a campaign."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr

from nanogap.arguments import checked
from nanogap.electrical import PristineResistance, SaturationResistance, SeriesResistance
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import iterate_measurements
from nanogap.io.columns import Choice
from nanogap.io.data_folders import Paths, measurement_files
from nanogap.io.dataset import known_series_resistance
from nanogap.measured.compliance import compliance_of

#: What is in series with the gaps: one resistance for all, ohm; that of each device by its name; or
#: that which the data say of each, as those of simulated devices do.
SeriesChoice = float | Literal["circuit"] | Mapping[str, float]

# what a file name says about the measurement and not about the device
_WORDS = frozenset(
    [
        "pristine",
        "fresh",
        "virgin",
        "initial",
        "before",
        "after",
        "breakdown",
        "broken",
        "gap",
        "gaps",
        "level",
        "levels",
        "sweep",
        "sweeps",
        "iv",
        "curve",
        "curves",
        "retention",
        "switching",
        "loop",
        "loops",
        "noise",
        "telegraph",
        "cycle",
        "cycles",
        "run",
        "saturated",
        "closed",
        "short",
        "shorted",
        "lrs",
        "hrs",
        "set",
        "reset",
        "data",
        "measurement",
        "meas",
        "test",
        "file",
        "trace",
        "traces",
        "raw",
        "wire",
        "sample",
        "device",
        "dev",
        "nanowire",
        "csv",
    ]
)


def _identity(device: str) -> frozenset[str]:
    """Words and numbers of a name that tell a device from others."""
    words = re.split(r"[\W_]+", device.casefold())
    return frozenset(word for word in words if word) - _WORDS


@dataclass(frozen=True)
class DeviceResistances:
    """A series resistance for all devices, and better ones for some.

    Attributes
    ----------
    default : SeriesResistance
        For devices that are not named.
    by_device : mapping
        Device name to series resistance.
    sources : tuple of Path
        Files that they were estimated from.
    complete : bool
        Whether devices that are not named get the default; else they are refused.
    matching : {"alike", "exact", "circuit"}
        How a device finds its own: by what its name shares with that of a curve, by its whole name,
        or in its data.
    """

    default: SeriesResistance = field(default_factory=lambda: SeriesResistance(0.0))
    by_device: Mapping[str, SeriesResistance] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    complete: bool = True
    matching: Literal["alike", "exact", "circuit"] = "alike"

    @classmethod
    @checked
    def chosen(cls, choice: SeriesChoice, uncertainty: float | None = None) -> "DeviceResistances":
        """Take what a caller chose.

        Parameters
        ----------
        choice : float, "circuit" or mapping
            See `SeriesChoice`.
        uncertainty : float, optional
            Standard uncertainty of each, ohm. Default: none.

        Raises
        ------
        SettingsError
            If a resistance or the uncertainty is negative or no number.
        """
        error = uncertainty or 0.0
        if isinstance(choice, str):
            return cls(SeriesResistance(0.0, error), matching="circuit", complete=False)
        if isinstance(choice, Mapping):
            given = {name: SeriesResistance(one, error) for name, one in choice.items()}
            return cls(mean_resistance(given.values()), given, matching="exact", complete=False)
        return cls(SeriesResistance(choice, error))

    @property
    def any_given(self) -> bool:
        """Whether anything was said of what is in series."""
        return bool(self.by_device or self.default.resistance or self.matching == "circuit")

    @classmethod
    def from_pristine(cls, paths: Paths, columns: Choice | None = None) -> "DeviceResistances":
        """Estimate the series resistance of every device from its pristine curve.

        Curves belong to a device by the name of the device, or by what their names share when
        words such as ``pristine`` and ``gap`` are taken away: ``A05_pristine.csv`` to
        ``A05_gap.csv``. One curve whose name says no device counts for all. A device without one
        is refused when it is asked for; ``default`` is the mean of all.

        Raises
        ------
        DataFormatError
            If a file is no pristine curve.
        SettingsError
            If a device has two.
        """
        return cls._estimated(paths, columns, PristineResistance)

    @classmethod
    def from_saturated(cls, paths: Paths, columns: Choice | None = None) -> "DeviceResistances":
        """Estimate it from curves of a low state that was pulled in until it saturated."""
        return cls._estimated(paths, columns, SaturationResistance)

    @classmethod
    def _estimated(
        cls,
        paths: Paths,
        columns: Choice | None,
        estimator: type[PristineResistance | SaturationResistance],
    ) -> "DeviceResistances":
        found: dict[str, SeriesResistance] = {}
        files = measurement_files(paths)
        for dataset in iterate_measurements(files, columns, named=paths):
            device = str(dataset["device_name"].to_numpy()[0])
            name = str(dataset["file_name"].to_numpy()[0])
            try:
                kept = dataset.isel(point=~compliance_of(dataset).limited)
                estimate = estimator().compute(
                    kept["voltage"].to_numpy(), kept["current"].to_numpy()
                )
            except DataFormatError as error:
                raise DataFormatError(f"{name}: {error}") from None
            if device in found:
                raise SettingsError(
                    f"{name}: a second curve for the series resistance of device {device!r}; give "
                    "one each"
                )
            found[device] = estimate.series
        values = np.array([series.resistance for series in found.values()])
        scatter = float(values.std(ddof=1)) if len(values) > 1 else 0.2 * float(values[0])
        # one curve whose name says no device is meant for all
        general = len(found) == 1 and not _identity(next(iter(found)))
        mean = SeriesResistance(float(values.mean()), scatter)
        return cls(mean, found, tuple(files), complete=general)

    def of(self, device: str) -> SeriesResistance:
        """Return the series resistance of a device.

        Raises
        ------
        SettingsError
            If no curve belongs to the device.
        """
        if device in self.by_device:
            return self.by_device[device]
        if self.matching == "exact":
            raise SettingsError(
                f"no series resistance is given of device {device!r}, only of "
                f"{', '.join(map(repr, self.by_device)) or 'none'}: give that of each device by "
                "its name"
            )
        alike = {name: _identity(name) for name in self.by_device}
        mine = _identity(device)
        alike = {name: words for name, words in alike.items() if words and words <= mine}
        longest = max((len(words) for words in alike.values()), default=0)
        best = [name for name, words in alike.items() if len(words) == longest]
        if len(best) == 1:
            return self.by_device[best[0]]
        only_one = len(self.by_device) == 1 and not mine
        if self.complete or only_one:
            return self.default
        names = ", ".join(map(repr, self.by_device))
        raise SettingsError(
            f"no curve for the series resistance is of device {device!r}; they are of {names}: "
            "give the files of one device names that share it (A05_pristine, A05_gap), or one "
            "resistance for all with `series_resistance`"
        )

    def of_data(self, dataset: xr.Dataset) -> SeriesResistance:
        """Return what is in series with the gap of a measurement dataset of one source.

        Raises
        ------
        SettingsError
            If the data do not say it where they should, or no curve belongs to the device.
        """
        device = str(dataset["device_name"].to_numpy()[0])
        if self.matching != "circuit":
            return self.of(device)
        known = known_series_resistance(dataset)
        if known is None:
            name = str(dataset["file_name"].to_numpy()[0])
            raise SettingsError(
                f"{name} does not say what is in series with its gap, as measurements of simulated "
                "devices do: in place of `series_resistance=circuit` give a number, in ohm"
            )
        return SeriesResistance(known, self.default.uncertainty, f"circuit of {device}")


def mean_resistance(found: Iterable[SeriesResistance]) -> SeriesResistance:
    """Return the mean of several series resistances, with their scatter as its uncertainty."""
    values = np.array([one.resistance for one in found] or [0.0])
    scatter = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return SeriesResistance(float(values.mean()), scatter)
