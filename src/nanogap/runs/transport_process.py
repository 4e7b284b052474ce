"""The transport of a run, in processes of their own beside the dynamics."""

import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms

from nanogap.analysis.filament.stages import landmarks
from nanogap.errors import StructureError
from nanogap.io import read_dataset, write_dataset, write_json
from nanogap.runs.cell import cell_axis, junction_of, moved_cells
from nanogap.runs.child import child_main
from nanogap.runs.directory import RunDirectory
from nanogap.settings import parse_energies
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.files import chosen_model, why_none
from nanogap.transport.tight_binding.model import TightBindingModel

_PAUSE = 0.2
#: Snapshots after which their transmissions are joined: reading so many singly takes a second.
_JOINED_TOGETHER = 500
#: Moves of the cell that are computed in the cell before, each as dear as a snapshot.
_MOST_MOVES = 100


def transmit(run: RunDirectory, worker: int, workers: int, *, for_report: bool = True) -> None:
    """Compute the transmission of every `workers`-th snapshot until the dynamics has ended.

    Parameters
    ----------
    run : RunDirectory
    worker, workers : int
        Which of how many.
    for_report : bool
        Compute what only the report shows: snapshots whose cell moved, in the cell before.
    """
    choice, element = run.settings.transport.hamiltonian, run.settings.structure.element
    missing = why_none(choice, element)
    model = None if missing else chosen_model(choice, element, run.hamiltonian)
    done, joined = worker, 0
    while True:
        state = run.dynamics
        while done < state.commit.snapshots:
            if not (run.transmission_path(done).exists() or run.failure_path(done).exists()):
                if model is None:
                    write_json(run.failure_path(done), {"error": missing})
                else:
                    _one_snapshot(run, done, model)
                    joined += 1
            done += workers
            if worker == 0 and joined * workers >= _JOINED_TOGETHER:
                _join(run)
                joined = 0
        if state.finished:
            break
        time.sleep(_PAUSE)
    if worker == 0 and model is not None:
        _spectra(run, model)
        if for_report:
            compute_moved_cells(run, model)


def _join(run: RunDirectory) -> None:
    """Store the transmissions so far as one file: status and report then read no single ones."""
    dataset = run.transmission()
    if dataset is not None:
        write_dataset(dataset, run.files.joined_transmission)


def _one_snapshot(run: RunDirectory, number: int, model: TightBindingModel) -> None:
    path, failure = run.transmission_path(number), run.failure_path(number)
    energies = parse_energies(run.settings.transport.energies)
    try:
        write_dataset(compute_snapshots(run, [number], energies, model), path)
    except StructureError as error:
        write_json(failure, {"error": str(error)})


def _spectra(run: RunDirectory, model: TightBindingModel) -> None:
    """T(E) before, at and after the first contact."""
    energies = run.settings.transport.spectrum_energies
    if not energies or run.spectra_path.exists():
        return
    failed = run.failures()
    numbers = sorted({n for n in landmarks(run.observables()).values() if n not in failed})
    if numbers:
        spectra = compute_snapshots(run, numbers, parse_energies(energies), model)
        write_dataset(spectra.assign_coords(snapshot=numbers), run.spectra_path)


def compute_moved_cells(run: RunDirectory, model: TightBindingModel) -> None:
    """Compute T of snapshots whose cell moved in the cell before, from which only atoms differ.

    What is on disk of the same snapshots is not computed again; one whose filament has left the
    cell is stored as NaN.

    Parameters
    ----------
    run : RunDirectory
    model : TightBindingModel
    """
    moves = dict(list(moved_cells(run).items())[:_MOST_MOVES])
    path = run.files.moved_cells
    if not moves or (path.is_file() and list(read_dataset(path)["snapshot"]) == list(moves)):
        return
    parts = []
    for number, axis in moves.items():
        try:
            part = _of_junctions(run, [junction_of(run, number, axis=axis)], [0.0], model)
        except StructureError:
            continue  # the filament has left the cell
        parts.append(part[["transmission_average"]].assign_coords(snapshot=[number]))
    if parts:
        joined = xr.concat(parts, "snapshot", combine_attrs="override")
        write_dataset(joined.reindex(snapshot=list(moves)), path)


def _of_junctions(
    run: RunDirectory, junctions: list[Atoms], energies: list[float], model: TightBindingModel
) -> xr.Dataset:
    """Compute junctions as the settings of a run say."""
    transport = run.settings.transport
    return compute_transmission(
        junctions,
        energies,
        kpoints=transport.kpoints,
        gamma_centred=transport.gamma_centred,
        model=model,
        neutrality=transport.neutrality,
    )


def compute_snapshots(
    run: RunDirectory, numbers: list[int], energies: list[float], model: TightBindingModel
) -> xr.Dataset:
    """Compute the transmissions of snapshots, each in the cell that the run gives it.

    Parameters
    ----------
    run : RunDirectory
    numbers : list of int
        Of the snapshots.
    energies : list of float
        From the Fermi energy, eV.
    model : TightBindingModel

    Returns
    -------
    xarray.Dataset
        `nanogap.transport.negf.compute.compute_transmission`, with the axes of the cells.

    Raises
    ------
    StructureError
        If a junction cannot be cut.
    """
    settings = run.settings
    dataset = _of_junctions(run, [junction_of(run, number) for number in numbers], energies, model)
    if settings.junction.cut != "paper":
        return dataset
    x, y = np.array([cell_axis(run, number) for number in numbers]).T
    attributes = {"units": "angstrom", "long_name": "axis of the cell that the junction is cut in"}
    return dataset.assign(cell_x=("snapshot", x, attributes), cell_y=("snapshot", y, attributes))


if __name__ == "__main__":
    arguments = sys.argv[2:]
    child_main(
        partial(transmit, worker=int(arguments[0]), workers=int(arguments[1])), Path(sys.argv[1])
    )
