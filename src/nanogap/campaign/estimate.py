"""Needs of a campaign in time, disk and memory, from those of its finished members."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanogap.campaign.costs import ResultAttributes, result_attributes
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kinds import MemberSettings
from nanogap.campaign.record import Entry
from nanogap.dynamics.start import count_atoms
from nanogap.printing import time_in_words
from nanogap.settings import Settings, StructureSettings
from nanogap.transport.tight_binding.files import NONE

#: Processor time for an atom and a time step, s (docs/dynamics-speed.md), by the engine.
_PER_STEP = {"reaxff": 1.2e-5, "native": 2.5e-6, "eam": 2e-6}
#: Further time for a pair of atoms, each counted twice, at constant potential.
_PER_PAIR = 7e-9

#: Processor time for a transmission in the cell of the paper, s: 0.3 of an open gap, 1 to 2 of a
#: bridge (docs/paper-figures.md).
_PER_TRANSMISSION = 1.0

#: Members whose needs are looked at; further ones would not change the mean.
_LOOKED_AT = 200


@dataclass(frozen=True)
class Estimate:
    """Needs of the members that are left.

    Attributes
    ----------
    members : int
        Left to run.
    core_hours : float
    wall_hours : float
        On so many workers as asked for.
    disk : float
        Space that is needed for good or for a while, bytes.
    memory : float
        Peak of one member, bytes.
    measured_on : int
        Finished members that this rests on.
    """

    members: int
    core_hours: float
    wall_hours: float
    disk: float
    memory: float
    measured_on: int

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"{self.members} members are left: about {self.core_hours:.2g} core-hours, "
            f"{time_in_words(3600.0 * self.wall_hours)} here, {self.disk / 1e6:.3g} MB of disk, "
            f"{self.memory / 1e9:.2g} GB of memory for each at a time "
            f"(measured on {self.measured_on})"
        )


def estimate(folder: CampaignFolder, workers: int) -> Estimate | None:
    """Estimate what is left; None if no member is finished.

    The time of the dynamics is taken as proportional to time steps and atoms, that of the rest to
    the number of snapshots, what is kept of them and the memory to atoms as well; other settings,
    such as the k-points, are taken as those of the finished members. The needs of devices are taken
    as proportional to their readings.

    Parameters
    ----------
    folder : CampaignFolder
    workers : int
        Members at a time.
    """
    finished = folder.finished()
    if not finished:
        return None
    seen = finished[:: max(1, len(finished) // _LOOKED_AT)]
    made = [result_attributes(folder.result_path(entry), folder.kind) for entry in seen]
    sizes = _Sizes()
    known = [sizes.of(folder.member_settings(entry)) for entry in seen]
    per_step = _ratio([one.dynamics_seconds for one in made], [one.dynamics for one in known])
    rest = [max(0.0, one.core_seconds - one.dynamics_seconds) for one in made]
    per_snapshot = _ratio(rest, [one.snapshots for one in known])
    left = folder.pending()
    wanted = [sizes.of(folder.member_settings(entry)) for entry in left]
    seconds = sum(per_step * one.dynamics + per_snapshot * one.snapshots for one in wanted)
    at_a_time = max(1, min(workers, len(left)))
    return Estimate(
        members=len(left),
        core_hours=seconds / 3600.0,
        wall_hours=seconds / 3600.0 / at_a_time,
        disk=_disk(
            folder,
            list(zip(seen, known, made, strict=True)),
            list(zip(left, wanted, strict=True)),
            at_a_time,
        ),
        memory=_memory(known, made, wanted),
        measured_on=len(made),
    )


@dataclass(frozen=True)
class _Size:
    """Numbers that the needs of a member are proportional to."""

    atoms: int
    steps: float
    snapshots: float

    @property
    def dynamics(self) -> float:
        return self.steps * self.atoms

    @property
    def coordinates(self) -> float:
        return self.snapshots * self.atoms


@dataclass(frozen=True)
class PlannedCost:
    """Guess of what a campaign will cost, before anything of it is measured.

    Attributes
    ----------
    members : int
        Left to run.
    snapshots : float
        Transmissions, or readings of devices.
    dynamics_hours, transport_hours : float
        Core-hours; of devices, all in the first.
    """

    members: int
    snapshots: float
    dynamics_hours: float
    transport_hours: float

    @property
    def core_hours(self) -> float:
        """Core-hours of all that is left."""
        return self.dynamics_hours + self.transport_hours

    def sentence(self) -> str:
        """Say it in words."""
        parts = (
            f" (dynamics {self.dynamics_hours:.2g}, {self.snapshots:.0f} transmissions "
            f"{self.transport_hours:.2g})"
            if self.transport_hours
            else ""
        )
        return (
            f"{self.members} members will take about {self.core_hours:.2g} core-hours{parts}: a "
            "guess to a factor of two, until the first is measured"
        )


def planned_cost(folder: CampaignFolder) -> PlannedCost | None:
    """Guess what a campaign will cost; None where a member is measured, or none is left.

    Parameters
    ----------
    folder : CampaignFolder
    """
    pending = folder.pending()
    if folder.finished() or not pending:
        return None
    if folder.kind == "device":
        seconds = first_member_seconds(folder) * len(pending)
        readings = sum(_Sizes().of(folder.device_settings(one)).snapshots for one in pending)
        return PlannedCost(len(pending), readings, seconds / 3600.0, 0.0)
    sizes, dynamics, snapshots = _Sizes(), 0.0, 0.0
    for entry in pending:
        settings = folder.settings(entry)
        size = sizes.of(settings)
        dynamics += _dynamics_seconds(settings, size)
        if settings.transport.hamiltonian != NONE:
            snapshots += size.snapshots
    transport = _PER_TRANSMISSION * snapshots / 3600.0
    return PlannedCost(len(pending), snapshots, dynamics / 3600.0, transport)


def first_member_seconds(folder: CampaignFolder) -> float:
    """Guess how long the first member takes, s, before anything is measured.

    Of a run, its dynamics; of a device, the readings with the gap as it is at the start.

    Returns
    -------
    float
        0 where there is nothing to guess: a member is finished, or none is left.
    """
    pending = folder.pending()
    if folder.finished() or not pending:
        return 0.0
    if folder.kind == "device":
        from nanogap.runs.device_cost import estimate_cost  # noqa: PLC0415 loads the physics

        return estimate_cost(folder.device_settings(pending[0])).cpu_time
    settings = folder.settings(pending[0])
    return _dynamics_seconds(settings, _Sizes().of(settings))


def _dynamics_seconds(settings: Settings, size: _Size) -> float:
    """Guess the processor time of the dynamics of a member, s."""
    per_step = _PER_STEP[settings.dynamics.engine]
    if settings.voltage.mode == "constant-potential":
        per_step += _PER_PAIR * size.atoms
    return per_step * size.dynamics


class _Sizes:
    """Sizes of members; the tips of one geometry are built once."""

    def __init__(self) -> None:
        self._atoms: dict[tuple[StructureSettings, str, str], int] = {}

    def of(self, settings: MemberSettings) -> _Size:
        if not isinstance(settings, Settings):
            readings = sum(device.total_samples for device in settings.members())
            return _Size(atoms=1, steps=0.0, snapshots=float(readings))
        dynamics = settings.dynamics
        geometry = settings.structure, dynamics.engine, dynamics.force_field
        if geometry not in self._atoms:
            self._atoms[geometry] = count_atoms(settings)
        steps = (dynamics.equilibration_time + dynamics.production_time) / dynamics.time_step
        snapshots = dynamics.production_time / dynamics.sampling_interval + 1.0
        return _Size(self._atoms[geometry], steps, snapshots)


def _ratio(amounts: Sequence[float], sizes: Sequence[float]) -> float:
    return float(np.sum(amounts)) / max(float(np.sum(sizes)), 1e-300)


def _memory(known: list[_Size], made: list[ResultAttributes], wanted: list[_Size]) -> float:
    """Scale the peak memory to the largest member, by atoms; never less than seen."""
    peak, atoms = max((one.peak_memory, size.atoms) for one, size in zip(made, known, strict=True))
    return peak * max([1.0, *(one.atoms / atoms for one in wanted)])


def _disk(
    folder: CampaignFolder,
    seen: list[tuple[Entry, _Size, ResultAttributes]],
    left: list[tuple[Entry, _Size]],
    at_a_time: int,
) -> float:
    """Add up the space for results, kept trajectories and run directories of those at work."""
    keep = folder.file.keep
    result = _ratio(
        [folder.result_path(entry).stat().st_size for entry, _, _ in seen],
        [size.snapshots for _, size, _ in seen],
    )
    run = _ratio(
        [one.run_directory_bytes for _, _, one in seen],
        [size.coordinates for _, size, _ in seen],
    )
    kept = [(entry, size) for entry, size, _ in seen if folder.trajectory_path(entry).is_file()]
    trajectory = _ratio(
        [folder.trajectory_path(entry).stat().st_size for entry, _ in kept],
        [size.coordinates for _, size in kept],
    )
    reports = [path for entry, _, _ in seen if (path := folder.member_report(entry.key))]
    report = _ratio([path.stat().st_size for path in reports], [1.0] * len(reports))
    directories = sorted((run * size.coordinates for _, size in left), reverse=True)
    return (
        result * sum(size.snapshots for _, size in left)
        + (0.0 if keep.run_directories else report * len(left))
        + trajectory * sum(size.coordinates for entry, size in left if keep.keeps(entry.number))
        + sum(directories if keep.run_directories else directories[:at_a_time])
    )
