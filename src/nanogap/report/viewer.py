"""The interactive view: frames as compact arrays, and the plotting library, compressed."""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import matplotlib as mpl
import numpy as np
from ase import Atoms
from matplotlib.colors import to_hex
from plotly.offline import get_plotlyjs

from nanogap.report.atoms import (
    Colouring,
    atom_radius,
    colourings,
)
from nanogap.report.result import RunResult
from nanogap.report.style import STAGE_COLOURS
from nanogap.report.words import number, transmission_text
from nanogap.typing import FloatArray

#: Largest value of the 16-bit integers that numbers travel as.
_FULL_SCALE = 32_000


@cache
def compressed_plotly() -> str:
    """Return plotly's library in gzip and base64, a third of its size; the page unpacks it."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()


@dataclass(frozen=True)
class Packed:
    """Numbers as little-endian 16-bit integers in base64.

    Attributes
    ----------
    unit : float
        Value of one unit of the integers.
    data : str
    """

    unit: float
    data: str


@dataclass(frozen=True)
class PackedColouring:
    """One way to colour the atoms of all frames.

    Attributes
    ----------
    title, unit : str
    limit : float
        Value of the full colour.
    scale : list
        Places between 0 and 1 and their colours, ``#rrggbb``.
    values : Packed
        Of every atom of every frame.
    """

    title: str
    unit: str
    limit: float
    scale: list[tuple[float, str]]
    values: Packed


@dataclass(frozen=True)
class FrameLabel:
    """Line under a frame, and its time in ps."""

    label: str
    time: float


@dataclass(frozen=True)
class StageTrace:
    """T(t) with the stages, over all snapshots.

    Attributes
    ----------
    time : list of float
        ps.
    transmission : list of float or None
        At the Fermi energy, G0; None where it is not known.
    stage, colour : list of str
    """

    time: list[float]
    transmission: list[float | None]
    stage: list[str]
    colour: list[str]


@dataclass(frozen=True)
class ViewData:
    """Content of the interactive view, which the page carries as JSON.

    Attributes
    ----------
    atoms : int
        Of every frame.
    radius : float
        Of an atom, angstrom.
    positions : Packed
        Of every atom of every frame about the middle of the first, angstrom.
    colourings : list of PackedColouring
    frames : list of FrameLabel
    trace : StageTrace
    start : int
        Frame to begin with: the first contact.
    """

    atoms: int
    radius: float
    positions: Packed
    colourings: list[PackedColouring]
    frames: list[FrameLabel]
    trace: StageTrace
    start: int


def view(result: RunResult) -> ViewData | None:
    """Gather what the interactive view shows; None if there is no frame."""
    index_of = {int(snapshot): place for place, snapshot in enumerate(result.numbers)}
    numbers = sorted(snapshot for snapshot in result.frames if snapshot in index_of)
    if not numbers:
        return None
    # one array holds all frames, so they have the same atoms; a run neither gains nor loses any
    size = len(result.frames[numbers[0]])
    numbers = [snapshot for snapshot in numbers if len(result.frames[snapshot]) == size]
    frames = [result.frames[snapshot] for snapshot in numbers]
    places = [index_of[snapshot] for snapshot in numbers]
    contact = result.first_contact
    return ViewData(
        atoms=size,
        radius=atom_radius(frames[0]),
        positions=packed(_centred(frames)),
        colourings=[
            _colouring(scale, values)
            for scale, values in colourings(frames, charged=result.charged)
        ],
        frames=[FrameLabel(_label(result, place), float(result.time[place])) for place in places],
        trace=StageTrace(
            time=result.time.tolist(),
            transmission=[
                float(value) if np.isfinite(value) else None for value in result.transmission
            ],
            stage=[stage.value for stage in result.stages],
            colour=[STAGE_COLOURS[stage] for stage in result.stages],
        ),
        start=0 if contact is None else _nearest(places, contact),
    )


def _centred(frames: Sequence[Atoms]) -> FloatArray:
    """Positions of all frames about the middle of the first one, shape (n_frames, n_atoms, 3)."""
    positions = np.array([frame.positions for frame in frames], dtype=np.float64)
    middle = (positions[0].min(axis=0) + positions[0].max(axis=0)) / 2.0
    return np.asarray(positions - middle, dtype=np.float64)


def packed(values: FloatArray) -> Packed:
    """Pack numbers, each to 1/32000 of the largest."""
    values = np.nan_to_num(values)
    largest = float(np.abs(values).max(initial=0.0))
    unit = largest / _FULL_SCALE if largest > 0.0 else 1.0
    data = np.rint(values / unit).astype("<i2").tobytes()
    return Packed(unit, base64.b64encode(data).decode())


def _colouring(scale: Colouring, values: list[FloatArray]) -> PackedColouring:
    """Describe one way to colour the atoms."""
    colour_map = mpl.colormaps[scale.colour_map]
    return PackedColouring(
        title=scale.title,
        unit=scale.unit,
        limit=scale.limit,
        scale=[(place, to_hex(colour_map(place))) for place in np.linspace(0, 1, 11).tolist()],
        values=packed(np.array(values)),
    )


def _label(result: RunResult, place: int) -> str:
    """Say in a line what a frame is."""
    return (
        f"{number(result.time[place])} ps · {transmission_text(float(result.transmission[place]))}"
        f" · {result.stages[place].value} · snapshot {result.numbers[place]}"
    )


def _nearest(places: list[int], wanted: int) -> int:
    """Position in a list of the value nearest to one."""
    return int(np.argmin(np.abs(np.array(places) - wanted)))
