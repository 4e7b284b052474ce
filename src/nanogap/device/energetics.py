"""Energies and barriers of metal atoms on the lattice of a device.

One energy for all: E = sum over the metal atoms of phi(n), n the number of metal nearest
neighbours. A hop between neighbouring sites over a saddle that lies S above the mean of its ends
has the barrier S + dE/2, so the rates there and back obey detailed balance whatever S is, as long
as it is the same in both directions. phi and S come from relaxed atoms and nudged elastic bands of
the embedded-atom method (docs/barriers.md). This module is the reference in plain numpy: slow, and
simple enough to be seen to be right.
"""

import json
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.device.bonds import KINDS, bond_kind
from nanogap.device.lattice import FLANKS, OPPOSITE, SHARED, SiteIndices
from nanogap.digest import content_digest
from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.errors import NanogapError, SettingsError
from nanogap.typing import BoolArray, FloatArray, Int64Array

#: Joule per square metre in eV per square angstrom.
_SURFACE_ENERGY = 1.602176634e1


@dataclass(frozen=True)
class Exchange:
    """An event of two atoms, or a hop over an edge, from a band of its own.

    Attributes
    ----------
    name : str
        Face or step, and how.
    neighbours : tuple of int
        Of the atom at the start; of the atom that it pushes (0 in a hop); at the end, after it.
    saddle : float
        Energy of the saddle above the mean of the ends, eV.
    change : float
        Energy of the end less that of the start in the force field, eV.
    """

    name: str
    neighbours: tuple[int, int, int]
    saddle: float
    change: float


@dataclass(frozen=True, eq=False)
class Energetics:
    """The energy of the metal and the saddles between its states.

    Attributes
    ----------
    element : str
        Chemical symbol.
    lattice_constant : float
        Of the force field, angstrom.
    phi : ndarray, shape (13,)
        Energy of an atom by its number of neighbours, eV.
    saddle : ndarray, shape (12, 12, KINDS)
        Energy of the saddle above the mean of the ends, eV, by the neighbours at the start, those
        at the end without the atom that hops, and `nanogap.device.bonds.bond_kind`; symmetric in
        the first two.
    seen : ndarray, shape (12, 12, KINDS)
        Bands behind each entry; where there is none the entry is a regression.
    exchanges : tuple of Exchange
        Events of two atoms.
    prefactor : float
        Attempt frequency, 1/s.
    floor : float
        Least barrier of the downhill direction, eV.
    held_out_error : float
        Mean absolute error of barriers that were not fitted, eV.
    source : str
        Force field, method, source of the prefactor.
    digest : str
        Of the file of the force field.
    bond_scaling, surface_condition : float
        As of `load_energetics`; both are in `phi` and `saddle` already.
    """

    element: str
    lattice_constant: float
    phi: FloatArray
    saddle: FloatArray
    seen: Int64Array
    exchanges: tuple[Exchange, ...]
    prefactor: float
    floor: float
    held_out_error: float
    source: str
    digest: str
    bond_scaling: float = 1.0
    surface_condition: float = 0.0

    @property
    def kink_energy(self) -> float:
        """Energy that the metal gains by an atom at a kink: that of an atom of the bulk, eV."""
        return -float(self.phi[12])

    @property
    def surface_energies(self) -> dict[str, float]:
        """Energies of the faces 111, 100 and 110, J/m^2."""
        lost = self.phi - self.phi[12]
        square = self.lattice_constant**2
        return {
            "111": float(_SURFACE_ENERGY * lost[9] / (square * np.sqrt(3) / 4)),
            "100": float(_SURFACE_ENERGY * lost[8] / (square / 2)),
            "110": float(_SURFACE_ENERGY * (lost[7] + lost[11]) / (square / np.sqrt(2))),
        }

    def scaling_to(self, surface_energy: float) -> float:
        """Compute the `bond_scaling` that makes the mean of the faces 111 and 100 a value, J/m^2.

        1.25 J/m^2 is that of polycrystalline silver (Tyson & Miller, Surf. Sci. 62, 267 (1977),
        doi:10.1016/0039-6028(77)90442-3); all embedded-atom functions here have about half.
        """
        found = self.surface_energies
        return surface_energy / ((found["111"] + found["100"]) / 2) * self.bond_scaling


def load_energetics(
    element: str,
    *,
    bond_scaling: float = 1.0,
    surface_condition: float = 0.0,
    path: Path | None = None,
) -> Energetics:
    """Load the energetics of an element.

    Parameters
    ----------
    element : str
        Chemical symbol.
    bond_scaling : float
        Multiplies phi(n) - phi(12), the cost of missing neighbours, and so every energy change and
        every surface energy; the saddles above the mean of the ends stay.
    surface_condition : float
        Added, eV, to the saddle of every hop: adsorbates, oxide or the polymer that lie on the
        surface must give way. Equilibrium stays, all transport of atoms on the surface slows by
        exp(-value/kT).
    path : Path, optional
        A file of `parametrisation.barriers` instead of the packaged one.

    Returns
    -------
    Energetics

    Raises
    ------
    SettingsError
        If there is no file for the element, or an option is out of its range.
    NanogapError
        If the file is damaged or belongs to another force field.

    Examples
    --------
    >>> from nanogap.device.energetics import load_energetics
    >>> silver = load_energetics("Ag")
    >>> silver.phi.shape, round(silver.kink_energy, 2)
    ((13,), 2.85)
    """
    if not bond_scaling > 0 or not np.isfinite(bond_scaling):
        raise SettingsError(f"bond_scaling = {bond_scaling}: it must be above 0, such as 1.9")
    if not 0 <= surface_condition < np.inf:
        raise SettingsError(f"surface_condition = {surface_condition}: it must be 0 eV or more")
    found = _read(element, path)
    phi = found.phi[12] + bond_scaling * (found.phi - found.phi[12])
    return replace(
        found,
        phi=phi,
        saddle=found.saddle + surface_condition,
        bond_scaling=bond_scaling,
        surface_condition=surface_condition,
    )


def _read(element: str, path: Path | None) -> Energetics:
    """Read a file, packaged or not."""
    folder = files("nanogap.device") / "data"
    known = sorted(
        entry.name[:-5].capitalize() for entry in folder.iterdir() if entry.name[-5:] == ".json"
    )
    if path is None and element not in known:
        raise SettingsError(
            f"structure.element = {element!r}: a device knows the barriers of "
            f"{', '.join(known)}: choose one of these"
        )
    place = path or folder / f"{element.lower()}.json"
    remedy = "make it anew with python -m parametrisation.barriers fit"
    try:
        content: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        energetics = _parse(content)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        name = type(error).__name__
        raise NanogapError(f"{place}: no energetics ({name}: {error}): {remedy}") from error
    if energetics.element != element:
        raise NanogapError(f"{place}: is of {energetics.element}, not of {element}: {remedy}")
    if energetics.digest != force_field_digest(element):
        raise NanogapError(
            f"{place}: was made with another force field than the packaged one of {element}: "
            f"{remedy}"
        )
    return energetics


def force_field_digest(element: str) -> str:
    """Return the digest of the packaged functions that barriers are computed with."""
    return content_digest(load_embedded_atom(element).text())


def _parse(content: dict[str, Any]) -> Energetics:
    """Make energetics of the content of a file, and check it."""
    phi = np.array(content["phi"], dtype=float)
    half = np.array(content["saddle"], dtype=float)
    counts = np.array(content["seen"], dtype=np.int64)
    rows, columns = np.tril_indices(12)
    if phi.shape != (13,) or half.shape != (len(rows), KINDS) or counts.shape != half.shape:
        raise ValueError(f"phi {phi.shape}, saddle {half.shape}, seen {counts.shape}")
    if not (np.isfinite(phi).all() and np.isfinite(half).all() and half.min() >= 0):
        raise ValueError("energies that are no numbers, or saddles below the mean of their ends")
    saddle, seen = np.empty((12, 12, KINDS)), np.empty((12, 12, KINDS), dtype=np.int64)
    for first, second in ((rows, columns), (columns, rows)):
        saddle[first, second], seen[first, second] = half, counts
    exchanges = (
        Exchange(e["name"], (*map(int, e["neighbours"]),), float(e["saddle"]), float(e["change"]))  # type: ignore[arg-type]
        for e in content["exchanges"]
    )
    return Energetics(
        element=str(content["element"]),
        lattice_constant=float(content["lattice_constant"]),
        phi=phi,
        saddle=saddle,
        seen=seen,
        exchanges=tuple(exchanges),
        prefactor=float(content["prefactor"]),
        floor=float(content["floor"]),
        held_out_error=float(content["held_out_error"]),
        source=str(content["source"]),
        digest=str(content["digest"]),
    )


def _occupied_around(occupied: BoolArray, neighbours: SiteIndices, site: int) -> BoolArray:
    """Return which of the twelve neighbours of a site are metal."""
    around = neighbours[site]
    return np.asarray((around >= 0) & occupied[around])


def energy(occupied: BoolArray, neighbours: SiteIndices, energetics: Energetics) -> float:
    """Compute the energy of the metal.

    Parameters
    ----------
    occupied : ndarray of bool, shape (n_sites,)
        Sites with a metal atom.
    neighbours : ndarray of int32, shape (n_sites, 12)
        As of `nanogap.device.lattice.Lattice`.
    energetics : Energetics
        phi.

    Returns
    -------
    float
        eV.
    """
    counts = ((neighbours >= 0) & occupied[neighbours]).sum(axis=1)
    return float(energetics.phi[counts[occupied]].sum())


def hop_energy_change(
    occupied: BoolArray, neighbours: SiteIndices, start: int, direction: int, energetics: Energetics
) -> float:
    """Compute by how much a hop changes the energy, by the energy of all atoms before and after.

    Parameters
    ----------
    occupied, neighbours, energetics
        As of `energy`.
    start, direction : int
        Occupied site, and direction of the hop to an empty one.

    Returns
    -------
    float
        eV.
    """
    after = occupied.copy()
    after[start], after[neighbours[start, direction]] = False, True
    return energy(after, neighbours, energetics) - energy(occupied, neighbours, energetics)


def hop_barrier(
    occupied: BoolArray, neighbours: SiteIndices, start: int, direction: int, energetics: Energetics
) -> float:
    """Compute the barrier of a hop, max(S + dE/2, max(0, dE) + floor).

    Parameters
    ----------
    occupied, neighbours, start, direction, energetics
        As of `hop_energy_change`.

    Returns
    -------
    float
        eV; less the barrier of the hop back, exactly dE.
    """
    end = int(neighbours[start, direction])
    at_start = _occupied_around(occupied, neighbours, start)
    at_end = _occupied_around(occupied, neighbours, end)
    flank = FLANKS[direction]
    sides = at_start[flank].astype(int) + at_end[flank]
    kind = bond_kind(at_start[SHARED[direction]].tolist(), (int(sides[0]), int(sides[1])))
    numbers = int(at_start.sum()), int(at_end.sum()) - int(at_end[OPPOSITE[direction]])
    change = hop_energy_change(occupied, neighbours, start, direction, energetics)
    saddle = float(energetics.saddle[numbers[0], numbers[1], kind])
    return max(saddle + change / 2, max(0.0, change) + energetics.floor)
