"""The energy phi(n) and the saddles S by least squares from computed bands.

phi: from the energy changes of hops and from the energies to take an atom away, smooth in n.
S: a regression (what surrounds the bond, its shared sites with the sum and the difference of the
neighbours of the ends) plus the mean remainder of each entry, shrunk where bands are few.
"""

from dataclasses import dataclass

import numpy as np

from nanogap.device.bonds import KIND_OF, KINDS
from nanogap.device.energetics import Exchange
from nanogap.dynamics.embedded_functions import Functions
from nanogap.typing import BoolArray, FloatArray, Int64Array
from parametrisation.barriers.bands import Bands
from parametrisation.barriers.named import named_processes
from parametrisation.barriers.processes import exchange_barrier, hop_barrier
from parametrisation.barriers.sites import NEAREST, Hop

#: Saddles above this come from paths that no atom takes, eV; their bands are left out.
HIGHEST = 1.2
#: Weights of removal energies, of smoothness, of named processes.
_REMOVAL, _SMOOTH, _NAMED = 0.3, 0.3, 6.0
#: Ridge of the regression; bands that an entry's own mean counts against.
_RIDGE, _SHRINK = 0.3, 1.5
#: Of every so many environments, one is held out.
HELD_OUT = 5


@dataclass(frozen=True)
class NamedBand:
    """A named hop and its band.

    Attributes
    ----------
    name : str
        As of `named.Named`.
    key : tuple of int
        Neighbours at the start and at the end; kind.
    change_counts : Int64Array
        (13,) as of `sites.Hop.change`.
    forward, change : float
        eV.
    """

    name: str
    key: tuple[int, int, int]
    change_counts: Int64Array
    forward: float
    change: float


@dataclass(frozen=True)
class Table:
    """Fitted energies.

    Attributes
    ----------
    phi : FloatArray
        (13,) eV.
    saddle : FloatArray
        (12, 12, KINDS) eV.
    seen : Int64Array
        (12, 12, KINDS) bands behind each entry.
    """

    phi: FloatArray
    saddle: FloatArray
    seen: Int64Array

    def barriers(self, bands: Bands, rows: BoolArray, floor: float) -> FloatArray:
        """Predict the barriers of some rows, eV."""
        change = bands.change_counts[rows] @ self.phi
        saddle = self.saddle[bands.ends[rows, 0], bands.ends[rows, 1], bands.kind[rows]]
        return np.asarray(np.maximum(saddle + change / 2, np.maximum(0, change) + floor))

    def named(self, band: NamedBand, floor: float) -> float:
        """Predict the barrier of a named hop, eV."""
        change = float(band.change_counts @ self.phi)
        return max(float(self.saddle[band.key]) + change / 2, max(0.0, change) + floor)


def usable(bands: Bands) -> BoolArray:
    """Return the rows that are fitted or held out, (n,)."""
    return np.asarray(bands.found & (bands.saddle < HIGHEST))


def held_out(bands: Bands) -> BoolArray:
    """Return the rows that are not fitted, (n,): by their surroundings, no two of them alike."""
    mixed = (bands.pattern * 2654435761 >> 7) % HELD_OUT
    return np.asarray(usable(bands) & (mixed == 0))


def named_bands(functions: Functions) -> tuple[list[NamedBand], list[Exchange]]:
    """Compute the named processes: hops of the lattice, and events of two atoms or over an edge."""
    hops: dict[str, NamedBand] = {}
    others: dict[str, Exchange] = {}
    for process in named_processes():
        hop, target = process.hop, process.target
        if target is None:
            found = hop_barrier(hop, functions)
        else:
            found = exchange_barrier(hop, target, functions)
        is_hop = target is None and ((hop.end - hop.start) ** 2).sum() == 2
        if found.outcome != "ok":
            continue
        if is_hop:
            key = (*hop.ends, hop.kind)
            hops[process.name] = NamedBand(
                process.name, key, hop.change(), found.forward, found.change
            )
            continue
        saddle = found.forward - found.change / 2
        known = others.get(process.name)
        if known is None or saddle < known.saddle:
            others[process.name] = Exchange(
                process.name, _neighbours(hop, target), round(saddle, 4), round(found.change, 4)
            )
    return list(hops.values()), list(others.values())


def _neighbours(hop: Hop, target: Int64Array | None) -> tuple[int, int, int]:
    """Count the neighbours at the start, of the pushed atom, and at the end after the event."""
    start = int(hop.occupied(hop.start + NEAREST).sum())
    end = hop.end if target is None else target
    around = end + NEAREST
    left = (around == hop.start).all(axis=1)
    number = int((hop.occupied(around) & ~left).sum())
    pushed = 0 if target is None else int(hop.occupied(hop.end + NEAREST).sum())
    return start, pushed, number


def fit_phi(bands: Bands, rows: BoolArray, named: list[NamedBand], cohesive: float) -> FloatArray:
    """Fit the energy of an atom by its number of neighbours, (13,) eV.

    An atom without neighbours has none, one of the bulk the cohesive energy.
    """
    changes = [bands.change_counts[rows], *(_NAMED * band.change_counts[None] for band in named)]
    values = [bands.change[rows], *(np.array([_NAMED * band.change]) for band in named)]
    known = rows & np.isfinite(bands.removal)
    changes.append(_REMOVAL * bands.removal_counts[known])
    values.append(-_REMOVAL * bands.removal[known])
    bend = np.diff(np.eye(13), 3, axis=0)[1:] * _SMOOTH
    changes.append(bend)
    values.append(np.zeros(len(bend)))
    design, target = np.concatenate(changes), np.concatenate(values)
    target = target + cohesive * design[:, 12]
    phi = np.zeros(13)
    phi[1:12] = np.linalg.lstsq(design[:, 1:12], target, rcond=None)[0]
    phi[12] = -cohesive
    return phi


def _features(low: Int64Array, high: Int64Array, kind: Int64Array) -> FloatArray:
    """Return what the regression of saddles knows of some entries, (n, features)."""
    classes = np.array([shared_number(k) for k in range(KINDS)])[kind]
    total, apart = (low + high - 10.0) / 4, (high - low) / 4.0
    shape = np.stack([total, apart, total**2, total * apart, apart**2], axis=1)
    one = np.eye(7)[classes]
    slopes = (one[:, :, None] * shape[:, None, :2]).reshape(len(low), -1)
    return np.hstack([np.ones((len(low), 1)), np.eye(KINDS)[kind], one, slopes, shape])


def shared_number(kind: int) -> int:
    """Return the class of the shared sites of a kind, from 0 to 6."""
    index = int(np.flatnonzero(kind == KIND_OF)[0])
    bits = [index >> k & 1 for k in range(4)]
    if sum(bits) == 2:
        return {(1, 1, 0, 0): 2, (0, 0, 1, 1): 2, (1, 0, 1, 0): 4, (0, 1, 0, 1): 4}.get(
            (bits[0], bits[1], bits[2], bits[3]), 3
        )
    return {0: 0, 1: 1, 3: 5, 4: 6}[sum(bits)]


def fit_saddles(
    bands: Bands, rows: BoolArray, named: list[NamedBand]
) -> tuple[FloatArray, Int64Array]:
    """Fit the saddles; return them and how many bands are behind each, both (12, 12, KINDS)."""
    ends = np.concatenate([bands.ends[rows], [band.key[:2] for band in named]]).astype(np.int64)
    kind = np.concatenate([bands.kind[rows], [band.key[2] for band in named]]).astype(np.int64)
    saddle = np.concatenate([bands.saddle[rows], [b.forward - b.change / 2 for b in named]])
    weight = np.repeat([1.0, _NAMED], [int(rows.sum()), len(named)])
    low, high = ends.min(axis=1), ends.max(axis=1)
    design = _features(low, high, kind)
    centre = float(np.average(saddle, weights=weight))
    penalty = _RIDGE * np.eye(design.shape[1])
    coefficients = np.linalg.lstsq(
        np.concatenate([design * np.sqrt(weight)[:, None], penalty]),
        np.concatenate([(saddle - centre) * np.sqrt(weight), np.zeros(len(penalty))]),
        rcond=None,
    )[0]
    first, second, third = (axis.ravel() for axis in np.indices((12, 12, KINDS)))
    smaller, larger = np.minimum(first, second), np.maximum(first, second)
    table = centre + (_features(smaller, larger, third) @ coefficients).reshape(12, 12, KINDS)
    remainder = (saddle - table[low, high, kind]) * weight
    total, mass, seen = np.zeros(table.shape), np.zeros(table.shape), np.zeros(table.shape)
    np.add.at(total, (low, high, kind), remainder)
    np.add.at(mass, (low, high, kind), weight)
    np.add.at(seen, (low, high, kind), 1)
    table += _symmetric(total / (mass + _SHRINK))
    # beyond what was seen at all, a regression says nothing
    table = np.clip(table, 0, saddle.max())
    return table, _symmetric(seen).astype(np.int64)


def _symmetric(half: FloatArray) -> FloatArray:
    """Fill the entries with more neighbours at the start than at the end from the others."""
    mirrored = np.swapaxes(half, 0, 1).copy()
    mirrored[range(12), range(12)] = 0
    return half + mirrored


def fit(bands: Bands, rows: BoolArray, named: list[NamedBand], cohesive: float) -> Table:
    """Fit a table to some rows and the named hops."""
    phi = fit_phi(bands, rows, named, cohesive)
    return Table(phi, *fit_saddles(bands, rows, named))
