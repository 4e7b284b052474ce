"""Semi-infinite leads: surface Green's functions, open channels, Fermi energy.

A lead is one unit of atoms that repeats along z. Its surface Green's function follows from
decimation (Lopez Sancho, Lopez Sancho & Rubio, J. Phys. F 15, 851 (1985),
doi:10.1088/0305-4608/15/4/009), here for a non-orthogonal basis, where K(z) = z S - H takes the
place of z - H. A unit that is a supercell in the plane is first reduced by Bloch's theorem: its
translations within the cell split the problem into one small problem per wave vector q that folds
to k. All of it is exact.
"""

import functools
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import spglib
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray

from nanogap.errors import StructureError
from nanogap.transport.negf.lead_cache import cache_key, lead_cache
from nanogap.transport.negf.lead_unit import LeadUnit
from nanogap.transport.tight_binding.bands import fermi_energy
from nanogap.transport.tight_binding.files import is_packaged
from nanogap.transport.tight_binding.matrices import atom_densities, real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import ComplexArray, FloatArray

#: Imaginary parts of the energy that decimation is tried with, eV: where rounding errors win over
#: one (near band edges), the next is taken. Results at one and two of it are extrapolated to zero.
_BROADENINGS = (1e-6, 1e-5, 1e-4, 1e-3)
#: A wave that loses less than this part of its amplitude from layer to layer propagates: the
#: broadening alone costs about 1e-8, evanescent waves lose far more but for band edges.
_PROPAGATES = 1e-5
#: Eigenvalues of a spectral function below this part of the largest carry no current: those of
#: evanescent waves are below 1e-9, those of open channels near 1.
_NO_CHANNEL = 1e-9
#: Memory for the surfaces that one lead keeps, bytes.
_KEPT_BYTES = 2.5e8
_MOST_DOUBLINGS = 60
_DIVERGED = 1e6
#: Mesh of the filling that gives the Fermi energy of a wire, points per 1/angstrom.
_WIRE_MESH = 60.0
#: The same of a crystal with a small and with a large primitive cell, whose bands are many.
_BULK_MESH, _LARGE_CELL_MESH, _LARGE_CELL = 18.0, 9.0, 4

#: Decimals of the crystal whose bands are filled: 1e-7 angstrom are less than 1e-6 eV.
_CRYSTAL_DECIMALS = 7

#: A wave vector, and H and S there by distance in units along z.
_ReducedAt = tuple[tuple[float, float], dict[int, tuple[ComplexArray, ComplexArray]]]


#: Fermi energies of crystals in their standard cell: both leads of a junction share one.
_FERMI_ENERGIES: dict[tuple[str, bytes, bytes], float] = {}


@dataclass(frozen=True)
class Surface:
    """Surface Green's function of a lead at a wave vector and an energy.

    Attributes
    ----------
    green : ndarray, shape (n_q, n, n)
        Surface Green's function at every q that folds to k, 1/eV, between the orbitals of the
        motif of one principal layer, unit-major from the surface inwards; n = layers * motif
        atoms * 9.
    waves : list of ndarray, each of shape (n, n_open)
        W with W W^+ = i (g - g^+) at every q: one column for each open channel, eV^(-1/2).
    """

    green: ComplexArray
    waves: list[ComplexArray]

    @classmethod
    def of(cls, green: ComplexArray) -> "Surface":
        """Find the open channels of a surface Green's function."""
        values, vectors = np.linalg.eigh(1j * (green - green.conj().swapaxes(1, 2)))
        kept = values > _NO_CHANNEL * values.max(initial=0.0)
        waves = [
            vector[:, open_] * np.sqrt(value[open_])
            for value, vector, open_ in zip(values, vectors, kept, strict=True)
        ]
        return cls(green, waves)


class Lead:
    """A semi-infinite lead in the tight-binding model.

    Parameters
    ----------
    unit : LeadUnit
    model : TightBindingModel

    Attributes
    ----------
    unit : LeadUnit
    layers : int
        Units in a principal layer: as many as a unit interacts with in one direction.
    densities : ndarray, shape (3 or 84, n_atoms)
        Surroundings of the unit's atoms in the endless lead, see `atom_densities`.
    """

    def __init__(self, unit: LeadUnit, model: TightBindingModel) -> None:
        self.unit = unit
        self._model = model
        self._crystal = unit.crystal(model.element)
        pairs = find_neighbours(self._crystal, model.cutoff)
        self.densities = atom_densities(pairs, len(self._crystal), model)
        self._matrices = real_space_matrices(self._crystal, model)
        reach = int(self._matrices.translations[:, 2].max(initial=0))
        if reach == 0:
            raise StructureError(
                f"the atoms of a lead do not interact with their next repeat, {unit.period:g} Å "
                f"along z (the Hamiltonian reaches {model.cutoff:g} Å): it cannot conduct"
            )
        self.layers = reach
        self._surface: dict[tuple[float, float, float], Surface] = {}
        self._opened: dict[tuple[float, float, float], int] = {}
        self._latest: _ReducedAt | None = None
        self._lock = threading.Lock()
        # a fit tries thousands of models that nothing asks for again
        self._cache = lead_cache() if is_packaged(model) else None

    @functools.cached_property
    def filled_crystal(self) -> tuple[Atoms, float]:
        """Smallest cell of the endless lead, and the points per 1/angstrom that fill its bands."""
        crystal = self._crystal
        if not self._matrices.translations[:, :2].any():
            crystal.pbc = (False, False, True)
        if not all(crystal.pbc):
            return crystal, _WIRE_MESH
        number = atomic_numbers[self._model.element]
        cell, scaled, numbers = spglib.standardize_cell(
            (crystal.cell[:], crystal.get_scaled_positions(), [number] * len(crystal)),
            to_primitive=True,
            symprec=1e-4,
        )
        # of the rounded crystal: which of several that are equal but for rounding errors came
        # first must not decide the last bits
        cell, scaled = (np.round(array, _CRYSTAL_DECIMALS) + 0.0 for array in (cell, scaled))
        crystal = Atoms(numbers, scaled_positions=scaled, cell=cell, pbc=True)
        # not those of the atoms, which are rounded once more
        crystal.info["key"] = (cell, scaled, numbers)
        return crystal, _BULK_MESH if len(crystal) <= _LARGE_CELL else _LARGE_CELL_MESH

    @functools.cached_property
    def fermi_energy(self) -> float:
        """Fermi energy from the filling of the endless lead, eV on the Hamiltonian's scale."""
        crystal, mesh = self.filled_crystal
        if not all(crystal.pbc):
            return fermi_energy(crystal, kpoints_density=mesh, model=self._model)
        cell, scaled, numbers = crystal.info["key"]
        key = (self._model.digest, cell.tobytes(), scaled.tobytes())
        if key not in _FERMI_ENERGIES:
            _FERMI_ENERGIES[key] = float(
                self._kept(
                    ("level", cell, scaled, numbers, mesh, self._model.digest),
                    lambda: np.array(
                        fermi_energy(crystal, kpoints_density=mesh, model=self._model)
                    ),
                )
            )
        return _FERMI_ENERGIES[key]

    def wave_vectors(self, k: FloatArray) -> FloatArray:
        """Return the wave vectors q that fold to k, fractions of the reciprocal cell, (n_q, 2)."""
        return np.asarray(k, dtype=np.float64) + self._folding

    @functools.cached_property
    def _folding(self) -> FloatArray:
        """Reciprocal vectors of the cell that fold a q of the motif's zone to k, (n_q, 2)."""
        translations = self.unit.translations
        wanted, found, seen = len(translations), [], set()
        reach = range(wanted)
        for vector in sorted(((i, j) for i in reach for j in reach), key=lambda v: (sum(v), v)):
            phases = np.exp(2j * np.pi * (translations @ np.array(vector)))
            key = (np.round(phases, 4) + 0.0).tobytes()  # no negative zeros
            if key not in seen:
                seen.add(key)
                found.append(vector)
            if len(found) == wanted:
                break
        return np.array(found, dtype=np.float64)

    def surface(self, k: FloatArray, energy: float) -> Surface:
        """Compute the surface Green's function at every q that folds to k, or recall it.

        Parameters
        ----------
        k : ndarray, shape (2,)
            Fractions of the reciprocal cell.
        energy : float
            eV on the Hamiltonian's scale.

        Returns
        -------
        Surface

        Raises
        ------
        StructureError
            If the decimation does not converge at any broadening.
        """
        key = _point(k, energy)
        known = self._surface.get(key)
        if known is None:
            green = self._kept(
                ("surface", self.unit, self._model.digest, _BROADENINGS, key),
                lambda: self._decimated(np.array(key[:2]), key[2]),
            )
            known = Surface.of(green)
            with self._lock:
                if len(self._surface) >= self._most_kept:
                    self._surface.pop(next(iter(self._surface)))
                self._surface[key] = known
        return known

    def _kept(
        self, decisive: tuple[object, ...], compute: Callable[[], NDArray[Any]]
    ) -> NDArray[Any]:
        """Take an array from the cache on disk, or compute it and keep it there."""
        if self._cache is None:
            return compute()
        key = cache_key(*decisive)
        known = self._cache.read(key)
        if known is None:
            known = compute()
            self._cache.write(key, known)
        return known

    def _decimated(self, k: FloatArray, energy: float) -> ComplexArray:
        """Decimate at two broadenings and go to none: the surface is analytic above the axis."""
        for broadening in _BROADENINGS:
            one, two = (
                _decimate(*self._layer_matrices(k, energy + 1j * times * broadening))
                for times in (1.0, 2.0)
            )
            if one is not None and two is not None:
                return 2.0 * one - two
        raise StructureError(
            f"the surface of a lead cannot be computed {energy:.4f} eV on the Hamiltonian's scale, "
            f"k = {k[0]:.4f} {k[1]:.4f}: choose another energy or k-mesh"
        )

    def surfaces_kept(self, points: int) -> int:
        """Count the surfaces that stay in memory, of so many wave vectors and energies."""
        return min(points, self._most_kept)

    @property
    def _most_kept(self) -> int:
        size = self.layers * self.unit.motif_size * N_ORBITALS
        return max(16, int(_KEPT_BYTES / (16.0 * len(self.unit.translations) * size**2)))

    def open_channels(self, k: FloatArray, energy: float) -> int:
        """Count the open channels: propagating waves that leave along the lead.

        The amplitudes of successive layers follow from the surface Green's function g by
        psi_1 = -g K_10 psi_0, whose eigenvalues are the Bloch factors of the waves that move or
        decay away from the surface.

        Parameters
        ----------
        k : ndarray, shape (2,)
            Fractions of the reciprocal cell.
        energy : float
            eV on the Hamiltonian's scale.

        Returns
        -------
        int
            Over all q that fold to k, without spin.
        """
        key = _point(k, energy)
        if key not in self._opened:
            _, _, outward = self._layer_matrices(np.array(key[:2]), key[2])
            factors = np.linalg.eigvals(self.surface(k, energy).green @ outward)
            self._opened[key] = int((np.abs(factors) > 1.0 - _PROPAGATES).sum())
        return self._opened[key]

    def bloch_basis(self, k: FloatArray) -> ComplexArray:
        """Return the Bloch waves of the motif on the unit's atoms, shape (n_translations, n_q).

        Orbitals of translation j carry exp(2 pi i q.T_j)/sqrt(n_translations).
        """
        translations = self.unit.translations
        phases = np.exp(2j * np.pi * (translations @ self.wave_vectors(k).T))
        return np.asarray(phases / math.sqrt(len(translations)))

    def _layer_matrices(
        self, k: FloatArray, z: complex
    ) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        """K of one principal layer, and its coupling to the next one inwards and back."""
        by_unit = {m: z * s - h for m, (h, s) in self._reduced(k).items()}
        p, sign = self.layers, self.unit.direction
        shape = next(iter(by_unit.values())).shape
        nothing = np.zeros(shape, dtype=complex)

        def block(distance: int) -> ComplexArray:
            return by_unit.get(sign * distance, nothing)

        rows = range(p)
        own = np.block([[block(j - i) for j in rows] for i in rows])
        inward = np.block([[block(p + j - i) for j in rows] for i in rows])
        outward = np.block([[block(j - i - p) for j in rows] for i in rows])
        return own, inward, outward

    def _reduced(self, k: FloatArray) -> dict[int, tuple[ComplexArray, ComplexArray]]:
        """H and S between motif orbitals at every q, by distance in units along z."""
        point = (float(k[0]), float(k[1]))
        latest = self._latest
        if latest is None or latest[0] != point:
            waves = np.exp(2j * np.pi * (self.wave_vectors(k) @ self.unit.translations.T))
            size = self.unit.motif_size * N_ORBITALS
            result = {}
            for m, (translations, operators) in self._motif.items():
                phases = np.exp(2j * np.pi * (translations @ np.asarray(k)))
                # real and imaginary part apart: the operators are real, and large
                summed = phases.real @ operators + 1j * (phases.imag @ operators)
                h, s = waves @ summed.reshape(2, len(self.unit.translations), -1)
                result[m] = (h.reshape(-1, size, size), s.reshape(-1, size, size))
            latest = self._latest = (point, result)
        return latest[1]

    @functools.cached_property
    def _motif(self) -> dict[int, tuple[FloatArray, FloatArray]]:
        """In-plane translations R, and H and S from the motif to all atoms at R, by units along z.

        Shapes (n_R, 2) and (2, n_R, n_translations * size * size).
        """
        n_j, size = len(self.unit.translations), self.unit.motif_size * N_ORBITALS
        matrices, result = self._matrices, {}
        for m in np.unique(matrices.translations[:, 2]):
            chosen = np.flatnonzero(matrices.translations[:, 2] == m)
            operators = [
                [
                    operator[number][:size].toarray().reshape(size, n_j, size).swapaxes(0, 1)
                    for number in chosen
                ]
                for operator in (matrices.hamiltonian, matrices.overlap)
            ]
            result[int(m)] = (
                matrices.translations[chosen, :2].astype(np.float64),
                np.array(operators).reshape(2, len(chosen), -1),
            )
        return result


def _point(k: FloatArray, energy: float) -> tuple[float, float, float]:
    """Name a wave vector and an energy; what is kept under the name is computed there."""
    return round(float(k[0]), 12), round(float(k[1]), 12), round(float(energy), 12)


def _decimate(
    own: ComplexArray, inward: ComplexArray, outward: ComplexArray
) -> ComplexArray | None:
    """Surface Green's function by doubling the eliminated layers; stacks of matrices.

    `own` is K of a layer, `inward` its coupling to the layer below and `outward` that back. None
    if the couplings grow instead of dying out: rounding errors were larger than the broadening.
    """
    surface, bulk = own.copy(), own.copy()
    down, up = inward, outward
    scale = float(np.abs(own).max())
    for _ in range(_MOST_DOUBLINGS):
        solved = np.linalg.solve(bulk, np.concatenate([up, down], axis=-1))
        from_up, from_down = np.split(solved, 2, axis=-1)
        surface = surface - down @ from_up
        bulk = bulk - down @ from_up - up @ from_down
        down, up = -down @ from_down, -up @ from_up
        largest = max(float(np.abs(down).max()), float(np.abs(up).max()))
        if largest < 1e-14 * scale:
            return np.asarray(np.linalg.inv(surface))
        if not largest < _DIVERGED * scale:
            break
    return None


_LEADS: dict[tuple[object, ...], Lead] = {}
_MOST_LEADS = 32


def get_lead(unit: LeadUnit, model: TightBindingModel) -> Lead:
    """Return the lead of a unit; equal units and models share one, and its results."""
    key = (model.digest, unit.key)
    lead = _LEADS.get(key)
    if lead is None:
        if len(_LEADS) >= _MOST_LEADS:
            _LEADS.pop(next(iter(_LEADS)))
        lead = _LEADS[key] = Lead(unit, model)
    return lead
