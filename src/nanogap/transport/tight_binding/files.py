"""Files of Hamiltonians: read, written, and which one a run computes with.

One format, TOML: the packaged models and those that ``nanogap fit-hamiltonian`` makes have the
layout that `model_to_toml` writes and `model_from_table` reads.
"""

import functools
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nanogap.errors import DataFormatError, SettingsError, StructureError
from nanogap.transport.tight_binding.model import SHELLS, TightBindingModel
from nanogap.transport.tight_binding.slater_koster import INTEGRALS
from nanogap.transport.tight_binding.vacuum import VacuumTail
from nanogap.typing import FloatArray

PACKAGED, NONE = "packaged", "none"


def read_model(path: Path) -> TightBindingModel:
    """Read a file that ``nanogap fit-hamiltonian`` made.

    Raises
    ------
    DataFormatError
        If it is no such file.
    """
    try:
        return model_from_table(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataFormatError(
            f"{path} is no Hamiltonian that 'nanogap fit-hamiltonian' made: {reason}"
        ) from None


def chosen_model(choice: str, element: str, file: Path | None = None) -> TightBindingModel:
    """Load the Hamiltonian that the settings name.

    Parameters
    ----------
    choice : str
        ``packaged``, or the path of a file.
    element : str
        Chemical symbol of the metal.
    file : Path, optional
        A copy of the file, to be read in its stead.

    Raises
    ------
    DataFormatError
        If the file is no Hamiltonian.
    SettingsError
        If the Hamiltonian is one of another element.
    """
    if choice == PACKAGED:
        return load_model(element)
    model = read_model(file or Path(choice))
    if model.element != element:
        raise SettingsError(
            f"transport.hamiltonian = {choice!r} is one of {model.element}, the tips are of "
            f"{element}: give one of {element}, or 'none'"
        )
    return model


def model_of(
    model: TightBindingModel | str | Path | None, element: str | None = None
) -> TightBindingModel:
    """Return the Hamiltonian that an argument means.

    Parameters
    ----------
    model : TightBindingModel, str, Path or None
        A Hamiltonian, the path of its file, or None: the packaged one of the element.
    element : str, optional
        Chemical symbol that it has to be of; None: any.

    Returns
    -------
    TightBindingModel

    Raises
    ------
    DataFormatError
        If the file is no Hamiltonian.
    SettingsError
        If it is one of another element, none is packaged, or the argument is none of these.
    """
    if isinstance(model, str | Path):
        found = read_model(Path(model))
    elif isinstance(model, TightBindingModel):
        found = model
    elif model is None:
        return load_model("Ag" if element is None else element)
    else:
        raise SettingsError(
            f"model = {model!r}: give a TightBindingModel, the path of its TOML file, or nothing "
            "for the packaged one"
        )
    if element is not None and found.element != element:
        raise SettingsError(
            f"the Hamiltonian is one of {found.element}, the structure has {element} atoms: give "
            f"one of {element}"
        )
    return found


def hamiltonian_of(junction: Atoms, model: TightBindingModel | None = None) -> TightBindingModel:
    """Return the Hamiltonian that all atoms of a junction have, and refuse those of other elements.

    Parameters
    ----------
    junction : ase.Atoms
    model : TightBindingModel, optional
        Default: the packaged one of the junction's element.

    Returns
    -------
    TightBindingModel

    Raises
    ------
    StructureError
        If the junction has atoms of another element than the Hamiltonian.
    SettingsError
        If no Hamiltonian of its element is packaged.
    """
    found = sorted(set(junction.get_chemical_symbols()))
    if model is None:
        known = [element for element in found if element in packaged_elements()]
        model = load_model((known or found)[0])
    foreign = [element for element in found if element != model.element]
    if foreign:
        raise StructureError(
            f"the junction has {foreign[0]} atoms, but the Hamiltonian is one of {model.element}: "
            f"give a junction of {model.element} atoms only"
        )
    return model


@functools.cache
def packaged_elements() -> tuple[str, ...]:
    """Return the chemical symbols of the elements that have a packaged Hamiltonian."""
    names = (entry.name for entry in (files("nanogap.transport") / "data").iterdir())
    return tuple(
        sorted(
            name.removeprefix("hamiltonian_").removesuffix(".toml").capitalize()
            for name in names
            if name.startswith("hamiltonian_") and name.endswith(".toml")
        )
    )


def why_none(choice: str, element: str) -> str | None:
    """Say why a run has no Hamiltonian, in one sentence; None if it has one."""
    if choice == NONE:
        return "no transmission is computed: transport.hamiltonian is 'none'"
    if choice != PACKAGED:
        return None
    try:
        load_model(element)
    except SettingsError:
        return (
            f"no transmission is computed: nanogap has a Hamiltonian of Ag, and none of {element}; "
            "give transport.hamiltonian, a file that 'nanogap fit-hamiltonian' made for "
            f"{element}"
        )
    return None


def load_model(element: str = "Ag") -> TightBindingModel:
    """Load the packaged model of an element.

    Parameters
    ----------
    element : str
        Chemical symbol.

    Returns
    -------
    TightBindingModel
        The same object at every call.

    Raises
    ------
    nanogap.errors.SettingsError
        If there is none.

    Examples
    --------
    >>> load_model("Ag").electrons_per_atom
    11.0
    """
    return _packaged_model(element)


@functools.cache
def _packaged_model(element: str) -> TightBindingModel:
    resource = files("nanogap.transport") / "data" / f"hamiltonian_{element.lower()}.toml"
    if not element.isalpha() or not resource.is_file():
        raise SettingsError(
            f"no tight-binding Hamiltonian for element {element!r}: Ag has one; "
            "another element needs a fit to its bands (docs/hamiltonian.md)"
        )
    return model_from_table(tomllib.loads(resource.read_text(encoding="utf-8")))


def is_packaged(model: TightBindingModel) -> bool:
    """Whether a model has the numbers of the packaged one of its element."""
    try:
        return model == load_model(model.element)
    except SettingsError:
        return False


def model_from_table(table: dict[str, Any]) -> TightBindingModel:
    """Make a model from its parsed TOML table (the layout of the packaged one)."""

    def rows(section: str, names: tuple[str, ...]) -> FloatArray:
        return np.array([table[section][name] for name in names], dtype=np.float64)

    return TightBindingModel(
        element=table["element"],
        electrons_per_atom=float(table["electrons_per_atom"]),
        inner_cutoff=float(table["inner_cutoff"]),
        cutoff=float(table["cutoff"]),
        hamiltonian=rows("hamiltonian", INTEGRALS),
        overlap=rows("overlap", INTEGRALS),
        density_decay=float(table["density_decay"]),
        onsite=rows("onsite", SHELLS),
        potential_decay=float(table["potential_decay"]),
        potential=np.array(table["potential"], dtype=np.float64),
        vacuum=VacuumTail.from_table(table["vacuum"]) if "vacuum" in table else None,
        neutrality=np.array(
            [table["neutrality"][key] for key in ("coordination", "shift")]
            if "neutrality" in table
            else np.zeros((2, 0))
        ),
    )


def model_to_toml(model: TightBindingModel, comment: str) -> str:
    """Write a model as TOML, with a comment that says where it is from."""

    def row(values: Iterable[float]) -> str:
        return "[" + ", ".join(f"{value:.10g}" for value in values) + "]"

    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += [
        f'element = "{model.element}"',
        f"electrons_per_atom = {model.electrons_per_atom}",
        f"inner_cutoff = {model.inner_cutoff}",
        f"cutoff = {model.cutoff}",
        f"density_decay = {model.density_decay:.10g}",
        f"potential_decay = {model.potential_decay:.10g}",
        f"potential = {row(model.potential)}",
    ]
    for title, names, values in (
        ("onsite", SHELLS, model.onsite),
        ("hamiltonian", INTEGRALS, model.hamiltonian),
        ("overlap", INTEGRALS, model.overlap),
    ):
        lines += ["", f"[{title}]"]
        lines += [f"{name} = {row(value)}" for name, value in zip(names, values, strict=True)]
    tail = model.vacuum
    if tail is not None:
        lines += ["", "[vacuum]"]
        for name, value in vars(tail).items():
            lines.append(f"{name} = {row(value) if isinstance(value, tuple) else f'{value:.10g}'}")
    if model.neutrality.size:
        lines += ["", "[neutrality]"]
        coordination, shift = model.neutrality
        lines += [f"coordination = {row(coordination)}", f"shift = {row(shift)}"]
    return "\n".join(lines) + "\n"
