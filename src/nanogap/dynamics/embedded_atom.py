"""The embedded-atom method: metals without charges, for neutral controls.

The functions are "universal 3" of Foiles, Baskes & Daw, Phys. Rev. B 33, 7983 (1986),
doi:10.1103/PhysRevB.33.7983, in the files that come with LAMMPS (``data/Ag_u3.eam`` and others).
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ase.data import atomic_masses, atomic_numbers

from nanogap.dynamics.lammps import FOLDER
from nanogap.errors import SettingsError

_ENDING = "_u3.eam"


@dataclass(frozen=True)
class EmbeddedAtom:
    """The embedding function, density and pair function of one metal.

    Attributes
    ----------
    element : str
        Chemical symbol.
    table : str
        Content of its ``funcfl`` file.
    """

    element: str
    table: str

    @property
    def mass(self) -> float:
        """Standard atomic weight, u."""
        return float(atomic_masses[atomic_numbers[self.element]])

    @property
    def lattice_constant(self) -> float:
        """Lattice constant that the functions were fitted to, angstrom."""
        return float(self.table.splitlines()[1].split()[2])

    @property
    def charged(self) -> bool:
        """Whether atoms carry charges: none do."""
        return False

    def text(self) -> str:
        """Return the table."""
        return self.table

    def pair_commands(
        self,
        folder: Path,
        *,
        fast: bool,  # noqa: ARG002 there is nothing to leave out
        charges: bool = True,  # noqa: ARG002 nor are there any
    ) -> tuple[str, ...]:
        """Write the table, and return the LAMMPS commands; see `Interaction`."""
        path = folder / f"{self.element}{_ENDING}"
        path.write_text(self.table)
        return ("pair_style eam", f"pair_coeff * * {FOLDER}/{path.name}")


def load_embedded_atom(element: str) -> EmbeddedAtom:
    """Load the packaged functions of an element.

    Returns
    -------
    EmbeddedAtom

    Raises
    ------
    SettingsError
        If there are none for the element.
    """
    folder = files("nanogap.dynamics") / "data"
    known = sorted(
        entry.name.removesuffix(_ENDING)
        for entry in folder.iterdir()
        if entry.name.endswith(_ENDING)
    )
    if element not in known:
        raise SettingsError(
            f"structure.element = {element!r}: with dynamics.engine = 'eam' there are "
            f"{', '.join(known)}: choose one of these"
        )
    return EmbeddedAtom(element, (folder / f"{element}{_ENDING}").read_text(encoding="ascii"))
