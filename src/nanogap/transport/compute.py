"""The transmission of structures, by any backend: junctions as they are, snapshots cut first."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.typing import ArrayLike

from nanogap.arguments import checked, shown
from nanogap.errors import SettingsError, StructureError
from nanogap.settings import JunctionSettings
from nanogap.structure.cut import cut_junction
from nanogap.structure.junction import CHANNEL, LEFT, RIGHT, junction_notes, validate_junction
from nanogap.transport.backends import DEFAULT, Backend, get_backend
from nanogap.transport.negf.neutrality import METHODS, neutral_junction
from nanogap.transport.tight_binding.files import model_of
from nanogap.transport.tight_binding.model import TightBindingModel

CUTS = ("terrace", "paper", "full")
#: The cut of a run whose settings do not name one, and of a frame outside a run.
DEFAULT_CUT = JunctionSettings().cut


@checked
def compute_transmission(
    structures: Atoms | Iterable[Atoms],
    energies: ArrayLike = (0.0,),
    *,
    backend: str = DEFAULT,
    kpoints: tuple[int, int] | str | None = None,
    gamma_centred: bool = False,
    cut: str = DEFAULT_CUT,
    model: TightBindingModel | str | Path | None = None,
    neutrality: str = "none",
    names: Sequence[str] | None = None,
    **options: Any,
) -> xr.Dataset:
    """Compute the ballistic transmission of one structure or of many.

    Parameters
    ----------
    structures : ase.Atoms or iterable of ase.Atoms
        Junctions (with the per-atom array ``region``, see `nanogap.structure.junction`), or
        snapshots of the dynamics (with the array ``electrode``), which are cut into junctions
        first. All of one periodicity in the plane.
    energies : array_like
        One or more, from the Fermi energy, eV.
    backend : str
        What computes it, see `nanogap.transport.backends.backend_names`.
    kpoints : tuple of int or str, optional
        In-plane mesh: two numbers of points, ``"auto"`` (as dense as the width of the cell asks
        for) or ``"paper"`` (135 independent points). Default: ``"auto"``; of the backend
        ``pwcond``, the mesh of its accuracy.
    gamma_centred : bool
        Centre the mesh on Gamma; otherwise it is shifted by half a step.
    cut : str
        How a snapshot is cut: ``"terrace"``, ``"paper"`` or ``"full"``
        (`nanogap.structure.cut.cut_junction`).
    model : TightBindingModel, str or Path, optional
        The Hamiltonian, or its TOML file; default: the packaged one of the element.
    neutrality : str
        Shifts of the levels that make atoms neutral: ``"none"``, ``"coordination"`` or
        ``"self-consistent"`` (`nanogap.transport.negf.neutrality.neutral_junction`).
    names : sequence of str, optional
        What error messages call the structures.
    **options
        What only this backend takes (`nanogap.transport.backends.Backend.options`).

    Returns
    -------
    xarray.Dataset
        ``transmission`` over (``snapshot``, ``k``, ``energy``), ``transmission_average`` over
        (``snapshot``, ``energy``), G0, and what else
        `nanogap.transport.dataset.transmission_dataset` describes. The attribute ``notes``, if it
        is there, holds a line for everything that may be wrong with a junction
        (`nanogap.structure.junction.junction_notes`), and for a lead without an open channel.

    Raises
    ------
    StructureError
        If something is no structure, or neither junction nor snapshot, or cannot be computed.
    SettingsError
        If an argument is wrong, or the backend does not take it.
    DataFormatError
        If the file of the Hamiltonian cannot be read.
    EngineError
        If a program that the backend needs is missing or fails.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from nanogap.transport.compute import compute_transmission
    >>> wire = Atoms("Ag5", positions=[(0.0, 0.0, 2.9 * n) for n in range(5)])
    >>> wire.new_array("region", np.array(["left", *3 * ["channel"], "right"]))
    >>> wire.info.update(left_period=2.9, right_period=2.9)
    >>> result = compute_transmission(wire, [-0.1, 0.0, 0.1])
    >>> round(result["transmission_average"].sel(energy=0.0).item(), 3)
    1.0
    """
    chosen = capable_backend(backend, neutrality=neutrality, model=model is not None)
    values = _energies(energies)
    if model is not None:
        options["model"] = model = model_of(model)
    if kpoints is not None:
        options["kpoints"] = kpoints
    compute = chosen.with_options(**options)
    found = _structures(structures)
    called = _names(names, len(found))
    junctions = junctions_of(found, cut=cut, neutrality=neutrality, model=model, names=called)
    dataset = compute(junctions, values, gamma_centred=gamma_centred, names=called)
    notes: list[str] = [dataset.attrs["notes"]] if "notes" in dataset.attrs else []
    notes += _notes(junctions, called, dataset)
    if notes:
        dataset = dataset.assign_attrs(notes="\n".join(notes))
    return dataset if neutrality == "none" else dataset.assign_attrs(neutrality=neutrality)


def _notes(junctions: Sequence[Atoms], names: Sequence[str], dataset: xr.Dataset) -> list[str]:
    """Say which leads the channel does not continue, and which do not conduct."""
    notes: list[str] = []
    for number, (junction, name) in enumerate(zip(junctions, names, strict=True)):
        notes += junction_notes(junction, name)
        for side in (LEFT, RIGHT):
            if dataset["open_channels"].isel(snapshot=number).sel(lead=side).item() == 0.0:
                notes.append(
                    f"{name}: the {side} lead has no open channel at the Fermi energy, so that "
                    f"nothing is transmitted: is {side}_period right, and are all atoms of one "
                    f"period labelled {side!r}?"
                )
    return notes


def capable_backend(name: str, *, neutrality: str = "none", model: bool = False) -> Backend:
    """Return a backend that can do what is asked for.

    Parameters
    ----------
    name : str
    neutrality : str
        See `compute_transmission`.
    model : bool
        Whether a tight-binding Hamiltonian is given.

    Returns
    -------
    Backend

    Raises
    ------
    SettingsError
        If there is no such backend or way to neutrality, or the backend cannot do it.
    """
    chosen = get_backend(name)
    if neutrality not in METHODS:
        raise SettingsError(f"neutrality = {shown(neutrality)}: choose {', '.join(METHODS)}")
    if neutrality != "none" and not chosen.capabilities.onsite_shifts:
        raise SettingsError(
            f"neutrality = {neutrality!r}: {name} is self-consistent already; leave it out"
        )
    if model and not chosen.capabilities.takes_model:
        raise SettingsError(f"model: {name} takes no tight-binding Hamiltonian; leave it out")
    return chosen


def junctions_of(
    structures: Atoms | Iterable[Atoms],
    *,
    cut: str = DEFAULT_CUT,
    neutrality: str = "none",
    model: TightBindingModel | None = None,
    names: Sequence[str] | None = None,
) -> list[Atoms]:
    """Return the junctions that transport is computed for.

    Parameters
    ----------
    structures, cut, neutrality, model, names
        See `compute_transmission`.

    Returns
    -------
    list of ase.Atoms
        Junctions as they are; snapshots cut; with the array ``onsite_shift`` where their atoms
        are made neutral.

    Raises
    ------
    StructureError
        If something is no structure, or neither junction nor snapshot, or cannot be cut.
    SettingsError
        If there is no such cut or way to neutrality.
    """
    if cut not in CUTS:
        raise SettingsError(f"cut = {shown(cut)}: choose {', '.join(CUTS)}")
    found = _structures(structures)
    called = _names(names, len(found))
    return [
        neutral_junction(_junction(structure, name, cut), neutrality, model, name=name)
        for structure, name in zip(found, called, strict=True)
    ]


def _junction(structure: Atoms, name: str, cut: str) -> Atoms:
    """Take a junction as it is; cut one from a snapshot of the dynamics."""
    if "region" in structure.arrays:
        validate_junction(structure, name)
        return structure
    if "electrode" not in structure.arrays:
        raise StructureError(
            f"{name} is neither a junction nor a snapshot of the dynamics (it has no per-atom "
            f"array 'region' or 'electrode'): to make it a junction, label every atom {LEFT!r}, "
            f"{CHANNEL!r} or {RIGHT!r} in an array 'region', and give info['left_period'] and "
            "info['right_period'], the repeats of the leads along z in Å"
        )
    settings = JunctionSettings.model_validate({"cut": cut})
    return cut_junction(structure, settings, name=name)


def _structures(given: object) -> list[Atoms]:
    """Return one structure or many as a list, or say what is none."""
    if isinstance(given, Atoms):
        return [given]
    if isinstance(given, str | Path):
        raise StructureError(
            f"{shown(str(given))} is no structure: read the file first, for example with "
            "ase.io.read(path, ':')"
        )
    if not isinstance(given, Iterable):
        raise StructureError(
            f"{shown(given)} is no structure: give an ase.Atoms, or a list of them"
        )
    found = list(given)
    if not found:
        raise StructureError("there is no structure: give an ase.Atoms, or a list of them")
    for number, structure in enumerate(found):
        if not isinstance(structure, Atoms):
            raise StructureError(
                f"structure {number} is of type {type(structure).__name__}: give an ase.Atoms, or "
                "a list of them"
            )
    return found


def _names(names: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of so many structures."""
    if names is None:
        return [f"structure {number}" for number in range(count)]
    called = [names] if isinstance(names, str) else list(names)
    if len(called) != count:
        raise SettingsError(f"names: give one for each structure, {count}, not {len(called)}")
    return called


def _energies(given: ArrayLike) -> list[float]:
    """Return energies as a list, or say what is none."""
    try:
        # of complex numbers the imaginary part would be dropped
        found = np.full(1, np.nan) if np.iscomplexobj(given) else given
        values = np.atleast_1d(np.asarray(found, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        values = np.full(1, np.nan)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise SettingsError(
            f"energies = {shown(given)}: give one finite number or a list of them, in eV from the "
            "Fermi energy, for example numpy.linspace(-1, 1, 21)"
        )
    return [float(value) for value in values]
