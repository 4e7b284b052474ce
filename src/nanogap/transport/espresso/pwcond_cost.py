"""Time that a PWCOND calculation will take, estimated from measured times.

The constants are fits to measured times on one core with OpenBLAS (with the reference BLAS, pw.x
takes five times as long), from wires of one atom to contacts of 42; the estimate holds to a factor
of two. The cost of pw.x grows as k-points x bands^2 x plane waves, that
of pwcond.x as slabs along z x waves in the plane^3.
"""

import math
from dataclasses import dataclass

import numpy as np

from nanogap.transport.espresso.pw import BOHR, PlaneWaveSettings
from nanogap.transport.espresso.pwcond_cells import ScatteringCells

#: Seconds per k-point, squared hundred of atoms' bands and thousand plane waves.
_PER_BAND = 4.0
#: Seconds to start pw.x or pwcond.x.
_START = 3.0
#: Seconds per slab and cubed hundred of waves in the plane.
_PER_SLAB = 0.0115
#: Volume of an atom in the crystal, angstrom^3; the reduced basis of a wire in empty space has only
#: the waves that its atoms need: 43 of 357.
_ATOMIC_VOLUME = 20.0


@dataclass(frozen=True)
class JobSize:
    """Size of a calculation, on which its time depends.

    Attributes
    ----------
    atoms : int
        Atoms of the scattering region.
    plane_waves : float
        Plane waves of the scattering region, estimated from its volume.
    self_consistent_kpoints : int
        k-points of the scattering region, halved by time reversal.
    plane_wave_area : float
        Waves in the plane, estimated from the area that the lead's atoms fill.
    slabs : int
        Points of the FFT grids along z, both calculations together.
    """

    atoms: int
    plane_waves: float
    self_consistent_kpoints: int
    plane_wave_area: float
    slabs: int

    @classmethod
    def of(
        cls, cells: ScatteringCells, plane_wave: PlaneWaveSettings, mesh_density: float
    ) -> "JobSize":
        """Measure a calculation that is to be done."""
        wave = math.sqrt(plane_wave.wave_cutoff)
        volume = cells.scattering.get_volume() / BOHR**3
        filled = len(cells.lead) * _ATOMIC_VOLUME / float(cells.lead.cell.array[2, 2])
        area = min(filled, abs(float(np.linalg.det(cells.lead.cell.array[:2, :2])))) / BOHR**2
        (_, lead), (_, scattering) = cells.grids(plane_wave)
        _, mesh = cells.meshes(mesh_density)
        return cls(
            atoms=len(cells.scattering),
            plane_waves=volume * wave**3 / (6.0 * math.pi**2),
            self_consistent_kpoints=max(1, math.prod(mesh) // 2),
            plane_wave_area=area * plane_wave.wave_cutoff / (4.0 * math.pi),
            slabs=lead[2] + scattering[2],
        )

    @property
    def self_consistent_time(self) -> float:
        """Seconds of pw.x for both cells, one core."""
        bands = 6.6 * self.atoms / 100.0
        work = self.self_consistent_kpoints * bands**2 * self.plane_waves / 1000.0
        return 2.0 * _START + _PER_BAND * work

    def pwcond_time(self, subslabs: int, projection: float) -> float:
        """Seconds of pwcond.x per wave vector and energy, one core."""
        kept = 1.0 - 0.1 * math.log10(projection / 1e-5)  # part of the waves that the basis keeps
        work = self.slabs * subslabs * (kept * self.plane_wave_area / 100.0) ** 3
        return _START / 4.0 + _PER_SLAB * work
