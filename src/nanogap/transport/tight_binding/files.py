"""A choice of the Hamiltonian that a run computes with: a packaged one, or one from a file."""

import functools
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from ase import Atoms
from ase.data import chemical_symbols

from nanogap.arguments import checked
from nanogap.errors import SettingsError, StructureError
from nanogap.printing import listed
from nanogap.transport.tight_binding.model import TightBindingModel, one_element
from nanogap.transport.tight_binding.model_file import model_from_table, read_model

PACKAGED, NONE = "packaged", "none"


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
        Chemical symbol that it has to be of; None: any, and that of `load_model` by default.

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
        return load_model() if element is None else load_model(element)
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
        If the junction has atoms of several elements, or of another than the Hamiltonian.
    SettingsError
        If no Hamiltonian of its element is packaged.
    """
    element = one_element(junction, "junction")
    if model is None:
        return load_model(element)
    if element != model.element:
        raise StructureError(
            f"the junction has {element} atoms, but the Hamiltonian is one of {model.element}: "
            f"give a junction of {model.element} atoms, or a Hamiltonian of {element}"
        )
    return model


def packaged_elements() -> tuple[str, ...]:
    """Return the chemical symbols of the elements that have a packaged Hamiltonian."""
    return elements_of_files("hamiltonian_", ".toml")


@functools.cache
def elements_of_files(prefix: str, suffix: str) -> tuple[str, ...]:
    """Return the chemical symbols between prefix and suffix of the package's data files."""
    names = [entry.name for entry in (files("nanogap.transport") / "data").iterdir()]
    middles = {
        name.removeprefix(prefix).removesuffix(suffix).capitalize()
        for name in names
        if name.startswith(prefix) and name.endswith(suffix)
    }
    return tuple(sorted(middles & set(chemical_symbols)))


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
            f"no transmission is computed: nanogap has no Hamiltonian of {element} (only of "
            f"{listed(packaged_elements())}); give transport.hamiltonian, a file that 'nanogap "
            f"fit-hamiltonian' made for {element}"
        )
    return None


@checked
def load_model(
    element: Annotated[str | Path, "a chemical symbol, or the path of a file"] = "Ag",
) -> TightBindingModel:
    """Load the packaged model of an element, or one from a file.

    Parameters
    ----------
    element : str or Path
        Chemical symbol; or the path of a file that ``nanogap fit-hamiltonian`` made, as a Path or
        as text that ends in ``.toml`` or names a folder.

    Returns
    -------
    TightBindingModel
        Of an element the same object at every call.

    Raises
    ------
    nanogap.errors.SettingsError
        If there is none of the element.
    nanogap.errors.DataFormatError
        If the file is missing, or no Hamiltonian.

    Examples
    --------
    >>> load_model("Ag").electrons_per_atom
    11.0
    """
    if not isinstance(element, str) or Path(element).name != element.removesuffix(".toml"):
        return read_model(Path(element))
    if element not in packaged_elements():
        if element.capitalize() in packaged_elements():
            raise SettingsError(
                f"element {element!r} is no chemical symbol: write {element.capitalize()!r}"
            )
        raise SettingsError(
            f"no tight-binding Hamiltonian for element {element!r}: nanogap has one of "
            f"{listed(packaged_elements())}; another element needs a fit to its bands "
            "(docs/your-own-metal.md)"
        )
    return _packaged_model(element)


@functools.cache
def _packaged_model(element: str) -> TightBindingModel:
    resource = files("nanogap.transport") / "data" / f"hamiltonian_{element.lower()}.toml"
    return model_from_table(tomllib.loads(resource.read_text(encoding="utf-8")))


def is_packaged(model: TightBindingModel) -> bool:
    """Whether a model has the numbers of the packaged one of its element."""
    try:
        return model == load_model(model.element)
    except SettingsError:
        return False
