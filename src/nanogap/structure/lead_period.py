"""The period of a lead against the channel, which begins with the lead's next repeat.

TranSIESTA compares the atoms of an electrode with those of the device (``TS.Elec.Coord.Eps``,
doi:10.1016/j.cpc.2016.09.022). Here the channel itself is looked at: its first planes are those of
the lead, one period on. Where they are so at another distance, the period is wrong.
"""

import math
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from scipy.spatial import cKDTree

from nanogap.errors import StructureError
from nanogap.structure.plane_cell import reduced_plane
from nanogap.typing import FloatArray, IntArray

#: The first repeat of a lead may stand so far from where the channel goes on, angstrom: files round
#: periods to two decimals.
TOLERANCE = 0.02
#: Atoms of one plane of a lead have the same height to this, angstrom.
_PLANE = 0.3
#: Parts of a bond: how far an atom of a hot or relaxed plane may be from its site, how far such a
#: plane may have moved as a whole, and how far apart atoms still touch.
_SITE, _RELAXED, _TOUCH = 0.25, 0.05, 1.35
#: A distance fits better if it is nearer by this part.
_BETTER = 0.01
#: Fewer atoms may be in line with a lead by chance.
_FEW = 3
#: Copies are searched for this far, in periods of the lead, and planes compared so many.
_FARTHEST, _MOST_PLANES = 4.0, 6
_BOHR = 0.529177


@dataclass(frozen=True)
class _Sites:
    """Atoms, periodic in the plane, whose nearest to a point can be asked for."""

    positions: FloatArray
    numbers: IntArray
    cell: FloatArray
    periodic: tuple[bool, bool]
    tree: cKDTree

    @classmethod
    def of(cls, positions: FloatArray, numbers: IntArray, junction: Atoms) -> "_Sites":
        periodic = (bool(junction.pbc[0]), bool(junction.pbc[1]))
        cell, _ = reduced_plane(junction.cell.array[:2, :2], periodic)
        for axis in (0, 1):
            if not periodic[axis]:  # any vector that is independent of the other will do
                other = cell[1 - axis] if periodic[1 - axis] else np.eye(2)[1 - axis]
                cell[axis] = [-other[1], other[0]]
        reach = [(-1, 0, 1) if axis else (0,) for axis in periodic]
        images = np.array([(i, j) for i in reach[0] for j in reach[1]]) @ cell
        home = _home(positions, cell, periodic)
        everywhere = home + np.column_stack([images, np.zeros(len(images))])[:, None]
        return cls(positions, numbers, cell, periodic, cKDTree(everywhere.reshape(-1, 3)))

    def nearest(self, points: FloatArray) -> tuple[FloatArray, IntArray]:
        """Displacements to the nearest atoms, shape (n, 3), and which these are, shape (n,)."""
        home = _home(points, self.cell, self.periodic)
        _, found = self.tree.query(home)
        return np.asarray(self.tree.data[found] - home), found % len(self.positions)


def _home(points: FloatArray, cell: FloatArray, periodic: tuple[bool, bool]) -> FloatArray:
    """Wrap points into the cell along its periodic vectors."""
    fractional = points[:, :2] @ np.linalg.inv(cell)
    fractional -= np.where(periodic, np.floor(fractional), 0.0)
    return np.column_stack([fractional @ cell, points[:, 2]])


@dataclass(frozen=True)
class _Match:
    """Planes at the beginning of a channel that are those of the lead, some shift on.

    ``shift`` is in angstrom, ``scatter`` how far an atom is from its site at most.
    """

    shift: float
    planes: int
    atoms: int
    scatter: float


class _LeadEnd:
    """A lead and what follows it, along z as seen from it into the channel."""

    def __init__(self, junction: Atoms, side: str) -> None:
        self.period = float(junction.info[f"{side}_period"])
        sign = np.array([1.0, 1.0, 1.0 if side == "left" else -1.0])
        chosen = junction.arrays["region"] == side
        order = np.argsort(sign[2] * junction.positions[chosen, 2], kind="stable")
        self._unit = (junction.positions[chosen] * sign)[order]
        self._numbers = junction.numbers[chosen][order]
        steps = np.flatnonzero(np.diff(self._unit[:, 2]) > _PLANE) + 1
        self.planes = np.split(np.arange(len(order)), steps)
        self.bond = float(2.0 * covalent_radii[self._numbers].mean())
        self._plane = Atoms(cell=junction.cell, pbc=(*junction.pbc[:2], False))
        self._own = _Sites.of(self._unit, self._numbers, junction)
        other = junction.arrays["region"] == ("right" if side == "left" else "left")
        step = float(junction.info["right_period" if side == "left" else "left_period"])
        positions, numbers = [junction.positions[~chosen] * sign], [junction.numbers[~chosen]]
        far = self._unit[-1, 2] + _FARTHEST * self.period
        for repeat in range(1, 2 + max(0, math.ceil((far - positions[0][:, 2].max()) / step))):
            positions.append(junction.positions[other] * sign + [0.0, 0.0, repeat * step])
            numbers.append(junction.numbers[other])
        self._beyond = _Sites.of(np.concatenate(positions), np.concatenate(numbers), junction)

    def match(self, shift: float) -> _Match | None:
        """Follow the lead into the channel with a period near a shift; None: not for one plane."""
        found = self._first_plane(shift)
        if found is None:
            return None
        refined = shift + float(found[:, 2].mean())
        planes, used, scatter = 0, np.zeros(0, dtype=np.intp), 0.0
        for number in range(max(len(self.planes), _MOST_PLANES)):
            turns, plane = divmod(number, len(self.planes))
            sites = self._unit[self.planes[plane]] + [0.0, 0.0, (turns + 1) * refined]
            away, owner = self._beyond.nearest(sites)
            apart = float(np.linalg.norm(away, axis=1).max())
            same = np.array_equal(self._beyond.numbers[owner], self._numbers[self.planes[plane]])
            owners = np.union1d(used, owner)
            passed = np.flatnonzero(self._beyond.positions[:, 2] < sites[:, 2].max() + _PLANE)
            if (
                apart > _SITE * self.bond
                or not same
                or len(owners) < len(used) + len(owner)
                or len(np.setdiff1d(passed, owners))
            ):
                break
            planes, used, scatter = planes + 1, owners, max(scatter, apart)
        return _Match(refined, planes, len(used), scatter) if planes else None

    def _first_plane(self, shift: float) -> FloatArray | None:
        """Displacements of the channel from the first plane of a repeat, if all of it is there."""
        sites = self._unit[self.planes[0]] + [0.0, 0.0, shift]
        away, _ = self._beyond.nearest(sites)
        return None if np.linalg.norm(away, axis=1).max() > _SITE * self.bond else away

    def other_period(self) -> _Match | None:
        """Find the smallest other shift at which the channel goes on as the lead does."""
        lowest, thickness = self._unit[0], float(np.ptp(self._unit[:, 2]))
        column = _Sites.of(lowest[None] * [1.0, 1.0, 0.0], self._numbers[:1], self._plane)
        away, _ = column.nearest(self._beyond.positions * [1.0, 1.0, 0.0])
        in_line = np.linalg.norm(away, axis=1) < _SITE * self.bond
        rises = np.unique(self._beyond.positions[in_line, 2] - lowest[2])
        for rise in rises[(rises > thickness) & (rises < _FARTHEST * self.period + thickness)]:
            if self._distance(float(rise)) > _TOUCH * self.bond:
                return None  # a gap, not a period
            found = self.match(float(rise))
            if found is not None and found.scatter < _SITE * self.bond / 2.0:
                return found
        return None

    def _distance(self, shift: float) -> float:
        """Least distance of a copy of the lead, some shift on, from the lead."""
        sites = self._unit[self.planes[0]] + [0.0, 0.0, shift]
        return float(np.linalg.norm(self._own.nearest(sites)[0], axis=1).min())

    def is_better(self, shift: float) -> bool:
        """Whether a copy of the lead fits it better some shift on than one period on.

        It then touches the lead at the distance that atoms within the lead have, and that of the
        period does not; otherwise it is the channel that is strained, or pulled away.
        """
        steps = np.linalg.norm(self._unit[None] - self._unit[:, None], axis=-1)
        within = min(steps[steps > 0.0].min(initial=np.inf), *self._in_plane)
        if not np.isfinite(within):
            return True
        misfit = [abs(self._distance(one) / within - 1.0) for one in (shift, self.period)]
        return bool(misfit[0] + _BETTER < misfit[1])

    @property
    def _in_plane(self) -> list[float]:
        """Lengths of the cell's vectors along which the junction is periodic, angstrom."""
        sides = np.linalg.norm(self._own.cell, axis=1)
        periodic = self._own.periodic
        return [float(side) if axis else np.inf for side, axis in zip(sides, periodic, strict=True)]

    def left_out(self) -> int:
        """Count the atoms of a crystal of the lead's period that the lead leaves out."""
        step = np.array([0.0, 0.0, self.period])
        next_unit = self._unit + step
        if np.linalg.norm(self._beyond.nearest(next_unit)[0], axis=1).max() > TOLERANCE:
            return 0
        heights = self._beyond.positions[:, 2]
        between = self._beyond.positions[heights < next_unit[0, 2] - _PLANE]
        if not len(between):
            return 0
        away, owner = self._beyond.nearest(between + step)
        crystal = np.linalg.norm(away, axis=1).max() < _PLANE
        return len(between) if crystal and len(np.unique(owner)) == len(owner) else 0


def lead_note(junction: Atoms, side: str, name: str) -> str | None:
    """Compare the period of a lead with the channel.

    Parameters
    ----------
    junction : ase.Atoms
        Its arrays and periods are sound one by one (`nanogap.structure.junction`).
    side : str
        ``left`` or ``right``.
    name : str
        What the message calls the junction.

    Returns
    -------
    str or None
        A sentence if the channel does not go on as the lead does, which may be meant; None if its
        next repeat stands where the channel goes on, to `TOLERANCE` or to what heat moves atoms.

    Raises
    ------
    StructureError
        If the channel goes on as the lead does, but with another period.
    """
    end, key = _LeadEnd(junction, side), f"{side}_period"
    found = end.match(end.period) or end.other_period()
    count = 0 if found else end.left_out()
    if count:
        raise StructureError(
            f"{name}: {key} = {end.period:g} Å, but the crystal has {count} more atoms between the "
            f"'{side}' atoms and their next repeat: label all atoms of one period '{side}'"
        )
    if found is None:
        return (
            f"{name}: the channel does not begin with the next repeat of the '{side}' atoms, {key} "
            f"= {end.period:g} Å on: right if the lead ends there, as at a bare surface, else the "
            "period or the labels are wrong"
        )
    off = abs(found.shift - end.period)
    slack = max(TOLERANCE, found.scatter, _RELAXED * end.bond if found.atoms < _FEW else 0.0)
    if off <= slack:
        return None
    true = f"{found.shift:.{4 if found.scatter <= TOLERANCE else 2}f}"
    stands = (
        f"{name}: {key} = {end.period:g} Å, but the channel goes on as the '{side}' atoms do "
        f"{true} Å on"
    )
    # planes of a crystal that keep their distances but not that from the lead are not strained
    better = end.is_better(found.shift)
    rigid = len(end.planes) > 1 and found.planes > 1 and 3.0 * max(found.scatter, TOLERANCE) < off
    moved = found.atoms >= _FEW and off > _RELAXED * end.bond
    if better and (rigid or (moved and (len(end.planes[0]) >= _FEW or off > _SITE * end.bond))):
        bohr = abs(end.period * _BOHR - found.shift) <= TOLERANCE
        raise StructureError(
            f"{stands}: give {key} = {true}{' (in Å, not in bohr)' if bohr else ''}"
        )
    return f"{stands}: right if the channel is strained or pulled away, else give {key} = {true}"
