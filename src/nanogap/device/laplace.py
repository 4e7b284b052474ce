"""Laplace equation on the sites: equal conductances between nearest neighbours.

The twelve bonds d_k of fcc, of length d, obey sum_k d_k d_k^T = 4 d^2 1, so that

    sum_k [u(r + d_k) - u(r)] = 2 d^2 nabla^2 u + O(d^4),

isotropic to second order, and equal conductances g = sigma a / 4 (or epsilon a / 4) per bond give
exactly the energy and the current of the continuum in a uniform field. `docs/device-fields.md` has
the steps. `nanogap.dynamics.laplace` solves networks of any bonds from their matrix; here nothing
but lists of the unknown neighbours is made, which is what makes a solution take milliseconds.

In a medium whose ions screen, nabla^2 u = (u - u0) / lambda^2: by the same expansion every site of
it has one more bond, of conductance kappa2 = 2 d^2 / lambda^2 = a^2 / lambda^2, to a common node,
the bulk of the medium, of potential u0. A node without net flux keeps the medium neutral, so u0 is
one more unknown of the same network.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from nanogap.device.lattice import SiteIndices
from nanogap.errors import EngineError
from nanogap.typing import BoolArray, FloatArray, Int64Array

_MOST_ITERATIONS = 2000


@dataclass(frozen=True)
class Screening:
    """Screening by the ions of a medium: sum_k (u_k - u) - strength (u - level) = 0.

    Attributes
    ----------
    sites : ndarray of bool, shape (n_sites,)
        Sites of the medium. Those whose potential is held, or shared, are left out.
    strength : float
        Conductance from a site to the bulk, kappa2 = a^2 / lambda^2 with the lattice constant a and
        the screening length lambda; above 0, in units of a bond's.
    level : float or None
        Potential u0 of the bulk. None: that with which the unknown sites together are neutral,
        which is their mean potential.
    """

    sites: BoolArray
    strength: float
    level: float | None = None


def solve_sites(
    neighbours: SiteIndices,
    members: BoolArray,
    unknown: SiteIndices,
    potential: FloatArray,
    tolerance: float,
    *,
    screening: Screening | None = None,
) -> int:
    """Solve the discrete Laplace equation for the unknown potentials, in place.

    Conjugate gradients on the symmetric Gauss-Seidel form with the trick of Eisenstat, SIAM J. Sci.
    Stat. Comput. 2, 1 (1981), doi:10.1137/0902001, from the potential given as first guess.

    Parameters
    ----------
    neighbours : ndarray of int32, shape (n_sites, 12)
        Of the lattice; -1 for none: no flux crosses a face of the box.
    members : ndarray of bool, shape (n_sites,)
        Sites that take part: bonds lead between them only.
    unknown : ndarray of int32, shape (n_sites,)
        Number of the unknown of a site, from 0 without a gap; -1 where the potential is held. Sites
        that share one are an equipotential without net flux.
    potential : ndarray, shape (n_sites,)
        Held potentials and first guess; the unknown ones are replaced.
    tolerance : float
        Of the norm of the residual with the preconditioner, in the unit of the potential: about
        the largest error of the potential (measured: `docs/device-fields.md`).
    screening : Screening, optional
        By the ions of the medium; without, the medium is a dielectric.

    Returns
    -------
    int
        Iterations.

    Raises
    ------
    EngineError
        If the iteration does not converge.
    """
    count = int(unknown.max(initial=-1)) + 1
    if not count:
        return 0
    sites, strength, level = members, 0.0, 0.0
    if screening is not None:
        sites, strength = screening.sites, screening.strength
        level = np.nan if screening.level is None else screening.level
    rows = _rows(neighbours, members, unknown, potential, count, sites, strength, level)
    iterations = int(_conjugate_gradients(*rows, tolerance))
    if iterations < 0:
        raise EngineError(
            f"the potential of {count} sites was not found in {_MOST_ITERATIONS} iterations: "
            f"allow a larger error than {tolerance:g}"
        )
    _scatter(unknown, rows[-1], potential)
    return iterations


def number_unknown(single: BoolArray, groups: SiteIndices) -> SiteIndices:
    """Give the unknowns numbers: first sites on their own, in their order, then the groups.

    Parameters
    ----------
    single : ndarray of bool, shape (n_sites,)
        Sites with an unknown of their own.
    groups : ndarray of int32, shape (n_sites,)
        Number of the group that shares an unknown, -1 for none.

    Returns
    -------
    ndarray of int32, shape (n_sites,)
    """
    own = np.cumsum(single, dtype=np.int32)
    grouped = np.where(groups >= 0, groups + own[-1], np.int32(-1))
    return np.asarray(np.where(single, own - 1, grouped), dtype=np.int32)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rows(  # noqa: PLR0917 the arrays of one loop
    neighbours: SiteIndices,
    members: BoolArray,
    unknown: SiteIndices,
    potential: FloatArray,
    count: int,
    sites: BoolArray,
    strength: float,
    level: float,
) -> tuple[Int64Array, SiteIndices, Int64Array, SiteIndices, FloatArray, FloatArray, FloatArray]:
    """Return the earlier and later unknown neighbours, bonds, fluxes held in, and first guess.

    A level that is not a number adds one row, the last: the bulk of the medium, whose unknown is
    strength times its level, which makes all entries of the symmetric matrix -1.
    """
    first, order = _sites_of(unknown, count)
    screened = (
        _screened(first, order, sites, count) if strength else np.zeros(count, dtype=np.bool_)
    )
    bulk = screened.any() and np.isnan(level)
    rows = count + 1 if bulk else count
    earlier = np.empty(13 * len(order) + 1, dtype=np.int32)
    later = np.empty(13 * len(order) + 1, dtype=np.int32)
    earlier_starts = np.zeros(rows + 1, dtype=np.int64)
    later_starts = np.zeros(rows + 1, dtype=np.int64)
    bonds, held, guess = np.zeros(rows), np.zeros(rows), np.empty(rows)
    n_earlier, n_later = 0, 0
    for row in range(count):
        guess[row] = potential[order[first[row]]]
        if screened[row]:
            bonds[row] = strength
            if bulk:
                later[n_later] = count
                n_later += 1
            else:
                held[row] = strength * level
        for index in range(first[row], first[row + 1]):
            # backwards: the site just before comes last, which lets the sums of a solution overlap
            for direction in range(11, -1, -1):
                end = neighbours[order[index], direction]
                if end < 0 or not members[end] or unknown[end] == row:
                    continue
                column = unknown[end]
                # written in any case and counted where it is one: no branch to guess wrongly
                earlier[n_earlier], later[n_later] = column, column
                n_earlier += 0 <= column < row
                n_later += column > row
                bonds[row] += 1.0
                held[row] += potential[end] * (column < 0)
        earlier_starts[row + 1], later_starts[row + 1] = n_earlier, n_later
    if bulk:
        linked = np.flatnonzero(screened)
        size = len(linked)
        earlier[n_earlier : n_earlier + size] = linked
        earlier_starts[rows], later_starts[rows] = n_earlier + size, n_later
        bonds[count] = size / strength
        guess[count] = strength * guess[linked].mean()
    return earlier_starts, earlier, later_starts, later, bonds, held, guess


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _screened(first: SiteIndices, order: SiteIndices, sites: BoolArray, count: int) -> BoolArray:
    """Return whether each unknown is that of a screened site."""
    screened = np.empty(count, dtype=np.bool_)
    for row in range(count):
        screened[row] = sites[order[first[row]]]
    return screened


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sites_of(unknown: SiteIndices, count: int) -> tuple[SiteIndices, SiteIndices]:
    """Return where the sites of each unknown begin, and these sites."""
    first = np.zeros(count + 1, dtype=np.int32)
    for site in range(len(unknown)):
        if unknown[site] >= 0:
            first[unknown[site] + 1] += 1
    for row in range(count):
        first[row + 1] += first[row]
    order, place = np.empty(first[count], dtype=np.int32), first[:-1].copy()
    for site in range(len(unknown)):
        if unknown[site] >= 0:
            order[place[unknown[site]]] = site
            place[unknown[site]] += 1
    return first, order


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _gathered(starts: Int64Array, columns: SiteIndices, row: int, values: FloatArray) -> float:
    """Sum the values of the neighbours of a row."""
    total = 0.0
    for entry in range(starts[row], starts[row + 1]):
        total += values[columns[entry]]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _conjugate_gradients(  # noqa: PLR0917 the arrays of one loop
    earlier_starts: Int64Array,
    earlier: SiteIndices,
    later_starts: Int64Array,
    later: SiteIndices,
    bonds: FloatArray,
    held: FloatArray,
    guess: FloatArray,
    tolerance: float,
) -> int:
    """Replace the guess by the solution; return the iterations, or -1.

    With A = D - L - L^T the vectors are those of D^(1/2) (D - L)^(-1) A (D - L^T)^(-1) D^(1/2)
    times D^(1/2): no square root and no scaled copy of the matrix is needed.
    """
    count, inverse = len(bonds), 1.0 / bonds
    residual, along = np.empty(count), np.empty(count)
    step, product = np.empty(count), np.empty(count)
    square = 0.0
    for row in range(count):
        inner = _gathered(earlier_starts, earlier, row, guess)
        inner += _gathered(later_starts, later, row, guess)
        inner += held[row] - bonds[row] * guess[row]
        residual[row] = inner + _gathered(earlier_starts, earlier, row, product)
        product[row] = residual[row] * inverse[row]
        along[row] = residual[row]
        square += residual[row] * product[row]
    for iteration in range(_MOST_ITERATIONS):
        if square <= tolerance * tolerance:
            return iteration
        for row in range(count - 1, -1, -1):
            total = along[row] + _gathered(later_starts, later, row, step)
            step[row] = total * inverse[row]
        curvature = 0.0
        for row in range(count):
            total = along[row] - bonds[row] * step[row]
            total += _gathered(earlier_starts, earlier, row, product)
            product[row] = total * inverse[row]
            curvature += along[row] * (step[row] + product[row])
        if not curvature > 0.0:
            return -1
        length, following = square / curvature, 0.0
        for row in range(count):
            guess[row] += length * step[row]
            residual[row] -= length * bonds[row] * (step[row] + product[row])
            following += residual[row] * residual[row] * inverse[row]
        ratio = following / square
        for row in range(count):
            along[row] = residual[row] + ratio * along[row]
        square = following
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _scatter(unknown: SiteIndices, values: FloatArray, potential: FloatArray) -> None:
    """Write the unknowns to their sites."""
    for site in range(len(unknown)):
        if unknown[site] >= 0:
            potential[site] = values[unknown[site]]
