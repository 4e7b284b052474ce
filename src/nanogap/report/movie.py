"""A film of a run: its atoms, and T(t) as far as it has come, picture by picture."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from nanogap.analysis import Stage
from nanogap.report.atoms import gap_scale_bar
from nanogap.report.figures import shade_stages, time_limits
from nanogap.report.film import need_movie_path, picture_of, write_film
from nanogap.report.marks import quantum_lines
from nanogap.report.paper import Trajectory
from nanogap.report.style import BLUE, INK, ORANGE, STAGE_COLOURS
from nanogap.report.words import number, transmission_text
from nanogap.typing import Int64Array

#: Inches, and dots to the inch: 960 x 480, even numbers as H.264 wants them.
_SIZE, _DOTS = (9.6, 4.8), 100


def write_movie(
    trajectory: Trajectory,
    path: Path,
    *,
    frames: int = 200,
    rate: float = 12.0,
    watch: Callable[[int, int], object] = lambda _done, _total: None,
) -> int:
    """Write a film of a run; it is there whole or not at all.

    Parameters
    ----------
    trajectory : Trajectory
    path : Path
        Ends in .gif or .mp4.
    frames : int
        Pictures at most.
    rate : float
        Pictures per second.
    watch : callable, optional
        Is told how many pictures are drawn, and how many there are.

    Returns
    -------
    int
        Number of pictures.

    Raises
    ------
    SettingsError
        If the film cannot be written to that path.
    NanogapError
        If ffmpeg fails.
    """
    need_movie_path(path)
    shown = chosen_pictures(trajectory, frames)

    def draw(places: Sequence[int]) -> Iterator[Image.Image]:
        whole = len(places) == len(shown)
        return _drawn(trajectory, shown[list(places)], watch if whole else lambda *_: None)

    write_film(path, draw, len(shown), rate)
    return len(shown)


def chosen_pictures(trajectory: Trajectory, count: int) -> Int64Array:
    """Choose the snapshots of a film: evenly in number, with the first contact among them."""
    there = trajectory.with_atoms
    if len(there) > count:
        there = there[np.linspace(0, len(there) - 1, count).round().astype(int)]
    contact = trajectory.result.first_contact
    if contact is not None and trajectory.there[contact] and contact not in there:
        there[int(np.argmin(np.abs(there - contact)[1:-1])) + 1 if len(there) > 2 else -1] = contact
    return there


def _drawn(
    trajectory: Trajectory, shown: Int64Array, watch: Callable[[int, int], object]
) -> Iterator[Image.Image]:
    """Draw the pictures one after the other."""
    figure = Figure(figsize=_SIZE, dpi=_DOTS)
    canvas = FigureCanvasAgg(figure)
    atoms, trace = figure.subplots(1, 2, width_ratios=[1.0, 1.15])
    first = trajectory.first
    _trace(trace, trajectory)
    for done, index in enumerate(shown.tolist()):
        watch(done, len(shown))
        atoms.clear()
        trajectory.draw(atoms, index, first)
        gap_scale_bar(atoms)
        result = trajectory.result
        voltage, value = _voltage(trajectory, index), float(result.transmission[index])
        stage = result.stages[index]
        atoms.set_title(
            f"{number(result.time[index], 4)} ps under {voltage:g} V\n{stage.value}",
            loc="center",
            backgroundcolor=STAGE_COLOURS[stage],
            linespacing=1.35,
        )
        trace.set_title(transmission_text(value), loc="center")
        now = [
            trace.axvline(result.time[index], color=INK, linewidth=0.9),
            *trace.plot(result.time[index], value, "o", color=ORANGE, markersize=7, zorder=6),
        ]
        yield picture_of(canvas)
        for artist in now:
            artist.remove()
    watch(len(shown), len(shown))


def _voltage(trajectory: Trajectory, index: int) -> float:
    """Voltage at a snapshot; that of the settings where none is stored."""
    stored = float(trajectory.result.series("applied_voltage")[index])
    return stored if np.isfinite(stored) else trajectory.result.settings.voltage.applied


def _trace(axes: Axes, trajectory: Trajectory) -> None:
    """Draw T(t) of the whole run, over its stages."""
    result = trajectory.result
    known = np.isfinite(result.transmission)
    shade_stages(axes, result)
    axes.plot(result.time[known], result.transmission[known], ".-", color=BLUE, linewidth=0.8)
    top = max(1.25, 1.15 * float(result.transmission[known].max(initial=0.0)))
    quantum_lines(axes, top)
    axes.set_ylim(-0.05 * top, top)
    axes.set_xlim(*time_limits(result.time))
    axes.set_xlabel("time under voltage (ps)")
    axes.set_ylabel("transmission T = G / G$_0$")
    seen = [stage for stage in Stage if stage in result.stages]
    for place, stage in enumerate(seen):
        axes.annotate(
            stage.value,
            (0.01 + 0.99 * place / len(seen), -0.2),
            xycoords="axes fraction",
            fontsize=8,
            backgroundcolor=STAGE_COLOURS[stage],
            annotation_clip=False,
        )
