"""Repeat unit of a lead: one order and one place for all its copies."""

import math
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from nanogap.typing import FloatArray

#: Atoms that agree to this are translations of each other, angstrom: files round positions, some to
#: four decimals, and heat moves atoms by a hundred times more.
SAME_PLACE = 5e-4
#: Decimals of the places within a unit: the same for all copies of a lead, whatever was added to
#: and taken from their coordinates before.
_DECIMALS = 10


@dataclass(frozen=True)
class LeadUnit:
    """Repeat unit of a lead, in the order and place that all its copies share.

    Attributes
    ----------
    positions : ndarray, shape (n_translations * n_motif, 3)
        Translation-major, from the first atom of the motif, angstrom.
    translations : ndarray, shape (n_translations, 2)
        Translations in the plane that map the lead onto itself, fractions of the cell.
    cell : ndarray, shape (2, 2)
        In-plane cell, angstrom.
    periodic : tuple of bool
        In the plane.
    period : float
        Along z, angstrom.
    direction : int
        -1 if the lead extends towards -z, else 1.
    """

    positions: FloatArray
    translations: FloatArray
    cell: FloatArray
    periodic: tuple[bool, bool]
    period: float
    direction: int

    @property
    def motif_size(self) -> int:
        """Atoms per translation."""
        return len(self.positions) // len(self.translations)

    @property
    def key(self) -> tuple[object, ...]:
        """Content that two equal leads share, wherever they are."""
        return (
            *((a + 0.0).tobytes() for a in (self.positions, self.translations, self.cell)),
            self.periodic,
            self.period,
            self.direction,
        )

    def snapped(self, points: FloatArray, origin: FloatArray) -> FloatArray:
        """Move points that are on sites of the endless lead but for rounding onto these sites.

        Parameters
        ----------
        points : ndarray, shape (n, 3)
            Angstrom.
        origin : ndarray, shape (3,)
            Position of the first atom of the unit, angstrom.

        Returns
        -------
        ndarray, shape (n, 3)
            None is moved by more than `SAME_PLACE`.
        """
        away = _off_lattice(
            points[:, None] - origin - self.positions, self.cell, self.periodic, self.period
        )
        nearest = np.linalg.norm(away, axis=-1).argmin(axis=1)
        step = away[np.arange(len(points)), nearest]
        return points - np.where(np.linalg.norm(step, axis=1) < SAME_PLACE, step.T, 0.0).T

    def crystal(self, element: str) -> Atoms:
        """Return the lead continued without end, as a periodic structure."""
        cell = np.zeros((3, 3))
        cell[:2, :2], cell[2, 2] = self.cell, self.period
        return Atoms(
            f"{element}{len(self.positions)}",
            positions=self.positions,
            cell=cell,
            pbc=(*self.periodic, True),
        )


def lead_unit(
    positions: FloatArray,
    cell: FloatArray,
    periodic: tuple[bool, bool],
    period: float,
    direction: int,
) -> tuple[LeadUnit, FloatArray]:
    """Bring the unit of a lead into the order and place that all its copies share.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        Angstrom.
    cell : ndarray, shape (2, 2)
        In-plane cell, angstrom.
    periodic : tuple of bool
        In the plane.
    period : float
        Along z, angstrom.
    direction : int
        -1 if the lead extends towards -z, else 1.

    Returns
    -------
    unit : LeadUnit
    origin : ndarray, shape (3,)
        Position of the first atom of the unit, angstrom.
    """
    inverse = np.linalg.inv(cell)
    home = positions[:, :2] @ inverse
    home = np.where(periodic, home - np.floor(home + 1e-9), home)
    positions = np.column_stack([home @ cell, positions[:, 2]])
    translations = _translations(positions, cell, periodic)
    shifts = np.column_stack([translations @ cell, np.zeros(len(translations))])
    order = np.lexsort((*np.round(positions[:, :2].T, 4), np.round(positions[:, 2], 4)))
    left = positions[order]
    first, motif = left[0], []
    while len(left):
        # of all copies of an atom, the one nearest to the first; ties broken by its direction
        copies = (left[0] + shifts)[:, None, :] + np.column_stack(
            [_images(periodic) @ cell, np.zeros(len(_images(periodic)))]
        )
        relative = copies.reshape(-1, 3) - first
        rank = np.lexsort((*np.round(relative.T, 4), np.round(np.linalg.norm(relative, axis=1), 4)))
        away = _off_lattice(left[:, None] - left[0] - shifts, cell, periodic)
        nearest = np.linalg.norm(away, axis=-1).argmin(axis=1)
        away = away[np.arange(len(left)), nearest]
        same = np.linalg.norm(away, axis=1) <= 2.0 * SAME_PLACE
        # the mean of all copies is nearer to where they would be than any that a file rounded
        motif.append(relative[rank[0]] + away[same].mean(axis=0))
        left = left[~same]
    unit = LeadUnit(
        positions=(shifts[:, None, :] + np.round(np.array(motif) - motif[0], _DECIMALS)).reshape(
            -1, 3
        ),
        translations=translations,
        cell=cell,
        periodic=periodic,
        period=round(period, _DECIMALS),
        direction=direction,
    )
    if len(unit.positions) != len(positions):  # positions too irregular to sort into copies
        plain = np.round(positions[order] - first, _DECIMALS)
        return replace(unit, positions=plain, translations=np.zeros((1, 2))), first
    return unit, first + motif[0]


def _off_lattice(
    difference: FloatArray,
    cell: FloatArray,
    periodic: tuple[bool, bool],
    period: float = math.inf,
) -> FloatArray:
    """Take the nearest lattice translation off differences of places, shape (..., 3)."""
    fractional = difference[..., :2] @ np.linalg.inv(cell)
    fractional -= np.where(periodic, np.rint(fractional), 0.0)
    turns = np.rint(difference[..., 2:] / period)
    steps = turns * period if math.isfinite(period) else 0.0
    return np.concatenate([fractional @ cell, difference[..., 2:] - steps], axis=-1)


def _images(periodic: tuple[bool, bool]) -> FloatArray:
    """Cells around the home cell, shape (n, 2)."""
    reach = [(-1, 0, 1) if axis else (0,) for axis in periodic]
    return np.array([(i, j) for i in reach[0] for j in reach[1]], dtype=np.float64)


def _translations(
    positions: FloatArray, cell: FloatArray, periodic: tuple[bool, bool]
) -> FloatArray:
    """Find translations within the cell that map all atoms onto atoms, fractions, shape (n, 2)."""
    inverse = np.linalg.inv(cell)
    images = np.column_stack([_images(periodic) @ cell, np.zeros(len(_images(periodic)))])
    everywhere = (positions[None] + images[:, None]).reshape(-1, 3)
    tree = cKDTree(everywhere)
    level = np.abs(positions[:, 2] - positions[0, 2]) < SAME_PLACE
    found = []
    for step in positions[level] - positions[0]:
        fraction = step[:2] @ inverse
        fraction = np.where(periodic, fraction - np.floor(fraction + 1e-6), fraction)
        moved = positions + np.append(fraction @ cell, 0.0)
        wrapped = moved[:, :2] @ inverse
        moved[:, :2] = np.where(periodic, wrapped - np.floor(wrapped), wrapped) @ cell
        if tree.query(moved)[0].max() < SAME_PLACE:
            found.append(fraction)
    # a group of N translations has fractions that are whole numbers over N
    fractions = np.rint(np.array(found) * len(found)) / len(found)
    if np.linalg.norm((fractions - np.array(found)) @ cell, axis=1).max() > SAME_PLACE:
        return np.zeros((1, 2))
    return np.asarray(
        fractions[np.lexsort((np.round(fractions[:, 1], 6), np.round(fractions[:, 0], 6)))]
    )
