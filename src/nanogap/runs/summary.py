"""Status of a run as data, and its report."""

import math
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nanogap.caches import can_write
from nanogap.dynamics.schedule import Schedule
from nanogap.errors import NanogapError
from nanogap.io import read_dataset, write_dataset
from nanogap.printing import Printed, Rows, counted, number
from nanogap.runs.directory import RunDirectory
from nanogap.runs.notes import notes_of
from nanogap.runs.results import Watch, fermi_level_transmission

_FRAMES_SHOWN = 60


@dataclass(frozen=True, repr=False)
class RunStatus(Printed):
    """Progress and results of a run, as far as they are on disk.

    Attributes
    ----------
    state : str
        ``running``, ``finished``, ``interrupted`` or ``failed``.
    snapshots, snapshots_planned : int
        Snapshots there are, and of the whole run.
    time : list of float
        Of every snapshot since the voltage was applied, fs.
    transmission : list of float
        Of every snapshot at the Fermi energy, G0; NaN where it is not known.
    connected : list of bool
        Whether bonds lead from tip to tip, of every snapshot: what contact means everywhere
        (`nanogap.analysis.filament.contact`). The observable of that name, which counts longer
        steps, may be true some snapshots earlier.
    first_contact : float or None
        When that was so first, fs since the voltage was applied; None of a fine sampling that
        begins in contact: that was made before.
    report : str or None
        Path of the report, once it is written.
    error : str or None
        Why the last session failed, if it did.
    failures : dict
        Snapshots that have no transmission, and why.
    notes : list of str
        What a reader of the results must know: changes, damage, what is far from what was asked.
    """

    state: Literal["running", "finished", "interrupted", "failed"]
    snapshots: int
    snapshots_planned: int
    time: list[float]
    transmission: list[float]
    connected: list[bool]
    first_contact: float | None
    report: str | None
    error: str | None
    failures: dict[int, str]
    notes: list[str]

    def _rows(self) -> Rows:
        return status_rows(self)

    @property
    def known(self) -> list[float]:
        """Transmissions that are known, in order of time, G0."""
        return [value for value in self.transmission if math.isfinite(value)]


def status_rows(found: RunStatus) -> Rows:
    """Say in words how far a run is and what came out, for printing."""
    yield "state", found.state
    told = f"{found.snapshots} of {found.snapshots_planned or 'a number not known yet'}"
    if found.time:
        told += f", {found.time[0] / 1000.0:g} to {found.time[-1] / 1000.0:g} ps under voltage"
    yield "snapshots", told
    if found.connected:
        yield "connected", f"{sum(found.connected)} of {counted(len(found.connected), 'snapshot')}"
    if found.first_contact is not None:
        yield "first contact", f"{number(found.first_contact / 1000.0, 'ps')}"
    if found.known:
        last = f"last {number(found.known[-1])}, largest {number(max(found.known), 'G0')}"
        yield "transmission", f"of {counted(len(found.known), 'snapshot')}: {last}"
    if found.failures:
        yield "no transmission", counted(len(found.failures), "snapshot")
    yield from (("note", note) for note in found.notes)
    if found.error is not None:
        yield "error", found.error
    yield "report", found.report or "not written yet"


def status(run: RunDirectory) -> RunStatus:
    """Say how far a run is."""
    records, state = run.records(), run.dynamics
    known = fermi_level_transmission(run.transmission_averages())
    failures = run.failures()
    complete = state.finished and len(known) + len(failures) >= len(records)
    time = [record.observables["time"] for record in records]
    connected = [record.observables["bottleneck_atoms"] >= 1 for record in records]
    made_before = run.window is not None and bool(connected) and connected[0]
    return RunStatus(
        state=_state(run, complete),
        snapshots=len(records),
        snapshots_planned=state.snapshots_planned,
        time=time,
        transmission=[known.get(record.number, math.nan) for record in records],
        connected=connected,
        first_contact=None if made_before else next(compress(time, connected), None),
        report=str(run.report) if run.report.is_file() else None,
        error=run.error,
        failures=failures,
        notes=notes_of(run),
    )


def _state(
    run: RunDirectory, complete: bool
) -> Literal["running", "finished", "interrupted", "failed"]:
    if run.is_locked():
        return "running"
    if run.error is not None:
        return "failed"
    return "finished" if complete and run.report.is_file() else "interrupted"


def make_report(
    run: RunDirectory,
    output: Path | None = None,
    watch: Watch = lambda _done, _total: None,
    figures: Path | None = None,
) -> None:
    """Merge the transmissions into ``transmission.nc`` and write ``report.html``.

    Parameters
    ----------
    run : RunDirectory
    output : Path, optional
        Write the report there instead, and nothing into the run.
    watch : callable, optional
        Is told how many transmissions of single snapshots are read, and how many there are, which
        takes most of the time where they have not been joined yet.
    figures : Path, optional
        Folder that gets every figure as PDF and the numbers of its curves as CSV; it is made.

    Raises
    ------
    NanogapError
        If the run cannot be written to.
    """
    if output is None and not can_write(run.path):
        raise NanogapError(
            f"cannot write the report into {run.path}: give -o FILE.html to write it elsewhere"
        )
    # loaded late: status needs no figures, and loading them takes longer than it does
    from nanogap.analysis.filament.stages import (  # noqa: PLC0415
        classify_stages,
        landmarks,
        typical_snapshots,
    )
    from nanogap.report import write_report  # noqa: PLC0415

    observables, dataset = run.observables(), run.transmission(watch)
    provenance = _provenance(run, {} if dataset is None else dataset.attrs)
    if dataset is not None:
        dataset = dataset.assign_attrs(
            settings=run.settings.model_dump_json(),
            seed=run.settings.seed,
            engine_version=run.dynamics.engine_version,
        )
        if output is None:
            write_dataset(dataset, run.files.joined_transmission)
        # the report shows means only, and those of each wave vector are most of the memory
        dataset = dataset.drop_dims("k", errors="ignore")
    spectra = read_dataset(run.spectra_path) if run.spectra_path.is_file() else None
    typical = typical_snapshots(classify_stages(observables))
    shown = _thinned(
        observables.sizes["snapshot"], {*landmarks(observables).values(), *typical.values()}
    )
    write_report(
        output or run.report,
        settings=run.settings,
        observables=observables,
        transmission=dataset,
        spectra=spectra,
        moved=read_dataset(run.files.moved_cells) if run.files.moved_cells.is_file() else None,
        frames=[(number, run.frame(number)) for number in shown],
        provenance=provenance,
        failures=run.failures(),
        planned_end=planned_end(run),
        sampled=_sampled(run),
        figure_folder=figures,
    )


def planned_end(run: RunDirectory) -> float:
    """Time of the last snapshot that is planned, as far as it is known, fs under voltage."""
    dynamics = run.settings.dynamics
    equilibration = Schedule(dynamics, run.settings.voltage).equilibration
    return (run.dynamics.end_step - equilibration) * dynamics.time_step


def _sampled(run: RunDirectory) -> str | None:
    """Say of what a fine sampling is one."""
    if run.window is None:
        return None
    window = run.window
    return (
        f"This is a {run.source}: every {window.every:g} fs from {window.begin / 1000:g} to "
        f"{(window.begin + window.duration) / 1000:g} ps under voltage, on the trajectory that the "
        "run took. “Start” means the first sample."
    )


def _thinned(count: int, kept: set[int]) -> list[int]:
    """Choose snapshots for the 3-D view: evenly, and always those that tell the story."""
    even = np.linspace(0, count - 1, min(count, _FRAMES_SHOWN - len(kept))).round().astype(int)
    return sorted(kept | set(even.tolist()))


def _provenance(run: RunDirectory, attributes: dict[str, Any]) -> dict[str, str | float]:
    """Gather how a run was made, by the words that the report shows."""
    state, settings = run.dynamics, run.settings
    native = settings.dynamics.engine == "native" or settings.voltage.mode == "constant-potential"
    return {
        "settings from": run.source,
        "seed": run.settings.seed,
        **{f"{name} (package)": number for name, number in run.versions.items()},
        "engine of the dynamics" if native else "LAMMPS version": state.engine_version,
        "dynamics, wall time (s)": round(state.seconds, 1),
        "transport, wall time (s)": round(float(attributes.get("wall_time", 0.0)), 1),
        "transport backend": attributes.get("backend", "not run yet"),
        "k-points": attributes.get("kpoints", "not known yet"),
        **({"notes": "; ".join(notes)} if (notes := notes_of(run)) else {}),
    }
