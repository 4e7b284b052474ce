"""Projected area of the Fermi surface, by which a perfect contact conducts.

At a wave vector in the plane, as many waves travel forwards as the Fermi surface is crossed by half
of the lines along the normal; their mean over the zone is the conductance per surface cell in G0
(Sharvin, Sov. Phys. JETP 21, 655 (1965))::

    N = 1/2 sum_n <|dE_n/dk| delta(E_n - E_F)>,

k the fraction of the reciprocal vector along the normal, the mean over the whole zone. The bands
alone give it, without leads, surfaces or waves. The zone is filled with tetrahedra in which bands
are linear (Lehmann & Taut, phys. stat. sol. (b) 54, 469 (1972), doi:10.1002/pssb.2220540211), so
that the slope is one number in each.
"""

import itertools

import numpy as np
from ase import Atoms

from nanogap.errors import StructureError
from nanogap.transport.tight_binding.bands import band_energies, irreducible_mesh
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray


def projected_channels(
    atoms: Atoms, level: float, *, model: TightBindingModel, points: int = 64
) -> float:
    """Compute the mean number of open channels of a crystal along the normal of a plane.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic in all directions; the first two vectors of its cell span the plane.
    level : float
        Fermi energy, eV on the Hamiltonian's scale.
    model : TightBindingModel
    points : int
        Of the mesh along each reciprocal vector; the error falls as its square.

    Returns
    -------
    float
        Per cell of the plane, G0: of fcc (111) silver with 64 points within 0.2 % of the value with
        128.

    Raises
    ------
    StructureError
        If the structure is no crystal, or its overlap is not positive definite.

    Examples
    --------
    >>> from ase import Atoms
    >>> from nanogap.transport.tight_binding.fermi_surface import projected_channels
    >>> from nanogap.transport.tight_binding.bands import bulk_fermi_energy
    >>> from nanogap.transport.tight_binding.files import load_model
    >>> plane = [(2.045, -2.045, 0.0), (0.0, 2.045, -2.045), (2.045, 2.045, 0.0)]
    >>> crystal = Atoms("Ag", cell=plane, pbc=True)
    >>> found = projected_channels(crystal, bulk_fermi_energy(4.09), model=load_model(), points=24)
    >>> round(found, 1)
    0.8
    """
    if not all(atoms.pbc):
        raise StructureError(
            "the structure is no crystal: it must be periodic along all three vectors of its cell"
        )
    kpoints, source = irreducible_mesh(atoms, (points,) * 3)
    bands = band_energies(atoms, kpoints, model) - level
    crossing = (bands.min(axis=0) < 0.0) & (bands.max(axis=0) > 0.0)
    found = 0.0
    for band in bands[:, crossing].T:
        energies = band[source].reshape((points,) * 3)
        found += sum(_crossings(*corners) for corners in _tetrahedra(energies))
    return 0.5 * found / (6.0 * points**2)


def _tetrahedra(energies: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Give the six tetrahedra around a diagonal of all cells of a periodic mesh.

    Returns
    -------
    list of (ndarray, ndarray)
        Energies at the four corners, shape (4, n), and the step of the energy along the third axis
        from point to point of the mesh, shape (n,).
    """
    found = []
    for order in itertools.permutations(range(3)):
        corners, step = [energies], np.zeros_like(energies)
        for axis in order:
            ahead = np.roll(corners[-1], -1, axis=axis)
            if axis == 2:
                step = ahead - corners[-1]
            corners.append(ahead)
        found.append((np.stack(corners).reshape(4, -1), np.abs(step).ravel()))
    return found


def _crossings(corners: FloatArray, step: FloatArray) -> float:
    """Sum |dE| delta(E) over tetrahedra, energies from the level, each of volume 1."""
    e = np.sort(corners, axis=0)
    cut = (e[0] < 0.0) & (e[3] > 0.0)
    (a, b, c, d), step = e[:, cut], step[cut]
    # of the region that holds the level; the other two may divide by nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        below = 3.0 * a**2 / ((b - a) * (c - a) * (d - a))
        above = 3.0 * d**2 / ((d - a) * (d - b) * (d - c))
        middle = 3.0 * (b - a) - 6.0 * b - 3.0 * (c - a + d - b) * b**2 / ((c - b) * (d - b))
        middle /= (c - a) * (d - a)
    density = np.where(b > 0.0, below, np.where(c < 0.0, above, middle))
    return float(step @ density)
