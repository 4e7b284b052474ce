"""Results of a run as a report shows them, aligned: every series over the same snapshots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import NDArray

from nanogap.analysis import (
    BridgeEvent,
    Stage,
    bridge_events,
    classify_stages,
    first_contact,
    landmarks,
)
from nanogap.analysis.filament.contact import bonded
from nanogap.settings import Settings
from nanogap.typing import BoolArray, FloatArray

_FS_PER_PS = 1000.0
#: Cells whose axes are so near are one, angstrom.
_SAME_PLACE = 1e-6


@dataclass(frozen=True)
class Landmark:
    """A snapshot that tells the story.

    Attributes
    ----------
    title : str
        What it is: start, first contact, end or latest.
    index : int
        Its place among the observables.
    number : int
        Its snapshot number.
    """

    title: str
    index: int
    number: int


@dataclass(frozen=True)
class RunResult:
    """A run as the report sees it.

    Attributes
    ----------
    settings : Settings
    observables : xarray.Dataset
        Over ``snapshot``.
    numbers : ndarray of int, shape (n_snapshots,)
        Snapshot numbers.
    time : ndarray, shape (n_snapshots,)
        ps since the voltage was applied.
    transmission : ndarray, shape (n_snapshots,)
        At the Fermi energy, G0; NaN where it is not known.
    channels : dict
        Snapshot number to the transmissions of its eigenchannels, largest first.
    stages : list of Stage
    landmarks : list of Landmark
        In order of time, every snapshot once.
    spectra : xarray.Dataset or None
    frames : dict
        Snapshot number to frame.
    failures : dict
        Snapshot number to reason.
    planned_end : float
        Time of the last snapshot that is planned, as far as it is known, ps.
    finished : bool
        Whether the dynamics has reached its planned end.
    cell_moved : ndarray of bool, shape (n_snapshots,)
        Whether the junction of a snapshot is cut in another cell than that of the one before, with
        a bridge in both: the transmissions are of different cross-sections of the tips. The cell of
        an open gap, where T is small anyway, moves at nearly every snapshot.
    in_cell_before : ndarray, shape (n_snapshots,)
        Of these, T in the cell of the snapshot before, G0, which differs from that one's by what
        the atoms did alone; NaN where it is not known.
    """

    settings: Settings
    observables: xr.Dataset
    numbers: NDArray[np.int64]
    time: FloatArray
    transmission: FloatArray
    channels: dict[int, FloatArray]
    stages: list[Stage]
    landmarks: list[Landmark]
    spectra: xr.Dataset | None
    frames: dict[int, Atoms]
    failures: dict[int, str]
    planned_end: float
    finished: bool
    cell_moved: BoolArray
    in_cell_before: FloatArray

    @classmethod
    def gather(
        cls,
        *,
        settings: Settings,
        observables: xr.Dataset,
        transmission: xr.Dataset | None,
        spectra: xr.Dataset | None,
        frames: Sequence[tuple[int, Atoms]],
        failures: Mapping[int, str],
        planned_end: float,
        moved: xr.Dataset | None = None,
    ) -> "RunResult":
        """Align the results of a run; see `nanogap.report.write_report`."""
        count = observables.sizes.get("snapshot", 0)
        if "snapshot" not in observables.coords:
            observables = observables.assign_coords(snapshot=np.arange(count))
        numbers = observables["snapshot"].to_numpy().astype(np.int64)
        time = observables["time"].to_numpy().astype(np.float64) / _FS_PER_PS
        end = planned_end / _FS_PER_PS
        finished = bool(count) and bool(time[-1] >= end - 1e-9)
        return cls(
            settings=settings,
            observables=observables,
            numbers=numbers,
            time=time,
            transmission=_at_fermi_energy(transmission, numbers),
            channels=_channels(transmission),
            stages=classify_stages(observables),
            landmarks=_landmarks(observables, numbers, finished=finished),
            spectra=spectra,
            frames=dict(frames),
            failures=dict(failures),
            planned_end=end,
            finished=finished,
            cell_moved=_cell_moves(transmission, numbers) & _bridged_before(observables),
            in_cell_before=_at_fermi_energy(moved, numbers),
        )

    @property
    def after_switch_on(self) -> int:
        """Index of the first snapshot behind the jump at which the voltage comes on.

        The first snapshot of a run is the moment before; charges and energies jump after it.
        """
        unbiased = len(self.time) > 2 and self.time[0] == 0.0
        return int(unbiased and self.charged and self.settings.voltage.applied != 0.0)

    def series(self, name: str) -> FloatArray:
        """Return an observable, shape (n_snapshots,); NaN where it is not stored."""
        if name not in self.observables:
            return np.full(len(self.time), np.nan)
        return self.observables[name].to_numpy().astype(np.float64)

    def bottleneck(self, index: int) -> int:
        """Return the number of atoms in the constriction of a snapshot, 0 if unknown."""
        return int(np.nan_to_num(self.series("bottleneck_atoms")[index]))

    @property
    def first_contact(self) -> int | None:
        """Index of the first snapshot in which bonds lead from tip to tip."""
        return first_contact(self.observables) if len(self.time) else None

    @property
    def events(self) -> list[BridgeEvent]:
        """First contact, ruptures and re-contacts; their times are in fs."""
        return bridge_events(self.observables)

    @property
    def has_transmission(self) -> bool:
        """Whether any transmission is known."""
        return bool(np.isfinite(self.transmission).any())

    @property
    def why_no_transmission(self) -> str:
        """The one reason why no snapshot has a transmission; empty if there are more or none."""
        reasons = set(self.failures.values())
        if len(reasons) != 1 or len(self.failures) < len(self.numbers):
            return ""
        return reasons.pop()

    @property
    def charged(self) -> bool:
        """Whether atoms have charges and feel a voltage."""
        return self.settings.charged

    def transmission_of(self, number: int) -> float:
        """Transmission of a snapshot number, G0; NaN if it is not known."""
        found = np.flatnonzero(self.numbers == number)
        return float(self.transmission[found[0]]) if len(found) else float("nan")


def _at_fermi_energy(dataset: xr.Dataset | None, numbers: NDArray[np.int64]) -> FloatArray:
    """Transmission at the Fermi energy of every snapshot number, NaN where it is missing."""
    known: dict[int, float] = {}
    if dataset is not None and dataset.sizes.get("snapshot", 0) and dataset.sizes.get("energy", 0):
        values = dataset["transmission_average"]
        if "snapshot" in values.dims:
            values = values.sel(energy=0.0, method="nearest")
            known = dict(
                zip(dataset["snapshot"].to_numpy().tolist(), values.to_numpy(), strict=True)
            )
    return np.array([known.get(int(number), np.nan) for number in numbers], dtype=np.float64)


def _bridged_before(observables: xr.Dataset) -> BoolArray:
    """Whether bonds lead from tip to tip in a snapshot and in the one before."""
    if not observables.sizes.get("snapshot", 0):
        return np.zeros(0, dtype=bool)
    bridged = bonded(observables)
    return np.asarray(bridged & np.concatenate([[False], bridged[:-1]]), dtype=bool)


def _cell_moves(dataset: xr.Dataset | None, numbers: NDArray[np.int64]) -> BoolArray:
    """Whether the cell of every snapshot stands elsewhere than the one known before."""
    moved = np.zeros(len(numbers), dtype=bool)
    if dataset is None or not {"cell_x", "cell_y"} <= set(dataset.variables):
        return moved
    if dataset["cell_x"].dims != ("snapshot",):
        return moved
    places = np.stack([dataset["cell_x"].to_numpy(), dataset["cell_y"].to_numpy()], axis=1)
    known = np.isfinite(places).all(axis=1)
    steps = np.linalg.norm(np.diff(places[known], axis=0), axis=1) > _SAME_PLACE
    changed = dataset["snapshot"].to_numpy()[known][1:][steps]
    return np.asarray(np.isin(numbers, changed), dtype=bool)


def _channels(dataset: xr.Dataset | None) -> dict[int, FloatArray]:
    """Eigenchannels by snapshot number, where they are known."""
    if dataset is None or "eigenchannels" not in dataset or "snapshot" not in dataset.coords:
        return {}
    table = dataset["eigenchannels"]
    if table.dims != ("snapshot", "channel"):
        return {}
    found: dict[int, FloatArray] = {}
    for number, row in zip(
        dataset["snapshot"].to_numpy(), table.to_numpy().astype(np.float64), strict=True
    ):
        if np.isfinite(row).any():
            found[int(number)] = np.sort(row[np.isfinite(row)])[::-1]
    return found


def _landmarks(
    observables: xr.Dataset, numbers: NDArray[np.int64], *, finished: bool
) -> list[Landmark]:
    """Name the landmarks; one snapshot that is two of them appears once."""
    titles = {"first": "Start", "first_contact": "First contact"}
    titles["last"] = "End" if finished else "Latest"
    named: dict[int, list[str]] = {}
    for key, number in landmarks(observables).items():
        named.setdefault(number, []).append(titles[key])
    return [
        Landmark(_joined(names), int(np.flatnonzero(numbers == number)[0]), number)
        for number, names in named.items()
    ]


def _joined(names: list[str]) -> str:
    """Join the titles of one snapshot."""
    return ", ".join([names[0], *(name.lower() for name in names[1:])])
