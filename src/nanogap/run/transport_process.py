"""The transport of a run, in processes of their own beside the dynamics."""

import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.analysis.stages import landmarks
from nanogap.errors import StructureError
from nanogap.io import write_dataset, write_json
from nanogap.run.child import child_main
from nanogap.run.directory import RunDirectory
from nanogap.settings import parse_energies
from nanogap.structure.cut import cut_junction
from nanogap.transport.transmission import compute_transmission

_PAUSE = 0.2


def transmit(run: RunDirectory, worker: int, workers: int) -> None:
    """Compute the transmission of every `workers`-th snapshot until the dynamics has ended."""
    done = worker
    while True:
        state = run.dynamics
        while done < state.commit.snapshots:
            _one_snapshot(run, done)
            done += workers
        if state.finished:
            break
        time.sleep(_PAUSE)
    if worker == 0:
        _spectra(run)


def _one_snapshot(run: RunDirectory, number: int) -> None:
    path, failure = run.transmission_path(number), run.failure_path(number)
    if path.exists() or failure.exists():
        return
    energies = parse_energies(run.settings.transport.energies)
    try:
        write_dataset(_compute(run, [number], energies), path)
    except StructureError as error:
        write_json(failure, {"error": str(error)})


def _spectra(run: RunDirectory) -> None:
    """T(E) before, at and after the first contact."""
    energies = run.settings.transport.spectrum_energies
    if not energies or run.spectra_path.exists():
        return
    failed = run.failures()
    numbers = sorted({n for n in landmarks(run.observables()).values() if n not in failed})
    if numbers:
        spectra = _compute(run, numbers, parse_energies(energies))
        write_dataset(spectra.assign_coords(snapshot=numbers), run.spectra_path)


def _compute(run: RunDirectory, numbers: list[int], energies: list[float]) -> xr.Dataset:
    settings, records = run.settings, run.records()
    # samples of one moment share one cell: then T changes because atoms move, not the cell
    first = run.trajectory.frame(records[0]) if run.window is not None else None
    axis = None if first is None else np.asarray(first.info["axis"], dtype=np.float64)
    junctions: list[Atoms] = [
        cut_junction(
            run.trajectory.frame(records[number]),
            settings.junction,
            settings.voltage.cutoff,
            name=f"snapshot {number}",
            axis=axis,
        )
        for number in numbers
    ]
    return compute_transmission(
        junctions,
        energies,
        kpoints=settings.transport.kpoints,
        gamma_centred=settings.transport.gamma_centred,
        neutrality=settings.transport.neutrality,
    )


if __name__ == "__main__":
    arguments = sys.argv[2:]
    child_main(
        partial(transmit, worker=int(arguments[0]), workers=int(arguments[1])), Path(sys.argv[1])
    )
