"""What a run amounts to: its status as data, and its report."""

from typing import Any

import numpy as np

from nanogap.analysis.filament.stages import classify_stages, landmarks, typical_snapshots
from nanogap.io import read_dataset, write_dataset
from nanogap.report import write_report
from nanogap.run.directory import RunDirectory, fermi_level_transmission

_FRAMES_SHOWN = 60


def status(run: RunDirectory) -> dict[str, Any]:
    """Describe a run.

    Returns
    -------
    dict
        ``state`` (running, finished, interrupted or failed), ``snapshots``,
        ``snapshots_planned``, ``time`` (fs), ``transmission`` (at E_F; None where it is not
        known), ``connected``, ``report`` (path or None), ``error`` and ``failures``.
    """
    records, state = run.records(), run.dynamics
    dataset = run.transmission_averages()
    known = fermi_level_transmission(dataset) if dataset is not None else {}
    failures = run.failures()
    complete = state.finished and len(known) + len(failures) >= len(records)
    return {
        "state": _state(run, complete),
        "snapshots": len(records),
        "snapshots_planned": state.snapshots_planned,
        "time": [record.observables["time"] for record in records],
        "transmission": [known.get(number) for number in range(len(records))],
        "connected": [bool(record.observables["connected"]) for record in records],
        "report": str(run.report) if run.report.is_file() else None,
        "error": run.error,
        "failures": {str(number): reason for number, reason in failures.items()},
    }


def _state(run: RunDirectory, complete: bool) -> str:
    if run.is_locked():
        return "running"
    if run.error is not None:
        return "failed"
    return "finished" if complete and run.report.is_file() else "interrupted"


def make_report(run: RunDirectory) -> None:
    """Merge the transmissions into ``transmission.nc`` and write ``report.html``."""
    observables, dataset = run.observables(), run.transmission()
    provenance = _provenance(run, {} if dataset is None else dataset.attrs)
    if dataset is not None:
        dataset = dataset.assign_attrs(
            settings=run.settings.model_dump_json(),
            seed=run.settings.seed,
            engine_version=provenance["LAMMPS version"],
        )
        write_dataset(dataset, run.path / "transmission.nc")
    spectra = read_dataset(run.spectra_path) if run.spectra_path.is_file() else None
    records = run.records()
    typical = typical_snapshots(classify_stages(observables))
    shown = _thinned(len(records), {*landmarks(observables).values(), *typical.values()})
    write_report(
        run.report,
        settings=run.settings,
        observables=observables,
        transmission=dataset,
        spectra=spectra,
        frames=[(number, run.trajectory.frame(records[number])) for number in shown],
        provenance=provenance,
        failures=run.failures(),
        sampled=_sampled(run),
    )


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


def _provenance(run: RunDirectory, attributes: dict[str, Any]) -> dict[str, Any]:
    state = run.dynamics
    return {
        "settings from": run.source,
        "seed": run.settings.seed,
        **{f"{name} (package)": number for name, number in run.versions.items()},
        "LAMMPS version": state.engine_version,
        "dynamics, wall time (s)": round(state.seconds, 1),
        "transport, wall time (s)": round(float(attributes.get("wall_time", 0.0)), 1),
        "transport backend": attributes.get("backend", "not run yet"),
        "k-points": attributes.get("kpoints", "not known yet"),
    }
