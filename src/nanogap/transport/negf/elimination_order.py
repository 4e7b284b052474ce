"""Order of the block elimination of a channel, and the work that it takes.

The matrix of a channel is sparse along z. Atoms are eliminated in small groups from both leads
towards a central block (frontal elimination: Irons, Int. J. Numer. Meth. Eng. 2, 5 (1970),
doi:10.1002/nme.1620020104). An eliminated group becomes a self-energy of its front: the atoms not
yet eliminated that couple to any eliminated one. Small groups make the most of interactions
that reach over several layers; slices as thick as the reach cost about twice as much.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nanogap.transport.tight_binding.slater_koster import N_ORBITALS
from nanogap.typing import FloatArray, IntArray

#: Floating-point operations that one group costs beside its products, from timings.
_OVERHEAD = 2.0e6
#: Assembling, adding and storing an element of a front is as dear as so many operations.
_TRAFFIC = 300.0
#: Inversions run at this part of the speed of products, from timings.
_INVERSION_SPEED = 0.35
#: The same of the solution of linear equations.
_SOLVING_SPEED = 0.7
#: A group is at most so many atoms, and so large a part of the channel.
_LARGEST_GROUP = 64
#: A complex multiplication and addition is so many operations on real numbers.
_COMPLEX = 8.0


@dataclass(frozen=True)
class EliminationStep:
    """Elimination of one group of atoms.

    Attributes
    ----------
    group : ndarray of int
        Atoms that are eliminated.
    front : ndarray of int
        Atoms that stay and couple to any eliminated atom of this branch.
    """

    group: IntArray
    front: IntArray

    @property
    def operations(self) -> float:
        """Floating-point operations on real numbers of the matrix products and the inversion."""
        g, f = N_ORBITALS * len(self.group), N_ORBITALS * len(self.front)
        return _COMPLEX * (g**3 + g**2 * f + g * f**2)

    @property
    def work(self) -> float:
        """Operations of matrix products that take as long as the step does with all around it."""
        g, f = N_ORBITALS * float(len(self.group)), N_ORBITALS * float(len(self.front))
        return float(_step_work(np.asarray(g), f))


@dataclass(frozen=True)
class EliminationOrder:
    """Order in which the atoms of a channel are eliminated.

    Attributes
    ----------
    touched : tuple of ndarray
        Atoms that couple to the left and to the right lead.
    branches : tuple of list of EliminationStep
        From the left and from the right lead towards the central block.
    central : ndarray of int
        Atoms of the central block, which is solved densely.
    """

    touched: tuple[IntArray, IntArray]
    branches: tuple[list[EliminationStep], list[EliminationStep]]
    central: IntArray

    def front(self, side: int) -> IntArray:
        """Return the atoms of the central block that a branch couples to."""
        steps = self.branches[side]
        return steps[-1].front if steps else self.touched[side]

    @property
    def operations(self) -> float:
        """Floating-point operations on real numbers at one wave vector and energy."""
        steps = [step.operations for branch in self.branches for step in branch]
        return sum(steps) + _COMPLEX / 3.0 * (N_ORBITALS * len(self.central)) ** 3

    @property
    def work(self) -> float:
        """Operations of matrix products that take as long as the whole elimination does."""
        steps = [step.work for branch in self.branches for step in branch]
        return sum(steps) + float(_central_work(np.asarray(N_ORBITALS * float(len(self.central)))))


def _step_work(group: FloatArray, front: float) -> FloatArray:
    """Compute the work of a step from numbers of orbitals: arithmetic, overhead, memory traffic."""
    products = group**3 / _INVERSION_SPEED + group**2 * front + group * front**2
    return np.asarray(_COMPLEX * products + _OVERHEAD + _TRAFFIC * (group + front) ** 2)


def _central_work(size: FloatArray) -> FloatArray:
    """Compute the work of the dense solution of central blocks of so many orbitals."""
    return np.asarray(_COMPLEX / 3.0 * size**3 / _SOLVING_SPEED + _TRAFFIC * size**2)


def plan_elimination(
    pattern: csr_array, heights: FloatArray, touched: tuple[IntArray, IntArray]
) -> EliminationOrder:
    """Choose the order of elimination with the least work.

    Parameters
    ----------
    pattern : scipy.sparse.csr_array, shape (n_atoms, n_atoms)
        Which atoms couple; symmetric.
    heights : ndarray, shape (n_atoms,)
        Positions along the transport direction, angstrom.
    touched : tuple of ndarray
        Atoms that couple to the left and to the right lead.

    Returns
    -------
    EliminationOrder
    """
    order = np.argsort(heights, kind="stable")
    n = len(order)
    rank = np.empty(n, dtype=np.intp)
    rank[order] = np.arange(n)
    counts = np.diff(pattern.indptr)
    rows = np.repeat(np.arange(n), counts)
    # ranks of the neighbours that come first and last, every atom being its own neighbour
    first, last = np.arange(n), np.arange(n)
    np.minimum.at(first, rank[rows], rank[pattern.indices])
    np.maximum.at(last, rank[rows], rank[pattern.indices])
    touches = [np.zeros(n, dtype=bool) for _ in touched]
    for flags, atoms in zip(touches, touched, strict=True):
        flags[rank[atoms]] = True
    left = _Sweep(np.where(touches[0], -1, first))
    right = _Sweep(np.where(touches[1], n, last)[::-1] * -1 + n - 1)
    n_left, n_right = _meeting(left, right, last, touches)
    steps_left = [
        EliminationStep(order[start:stop], order[front])
        for start, stop, front in left.groups(n_left)
    ]
    steps_right = [
        EliminationStep(order[::-1][start:stop], order[::-1][front])
        for start, stop, front in right.groups(n_right)
    ]
    return EliminationOrder(touched, (steps_left, steps_right), order[n_left : n - n_right])


class _Sweep:
    """Elimination from one end: costs of every number of eliminated atoms, and the best groups.

    Parameters
    ----------
    first : ndarray of int, shape (n_atoms,)
        By rank: the lowest rank that an atom couples to, -1 for the lead.
    """

    def __init__(self, first: IntArray) -> None:
        self._first = first
        n = len(first)
        # an atom is in the front from the elimination of its first neighbour to its own
        change = np.zeros(n + 2, dtype=np.intp)
        np.add.at(change, first + 1, 1)
        np.add.at(change, np.arange(n) + 1, -1)
        self.front_sizes = np.cumsum(change)[: n + 1]
        self.costs = np.full(n + 1, np.inf)
        self.costs[0] = 0.0
        self._from = np.zeros(n + 1, dtype=np.intp)
        for stop in range(1, n + 1):
            starts = np.arange(max(0, stop - _LARGEST_GROUP), stop)
            g = N_ORBITALS * (stop - starts).astype(float)
            f = N_ORBITALS * float(self.front_sizes[stop])
            totals = self.costs[starts] + _step_work(g, f)
            best = int(np.argmin(totals))
            self.costs[stop], self._from[stop] = totals[best], starts[best]

    def groups(self, count: int) -> list[tuple[int, int, IntArray]]:
        """Return start, stop and the front after it of the groups of the first `count` atoms."""
        stops = [count]
        while stops[-1] > 0:
            stops.append(int(self._from[stops[-1]]))
        edges = stops[::-1]
        ranks = np.arange(len(self._first))
        return [
            (start, stop, np.flatnonzero((ranks >= stop) & (self._first < stop)))
            for start, stop in pairwise(edges)
        ]


def _meeting(
    left: _Sweep, right: _Sweep, last: IntArray, touches: list[NDArray[np.bool_]]
) -> tuple[int, int]:
    """Choose how many atoms are eliminated from either end, so that the work is least.

    No atom eliminated from one end may couple to one eliminated from the other, or to the other
    lead: each branch may couple to the central block only.
    """
    n = len(last)
    ranks = np.arange(n)
    # highest rank in reach of the first i atoms and of the left lead, by i
    reach = np.maximum.accumulate(np.concatenate([[-1], last]))
    reach = np.maximum(reach, ranks[touches[0]].max(initial=-1))
    lowest_touched = ranks[touches[1]].min(initial=n)
    best, chosen = np.inf, (0, 0)
    for i in range(min(n, int(lowest_touched)) + 1):
        most = min(n - i, n - 1 - int(reach[i]))
        if most < 0:
            break
        j = np.arange(most + 1)
        central = N_ORBITALS * (n - i - j).astype(float)
        work = np.where(central > 0, _central_work(central), np.inf)
        totals = left.costs[i] + right.costs[j] + work
        lowest = int(np.argmin(totals))
        if totals[lowest] < best:
            best, chosen = float(totals[lowest]), (i, lowest)
    return chosen
