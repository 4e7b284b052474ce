"""The series resistance of every device of a campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nanogap.electrical import PristineResistance, SaturationResistance, SeriesResistance
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import iterate_measurements
from nanogap.io.data_folders import Paths, measurement_files
from nanogap.measured.compliance import compliance_of


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
    """

    default: SeriesResistance = field(default_factory=lambda: SeriesResistance(0.0))
    by_device: Mapping[str, SeriesResistance] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()

    @classmethod
    def from_pristine(
        cls, paths: Paths, columns: Mapping[str, str] | None = None
    ) -> "DeviceResistances":
        """Estimate the series resistance of every device from its pristine curve.

        A device without one gets the mean of the others, with their spread as uncertainty, or a
        fifth of it where there is but one.

        Raises
        ------
        DataFormatError
            If a file is no pristine curve.
        SettingsError
            If a device has two.
        """
        return cls._estimated(paths, columns, PristineResistance)

    @classmethod
    def from_saturated(
        cls, paths: Paths, columns: Mapping[str, str] | None = None
    ) -> "DeviceResistances":
        """Estimate it from curves of a low state that was pulled in until it saturated."""
        return cls._estimated(paths, columns, SaturationResistance)

    @classmethod
    def _estimated(
        cls,
        paths: Paths,
        columns: Mapping[str, str] | None,
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
        return cls(SeriesResistance(float(values.mean()), scatter), found, tuple(files))

    def of(self, device: str) -> SeriesResistance:
        """Return the series resistance of a device."""
        return self.by_device.get(device, self.default)

    def moved(self, direction: float) -> "DeviceResistances":
        """Return all resistances moved by so many of their uncertainties, not below zero."""

        def move(series: SeriesResistance) -> SeriesResistance:
            shifted = max(0.0, series.resistance + direction * series.uncertainty)
            return SeriesResistance(shifted, series.uncertainty)

        return DeviceResistances(
            move(self.default),
            {name: move(one) for name, one in self.by_device.items()},
            self.sources,
        )

    def of_all(self, devices: Sequence[str]) -> dict[str, SeriesResistance]:
        """Return the series resistances of some devices by their names."""
        return {device: self.of(device) for device in dict.fromkeys(devices)}
