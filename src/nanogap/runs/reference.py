"""First-principles transmissions of a few snapshots of a run, beside the fast engine's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nanogap.analysis.filament.stages import Stage, classify_stages, typical_snapshots
from nanogap.errors import SettingsError, StructureError
from nanogap.io import write_dataset
from nanogap.runs.cell import junction_of
from nanogap.runs.directory import RunDirectory
from nanogap.settings import FirstPrinciplesSettings, JunctionSettings, parse_energies
from nanogap.transport.backends import get_backend, pwcond
from nanogap.transport.tight_binding.files import (
    NONE,
    PACKAGED,
    chosen_model,
    load_model,
    why_none,
)
from nanogap.transport.tight_binding.model import TightBindingModel


@dataclass(frozen=True)
class SnapshotReference:
    """Transmissions of one snapshot by PWCOND and by tight binding.

    Attributes
    ----------
    snapshot : int
        Its number in the run.
    time : float
        fs.
    stage : str
        Stage of the rewiring, see `nanogap.analysis.filament.stages.Stage`.
    atoms : int
        Number of atoms of its junction.
    transmission : list of float
        By PWCOND at every energy, mean over k, G0; not a number where it is not to be believed.
    tight_binding : list of float
        By tight binding, G0; not a number if there is no Hamiltonian of the element.
    """

    snapshot: int
    time: float
    stage: str
    atoms: int
    transmission: list[float]
    tight_binding: list[float]


@dataclass(frozen=True)
class ReferenceOfRun:
    """First-principles transmissions of some snapshots of a run.

    Attributes
    ----------
    energies : list of float
        From the Fermi energy, eV.
    file : str
        Path of the dataset that holds everything.
    snapshots : list of SnapshotReference
        In order of time.
    """

    energies: list[float]
    file: str
    snapshots: list[SnapshotReference]


def choose_snapshots(stages: Sequence[Stage], count: int) -> list[int]:
    """Choose snapshots that show every stage, then some between.

    Parameters
    ----------
    stages : sequence of Stage
        Of all snapshots.
    count : int
        How many, at most.

    Returns
    -------
    list of int
        In order of time: the middle of the longest span of every stage; further ones each as far
        from those chosen as can be.
    """
    chosen = list(typical_snapshots(stages).values())[:count]
    while len(chosen) < min(count, len(stages)):
        distance = np.abs(np.arange(len(stages))[:, None] - np.array(chosen)).min(axis=1)
        chosen.append(int(distance.argmax()))
    return sorted(chosen)


def reference_of_run(
    directory: Path,
    *,
    snapshots: int,
    energies: str,
    repeats: int,
    settings: FirstPrinciplesSettings,
    watch: Callable[[str], None] = lambda _: None,
    confirm: Callable[[float], bool] = lambda _: True,
) -> ReferenceOfRun:
    """Compute some snapshots of a run with PWCOND, and the same junctions with tight binding.

    Parameters
    ----------
    directory : Path
        The run. ``reference.nc`` and the folder ``pwcond`` are written there.
    snapshots : int
        How many, see `choose_snapshots`.
    energies : str
        See `nanogap.settings.parse_energies`.
    repeats : int
        Cell of the junctions in bond lengths (cut ``paper``).
    settings : FirstPrinciplesSettings
    watch, confirm : callable
        See `nanogap.transport.backends.pwcond.compute_transmission`.

    Returns
    -------
    ReferenceOfRun
        Both transmissions of every chosen snapshot that can be cut; those of PWCOND alone if there
        is no Hamiltonian of the element.

    Raises
    ------
    NanogapError
        If there is no snapshot, or a calculation fails; it goes on with the same command.
    """
    run = RunDirectory(directory)
    records = run.records()
    if not records or snapshots < 1:
        raise SettingsError(f"{directory}: a reference needs one snapshot at least")
    stages = classify_stages(run.observables())
    chosen, junctions = [], []
    cut = JunctionSettings(cut="paper", lead_repeats=repeats)
    for number in choose_snapshots(stages, snapshots):
        try:
            junction = junction_of(run, number, cut)
        except StructureError as error:
            watch(str(error))
            continue
        chosen.append(number)
        junctions.append(junction)
    if not chosen:
        raise StructureError(f"{directory}: no chosen snapshot can be cut: raise --repeats")
    values = parse_energies(energies)
    model = _hamiltonian(run)
    if model is None:
        watch(f"no Hamiltonian of {run.settings.structure.element}: PWCOND alone")
    exact = pwcond.compute_transmission(
        junctions,
        values,
        settings=settings,
        work=directory / "pwcond",
        names=[f"snapshot {number}" for number in chosen],
        watch=watch,
        confirm=confirm,
    )
    exact["tight_binding"] = xr.full_like(exact["transmission_average"], np.nan)
    if model is not None:
        compute = get_backend().with_options(model=model)
        exact["tight_binding"] = compute(
            junctions, values, kpoints=settings.kpoints, gamma_centred=settings.gamma_centred
        )["transmission_average"]
    exact["tight_binding"].attrs["long_name"] = "transmission by tight binding, mean over k"
    exact = exact.assign_coords(snapshot=chosen)
    path = directory / "reference.nc"
    write_dataset(exact, path)
    return ReferenceOfRun(
        energies=list(values),
        file=str(path),
        snapshots=[
            SnapshotReference(
                snapshot=number,
                time=records[number].observables["time"],
                stage=str(stages[number]),
                atoms=len(junction),
                transmission=exact["transmission_average"].sel(snapshot=number).values.tolist(),
                tight_binding=exact["tight_binding"].sel(snapshot=number).values.tolist(),
            )
            for number, junction in zip(chosen, junctions, strict=True)
        ],
    )


def _hamiltonian(run: RunDirectory) -> TightBindingModel | None:
    """Return the Hamiltonian of a run, or the packaged one of its element, or None."""
    choice, element = run.settings.transport.hamiltonian, run.settings.structure.element
    if choice in (PACKAGED, NONE):
        return None if why_none(PACKAGED, element) else load_model(element)
    return chosen_model(choice, element, run.hamiltonian)


def describe(reference: ReferenceOfRun) -> str:
    """Put the transmissions of a run into lines of text, one per snapshot and energy."""
    lines = [f"{'snapshot':>8}  {'stage':<15}{'E (eV)':>8}{'T pwcond':>11}{'T fast':>9}"]
    for entry in reference.snapshots:
        for energy, exact, fast in zip(
            reference.energies, entry.transmission, entry.tight_binding, strict=True
        ):
            shown = "unreliable" if math.isnan(exact) else f"{exact:.4f}"
            other = "none" if math.isnan(fast) else f"{fast:.4f}"
            lines.append(
                f"{entry.snapshot:>8}  {entry.stage:<15}{energy:>8.3f}{shown:>11}{other:>9}"
            )
    return "\n".join([*lines, f"file: {reference.file}"]) + "\n"
