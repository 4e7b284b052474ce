"""The interactive view: frames as compact arrays, and the plotting library, compressed."""

import base64
import gzip
from collections.abc import Sequence
from functools import cache
from typing import Any

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


def view(result: RunResult) -> dict[str, Any] | None:
    """Gather what the interactive view shows, ready for JSON; None if there is no frame.

    Per-atom numbers are little-endian 16-bit integers in base64, each with its scale.
    """
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
    return {
        "atoms": size,
        "radius": atom_radius(frames[0]),
        "positions": _packed(_centred(frames)),
        "colourings": [
            _colouring(scale, values)
            for scale, values in colourings(frames, charged=result.charged)
        ],
        "frames": [
            {"label": _label(result, place), "time": float(result.time[place])} for place in places
        ],
        "trace": {
            "time": result.time.tolist(),
            "transmission": [
                float(value) if np.isfinite(value) else None for value in result.transmission
            ],
            "stage": [stage.value for stage in result.stages],
            "colour": [STAGE_COLOURS[stage] for stage in result.stages],
        },
        "start": 0 if contact is None else _nearest(places, contact),
    }


def _centred(frames: Sequence[Atoms]) -> FloatArray:
    """Positions of all frames about the middle of the first one, shape (n_frames, n_atoms, 3)."""
    positions = np.array([frame.positions for frame in frames], dtype=np.float64)
    middle = (positions[0].min(axis=0) + positions[0].max(axis=0)) / 2.0
    return np.asarray(positions - middle, dtype=np.float64)


def _packed(values: FloatArray) -> dict[str, Any]:
    """Numbers as 16-bit integers in base64, and what one unit of them is."""
    values = np.nan_to_num(values)
    largest = float(np.abs(values).max(initial=0.0))
    unit = largest / _FULL_SCALE if largest > 0.0 else 1.0
    data = np.rint(values / unit).astype("<i2").tobytes()
    return {"unit": unit, "data": base64.b64encode(data).decode()}


def _colouring(scale: Colouring, values: list[FloatArray]) -> dict[str, Any]:
    """Describe one way to colour the atoms."""
    colour_map = mpl.colormaps[scale.colour_map]
    return {
        "title": scale.title,
        "unit": scale.unit,
        "limit": scale.limit,
        "scale": [[place, to_hex(colour_map(place))] for place in np.linspace(0, 1, 11).tolist()],
        "values": _packed(np.array(values)),
    }


def _label(result: RunResult, place: int) -> str:
    """Say in a line what a frame is."""
    return (
        f"{number(result.time[place])} ps · {transmission_text(float(result.transmission[place]))}"
        f" · {result.stages[place].value} · snapshot {result.numbers[place]}"
    )


def _nearest(places: list[int], wanted: int) -> int:
    """Position in a list of the value nearest to one."""
    return int(np.argmin(np.abs(np.array(places) - wanted)))
