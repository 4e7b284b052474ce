"""Neutral atoms: shifts of their levels that give every atom its valence electrons.

In a metal screening leaves every atom nearly neutral. A model whose levels depend on the
surroundings alone cannot be so everywhere; shifts of the levels that make it so are the usual
remedy (Pauly et al., Phys. Rev. B 74, 235106 (2006), doi:10.1103/PhysRevB.74.235106). A shift
acts as the potential of an atom does: H_ij gains S_ij (shift_i + shift_j)/2.

Charges are Mulliken's, of the junction with some repeats of its leads, cut off there, filled to the
Fermi energy of the leads.
"""

import math
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from scipy.optimize import NoConvergence, broyden1
from threadpoolctl import threadpool_limits

from nanogap.errors import SettingsError, StructureError
from nanogap.structure.junction import CHANNEL, LEFT, RIGHT, couplings
from nanogap.structure.plane_cell import reduced_plane
from nanogap.transport.mesh import common_mesh, spanning_counts
from nanogap.transport.negf.device import SHIFT, leads_fermi_energy
from nanogap.transport.tight_binding.bands import populations
from nanogap.transport.tight_binding.files import hamiltonian_of
from nanogap.transport.tight_binding.matrices import atom_densities
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.typing import FloatArray

METHODS = ("none", "coordination", "self-consistent")
#: Repeats of the leads that stand for the half-crystals, and for endless wires, angstrom: what the
#: cut ends do to the charges dies away over less.
_CRYSTAL, _WIRE = 7.0, 60.0
#: Length that the supercell of the k-points spans, angstrom.
_MESH_DENSITY = 20.0
#: A charge changes by about so much with the shifts of all its surroundings, e/eV.
_RESPONSE = 0.6
_MOST_STEPS = 30
#: Larger junctions would take hours.
_MOST_ATOMS = 500


def neutral_junction(
    junction: Atoms,
    method: str = "self-consistent",
    model: TightBindingModel | None = None,
    *,
    tolerance: float = 0.005,
    name: str = "junction",
) -> Atoms:
    """Give the atoms of a junction that face vacuum the shifts that make them neutral.

    Parameters
    ----------
    junction : ase.Atoms
        In the junction format (`nanogap.structure.junction`).
    method : str
        ``none``: no shifts; ``coordination``: those that atoms of so many neighbours need on
        average; ``self-consistent``: until each atom is neutral.
    model : TightBindingModel, optional
        Default: the packaged one of the junction's element.
    tolerance : float
        Charge that may be left on an atom, elementary charges.
    name : str
        What error messages call the junction.

    Returns
    -------
    ase.Atoms
        The junction, one repeat of each lead longer (the surfaces of leads are shifted, too), with
        the per-atom array ``onsite_shift``, eV. With ``none``, the junction itself.

    Raises
    ------
    SettingsError
        If there is no such method.
    StructureError
        If the shifts do not converge, or the junction is too large for it.
    """
    if method not in METHODS:
        raise SettingsError(f"neutrality {method!r}: choose {', '.join(METHODS)}")
    if method == "none":
        return junction
    try:
        model = hamiltonian_of(junction, model)
    except StructureError as error:
        raise StructureError(f"{name}: {error}") from None
    extended = _Extended.of(junction, model)
    if method == "coordination":
        shifts = extended.exposure * model.neutral_shifts(extended.coordination)
    else:
        shifts = _self_consistent(extended, model, tolerance, name)
    result = extended.lengthened
    result.set_array(SHIFT, shifts[: extended.kept])
    return result


@dataclass(frozen=True)
class _Extended:
    """Junction with further repeats of its leads.

    Attributes
    ----------
    atoms : ase.Atoms
        The junction's atoms, one repeat of either lead as its new leads, further repeats.
    kept : int
        Atoms without the further repeats.
    level : float
        Fermi energy of the leads, eV.
    coordination, exposure : ndarray, shape (n_atoms,)
        Number of neighbours, and how far each atom of the junction faces vacuum, 0 to 1; the
        repeats do not.
    """

    atoms: Atoms
    kept: int
    level: float
    coordination: FloatArray
    exposure: FloatArray

    @property
    def lengthened(self) -> Atoms:
        """The junction with one repeat of either lead more."""
        result: Atoms = self.atoms[: self.kept]
        return result

    @classmethod
    def of(cls, junction: Atoms, model: TightBindingModel) -> "_Extended":
        tail = model.vacuum
        if tail is None:
            raise SettingsError(
                f"the Hamiltonian of {model.element} does not say which atoms face vacuum: "
                "choose neutrality 'none'"
            )
        beyond = _CRYSTAL if any(junction.pbc[:2]) else _WIRE
        sides = [(LEFT, -1.0), (RIGHT, 1.0)]
        atoms = junction.copy()
        atoms.set_array("region", None)
        atoms.new_array("region", np.full(len(atoms), CHANNEL, dtype="U7"))
        kept = 0
        for number in range(1, 1 + max(math.ceil(beyond / _period(junction, s)) for s, _ in sides)):
            for side, sign in sides:
                unit = junction[junction.arrays["region"] == side]
                unit.positions[:, 2] += sign * number * _period(junction, side)
                atoms += unit
            kept = kept or len(atoms)
        atoms.pbc = (*junction.pbc[:2], False)
        pairs = find_neighbours(atoms, model.cutoff)
        coordination = atom_densities(pairs, len(atoms), model, couplings(atoms))[2]
        exposure = np.where(np.arange(len(atoms)) < len(junction), tail.exposure(coordination), 0.0)
        level = leads_fermi_energy(junction, model)
        return cls(atoms, kept, level, coordination, exposure)


def _period(junction: Atoms, side: str) -> float:
    return float(junction.info[f"{side}_period"])


def _self_consistent(
    extended: _Extended, model: TightBindingModel, tolerance: float, name: str
) -> FloatArray:
    """Find the shifts that leave no charge on the atoms that face vacuum, shape (n_atoms,)."""
    atoms = extended.atoms
    if len(atoms) > _MOST_ATOMS:
        raise StructureError(
            f"{name}: self-consistent neutrality of {len(atoms)} atoms with their leads "
            f"(at most {_MOST_ATOMS}): choose 'coordination', or the cut 'paper'"
        )
    periodic = (bool(atoms.pbc[0]), bool(atoms.pbc[1]))
    cell, _ = reduced_plane(atoms.cell.array[:2, :2], periodic)
    counts = spanning_counts([cell], _MESH_DENSITY)
    mesh = common_mesh([atoms], counts, along_shortest=True)
    weights = np.bincount(mesh.source) / len(mesh.source)
    points = np.column_stack([mesh.points[mesh.computed], np.zeros(len(mesh.computed))])
    free = np.flatnonzero(extended.exposure)
    shifts = np.zeros(len(atoms))

    parts = couplings(atoms)

    def charges(values: FloatArray) -> FloatArray:
        shifts[free] = extended.exposure[free] * values
        electrons = populations(
            atoms, points, weights, extended.level, model=model, shifts=shifts, parts=parts
        )
        excess: FloatArray = extended.exposure[free] * (electrons[free] - model.electrons_per_atom)
        return excess

    if not len(free):
        return shifts
    with threadpool_limits(1, user_api="blas"):  # bit for bit the same on any machine
        if np.abs(charges(np.zeros(len(free)))).max() <= tolerance:
            return shifts  # neutral already, a start that the solver divides by
        try:
            found = broyden1(
                charges,
                np.zeros(len(free)),
                alpha=1.0 / _RESPONSE,
                f_tol=tolerance,
                maxiter=_MOST_STEPS,
                line_search=None,
            )
        except NoConvergence:
            raise StructureError(
                f"{name}: the neutral state was not found in {_MOST_STEPS} steps: "
                "choose neutrality 'coordination' or 'none'"
            ) from None
    shifts[free] = extended.exposure[free] * found
    return shifts
