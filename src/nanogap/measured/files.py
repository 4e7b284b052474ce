"""The files of a campaign and the conductance of the gap in each of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanogap.analysis.traces.compliance import Compliance
from nanogap.electrical import GapConductance, SeriesResistance
from nanogap.electrical.instrument import averaged_over
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import read_measurement
from nanogap.io.clock import Clock
from nanogap.io.columns import Choice, parse_columns
from nanogap.io.data_folders import Paths, as_paths, measurement_files
from nanogap.io.dataset import without_preparation
from nanogap.io.long_text import is_long, read_long_text
from nanogap.io.measurement import each_file
from nanogap.io.run_files import is_run_directory
from nanogap.measured.compliance import Exclusion, compliance_of
from nanogap.measured.long_files import traces_of
from nanogap.measured.reading import Reading
from nanogap.measured.resistances import DeviceResistances
from nanogap.typing import BoolArray, FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM


def are_measured(paths: Sequence[Path]) -> bool:
    """Whether paths are data to analyse, and not one run directory."""
    if len(paths) != 1 or paths[0].is_file():
        return True
    if not paths[0].is_dir() or is_run_directory(paths[0]):
        return False
    try:
        return bool(measurement_files(paths))
    except DataFormatError:
        return False


@dataclass(frozen=True)
class DataFiles:
    """The files of a campaign and how they are read.

    Attributes
    ----------
    paths : str, Path or sequence of them
        Files, folders, run directories, device directories, campaigns of devices; see
        `nanogap.io.data_folders`.
    columns : mapping or str, optional
        See `nanogap.io.read_measurement`.
    resistances : DeviceResistances
        What is in series with the gap of every device.
    averaging_time : float, optional
        Averaging time of an instrument that simulated traces are seen through, s.
    compliance : float, optional
        Limit of the current, A. Default: as flagged in the files, or found in the curves.
    watch : callable, optional
        Called with how many files are analysed, and how many there are.
    clock : Clock
        Sampling rate of files without times, and zero of the time.
    passed_over : list of str
        Files of folders without a measurement, and why; filled while the files are read.
    some : bool
        Whether these are some of the files that were given, so that what is for the others is no
        reason to refuse anything.
    """

    paths: Paths
    columns: Choice | None = None
    resistances: DeviceResistances = field(default_factory=DeviceResistances)
    averaging_time: float | None = None
    watch: Callable[[int, int], object] | None = None
    compliance: float | None = None
    clock: Clock = field(default_factory=Clock)
    passed_over: list[str] = field(default_factory=list, compare=False)
    some: bool = False

    def __post_init__(self) -> None:
        if not as_paths(self.paths):
            raise SettingsError(
                "no files given: name files, folders, run directories, device directories or "
                "campaigns of devices"
            )
        parse_columns(self.columns)

    @property
    def files(self) -> list[Path]:
        """Every file and directory once; see `nanogap.io.data_folders`.

        Files that the series resistance was estimated from are no data unless they are named.
        """
        named = {path.resolve() for path in as_paths(self.paths)}
        sources = {path.resolve() for path in self.resistances.sources} - named
        found = measurement_files(self.paths)
        kept = [path for path in found if path.resolve() not in sources]
        if not kept:
            raise DataFormatError(
                f"{found[0].parent} holds no file beside those for the series resistance"
            )
        return kept

    def measurements(self) -> Iterator[xr.Dataset]:
        """Yield the measurement dataset of every file, and of every device in it, in turn."""

        def read(path: Path) -> list[xr.Dataset]:
            parts = without_preparation(read_measurement(path, self.columns, self.clock))
            for part in parts:
                part.encoding["source"] = str(path)
            return parts

        seen = _Seen()
        for parts in each_file(self.files, read, self.watch, self.paths, self.passed_over):
            for part in parts:
                seen.add(part)
                yield part
        self._refuse_idle(seen)

    def _refuse_idle(self, seen: "_Seen") -> None:
        """Refuse what changed nothing, since no file is of a kind that it is for.

        Raises
        ------
        SettingsError
            If there is such a thing.
        """
        if self.some:
            return
        if not seen.any_run and self.averaging_time is not None:
            raise SettingsError(
                f"`averaging_time={self.averaging_time:g}` changes nothing: it is for the traces "
                "of run directories, and there is none among the files: leave it out"
            )
        if not seen.all_simulated:
            return
        given = [f"`sampling_rate={self.clock.sampling_rate}`"] * bool(self.clock.sampling_rate)
        given += ["`columns`"] * bool(parse_columns(self.columns))
        if given:
            raise SettingsError(
                f"{' and '.join(given)} would change nothing: the data are simulated and say "
                "themselves what they are: leave it out"
            )

    def new_reading(self) -> Reading:
        """Return what is known of reading these files, to be filled while that is done."""
        return Reading(passed_over=self.passed_over)

    def traces(self) -> Iterator["Trace"]:
        """Yield the conductance of the gap of every file and device in turn."""
        for dataset in self.measurements():
            yield self.trace(dataset)

    def pieces(self) -> Iterator[Iterator["Trace"]]:
        """Yield the conductance of the gap of every file and device, long files in pieces."""
        seen = _Seen()

        def read(path: Path) -> list[Iterator[Trace]]:
            choice = parse_columns(self.columns)
            curve = read_long_text(path, choice) if is_long(path) else None
            if curve is not None and not curve.has_preparation:
                seen.all_simulated = False
                return [traces_of(curve, self)]
            dataset = read_measurement(path, self.columns, self.clock)
            dataset.encoding["source"] = str(path)
            seen.add(dataset)
            return [iter([self.trace(one)]) for one in without_preparation(dataset)]

        for sources in each_file(self.files, read, self.watch, self.paths, self.passed_over):
            yield from sources
        self._refuse_idle(seen)

    def trace(
        self, dataset: xr.Dataset, limit: Compliance | None = None, *, whole: bool = True
    ) -> "Trace":
        """Return the conductance of the gap of one measurement dataset, or of a piece of one.

        The points that the instrument limited are found unless they are given.
        """
        return gap_trace(
            dataset, self.resistances, self.averaging_time, self.compliance, limit, whole=whole
        )


@dataclass
class _Seen:
    """Kinds of the files that were read: all simulated, any a run directory."""

    all_simulated: bool = True
    any_run: bool = False

    def add(self, dataset: xr.Dataset) -> None:
        simulated = "simulated" in dataset.attrs
        self.all_simulated &= simulated
        self.any_run |= simulated and "conductance" in dataset


@dataclass(frozen=True)
class Trace:
    """The conductance in one file.

    Attributes
    ----------
    dataset : xarray.Dataset
        The measurement.
    device, name : str
        Of the device and of the file.
    simulated : bool
        Whether it is the conductance of a simulated run; a simulated device is measured.
    synthetic : str
        What the file says about being synthetic; empty for real data.
    series : SeriesResistance
        What was subtracted.
    time : ndarray, shape (n_points,)
        s.
    raw, gap, uncertainty : ndarray, shape (n_points,)
        Conductance as measured, of the gap, and the standard error of the latter, G0.
    flagged : ndarray of bool, shape (n_points,)
        Points where the subtraction fails.
    limit : Compliance
        Points that the instrument limited, at which current, and who says so.
    whole : bool
        Whether these are all points of the file; cycles of a piece are numbered from 0 in the file.
    """

    dataset: xr.Dataset
    device: str
    name: str
    simulated: bool
    synthetic: str
    series: SeriesResistance
    time: FloatArray
    raw: FloatArray
    gap: FloatArray
    uncertainty: FloatArray
    flagged: BoolArray
    limit: Compliance
    whole: bool = True

    @property
    def compliance(self) -> BoolArray:
        """Points that the instrument limited, shape (n_points,)."""
        return self.limit.limited

    @property
    def exclusion(self) -> Exclusion:
        """Number of points that the instrument limited, and the limit."""
        return Exclusion.of(self.limit)

    @property
    def usable(self) -> BoolArray:
        """Points that tell the conductance of the gap."""
        return ~(self.flagged | self.compliance)

    @property
    def cycle(self) -> NDArray[np.int64]:
        """Cycle of every point."""
        return self.dataset["cycle"].to_numpy().astype(np.int64)

    @property
    def cycle_number(self) -> NDArray[np.int64]:
        """Number of the cycle of every point in the file, from 0 without gaps."""
        if not self.whole:
            return self.cycle
        return np.asarray(np.unique(self.cycle, return_inverse=True)[1], dtype=np.int64)

    @property
    def source(self) -> str:
        """Path of the file, or its name where it was none."""
        return str(self.dataset.encoding.get("source", self.name))

    @property
    def notes(self) -> str:
        """Sentence on what reading left out; empty if nothing was."""
        return str(self.dataset.attrs.get("notes", ""))

    def interval(self, given: float | None = None) -> float:
        """Return the time between samples, s.

        Raises
        ------
        SettingsError
            If the file has no times and none is given, or the sampling is uneven.
        """
        if given is not None:
            return given
        steps = np.diff(self.time)
        if not len(steps) or not np.isfinite(steps).all():
            raise SettingsError(
                f"{self.name} has no times: give the time between samples, `interval`, or the "
                "`sampling_rate`"
            )
        usual = float(np.median(steps))
        if usual <= 0.0 or np.abs(steps - usual).max() > 0.5 * usual:
            raise SettingsError(
                f"{self.name} is sampled unevenly: spectra and dwell times need equal steps; give "
                "the mean step as `interval` to take the samples as equally spaced"
            )
        return usual


def gap_trace(
    dataset: xr.Dataset,
    resistances: DeviceResistances | None = None,
    averaging_time: float | None = None,
    compliance: float | None = None,
    limit: Compliance | None = None,
    *,
    whole: bool = True,
) -> Trace:
    """Return the conductance of the gap of one measurement dataset.

    Parameters
    ----------
    dataset : xarray.Dataset
        With one source.
    resistances : DeviceResistances, optional
        What is in series with the gap. Default: nothing.
    averaging_time : float, optional
        Averaging time of an instrument that a simulated trace is seen through, s.
    compliance : float, optional
        Limit of the current, A. Default: as flagged in the file, or found in the curve.
    limit : Compliance, optional
        Points that the instrument limited, where they are known.
    whole : bool
        Whether these are all points of the file.
    """
    device = str(dataset["device_name"].to_numpy()[0])
    # the conductance of structures has nothing in series; a simulated device has, and an instrument
    simulated = "simulated" in dataset.attrs and "conductance" in dataset
    series = SeriesResistance(0.0)
    if resistances is not None and not simulated:
        series = resistances.of_data(dataset)
    time = np.asarray(dataset.variables["time"].values, dtype=np.float64)
    if "conductance" in dataset:
        raw = np.asarray(dataset.variables["conductance"].values, dtype=np.float64)
        if simulated and averaging_time is not None:
            raw = averaged_over(time, raw, averaging_time)
        # V = 1/G and I = 1 have this conductance
        with np.errstate(divide="ignore"):
            voltage = 1.0 / (raw * CONDUCTANCE_QUANTUM)
        current = np.ones_like(raw)
        voltage[raw == 0.0], current[raw == 0.0] = 1.0, 0.0
    else:
        voltage = np.asarray(dataset.variables["voltage"].values, dtype=np.float64)
        current = np.asarray(dataset.variables["current"].values, dtype=np.float64)
        raw = GapConductance().compute(voltage, current).conductance
    gap = GapConductance(series).compute(voltage, current)
    return Trace(
        dataset=dataset,
        device=device,
        name=str(dataset["file_name"].to_numpy()[0]),
        simulated=simulated,
        synthetic=str(dataset.attrs.get("synthetic", "")),
        series=series,
        time=time,
        raw=raw,
        gap=gap.conductance,
        uncertainty=gap.uncertainty,
        flagged=gap.flagged,
        limit=compliance_of(dataset, compliance) if limit is None else limit,
        whole=whole,
    )
