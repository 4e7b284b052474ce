"""ReaxFF parameters as data, and the files that LAMMPS reads, generated from them.

The functional form is that of van Duin et al., J. Phys. Chem. A 105, 9396 (2001),
doi:10.1021/jp004368u. The numbers of a metal and their source are in ``data/reaxff_ag.toml`` and
its like.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ase.data import atomic_masses, atomic_numbers

from nanogap.dynamics.lammps import FOLDER
from nanogap.errors import SettingsError

#: Parameters of an atom, in the lines of a ReaxFF file.
ATOM_COLUMNS = (
    ("r_sigma", "valency", "mass", "R_vdW", "D_vdW", "gamma_EEM", "r_pi", "valency_e"),
    ("alpha_vdW", "gamma_w", "valency_boc", "p_ovun5", "unused_1", "chi_EEM", "eta_EEM", "p_hbond"),
    ("r_pi_pi", "p_lp2", "heat_increment", "b_o_131", "b_o_132", "b_o_133", "unused_2", "unused_3"),
    ("p_ovun2", "p_val3", "unused_4", "valency_val", "p_val5", "rcore", "ecore", "acore"),
)
#: Parameters of a bond, in the lines of a ReaxFF file.
BOND_COLUMNS = (
    ("De_s", "De_p", "De_pp", "p_be1", "p_bo5", "v13cor", "p_bo6", "p_ovun1"),
    ("p_be2", "p_bo3", "p_bo4", "unused_1", "p_bo1", "p_bo2", "ovc", "unused_2"),
)

#: Control settings (LAMMPS ``pair_style reaxff`` control file) that tabulate the non-bonded terms,
#: in a table that stays in the cache of a core.
_TABULATE: dict[str, float] = {"tabulate_long_range": 2000}
#: And those that leave out the angle and torsion loops, where there are no such terms.
_NO_ANGLES: dict[str, float] = {"thb_cutoff": 10.0, "thb_cutoff_sq": 100.0}


@dataclass(frozen=True)
class ForceField:
    """The ReaxFF table of one metal.

    Attributes
    ----------
    element : str
        Chemical symbol.
    general : tuple of float
        The 39 general parameters in file order.
    atom, bond : dict
        Atom and bond parameters by name, in the units of the ReaxFF file format (kcal/mol,
        angstrom, elementary charge; electronegativity and hardness in eV).
    lattice_constant : float
        Fcc lattice constant where the search for the force field's own begins, angstrom.
    """

    element: str
    general: tuple[float, ...]
    atom: dict[str, float]
    bond: dict[str, float]
    lattice_constant: float

    @property
    def mass(self) -> float:
        """Atomic mass, u (the standard atomic weight: the printed table is wrong for Ag)."""
        return float(atomic_masses[atomic_numbers[self.element]])

    def text(self) -> str:
        """Return the table in the ReaxFF file format."""
        lines = [f"Reactive force field of {self.element}, written by nanogap"]
        lines.append(f" {len(self.general)}  ! Number of general parameters")
        lines += [f"{value:12.4f}  ! {i + 1}" for i, value in enumerate(self.general)]
        lines.append("  1  ! Nr of atoms; 3 comment lines follow")
        lines += [
            "            ! second line",
            "            ! third line",
            "            ! fourth line",
        ]
        for row, columns in enumerate(ATOM_COLUMNS):
            label = f" {self.element:<2}" if row == 0 else "   "
            lines.append(label + "".join(f"{self.atom[name]:9.4f}" for name in columns))
        lines += ["  1  ! Nr of bonds", "            ! second line"]
        for row, columns in enumerate(BOND_COLUMNS):
            label = "  1  1" if row == 0 else "      "
            lines.append(label + "".join(f"{self.bond[name]:9.4f}" for name in columns))
        for name in ("off-diagonal terms", "angles", "torsions", "hydrogen bonds"):
            lines.append(f"  0  ! Nr of {name}")
        return "\n".join(lines) + "\n"

    @property
    def charged(self) -> bool:
        """Whether atoms carry charges."""
        return True

    def pair_commands(self, folder: Path, *, fast: bool, charges: bool = True) -> tuple[str, ...]:
        """Write the table and the control file, and return the LAMMPS commands.

        See `nanogap.dynamics.interaction.Interaction`.
        """
        table = folder / f"reaxff_{self.element}.ff"
        table.write_text(self.text())
        control = control_file(folder, fast=fast, angles=False)
        return reaxff_commands(table, control, self.element, charges=charges)


def control_file(folder: Path, *, fast: bool, angles: bool) -> Path:
    """Write the control file of LAMMPS' ``pair_style reaxff``.

    Parameters
    ----------
    folder : Path
        An existing folder.
    fast : bool
        Tabulate non-bonded terms, and leave out loops that have no terms; else plain settings.
    angles : bool
        Whether there are angle or torsion terms.

    Returns
    -------
    Path
        The file, ``reaxff.control``.
    """
    settings = {**_TABULATE, **({} if angles else _NO_ANGLES)} if fast else {}
    path = folder / "reaxff.control"
    path.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    return path


def reaxff_commands(table: Path, control: Path, element: str, *, charges: bool) -> tuple[str, ...]:
    """Return the LAMMPS commands of ``pair_style reaxff``; see `Interaction`."""
    unchecked = "" if charges else "checkqeq no "
    return (
        f"pair_style reaxff {FOLDER}/{control.name} {unchecked}safezone 2.0 mincap 100",
        f"pair_coeff * * {FOLDER}/{table.name} {element}",
    )


def load_force_field(element: str = "Ag") -> ForceField:
    """Load the packaged ReaxFF table of an element.

    Returns
    -------
    ForceField

    Raises
    ------
    SettingsError
        If there is no table for the element.
    """
    known = available_elements()
    if element not in known:
        raise SettingsError(
            f"structure.element = {element!r}: there are ReaxFF tables for {', '.join(known)}: "
            "choose one of these, or give dynamics.force_field, the path of a ReaxFF file with "
            "that element"
        )
    resource = files("nanogap.dynamics") / "data" / f"reaxff_{element.lower()}.toml"
    table: dict[str, Any] = tomllib.loads(resource.read_text(encoding="utf-8"))
    return ForceField(
        element=element,
        general=tuple(float(value) for value in table["general"]["values"]),
        atom={key: float(value) for key, value in table["atom"][element].items()},
        bond={key: float(value) for key, value in table["bond"][f"{element}-{element}"].items()},
        lattice_constant=float(table["crystal"]["lattice_constant"]),
    )


def available_elements() -> list[str]:
    """List the elements with a packaged ReaxFF table."""
    folder = files("nanogap.dynamics") / "data"
    names = (entry.name for entry in folder.iterdir())
    return sorted(
        name.removeprefix("reaxff_").removesuffix(".toml").capitalize()
        for name in names
        if name.startswith("reaxff_") and name.endswith(".toml")
    )
