"""Trajectories that the figures of a paper are drawn of, and a figure with its numbers.

The paper is doi:10.1039/d3nh00476g; `nanogap.report.paper_figures` draws its figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.errors import DataFormatError
from nanogap.report.atoms import draw_atoms, draw_gap, tip_colours
from nanogap.report.result import RunResult
from nanogap.report.style import INK
from nanogap.report.words import number
from nanogap.typing import BoolArray, Int64Array


@dataclass(frozen=True)
class Trajectory:
    """A run as the figures see it; its atoms are read when they are drawn.

    Attributes
    ----------
    name : str
        Of the run, for the reader.
    result : RunResult
        Without frames.
    there : ndarray of bool, shape (n_snapshots,)
        Snapshots whose atoms are kept.
    read : callable
        Gives the atoms of a snapshot number.
    spectra : callable or None
        Gives T(E) of snapshot numbers, ``transmission_average`` over (``snapshot``, ``energy``);
        None where it can't be computed.
    start : Atoms or None
        The tips before the run, by which adatoms are coloured; None: as in the first snapshot.
    """

    name: str
    result: RunResult
    there: BoolArray
    read: Callable[[int], Atoms]
    spectra: Callable[[Sequence[int]], xr.Dataset] | None = None
    start: Atoms | None = None

    def frame(self, index: int) -> Atoms:
        """Read the atoms of a snapshot by its place."""
        return self.read(int(self.result.numbers[index]))

    @property
    def first(self) -> Atoms:
        """The atoms before the run, or else of the first snapshot that is kept."""
        return self.frame(int(self.with_atoms[0])) if self.start is None else self.start

    @property
    def with_atoms(self) -> Int64Array:
        """Places of the snapshots whose atoms are kept."""
        return np.asarray(np.flatnonzero(self.there), dtype=np.int64)

    @property
    def usable(self) -> BoolArray:
        """Whether atoms and transmission of a snapshot are known, shape (n_snapshots,)."""
        return np.asarray(self.there & np.isfinite(self.result.transmission), dtype=bool)

    @property
    def so_far(self) -> str:
        """Say how much of a run there is, if it is not all."""
        result = self.result
        if result.finished or not len(result.time):
            return ""
        return f"so far {number(result.time[-1])} of {number(result.planned_end, 4)} ps"

    def draw(self, axes: Axes, index: int, first: Atoms, *, whole: bool = False) -> None:
        """Draw the gap of a snapshot, or the whole tips.

        Parameters
        ----------
        axes : Axes
        index : int
            Place of the snapshot.
        first : ase.Atoms
            The first frame: adatoms have the colour of the tip that they belonged to in it.
        whole : bool
            Draw all atoms.
        """
        frame, cutoff = self.frame(index), self.result.settings.voltage.cutoff
        if whole:
            draw_atoms(axes, frame, tip_colours(frame, first), cutoff)
        else:
            draw_gap(axes, frame, first, cutoff)


@dataclass(frozen=True)
class PaperFigure:
    """A figure and the numbers of its curves.

    Attributes
    ----------
    figure : Figure
    columns : tuple of str
        Names with units.
    rows : list of tuple
        One for every point; None where there is no value.
    """

    figure: Figure
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def badge(axes: Axes, text: str) -> None:
    """Write the number of a structure into the corner of its picture."""
    axes.annotate(
        text,
        (0.03, 0.97),
        xycoords="axes fraction",
        ha="left",
        va="top",
        fontsize=10,
        fontweight="bold",
        color="white",
        zorder=10,
        bbox={"boxstyle": "circle,pad=0.25", "facecolor": INK, "edgecolor": "none"},
    )


def fullest(trajectories: Sequence[Trajectory]) -> Trajectory:
    """Choose of several trajectories the one that shows most: in contact, with the largest T.

    Raises
    ------
    DataFormatError
        If there is none with atoms.
    """
    kept = [one for one in trajectories if one.there.any()]
    if not kept:
        raise DataFormatError(
            "no trajectory is kept: give run directories, or set keep.trajectories = 'all' in the "
            "campaign file"
        )

    def rank(one: Trajectory) -> tuple[bool, float]:
        known = one.result.transmission[one.usable]
        return one.result.first_contact is not None, float(known.max(initial=-1.0))

    return max(kept, key=rank)


def need_transmission(one: Trajectory) -> None:
    """Refuse a run without a transmission.

    Raises
    ------
    DataFormatError
        If no snapshot has one.
    """
    if not one.usable.any():
        why = one.result.why_no_transmission
        raise DataFormatError(
            f"{one.name}: no snapshot has a transmission" + (f": {why}" if why else " so far")
        )
