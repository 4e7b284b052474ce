"""One member from start to finish, in this process: run it, pack the result, keep what is asked."""

import errno
import json
import os
import resource
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import numpy as np
import xarray as xr

from nanogap.analysis import classify_stages, first_contact, landmarks
from nanogap.analysis.filament.stages import STAGES
from nanogap.campaign.device_member import (
    complete_directory,
    device_progress,
    keep_frames,
    open_device,
    packed_device,
)
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.kept import write_kept
from nanogap.campaign.keys import RESULT_FORMAT
from nanogap.campaign.record import Entry
from nanogap.errors import NanogapError
from nanogap.io import write_dataset, write_json
from nanogap.runs import RunDirectory
from nanogap.runs.alone import open_or_create, run_alone
from nanogap.runs.child import failure_sentence
from nanogap.runs.device_alone import compute_alone, computing_time
from nanogap.runs.device_beginning import device_versions
from nanogap.runs.device_report import report_device
from nanogap.runs.driver import program_versions
from nanogap.settings import Settings
from nanogap.structure.connectivity import analyse_connection, bottleneck_bonds
from nanogap.transport.tight_binding.files import NONE

#: With less space than this on the disk no failure is the member's own, bytes.
_LEAST_SPACE = 20_000_000


class DiskFullError(NanogapError):
    """The disk of a campaign folder is full: no member can go on."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the disk of {path} is full: free some space, then go on with "
            f"'nanogap campaign resume {path}'"
        )


def disk_is_full(path: Path) -> bool:
    """Whether there is too little space to go on."""
    return shutil.disk_usage(path).free < _LEAST_SPACE


def is_out_of_space(error: BaseException | None) -> bool:
    """Whether a failure, or what led to it, is a full disk or a used-up quota."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def complete_member(folder: CampaignFolder, entry: Entry, accounted: float = 0.0) -> bool:
    """Run a member to its end, from wherever it is, and store its result.

    A failure is recorded in the campaign folder.

    Parameters
    ----------
    folder : CampaignFolder
    entry : Entry
    accounted : float
        Processor time of this process that belongs to other members, s.

    Returns
    -------
    bool
        Whether the result is there; False if another process works on it.

    Raises
    ------
    DiskFullError
        If there is no space left.
    NanogapError
        If the member fails.
    """
    with folder.lock(entry) as taken:
        if not taken:
            return folder.result_path(entry).is_file()
        if folder.result_path(entry).is_file():
            _clear_away(folder, entry)  # a kill may have come between result and clearing away
            return True
        try:
            _complete(folder, entry, accounted)
        except Exception as error:
            if is_out_of_space(error) or disk_is_full(folder.path):
                raise DiskFullError(folder.path) from error
            folder.record_failure(
                entry, failure_sentence(error), steps_and_transmissions(folder, entry)
            )
            raise
        folder.forget_failure(entry)
    return True


def steps_and_transmissions(folder: CampaignFolder, entry: Entry) -> int:
    """Count the time steps and transmissions of a member, failed ones too, or the readings.

    Returns
    -------
    int
        0 if unknown.
    """
    try:
        if folder.kind == "device":
            return device_progress(folder.run_path(entry))
        run = RunDirectory(folder.run_path(entry))
        return run.dynamics.step + run.settled
    except (NanogapError, OSError):
        return 0


def _complete(folder: CampaignFolder, entry: Entry, accounted: float) -> None:
    if folder.kind == "device":
        _complete_device(folder, entry, accounted)
    else:
        _complete_run(folder, entry, accounted)
    _clear_away(folder, entry)


def _complete_run(folder: CampaignFolder, entry: Entry, accounted: float) -> None:
    settings, keep = folder.settings(entry), folder.file.keep
    run = open_or_create(folder.run_path(entry), settings, f"campaign {folder.file.name}")
    with run.lock():
        sessions = _add_session(folder, entry, run.versions, program_versions())
        earlier = run.dynamics.seconds
        run_alone(run)
        result = packed(run, settings)
        _add_cost(result, entry, run.path, earlier - accounted, sessions)
        if keep.keeps(entry.number):
            folder.trajectory_path(entry).parent.mkdir(exist_ok=True)
            keep_trajectory(run, folder.trajectory_path(entry), keep.snapshots)
        write_dataset(result, folder.result_path(entry))


def _complete_device(folder: CampaignFolder, entry: Entry, accounted: float) -> None:
    settings, keep = folder.device_settings(entry), folder.file.keep
    run = open_device(folder.run_path(entry), settings, folder.file.name)
    with run.lock():
        now = device_versions()
        sessions = _add_session(folder, entry, run.versions, now)
        earlier = computing_time(run)
        compute_alone(run)
        result = packed_device(run)
        if keep.run_directories:
            complete_directory(run)
        elif keep.keeps_report(len(folder.entries)):
            folder.member_report_path(entry).parent.mkdir(exist_ok=True)
            with suppress(NanogapError, ValueError):  # the readings are what must not be lost
                report_device(run, folder.member_report_path(entry))
        _add_cost(result, entry, run.path, earlier - accounted, sessions)
        if keep.keeps(entry.number):
            folder.trajectory_path(entry).parent.mkdir(exist_ok=True)
            keep_frames(run, folder.trajectory_path(entry))
        write_dataset(result, folder.result_path(entry))


def _add_cost(
    result: xr.Dataset, entry: Entry, path: Path, offset: float, sessions: list[dict[str, str]]
) -> None:
    """Note what a member has cost, and what made it; `offset` is added to the time of this process.

    That is the time of earlier processes, s, less what this one spent on other members.
    """
    now = os.times()
    result.attrs |= {
        "member": entry.key,
        "core_seconds": now.user + now.system + offset,
        "peak_memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "run_directory_bytes": _size(path),
        "host": socket.gethostname(),
        "versions": json.dumps(joined_versions(sessions)),
    }


def _add_session(
    folder: CampaignFolder, entry: Entry, first: dict[str, str], now: dict[str, str]
) -> list[dict[str, str]]:
    """Note which programs work on a member now; return the versions of all its sessions.

    Parameters
    ----------
    folder : CampaignFolder
    entry : Entry
    first, now : dict of str to str
        Program to version, of the session that began the member and of this one.
    """
    path = folder.sessions_path(entry)
    try:
        sessions = list(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        sessions = [first]
    if now not in sessions:
        write_json(path, [*sessions, now])
        sessions.append(now)
    return sessions


def joined_versions(sessions: list[dict[str, str]]) -> dict[str, str]:
    """Return the versions of every program that had a part, as in ``"0.1.0, 0.2.0"``.

    Parameters
    ----------
    sessions : list of dict of str to str
        Program to version, of every session.
    """
    names = dict.fromkeys(name for one in sessions for name in one)
    found = {}
    for name in names:
        parts = [part for one in sessions if name in one for part in one[name].split(", ")]
        found[name] = ", ".join(dict.fromkeys(parts))
    return found


def _clear_away(folder: CampaignFolder, entry: Entry) -> None:
    if not folder.file.keep.run_directories:
        shutil.rmtree(folder.run_path(entry), ignore_errors=True)
        folder.sessions_path(entry).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file())


def packed(run: RunDirectory, settings: Settings) -> xr.Dataset:
    """Put everything that the statistics need of a finished run into one small dataset.

    Returns
    -------
    xarray.Dataset
        ``transmission`` over (``snapshot``, ``energy``), G0, NaN where there is none; the
        observables of the snapshots; ``stage`` (number of the stage in its attribute
        ``flag_meanings``), ``bottleneck_coordination`` and ``bottleneck_bond_length`` (angstrom)
        over ``snapshot``. The attributes say how it was made.
    """
    observables = run.observables()
    count = observables.sizes["snapshot"]
    dataset = run.transmission_averages()
    if dataset is None:
        if settings.transport.hamiltonian != NONE:
            reasons = "; ".join(dict.fromkeys(run.failures().values()))
            raise NanogapError(f"no snapshot has a transmission: {reasons}")
        dataset = _no_transmission(count)
    average = dataset["transmission_average"].reindex(snapshot=np.arange(count))
    stages = [STAGES.index(stage) for stage in classify_stages(observables)]
    records = run.records()
    geometry = np.full((2, count), np.nan)
    for number in np.flatnonzero(observables["bottleneck_atoms"].to_numpy() > 0):
        frame = run.trajectory.frame(records[number])
        connection = analyse_connection(frame, settings.voltage.cutoff)
        geometry[:, number] = bottleneck_bonds(frame, connection.bottleneck)
    failures = run.failures()
    bonded = first_contact(observables)
    at_fermi_energy = average.sel(energy=0.0, method="nearest").to_numpy()
    packed_dataset = observables.assign(
        transmission=(
            ("snapshot", "energy"),
            average.transpose("snapshot", "energy").to_numpy().astype(np.float64),
            {"units": "2e^2/h", "long_name": "transmission"},
        ),
        stage=(
            "snapshot",
            np.array(stages, dtype=np.int8),
            {"flag_values": list(range(len(STAGES))), "flag_meanings": _stage_words()},
        ),
        bottleneck_coordination=("snapshot", geometry[0], {"units": "1"}),
        bottleneck_bond_length=("snapshot", geometry[1], {"units": "angstrom"}),
    ).assign_coords(energy=("energy", dataset["energy"].to_numpy(), {"units": "eV"}))
    packed_dataset.attrs = {
        "result_format": RESULT_FORMAT,
        "settings": settings.model_dump_json(),
        "seed": settings.seed,
        "versions": json.dumps(run.versions),
        "engine_version": run.dynamics.engine_version,
        "backend": str(dataset.attrs.get("backend", "")),
        "kpoints": str(dataset.attrs.get("kpoints", "")),
        "dynamics_seconds": run.dynamics.seconds,
        "transport_seconds": float(dataset.attrs.get("wall_time", 0.0)),
        "snapshots": count,
        "points": int(np.isfinite(at_fermi_energy).sum()),
        "first_contact": float("nan") if bonded is None else float(at_fermi_energy[bonded]),
        "failures": json.dumps(_failures(failures, settings)),
    }
    return packed_dataset


def _failures(failures: dict[int, str], settings: Settings) -> dict[str, str]:
    """Return the reasons by snapshot; a transmission that was not wanted is no failure."""
    wanted = settings.transport.hamiltonian != NONE
    return {str(number): reason for number, reason in failures.items() if wanted}


def _no_transmission(count: int) -> xr.Dataset:
    """Stand in for the transmissions of a run that was to have none."""
    return xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), np.full((count, 1), np.nan))},
        coords={"snapshot": np.arange(count), "energy": [0.0]},
    )


def _stage_words() -> str:
    # CF conventions: meanings are parted by blanks
    return " ".join(stage.value.replace(" ", "_") for stage in STAGES)


def keep_trajectory(run: RunDirectory, path: Path, every: int) -> None:
    """Write every n-th snapshot, the first contact and the last one, compressed.

    Velocities are left out. `ase.io.read` reads the file.
    """
    records = run.records()
    kept = sorted({*range(0, len(records), every), *landmarks(run.observables()).values()})
    write_kept(path, ((number, run.trajectory.frame(records[number])) for number in kept))
