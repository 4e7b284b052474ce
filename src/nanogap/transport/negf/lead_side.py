"""Cut of a lead: the place where its perfect crystal ends in a junction."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nanogap.transport.negf.lead_unit import SAME_PLACE, LeadUnit, lead_unit
from nanogap.typing import FloatArray, IntArray

#: Atoms whose heights differ by less are one layer, which is not cut, angstrom.
_SAME_LAYER = 1e-3


class LeadSide:
    """Lead of a junction, and its cut.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Its repeat unit as the junction has it, angstrom.
    members : ndarray of int, shape (n_atoms,)
        Their numbers in the junction.
    unit : LeadUnit
        The same in its own order.
    origin : ndarray, shape (3,)
        Position of its first atom, angstrom.

    Attributes
    ----------
    positions : ndarray, shape (n_atoms, 3)
        As given, but exactly on the sites of the crystal.
    period : float
        Along z, angstrom.
    """

    def __init__(
        self, positions: FloatArray, members: IntArray, unit: LeadUnit, origin: FloatArray
    ) -> None:
        self._labelled_unit, self._labelled_origin = unit, origin
        self.positions, self._members = self.snapped(positions), members
        self._cell, self._periodic = unit.cell, unit.periodic
        self.period, self._direction = unit.period, unit.direction
        # depths grow from the lead into the channel
        self._depths = self._depth(self.positions)
        self._labelled = float(self._depths.max())
        self._cut = self._labelled
        self._made: tuple[LeadUnit, FloatArray] | None = None

    def snapped(self, points: FloatArray) -> FloatArray:
        """Move points that continue the crystal but for rounding onto its sites, (n, 3)."""
        return self._labelled_unit.snapped(points, self._labelled_origin)

    def _depth(self, points: FloatArray) -> FloatArray:
        return np.asarray(-self._direction * points[:, 2])

    @property
    def face(self) -> float:
        """Height of the last layer of the lead, angstrom."""
        return -self._direction * self._cut

    @property
    def unit(self) -> LeadUnit:
        """The last repeat unit before the cut."""
        return self._canonical[0]

    @property
    def origin(self) -> FloatArray:
        """Position of the first atom of `unit`, shape (3,), angstrom."""
        return self._canonical[1]

    @property
    def _canonical(self) -> tuple[LeadUnit, FloatArray]:
        if self._made is None:
            self._made = lead_unit(
                self.shifted(self._last_copies()),
                self._cell,
                self._periodic,
                self.period,
                self._direction,
            )
        return self._made

    def _last_copies(self) -> IntArray:
        """Return the number of the last copy before the cut of every atom, 0 as labelled."""
        steps = (self._cut + _SAME_LAYER / 2.0 - self._depths) / self.period
        return np.floor(steps).astype(np.intp)

    def shifted(self, copies: IntArray) -> FloatArray:
        """Return positions of copies of the unit, numbered towards the channel; (n_atoms, 3)."""
        shifted = self.positions.copy()
        shifted[:, 2] -= self._direction * copies * self.period
        return shifted

    def is_beyond(self, points: FloatArray) -> NDArray[np.bool_]:
        """Tell which points are on the channel's side of the cut, shape (n,)."""
        return np.asarray(self._depth(points) > self._cut + _SAME_LAYER / 2.0)

    def channel_atoms(self) -> tuple[FloatArray, IntArray]:
        """Return the atoms of the labelled lead that belong to the channel, being past the cut.

        Returns
        -------
        positions : ndarray, shape (n, 3)
            Angstrom.
        numbers : ndarray of int, shape (n,)
            In the junction; -1 for atoms of further repeats, which it does not hold.
        """
        last = self._last_copies()
        copies = np.arange(int(last.min(initial=0)), 1)
        points = [self.shifted(np.full(len(last), copy))[last < copy] for copy in copies]
        numbers = [np.where(copy == 0, self._members, -1)[last < copy] for copy in copies]
        return np.concatenate(points), np.concatenate(numbers)

    def retreat(self) -> None:
        """Cut one layer further from the channel."""
        below = np.ceil((self._cut - _SAME_LAYER - self._depths) / self.period) - 1.0
        self._cut_at(float((self._depths + below * self.period).max()))

    def _cut_at(self, depth: float) -> None:
        self._cut, self._made = depth, None

    def cut_where_crystal_ends(
        self,
        channel: FloatArray,
        other: "LeadSide",
        cutoff: float,
        *,
        shifted: FloatArray,
        whole_channel: bool,
    ) -> None:
        """Cut as near to the channel's disorder as the lead's last atoms do not see it.

        Parameters
        ----------
        channel : ndarray, shape (n, 3)
            Atoms of the channel.
        other : LeadSide
            The lead at the other end, as labelled.
        cutoff : float
            How far atoms see, angstrom.
        shifted : ndarray, shape (m, 3)
            Atoms whose levels are shifted, so that they are not the crystal's.
        whole_channel : bool
            Cut so that no atom of the channel sees the lead.
        """
        far = self._depth(other.positions)
        end = float(far.min()) + cutoff + self.period  # the other lead is known so far
        n_other = math.ceil((cutoff + self.period) / other.period) + 1
        repeats = [other.shifted(np.full(len(other.positions), -n)) for n in range(n_other)]
        found = np.concatenate([channel, *repeats])
        n_copies = math.ceil((end - self._labelled) / self.period) + 1
        expected = np.concatenate(
            [self.shifted(np.full(len(self.positions), n)) for n in range(1, n_copies + 1)]
        )
        expected = expected[self._depth(expected) <= end]
        wrong = np.concatenate(
            [
                self._depth(expected[~self._matched(expected, found)]),
                self._depth(found[~self._matched(found, expected)]),
                self._depth(shifted),
                [end],
            ]
        )
        # only atoms of the channel become part of the lead
        limit = min(float(wrong.min()) - cutoff - SAME_PLACE, float(far.min()) - _SAME_LAYER)
        if whole_channel and len(channel):
            limit = min(limit, float(self._depth(channel).min()) - cutoff - SAME_PLACE)
        above = np.floor((limit - self._depths) / self.period)
        self._cut_at(float((self._depths + above * self.period).max()))
        while float(wrong.min()) - self._cut <= cutoff + SAME_PLACE:
            self.retreat()

    def _matched(self, points: FloatArray, others: FloatArray) -> NDArray[np.bool_]:
        """Tell which points coincide with others but for lattice translations."""
        if not len(points) or not len(others):
            return np.zeros(len(points), dtype=bool)
        inverse = np.linalg.inv(self._cell)
        steps = [(-1.0, 0.0, 1.0) if axis else (0.0,) for axis in self._periodic]
        images = np.array([(i, j) for i in steps[0] for j in steps[1]]) @ self._cell
        home = []
        for group in (points, others):
            fractional = group[:, :2] @ inverse
            fractional -= np.where(self._periodic, np.floor(fractional), 0.0)
            home.append(np.column_stack([fractional @ self._cell, group[:, 2]]))
        everywhere = home[1][None] + np.column_stack([images, np.zeros(len(images))])[:, None]
        distance, _ = cKDTree(everywhere.reshape(-1, 3)).query(home[0])
        return np.asarray(distance < SAME_PLACE)
