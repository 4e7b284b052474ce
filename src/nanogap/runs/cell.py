"""The junctions of a run: every snapshot in the cell that the run gives it."""

from pathlib import Path

import numpy as np
from ase import Atoms

from nanogap.errors import SettingsError
from nanogap.runs.directory import RunDirectory
from nanogap.settings import JunctionSettings
from nanogap.structure.axis import held_axes, reach
from nanogap.structure.cut import cut_junction
from nanogap.typing import FloatArray


def cell_axis(run: RunDirectory, number: int) -> FloatArray:
    """Axis of the cell of a snapshot, shape (2,), angstrom.

    It follows from the snapshots up to this one, so it is the same whoever asks, and when. The
    samples of one moment all share that of the first.
    """
    axis: FloatArray = _cell_axes(run, number + 1 if run.window is None else 1)[-1]
    return axis


def moved_cells(run: RunDirectory) -> dict[int, FloatArray]:
    """Find the snapshots whose cell is another than that of the one before, with a bridge in both.

    Parameters
    ----------
    run : RunDirectory

    Returns
    -------
    dict
        Number of the snapshot, and the axis of the cell before, shape (2,), angstrom. Empty where
        the cut is another than ``paper``, whose cells follow the filament, or all cells are one
        (a fine sampling).
    """
    records = run.records()
    if run.settings.junction.cut != "paper" or run.window is not None or not records:
        return {}
    axes = _cell_axes(run, len(records))
    bonded = [record.observables["bottleneck_atoms"] > 0 for record in records]
    return {
        number: axes[number - 1]
        for number in range(1, len(records))
        if bonded[number] and bonded[number - 1] and (axes[number] != axes[number - 1]).any()
    }


def _cell_axes(run: RunDirectory, count: int) -> FloatArray:
    """Axes of the cells of the first snapshots, shape (count, 2), angstrom."""
    records = run.records()[:count]
    observed = [record.observables for record in records]
    places = np.array([[one["constriction_x"], one["constriction_y"]] for one in observed])
    bonded = np.array([one["bottleneck_atoms"] > 0 for one in observed])
    first = run.trajectory.frame(records[0])
    farthest = reach(float(first.info["lattice_constant"]), run.settings.junction.lead_repeats)
    return held_axes(places, bonded, farthest)


def junction_of(
    run: RunDirectory,
    number: int,
    settings: JunctionSettings | None = None,
    *,
    axis: FloatArray | None = None,
) -> Atoms:
    """Cut the junction of a snapshot.

    Parameters
    ----------
    run : RunDirectory
    number : int
        Of the snapshot.
    settings : JunctionSettings, optional
        Default: those of the run.
    axis : ndarray, shape (2,), optional
        Of the cell, angstrom; default: that which the run gives the snapshot.

    Returns
    -------
    ase.Atoms
        `nanogap.structure.cut.cut_junction`.

    Raises
    ------
    StructureError
        If it cannot be cut.
    """
    settings = settings or run.settings.junction
    if axis is None and settings.cut == "paper":
        axis = cell_axis(run, number)
    return cut_junction(
        run.trajectory.frame(run.records()[number]),
        settings,
        run.settings.voltage.cutoff,
        name=f"snapshot {number}",
        axis=axis,
    )


def junctions_of_frames(
    folder: Path, index: str, cut: str | None = None
) -> tuple[RunDirectory, list[Atoms]]:
    """Cut frames of a run's trajectory in the cells that the run computes them in.

    Parameters
    ----------
    folder : Path
        The run directory.
    index : str
        Number of a frame, or a slice, as ASE has them: ``0``, ``-1``, ``0:10``.
    cut : str, optional
        ``terrace``, ``paper`` or ``full``; default: as the run cuts them.

    Returns
    -------
    run : RunDirectory
    junctions : list of ase.Atoms

    Raises
    ------
    NanogapError
        If the run cannot be read, has no such frame, or one cannot be cut.
    """
    run = RunDirectory(folder)
    numbers = range(len(run.records()))
    try:
        parts = [int(part) if part else None for part in index.split(":")]
        chosen = [numbers[int(index)]] if len(parts) == 1 else list(numbers[slice(*parts)])
    except (ValueError, TypeError, IndexError):
        chosen = []
    if not chosen:
        raise SettingsError(
            f"index {index!r}: {folder} has {len(numbers)} snapshots: give 0, -1 or 0:10"
        )
    changes = {} if cut is None else {"cut": cut}
    settings = run.settings.junction.model_copy(update=changes)
    return run, [junction_of(run, number, settings) for number in chosen]
