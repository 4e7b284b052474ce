"""Lattice configurations that occur in a device, and hops in them.

Half crystals with steps, kinks, corners and facets (unions of crystals cut by low-index planes),
constrictions and chains one to six atoms wide between such faces, clusters on terraces, all
roughened by exchanging atoms of the surface with empty sites at a temperature; and random partial
shells around a bond.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numba import njit

from nanogap.typing import BoolArray, FloatArray, Int64Array
from parametrisation.barriers.sites import HALF, NEAREST, Hop, shell

_NORMALS: FloatArray = np.array(
    [(1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 0, 0), (1, 0, 0), (1, 1, 0), (3, 1, 1), (2, 1, 1)], float
)
_AXES = ((1, 1, 1), (1, 0, 0), (1, 1, 0), (1, 1, 0))
#: Sites whose hops are taken lie within this distance of the middle, half lattice constants.
_MIDDLE = 8.0


def grid_sites() -> tuple[Int64Array, BoolArray]:
    """Return all points (n, 3) of the grid, and which are sites."""
    axis = np.arange(-HALF, HALF + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    return points, points.sum(axis=-1) % 2 == 0


def _turned(vector: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Turn a vector into an equivalent direction of unit length."""
    turned = rng.permutation(vector) * rng.choice([-1, 1], 3)
    return np.asarray(turned / np.linalg.norm(turned))


def crystal(points: Int64Array, rng: np.random.Generator) -> BoolArray:
    """Cut one to three crystals by one to three planes each, and join them."""
    base = _turned(rng.choice(_NORMALS), rng)
    found = points @ base < rng.uniform(-6, 0)
    for _ in range(rng.integers(0, 3)):
        level = rng.uniform(0, 7)
        inside = points @ base < level
        for _ in range(rng.integers(1, 4)):
            inside &= points @ _turned(rng.choice(_NORMALS), rng) < rng.uniform(-4, 5)
        found |= inside
    return np.asarray(found)


def constriction(points: Int64Array, rng: np.random.Generator) -> BoolArray:
    """Join two cones or faces by a cylinder one to six atoms wide, or leave a gap."""
    axis = _turned(np.array(_AXES[rng.integers(len(_AXES))], float), rng)
    centre = rng.uniform(-1, 1, 3)
    along = (points - centre) @ axis
    radial = np.linalg.norm(points - centre - along[..., None] * axis, axis=-1)
    length, radius = rng.uniform(2, 12), rng.uniform(0.4, 4.2)
    opening = rng.choice([0.5, 1.0, 2.0, 100.0])
    gap = rng.choice([0, 0, rng.uniform(0, length)])
    beyond = np.abs(along) - length / 2
    wide = (beyond > 0) & (radial < radius + opening * beyond)
    return np.asarray(wide | ((radial < radius) & (np.abs(along) >= gap / 2)))


def cluster(points: Int64Array, rng: np.random.Generator) -> BoolArray:
    """Put a small cap on a flat face."""
    normal = _turned(rng.choice(_NORMALS), rng)
    level, radius = rng.uniform(-5, 0), rng.uniform(1.5, 8)
    centre = rng.uniform(-2, 2, 3) + normal * (level - rng.uniform(0, radius))
    away = np.linalg.norm(points - centre, axis=-1)
    return np.asarray((points @ normal < level) | (away < radius * rng.uniform(1, 1.5)))


@njit(cache=True)  # type: ignore[untyped-decorator]
def roughen(  # noqa: PLR0917 compiled: no keywords
    grid: BoolArray,
    nearest: Int64Array,
    candidates: Int64Array,
    cost: float,
    attempts: int,
    seed: int,
) -> None:
    """Move atoms to empty sites by Metropolis' rule, in place.

    Parameters
    ----------
    grid : BoolArray
        Occupation, as of `Hop`.
    nearest : Int64Array
        (12, 3) nearest neighbours.
    candidates : Int64Array
        (n, 3) indices of sites that may change.
    cost : float
        Energy of a bond over kT.
    attempts : int
        Exchanges tried.
    seed : int
        Of the random numbers.
    """
    np.random.seed(seed)  # noqa: NPY002 the generator of compiled code
    for _ in range(attempts):
        a = candidates[np.random.randint(len(candidates))]  # noqa: NPY002
        b = candidates[np.random.randint(len(candidates))]  # noqa: NPY002
        if not grid[a[0], a[1], a[2]] or grid[b[0], b[1], b[2]]:
            continue
        before, after = 0, 0
        for k in range(12):
            v = nearest[k]
            if grid[a[0] + v[0], a[1] + v[1], a[2] + v[2]]:
                before += 1
            if grid[b[0] + v[0], b[1] + v[1], b[2] + v[2]]:
                after += 1
            if a[0] == b[0] + v[0] and a[1] == b[1] + v[1] and a[2] == b[2] + v[2]:
                after -= 1
        if after >= 3 and np.random.random() < np.exp((after - before) * cost):  # noqa: NPY002
            grid[a[0], a[1], a[2]] = False
            grid[b[0], b[1], b[2]] = True


def prune(grid: BoolArray, candidates: Int64Array, least: int = 3) -> None:
    """Remove atoms with fewer neighbours than `least` until none is left, in place."""
    while True:
        around = candidates[:, None] + NEAREST
        numbers = grid[tuple(np.moveaxis(around, -1, 0))].sum(axis=1)
        loose = candidates[grid[tuple(candidates.T)] & (numbers < least)]
        if not len(loose):
            return
        grid[tuple(loose.T)] = False


def configurations(rng: np.random.Generator) -> Iterator[BoolArray]:
    """Make configurations without end."""
    points, sites = grid_sites()
    # 14 half lattice constants: beyond, an atom is not seen by the free ones of a hop
    candidates = np.argwhere(sites & (np.linalg.norm(points, axis=-1) < 14.0))
    while True:
        shape = (crystal, constriction, cluster)[rng.choice(3, p=[0.4, 0.45, 0.15])]
        grid = shape(points, rng) & sites
        prune(grid, candidates, 2)
        attempts = int(rng.choice([0, 3e3, 3e4, 2e5]))
        cost = 0.22 / (8.617e-5 * rng.uniform(350, 1600))
        roughen(grid, NEAREST, candidates, cost, attempts, int(rng.integers(2**31)))
        prune(grid, candidates, int(rng.choice([2, 3, 3, 3, 3, 3])))
        yield grid


def hops_of(grid: BoolArray) -> Int64Array:
    """List starts and ends (n, 2, 3) of the hops in the middle, with two neighbours or more."""
    middle = np.argwhere(np.ones((19, 19, 19), dtype=bool)) - 9
    middle = middle[(middle.sum(axis=1) % 2 == 0) & (np.linalg.norm(middle, axis=1) < _MIDDLE)]
    around = middle[:, None] + NEAREST
    full = grid[tuple(np.moveaxis(around + HALF, -1, 0))]
    here = grid[tuple((middle + HALF).T)]
    numbers = full.sum(axis=1)
    rows, directions = np.nonzero(here[:, None] & ~full & (numbers >= 2)[:, None])
    starts = middle[rows]
    pairs: Int64Array = np.stack([starts, starts + NEAREST[directions]], axis=1)
    return pairs


def partial_shell(hop: Hop, rng: np.random.Generator) -> Hop:
    """Fill the first and second neighbours of a hop at random, then remove loose atoms."""
    grid = hop.grid.copy()
    around = hop.in_frame(shell()) + HALF
    grid[tuple(around.T)] = rng.random(len(around)) < rng.uniform(0.15, 0.9)
    near = np.argwhere(np.ones((11, 11, 11), dtype=bool)) - 5
    near = near[(near.sum(axis=1) % 2 == 0) & (near != 0).any(axis=1)] + hop.start + HALF
    prune(grid, near[(near != hop.end + HALF).any(axis=1)])
    return Hop(grid, hop.start, hop.end)


class Chooser:
    """Chooses hops: rare surroundings are preferred, fruitless ones given up.

    Parameters
    ----------
    seed : int
        Of the environments.
    """

    #: Hops of a configuration, at most; wanted barriers, and failures after which none is expected,
    #: of hops with the same neighbours and kind.
    PER_CONFIGURATION, WANTED, FRUITLESS = 12, 40, 5

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._found: Counter[tuple[int, int, int]] = Counter()
        self._failed: Counter[tuple[int, int, int]] = Counter()
        self._known: set[int] = set()

    def report(self, hop: Hop, found: bool) -> None:
        """Take notice of whether a hop had a barrier."""
        (self._found if found else self._failed)[_key(hop)] += 1

    def _worth(self, hop: Hop) -> float:
        """Return how much a further hop of its sort is wanted, from 0 to 1."""
        found, failed = self._found[_key(hop)], self._failed[_key(hop)]
        if hop.pattern() in self._known or min(hop.ends) < 2:
            return 0.0
        rate = (found + 1) / (found + failed + 1)
        hopeless = failed >= self.FRUITLESS * (found + 1)
        return 0.0 if hopeless else rate * max(0.05, 1 - found / self.WANTED)

    def hops(self) -> Iterator[tuple[str, Hop]]:
        """Choose hops without end.

        Yields
        ------
        tuple
            ``"surface"`` or ``"shell"``, and the hop.
        """
        for grid in configurations(self._rng):
            pairs = hops_of(grid)
            chosen = pairs[self._rng.permutation(len(pairs))[: 5 * self.PER_CONFIGURATION]]
            taken = 0
            for start, end in chosen:
                hop, source = Hop(grid, start, end), "surface"
                if self._rng.random() < 0.1:
                    hop, source = partial_shell(hop, self._rng), "shell"
                if self._rng.random() > self._worth(hop):
                    continue
                self._known.add(hop.pattern())
                taken += 1
                yield source, hop
                if taken == self.PER_CONFIGURATION:
                    break


def _key(hop: Hop) -> tuple[int, int, int]:
    """Return what the table of saddles distinguishes."""
    low, high = sorted(hop.ends)
    return low, high, hop.kind
