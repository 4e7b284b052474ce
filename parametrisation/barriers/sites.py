"""Sites of the fcc lattice as integers, hops between neighbours, and what surrounds a hop.

Coordinates are in half lattice constants: three integers with an even sum. All is counted in the
frame of the bond, turned so that the hop goes along (1, 1, 0).
"""

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np

from nanogap.device.bonds import bond_kind
from nanogap.typing import BoolArray, Int64Array

#: The twelve nearest and the six second neighbours.
NEAREST: Int64Array = np.array(
    [v for v in product((-1, 0, 1), repeat=3) if sum(map(abs, v)) == 2], dtype=np.int64
)
SECOND: Int64Array = 2 * np.concatenate([np.eye(3), -np.eye(3)]).astype(np.int64)
#: Direction of a hop in its own frame.
BOND: Int64Array = np.array([1, 1, 0], dtype=np.int64)
#: Sites that neighbour both ends, in ring order: 0-1 and 2-3 are nearest neighbours of each other.
SHARED: Int64Array = np.array([[1, 0, 1], [0, 1, 1], [0, 1, -1], [1, 0, -1]], dtype=np.int64)
#: Sites beside the bond on the side of the first and last shared site, and of the other two: each
#: neighbours one end and is a second neighbour of the other.
FLANKS: Int64Array = np.array([[[1, -1, 0], [2, 0, 0]], [[-1, 1, 0], [0, 2, 0]]], dtype=np.int64)
#: Half width of a grid of sites.
HALF = 26


@cache
def _operations() -> Int64Array:
    """Return the 48 operations of the cube, (48, 3, 3)."""
    found = []
    for order, signs in product(permutations(range(3)), product((-1, 1), repeat=3)):
        matrix = np.zeros((3, 3), dtype=np.int64)
        matrix[range(3), order] = signs
        found.append(matrix)
    return np.array(found)


@cache
def frame(direction: tuple[int, int, int]) -> Int64Array:
    """Return an operation that takes (1, 1, 0) to a direction."""
    turned = _operations() @ BOND
    found: Int64Array = _operations()[np.flatnonzero((turned == direction).all(axis=1))[0]]
    return found


@cache
def shell() -> Int64Array:
    """Return the 26 first and second neighbours of both ends, shared sites first, (26, 3)."""
    near = {tuple(v) for v in SHARED}
    rest = {
        (int(v[0]), int(v[1]), int(v[2]))
        for start in (np.zeros(3, dtype=np.int64), BOND)
        for v in (start + step for step in np.concatenate([NEAREST, SECOND]))
    } - {(0, 0, 0), (1, 1, 0)}
    return np.concatenate([SHARED, np.array(sorted(rest - near), dtype=np.int64)])


@cache
def _twins() -> Int64Array:
    """Return the orders of `shell` under the eight operations that keep the bond, (8, 26)."""
    sites = {tuple(site): index for index, site in enumerate(shell())}
    orders = []
    for operation in _operations():
        turned = operation @ BOND
        for offset in (np.zeros(3, dtype=np.int64), BOND):
            if (turned + offset == BOND - offset).all():
                images = shell() @ operation.T + offset
                orders.append([sites[tuple(image)] for image in images])
    return np.array(orders)


@dataclass(frozen=True)
class Hop:
    """A hop on a grid of sites.

    Attributes
    ----------
    grid : BoolArray
        (2 HALF + 1,)*3 occupied sites; the middle is the origin.
    start, end : Int64Array
        (3,) sites: the start is occupied, the end empty.
    """

    grid: BoolArray
    start: Int64Array
    end: Int64Array

    def occupied(self, sites: Int64Array) -> BoolArray:
        """Look up sites (n, 3) as they are before the hop."""
        found: BoolArray = self.grid[tuple((sites + HALF).T)]
        return found

    @property
    def ends(self) -> tuple[int, int]:
        """Neighbours at the start, and at the end without the atom that hops."""
        before = int(self.occupied(self.start + NEAREST).sum())
        return before, int(self.occupied(self.end + NEAREST).sum()) - 1

    @property
    def kind(self) -> int:
        """Kind of what surrounds the bond; see `nanogap.device.bonds.bond_kind`."""
        shared = self.occupied(self.in_frame(SHARED))
        flanks = self.occupied(self.in_frame(FLANKS.reshape(4, 3))).reshape(2, 2).sum(axis=1)
        return bond_kind(shared.tolist(), (int(flanks[0]), int(flanks[1])))

    def in_frame(self, sites: Int64Array) -> Int64Array:
        """Turn sites (n, 3) of the frame of the bond into those of the grid."""
        x, y, z = (int(v) for v in self.end - self.start)
        return self.start + sites @ frame((x, y, z)).T

    def pattern(self) -> int:
        """Return the occupation of `shell` as bits, the same for equivalent hops and their reverse.

        Bits are ordered as `shell` under the operation that makes the number smallest.
        """
        bits = self.occupied(self.in_frame(shell()))
        powers = 1 << np.arange(len(bits), dtype=np.int64)
        return int(np.min(bits[_twins()] @ powers))

    def change(self) -> Int64Array:
        """Count by how many each number of neighbours (13,) becomes more frequent by the hop."""
        return self.counts(end=True) - self.counts(end=False)

    def removal(self) -> Int64Array:
        """Count the same (13,) for the atom at the start: with it less without it."""
        return self.counts(end=False) - self.counts(end=None)

    def counts(self, end: bool | None) -> Int64Array:
        """Count the atoms near the hop by their neighbours, with the atom at an end or away."""
        place = (self.end if end else self.start)[None]
        rest = np.concatenate([self.start + NEAREST, self.end + NEAREST])
        rest = np.unique(rest, axis=0)
        rest = rest[self.occupied(rest) & (rest != self.start).any(axis=1)]
        numbers = self._neighbours(rest)
        if end is not None:
            numbers += (((rest - place) ** 2).sum(axis=1) == 2).astype(np.int64)
            numbers = np.append(numbers, self._neighbours(place))
        return np.bincount(numbers, minlength=13)

    def _neighbours(self, sites: Int64Array) -> Int64Array:
        """Count the neighbours of sites without the atom that hops."""
        around = (sites[:, None] + NEAREST).reshape(-1, 3)
        found = self.occupied(around) & (around != self.start).any(axis=1)
        return np.asarray(found.reshape(len(sites), 12).sum(axis=1), dtype=np.int64)
