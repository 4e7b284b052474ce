"""Interaction of the atoms of one metal, by ReaxFF or EAM, as LAMMPS commands."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.dynamics.forcefield import ForceField, load_force_field
from nanogap.dynamics.native.parameters import MetalParameters
from nanogap.dynamics.reaxff_file import UserForceField, read_force_field
from nanogap.errors import SettingsError
from nanogap.settings import DynamicsSettings


@runtime_checkable
class Interaction(Protocol):
    """Interaction of one metal: all that the engine and `nanogap.dynamics.lattice` know of it."""

    @property
    def element(self) -> str:
        """Chemical symbol."""

    @property
    def mass(self) -> float:
        """Atomic mass, u."""

    @property
    def lattice_constant(self) -> float:
        """Fcc lattice constant where the search for the interaction's own begins, angstrom."""

    @property
    def charged(self) -> bool:
        """Whether atoms carry charges, and so feel a voltage."""

    def text(self) -> str:
        """Return all of its numbers: equal texts are equal interactions."""

    def pair_commands(self, folder: Path, *, fast: bool, charges: bool = True) -> tuple[str, ...]:
        """Write the files that LAMMPS reads, and return its commands, in ``units real``.

        Parameters
        ----------
        folder : Path
            An existing folder.
        fast : bool
            Leave out loops over terms that there are none of.
        charges : bool
            Whether charges will be equilibrated; not so, all of them are 0.

        Returns
        -------
        tuple of str
            ``pair_style`` and ``pair_coeff``; `nanogap.dynamics.lammps.FOLDER` stands for `folder`.
        """


def load_interaction(
    dynamics: DynamicsSettings, element: str, file: Path | None = None
) -> Interaction:
    """Load the interaction that the settings name.

    Parameters
    ----------
    dynamics : DynamicsSettings
    element : str
        Chemical symbol.
    file : Path, optional
        A copy of the user's own force-field file, to be read in its stead.

    Returns
    -------
    Interaction

    Raises
    ------
    SettingsError
        If there is none for the element, or the native kernel does not compute it.
    DataFormatError
        If a user's own file cannot be read.
    """
    if dynamics.engine == "eam":
        return load_embedded_atom(element)
    interaction: ForceField | UserForceField
    if dynamics.force_field == "packaged":
        interaction = load_force_field(element)
    else:
        interaction = read_force_field(file or Path(dynamics.force_field), element)
    if dynamics.engine == "native":
        metal_parameters(interaction)  # refuses what the kernel does not compute
    return interaction


def metal_parameters(interaction: Interaction) -> MetalParameters:
    """Take the parameters of the kernel from an interaction.

    Parameters
    ----------
    interaction : Interaction

    Returns
    -------
    MetalParameters

    Raises
    ------
    SettingsError
        If it has a term that the kernel does not compute.
    """
    if isinstance(interaction, UserForceField) and interaction.other_terms:
        raise SettingsError(
            f"the ReaxFF file has {interaction.other_terms} of {interaction.element} alone, which "
            "dynamics.engine = 'native' does not compute: set dynamics.engine = 'reaxff'"
        )
    if not isinstance(interaction, ForceField | UserForceField):
        raise SettingsError(
            "dynamics.engine = 'native' computes ReaxFF only: set dynamics.engine = 'eam' for "
            "embedded atoms"
        )
    return MetalParameters.from_table(interaction.general, interaction.atom, interaction.bond)
