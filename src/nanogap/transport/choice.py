"""Which Hamiltonian a run computes with: the packaged one, a user's own, or none."""

import tomllib
from pathlib import Path

from nanogap.errors import DataFormatError, SettingsError
from nanogap.transport.hamiltonian import TightBindingModel, load_model, model_from_table

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
