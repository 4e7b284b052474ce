"""The repeat unit of a lead: one order and one place for all its copies."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]

#: Atoms that agree to this within the lead are translations of each other, angstrom.
_SAME_PLACE = 1e-5


@dataclass(frozen=True)
class LeadUnit:
    """The repeat unit of a lead, in the order and place that all its copies share.

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
        """What makes two leads the same, wherever they stand."""
        return (
            *(
                (np.round(a, 8) + 0.0).tobytes()
                for a in (self.positions, self.translations, self.cell)
            ),
            self.periodic,
            round(self.period, 8),
            self.direction,
        )

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
        Where the first atom of the unit stands, angstrom.
    """
    inverse = np.linalg.inv(cell)
    home = positions[:, :2] @ inverse
    home = np.where(periodic, home - np.floor(home + 1e-9), home)
    positions = np.column_stack([home @ cell, positions[:, 2]])
    translations = _translations(positions, cell, periodic)
    shifts = np.column_stack([translations @ cell, np.zeros(len(translations))])
    order = np.lexsort((*np.round(positions[:, :2].T, 4), np.round(positions[:, 2], 4)))
    left = positions[order]
    origin, motif = left[0], []
    while len(left):
        # of all copies of an atom, the one nearest to the origin; ties broken by its direction
        copies = (left[0] + shifts)[:, None, :] + np.column_stack(
            [_images(periodic) @ cell, np.zeros(len(_images(periodic)))]
        )
        relative = copies.reshape(-1, 3) - origin
        rank = np.lexsort((*np.round(relative.T, 4), np.round(np.linalg.norm(relative, axis=1), 4)))
        motif.append(relative[rank[0]])
        difference = (left - left[0])[:, None, :] - shifts[None]
        fractional = difference[:, :, :2] @ inverse
        fractional -= np.where(periodic, np.rint(fractional), 0.0)
        distance = np.hypot(
            np.linalg.norm(fractional @ cell, axis=-1), np.abs(difference[:, :, 2])
        ).min(axis=1)
        left = left[distance > 2.0 * _SAME_PLACE]
    unit = LeadUnit(
        positions=(shifts[:, None, :] + np.array(motif)[None]).reshape(-1, 3),
        translations=translations,
        cell=cell,
        periodic=periodic,
        period=period,
        direction=direction,
    )
    if len(unit.positions) != len(positions):  # positions too irregular to sort into copies
        plain = LeadUnit(
            positions[order] - origin, np.zeros((1, 2)), cell, periodic, period, direction
        )
        return plain, origin
    return unit, origin


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
    level = np.abs(positions[:, 2] - positions[0, 2]) < _SAME_PLACE
    found = []
    for step in positions[level] - positions[0]:
        fraction = step[:2] @ inverse
        fraction = np.where(periodic, fraction - np.floor(fraction + 1e-6), fraction)
        moved = positions + np.append(fraction @ cell, 0.0)
        wrapped = moved[:, :2] @ inverse
        moved[:, :2] = np.where(periodic, wrapped - np.floor(wrapped), wrapped) @ cell
        if tree.query(moved)[0].max() < _SAME_PLACE:
            found.append(fraction)
    fractions = np.array(found)
    return np.asarray(
        fractions[np.lexsort((np.round(fractions[:, 1], 6), np.round(fractions[:, 0], 6)))]
    )
