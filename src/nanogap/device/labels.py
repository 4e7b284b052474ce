"""Clusters of metal on the sites: of the lower electrode, of the upper one, bridged, floating.

Two atoms belong together where they are nearest neighbours; the box is periodic in the plane.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from nanogap.device.lattice import (
    BRIDGED,
    FLOATING,
    LOWER,
    METAL,
    NO_METAL,
    UPPER,
    Lattice,
    SiteIndices,
    SiteStates,
)
from nanogap.errors import StructureError
from nanogap.structure.connectivity import minimum_vertex_cut
from nanogap.structure.tips import BOTTOM, MOBILE, TOP
from nanogap.typing import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class MetalClusters:
    """Clusters of metal at one moment.

    Attributes
    ----------
    labels : ndarray of uint8, shape (n_sites,)
        `NO_METAL`, `LOWER`, `UPPER`, `BRIDGED` or `FLOATING`.
    floating : ndarray of int32, shape (n_sites,)
        Number of the floating cluster of a site, by its first site; -1 elsewhere.
    sizes : ndarray of int32, shape (n_floating,)
        Atoms of each floating cluster.
    """

    labels: SiteStates
    floating: SiteIndices
    sizes: SiteIndices

    @property
    def bridged(self) -> bool:
        """Whether metal leads from one electrode to the other."""
        return bool((self.labels == BRIDGED).any())


def electrodes(lattice: Lattice, fixed: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Tell the fixed sites of the lower half from those of the upper half.

    Parameters
    ----------
    lattice : Lattice
    fixed : ndarray of bool, shape (n_sites,)

    Returns
    -------
    lower, upper : ndarray of bool, shape (n_sites,)

    Raises
    ------
    StructureError
        If one half has no fixed site: no electrode would hold its potential.
    """
    below = 2 * lattice.layer < lattice.shape[2]
    lower, upper = fixed & below, fixed & ~below
    if not (lower.any() and upper.any()):
        raise StructureError(
            "the device has no fixed sites at one end: each electrode needs at least one fixed "
            "layer"
        )
    return lower, upper


def label_metal(
    lattice: Lattice, states: SiteStates, lower: BoolArray, upper: BoolArray
) -> MetalClusters:
    """Label the clusters of metal.

    Parameters
    ----------
    lattice : Lattice
    states : ndarray of uint8, shape (n_sites,)
        States of the sites (`nanogap.device.lattice.METAL` and others).
    lower, upper : ndarray of bool, shape (n_sites,)
        Sites of the electrodes' bases (`electrodes`).

    Returns
    -------
    MetalClusters

    Examples
    --------
    >>> import numpy as np
    >>> from nanogap.device.labels import electrodes, label_metal
    >>> from nanogap.device.lattice import METAL, build_lattice
    >>> lattice = build_lattice(4.09, 20.0, 20.0, 8)
    >>> fixed = (lattice.layer == 0) | (lattice.layer == 7)
    >>> states = np.where(fixed, METAL, 0).astype(np.uint8)
    >>> states[lattice.layer == 4] = METAL
    >>> clusters = label_metal(lattice, states, *electrodes(lattice, fixed))
    >>> clusters.bridged, clusters.sizes.tolist()
    (False, [56])
    """
    labels, floating, sizes = _search(lattice.neighbours, states, lower, upper)
    return MetalClusters(labels, floating, sizes)


def bottleneck(
    lattice: Lattice, clusters: MetalClusters, lower: BoolArray, upper: BoolArray
) -> Int64Array:
    """Find the fewest mobile atoms whose removal parts the electrodes.

    `nanogap.structure.connectivity.minimum_vertex_cut` on the bonds of the lattice. It takes tens
    of milliseconds on 10 000 atoms: for chosen moments, not for every event.

    Parameters
    ----------
    lattice : Lattice
    clusters : MetalClusters
    lower, upper : ndarray of bool, shape (n_sites,)
        See `label_metal`.

    Returns
    -------
    ndarray of int
        Sites; empty if the electrodes are not bridged.
    """
    sites = np.flatnonzero(clusters.labels == BRIDGED)
    if not len(sites):
        return np.empty(0, dtype=np.int64)
    place = np.full(len(lattice), -1, dtype=np.int64)
    place[sites] = np.arange(len(sites))
    neighbours = lattice.neighbours[sites]
    ends = np.where(neighbours >= 0, place[neighbours], -1)
    starts = np.broadcast_to(np.arange(len(sites))[:, None], ends.shape)
    once = ends > starts
    electrode = np.full(len(sites), MOBILE)
    electrode[lower[sites]], electrode[upper[sites]] = BOTTOM, TOP
    cut = minimum_vertex_cut(np.column_stack([starts[once], ends[once]]), electrode)
    return sites[cut]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _search(
    neighbours: SiteIndices, states: SiteStates, lower: BoolArray, upper: BoolArray
) -> tuple[SiteStates, SiteIndices, SiteIndices]:
    """Return labels, numbers of the floating clusters and their sizes."""
    n = len(states)
    labels, queue = np.zeros(n, dtype=np.uint8), np.empty(n, dtype=np.int32)
    floating, sizes = np.full(n, -1, dtype=np.int32), np.empty(n, dtype=np.int32)
    _label_electrode(neighbours, states, labels, lower, queue, LOWER)
    met = _label_electrode(neighbours, states, labels, upper, queue, UPPER)
    count = 0
    for site in range(n):
        if states[site] == METAL and labels[site] == NO_METAL:
            labels[site], queue[0] = FLOATING, site
            sizes[count] = _fill(neighbours, states, labels, queue, 1)
            floating[queue[: sizes[count]]] = count
            count += 1
        elif met and (labels[site] == LOWER or labels[site] == UPPER):
            labels[site] = BRIDGED
    return labels, floating, sizes[:count].copy()


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _label_electrode(  # noqa: PLR0917 the arrays of one loop
    neighbours: SiteIndices,
    states: SiteStates,
    labels: SiteStates,
    base: BoolArray,
    queue: SiteIndices,
    label: int,
) -> bool:
    """Label the metal of one electrode; tell whether its base had a label already."""
    found, met = 0, False
    for site in range(len(states)):
        if base[site] and states[site] == METAL:
            if labels[site] != NO_METAL:
                met = True
            else:
                labels[site], queue[found] = label, site
                found += 1
    _fill(neighbours, states, labels, queue, found)
    return met


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill(
    neighbours: SiteIndices, states: SiteStates, labels: SiteStates, queue: SiteIndices, found: int
) -> int:
    """Give all metal that the sites in the queue reach their label; return its number."""
    read = 0
    while read < found:
        site = queue[read]
        read += 1
        for direction in range(12):
            end = neighbours[site, direction]
            if end >= 0 and states[end] == METAL and labels[end] == NO_METAL:
                labels[end], queue[found] = labels[site], end
                found += 1
    return found
