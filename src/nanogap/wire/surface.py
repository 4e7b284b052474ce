r"""Transport of atoms along the surface of a wire: electromigration, capillarity, thermomigration.

    dA/dt = -d(Omega Phi)/dx,    Phi = P (nu D_s/kT) (Z* e E - gamma Omega dK/dx - Q* dlnT/dx)

with P = 2 pi R/(1 + R'^2)^(1/2), the perimeter over the length along the surface, and
D_s = D_0 exp(-E_a/kT): capillarity as by F. A. Nichols and W. W. Mullins
(doi:10.1063/1.1714360), the other forces as by M. Khenner (arXiv:2405.01331, arXiv:2507.05435). The
field E = rho j is positive towards x = L while the current flows there. An effective valence Z* < 0
drives atoms with the electrons, towards the anode.

No atom passes the ends. At and above the melting point the mobility is that at the melting point.
"""

from dataclasses import dataclass

import numpy as np
from scipy.constants import elementary_charge, k

from nanogap.typing import FloatArray
from nanogap.wire.mesh import Mesh


@dataclass(frozen=True)
class Surface:
    """Atoms at the surface; SI units.

    Attributes
    ----------
    prefactor : float
        D_0, m^2/s.
    activation_energy : float
        E_a, J.
    site_density : float
        nu, 1/m^2.
    atomic_volume : float
        Omega, m^3.
    surface_energy : float
        gamma, J/m^2.
    effective_valence : float
        Z*.
    heat_of_transport : float
        Q*, J; positive: atoms go to where it is colder.
    melting_point : float
        K.
    """

    prefactor: float
    activation_energy: float
    site_density: float
    atomic_volume: float
    surface_energy: float
    effective_valence: float
    heat_of_transport: float
    melting_point: float

    def mobility(self, temperature: FloatArray) -> FloatArray:
        """Return nu D_s/kT, 1/(J s), of temperatures, K."""
        solid = np.minimum(temperature, self.melting_point)
        diffusion = self.prefactor * np.exp(-self.activation_energy / (k * solid))
        return np.asarray(self.site_density * diffusion / (k * solid))

    def mullins_coefficient(self, temperature: float) -> float:
        """Return B = nu D_s gamma Omega^2/kT, m^4/s: a thread of radius R lives for about R^4/B."""
        mobility = float(self.mobility(np.asarray(temperature)))
        return mobility * self.surface_energy * self.atomic_volume**2


def shape_rates(
    mesh: Mesh,
    surface: Surface,
    squares: FloatArray,
    *,
    temperature: FloatArray,
    field: FloatArray,
    grains: FloatArray,
) -> FloatArray:
    """Return the rates of change of the squares of the radius, dq/dt.

    Parameters
    ----------
    mesh : Mesh
    surface : Surface
    squares : ndarray, shape (n_cells,)
        q, m^2.
    temperature : ndarray, shape (n_cells,)
        K.
    field : ndarray, shape (n_cells,)
        Electric field towards x = L, V/m.
    grains : ndarray, shape (n_cells,)
        Factor of the mobility in every cell.

    Returns
    -------
    ndarray, shape (n_cells,)
        m^2/s.
    """
    force = (
        surface.effective_valence * elementary_charge * mesh.at_faces(field)
        - surface.surface_energy * surface.atomic_volume * mesh.slopes(mesh.curvature(squares))
        - surface.heat_of_transport * mesh.slopes(np.log(temperature))
    )
    # a face is as mobile as the two halves of cells beside it, one after the other
    mobility = 1.0 / mesh.at_faces(1.0 / (grains * surface.mobility(temperature)))
    flux = 2.0 * surface.atomic_volume * mesh.perimeters(squares) * mobility * force
    return np.asarray(-np.diff(np.concatenate([[0.0], flux, [0.0]])) / mesh.widths)
