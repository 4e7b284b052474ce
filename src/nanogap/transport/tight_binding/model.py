"""Parameters of the tight-binding Hamiltonian of one element.

Functional form of Mehl & Papaconstantopoulos, Phys. Rev. B 54, 4519 (1996),
doi:10.1103/PhysRevB.54.4519: non-orthogonal s, p and d orbitals; every two-centre integral of the
Hamiltonian and of the overlap is a polynomial times an exponential times a cut-off, and the onsite
energies follow from a density of neighbours. To these the crystal field may be added: what every
neighbour does to the levels of an atom depends on the direction where it sits, with integrals of
the same form and the same angular parts (the two-centre terms of the onsite block, Slater &
Koster, doi:10.1103/PhysRev.94.1498). The numbers are a fit of this project to first-principles
bands (docs/hamiltonian.md). The zero of energy is the Fermi energy to which the fit aligned its
structures.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from ase import Atoms

from nanogap.digest import content_digest
from nanogap.errors import ONE_METAL, SettingsError, StructureError
from nanogap.printing import Printed, Rows
from nanogap.transport.tight_binding.slater_koster import INTEGRALS, N_ORBITALS
from nanogap.transport.tight_binding.vacuum import VacuumTail, smooth_step
from nanogap.typing import FloatArray, IntArray

#: Distance about which the polynomials are written, angstrom: near the bond length.
REFERENCE = 2.9
SHELLS = ("s", "p", "d")


@dataclass(frozen=True, eq=False, repr=False)
class TightBindingModel(Printed):
    """Parameters of one element; models of equal numbers are equal, and have one hash.

    Attributes
    ----------
    element : str
        Chemical symbol.
    electrons_per_atom : float
        Valence electrons.
    inner_cutoff, cutoff : float
        Where the cut-off function F leaves 1 and where it reaches 0, angstrom.
    hamiltonian, overlap : ndarray, shape (10, 4)
        a, b, c and the decay d of each two-centre integral in the order of
        `slater_koster.INTEGRALS`: (a + b x + c x^2) exp(-d (R - R0)) F(R), x = (R - R0)/R0,
        R0 = 2.9 angstrom; a, b, c in eV (overlap: no unit), d in 1/angstrom.
    density_decay, potential_decay : float
        Decay of the densities of neighbours rho that set the onsite energies and the potential,
        1/angstrom.
    onsite : ndarray, shape (3, 4)
        a, b, c, d of the onsite energies of s, p, d: a + b t + c t^2 + d t^3, t = rho^(2/3), eV.
    potential : ndarray, shape (3,)
        b, c, d of the potential of an atom, v = b t + c t^2 + d t^3, eV, which adds
        S_ij (v_i + v_j)/2 to the Hamiltonian: it moves bands rigidly, so that every environment
        can have its Fermi energy at zero.
    neighbour_potential : ndarray, shape (4,)
        What every neighbour adds to the potential: parameters as those of an integral, eV.
    crystal_field : ndarray, shape (10, 4)
        Integrals as those of the Hamiltonian, of the potential of a neighbour between two orbitals
        of one atom, eV; zeros: the levels of a shell are degenerate.
    vacuum : VacuumTail or None
        Coupling through empty space; None: there is none beyond the cut-off.
    neutrality : ndarray, shape (2, n)
        Numbers of neighbours, and the shift of the levels that makes atoms with so many neutral
        on average, eV; empty if not known.
    orbitals_per_atom : int

    Examples
    --------
    >>> from nanogap.transport.tight_binding.files import load_model
    >>> load_model("Ag")
    TightBindingModel of Ag
      orbitals  9 per atom (s, p, d), 11 electrons
      reach     to 7 Å, and through vacuum to 15 Å
      next      nanogap.bands(model=...), nanogap.compute_transmission(..., model=...)
    """

    element: str
    electrons_per_atom: float
    inner_cutoff: float
    cutoff: float
    hamiltonian: FloatArray
    overlap: FloatArray
    density_decay: float
    onsite: FloatArray
    potential_decay: float
    potential: FloatArray
    crystal_field: FloatArray = field(default_factory=lambda: np.zeros((len(INTEGRALS), 4)))
    neighbour_potential: FloatArray = field(default_factory=lambda: np.zeros(4))
    vacuum: VacuumTail | None = None
    neutrality: FloatArray = field(default_factory=lambda: np.zeros((2, 0)))
    orbitals_per_atom: int = N_ORBITALS

    def _title(self) -> str:
        return f"TightBindingModel of {self.element}"

    def _rows(self) -> Rows:
        orbitals = f"{self.orbitals_per_atom} per atom (s, p, d)"
        yield "orbitals", f"{orbitals}, {self.electrons_per_atom:g} electrons"
        reach = f"to {self.cutoff:g} Å"
        if self.vacuum is not None:
            reach += f", and through vacuum to {self.vacuum.end[1]:g} Å"
        yield "reach", reach
        yield "next", "nanogap.bands(model=...), nanogap.compute_transmission(..., model=...)"

    def __post_init__(self) -> None:
        for array in (
            self.hamiltonian,
            self.overlap,
            self.onsite,
            self.potential,
            self.crystal_field,
            self.neighbour_potential,
            self.neutrality,
        ):
            array.setflags(write=False)

    @cached_property
    def digest(self) -> str:
        """Digest of all numbers, which names the model in the keys of caches."""
        return content_digest(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TightBindingModel):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def taper(self, distances: FloatArray) -> FloatArray:
        """Compute the cut-off function F(R): from 1 to 0, twice differentiable; shape (n,)."""
        return 1.0 - smooth_step(distances, self.inner_cutoff, self.cutoff)

    def two_centre(self, distances: FloatArray) -> FloatArray:
        """Compute the two-centre integrals, Hamiltonian (eV) then overlap, shape (2, n, 10)."""
        return self._integrals(np.stack([self.hamiltonian, self.overlap]), distances)

    @cached_property
    def splits_levels(self) -> bool:
        """Whether there is a crystal field."""
        return bool(self.crystal_field[:, :3].any())

    def field_integrals(self, distances: FloatArray) -> FloatArray:
        """Compute the integrals of the crystal field of one neighbour, shape (n, 10), eV."""
        return self._integrals(self.crystal_field, distances)

    def _integrals(self, parameters: FloatArray, distances: FloatArray) -> FloatArray:
        """Evaluate integrals of parameters (..., 10, 4) at distances, shape (..., n, 10)."""
        shifted = (distances - REFERENCE)[:, None]
        x = shifted / REFERENCE
        a, b, c, decay = np.moveaxis(parameters, -1, 0)[..., None, :]
        taper = self.taper(distances)[:, None]
        values: FloatArray = (a + b * x + c * x**2) * np.exp(-decay * shifted) * taper
        return values

    def neighbour_density(self, distances: FloatArray, decay: float) -> FloatArray:
        """Compute what one neighbour adds to a density, 1/12 at 2.9 angstrom; shape (n,)."""
        result: FloatArray = np.exp(-decay * (distances - REFERENCE)) * self.taper(distances) / 12.0
        return result

    def density(
        self,
        centres: IntArray,
        distances: FloatArray,
        n_atoms: int,
        decay: float,
        parts: FloatArray | float = 1.0,
    ) -> FloatArray:
        """Compute the density of neighbours at atoms, shape (n_atoms,).

        Parameters
        ----------
        centres : ndarray, shape (n_pairs,)
            First atom of each pair; every pair is there in both directions.
        distances : ndarray, shape (n_pairs,)
        n_atoms : int
        decay : float
            `density_decay` or `potential_decay`.
        parts : ndarray, shape (n_pairs,), optional
            Part of its contribution that the second atom of each pair makes; default: all.
        """
        contributions = parts * self.neighbour_density(distances, decay)
        return np.bincount(centres, contributions, n_atoms).astype(np.float64)

    def onsite_energies(self, density: FloatArray) -> FloatArray:
        """Compute the onsite energies without the potential, shape (n_atoms, 9), eV."""
        t = np.cbrt(density**2)[:, None]
        a, b, c, d = self.onsite.T
        return np.repeat(a + t * (b + t * (c + t * d)), (1, 3, 5), axis=1)

    def potentials(
        self,
        centres: IntArray,
        distances: FloatArray,
        n_atoms: int,
        parts: FloatArray | float = 1.0,
    ) -> FloatArray:
        """Compute the potential of every atom, shape (n_atoms,), eV; parameters as of `density`."""
        density = self.density(centres, distances, n_atoms, self.potential_decay, parts)
        t = np.cbrt(density**2)
        b, c, d = self.potential
        each = self._integrals(self.neighbour_potential[None], distances)[:, 0]
        result: FloatArray = t * (b + t * (c + t * d)) + np.bincount(centres, parts * each, n_atoms)
        return result

    def neutral_shifts(self, coordination: FloatArray) -> FloatArray:
        """Return the shifts that make atoms of so many neighbours neutral on average, eV.

        Raises
        ------
        nanogap.errors.SettingsError
            If the model has no such numbers.
        """
        if not self.neutrality.size:
            raise SettingsError(
                f"the Hamiltonian of {self.element} has no shifts by coordination: "
                "choose neutrality 'self-consistent' or 'none'"
            )
        result: FloatArray = np.interp(coordination, *self.neutrality)
        return result


def one_element(atoms: Atoms, what: str = "structure") -> str:
    """Return the one element of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
    what : str
        What the messages call it.

    Returns
    -------
    str
        Chemical symbol.

    Raises
    ------
    StructureError
        If there are no atoms, or atoms of several elements, which no Hamiltonian couples.
    """
    found: list[str] = sorted(set(atoms.get_chemical_symbols()))
    if not found:
        raise StructureError(f"the {what} has no atoms")
    if len(found) > 1:
        raise StructureError(
            f"the {what} has {', '.join(found[:-1])} and {found[-1]} atoms, and tight binding "
            f"takes one element: {ONE_METAL}; the backend 'pwcond' takes several elements between "
            "two leads of one crystal, with a pseudopotential of each (docs/first-principles.md)"
        )
    return found[0]
