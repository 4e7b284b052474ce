"""ReaxFF parameters as data, and the files that LAMMPS reads, generated from them.

The functional form is that of van Duin et al., J. Phys. Chem. A 105, 9396 (2001),
doi:10.1021/jp004368u. The silver numbers and their source (A. Lloyd et al., Surf. Sci. 645, 67
(2016), doi:10.1016/j.susc.2015.11.009) are in ``data/reaxff_ag.toml``.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ase.data import atomic_masses, atomic_numbers

from nanogap.errors import SettingsError

_ATOM_COLUMNS = (
    ("r_sigma", "valency", "mass", "R_vdW", "D_vdW", "gamma_EEM", "r_pi", "valency_e"),
    ("alpha_vdW", "gamma_w", "valency_boc", "p_ovun5", "unused_1", "chi_EEM", "eta_EEM", "p_hbond"),
    ("r_pi_pi", "p_lp2", "heat_increment", "b_o_131", "b_o_132", "b_o_133", "unused_2", "unused_3"),
    ("p_ovun2", "p_val3", "unused_4", "valency_val", "p_val5", "rcore", "ecore", "acore"),
)
_BOND_COLUMNS = (
    ("De_s", "De_p", "De_pp", "p_be1", "p_bo5", "v13cor", "p_bo6", "p_ovun1"),
    ("p_be2", "p_bo3", "p_bo4", "unused_1", "p_bo1", "p_bo2", "ovc", "unused_2"),
)

#: Control settings (LAMMPS ``pair_style reaxff`` control file) that leave out the angle and
#: torsion loops, which a single-metal table has no terms for, and tabulate the non-bonded terms, in
#: a table that stays in the cache of a core.
FAST_CONTROL: dict[str, float] = {
    "thb_cutoff": 10.0,
    "thb_cutoff_sq": 100.0,
    "tabulate_long_range": 2000,
}


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
    """

    element: str
    general: tuple[float, ...]
    atom: dict[str, float]
    bond: dict[str, float]

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
        for row, columns in enumerate(_ATOM_COLUMNS):
            label = f" {self.element:<2}" if row == 0 else "   "
            lines.append(label + "".join(f"{self.atom[name]:9.4f}" for name in columns))
        lines += ["  1  ! Nr of bonds", "            ! second line"]
        for row, columns in enumerate(_BOND_COLUMNS):
            label = "  1  1" if row == 0 else "      "
            lines.append(label + "".join(f"{self.bond[name]:9.4f}" for name in columns))
        for name in ("off-diagonal terms", "angles", "torsions", "hydrogen bonds"):
            lines.append(f"  0  ! Nr of {name}")
        return "\n".join(lines) + "\n"

    def write(self, folder: Path, *, fast: bool = True) -> tuple[Path, Path]:
        """Write the force-field file and the control file.

        Parameters
        ----------
        folder : Path
            An existing folder.
        fast : bool
            Use `FAST_CONTROL`; otherwise LAMMPS' plain settings.

        Returns
        -------
        forcefield, control : Path
        """
        forcefield, control = folder / f"reaxff_{self.element}.ff", folder / "reaxff.control"
        forcefield.write_text(self.text())
        settings = FAST_CONTROL if fast else {}
        control.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        return forcefield, control


def load_force_field(element: str = "Ag") -> ForceField:
    """Load the packaged ReaxFF table of an element.

    Raises
    ------
    SettingsError
        If there is no table for the element.
    """
    resource = files("nanogap.dynamics") / "data" / f"reaxff_{element.lower()}.toml"
    if not resource.is_file():
        known = ", ".join(available_elements())
        raise SettingsError(
            f"no ReaxFF table for element {element!r}: the packaged tables are for {known}"
        )
    table: dict[str, Any] = tomllib.loads(resource.read_text())
    return ForceField(
        element=element,
        general=tuple(float(value) for value in table["general"]["values"]),
        atom={key: float(value) for key, value in table["atom"][element].items()},
        bond={key: float(value) for key, value in table["bond"][f"{element}-{element}"].items()},
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
