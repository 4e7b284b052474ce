"""A film of a run: its atoms, and T(t) as far as it has come, picture by picture.

GIF is written by Pillow, MP4 (H.264) by the program ffmpeg where it is installed.
"""

import contextlib
import io
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from nanogap.analysis import Stage
from nanogap.errors import NanogapError, SettingsError
from nanogap.io import write_atomically
from nanogap.processes import child_environment
from nanogap.report.atoms import gap_scale_bar
from nanogap.report.figures import shade_stages, time_limits
from nanogap.report.marks import quantum_lines
from nanogap.report.paper import Trajectory
from nanogap.report.style import BLUE, INK, ORANGE, STAGE_COLOURS, house_style, make_inert
from nanogap.report.words import number, transmission_text
from nanogap.typing import Int64Array

_SUFFIXES = (".gif", ".mp4")
#: Inches, and dots to the inch: 960 x 480, even numbers as H.264 wants them.
_SIZE, _DOTS = (9.6, 4.8), 100
_COLOURS = 128
#: The last picture of a GIF stays, before it begins again, s.
_PAUSE = 1.5


def need_movie_path(path: Path) -> None:
    """Refuse a path that no film can be written to.

    Raises
    ------
    SettingsError
        If the ending is unknown, the folder does not exist, or ffmpeg is needed and missing.
    """
    if path.suffix.casefold() not in _SUFFIXES:
        raise SettingsError(f"-o {path}: films end in .gif, or in .mp4 where ffmpeg is installed")
    if path.is_dir() or not path.absolute().parent.is_dir():
        missing = "is a folder" if path.is_dir() else f"has no folder {path.absolute().parent}"
        raise SettingsError(f"-o {path} {missing}: give the name of a file in a folder")
    if path.suffix.casefold() == ".mp4" and shutil.which("ffmpeg") is None:
        raise SettingsError(
            f"-o {path}: MP4 is written by the program ffmpeg, which is not installed: install "
            "it, or write a .gif"
        )


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

    def write(temporary: Path) -> None:
        pictures = _drawn(trajectory, shown, watch)
        if path.suffix.casefold() == ".gif":
            samples = shown[[0, len(shown) // 2, -1]]
            palette = _palette(_drawn(trajectory, samples, lambda _done, _total: None))
            _write_gif(temporary, pictures, palette, _durations(len(shown), rate))
        else:
            _write_mp4(temporary, pictures, rate)

    with house_style():
        write_atomically(path, write)
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
        make_inert(figure)
        content = io.BytesIO()
        canvas.print_rgba(content)  # type: ignore[no-untyped-call]
        yield Image.frombytes("RGBA", canvas.get_width_height(), content.getvalue()).convert("RGB")
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


def _palette(samples: Iterable[Image.Image]) -> Image.Image:
    """Choose the colours of a GIF by some of its pictures: with one choice nothing flickers."""
    parts = list(samples)
    width, height = parts[0].size
    joined = Image.new("RGB", (width, height * len(parts)))
    for place, part in enumerate(parts):
        joined.paste(part, (0, height * place))
    return joined.quantize(_COLOURS)


def _durations(count: int, rate: float) -> list[int]:
    """How long each picture of a GIF stays, ms."""
    times = [round(1000.0 / rate)] * count
    times[-1] += round(1000.0 * _PAUSE)
    return times


def _write_gif(
    path: Path, pictures: Iterator[Image.Image], palette: Image.Image, durations: list[int]
) -> None:
    """Write the pictures as they come; a reader repeats them without end."""
    coloured = (one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures)
    first = next(coloured)
    with path.open("wb") as file:  # an interrupted Pillow leaves its own open
        first.save(
            file, format="GIF", save_all=True, append_images=coloured, duration=durations, loop=0
        )


def _write_mp4(path: Path, pictures: Iterator[Image.Image], rate: float) -> None:
    """Give the pictures to ffmpeg, which ends with this process.

    Raises
    ------
    NanogapError
        If it fails.
    """
    program = shutil.which("ffmpeg") or "ffmpeg"
    first = next(pictures)
    command = [
        program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{first.width}x{first.height}", "-r", f"{rate:g}", "-i", "-",
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
        "-f", "mp4", str(path),
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment()
    ) as ffmpeg:
        try:
            with contextlib.suppress(BrokenPipeError):  # ffmpeg says itself what went wrong
                for picture in (first, *pictures):
                    if ffmpeg.stdin is not None:
                        ffmpeg.stdin.write(picture.tobytes())
            _, said = ffmpeg.communicate()
        except BaseException:
            ffmpeg.kill()
            raise
    if ffmpeg.returncode:
        reason = " ".join(said.decode(errors="replace").split()) or f"status {ffmpeg.returncode}"
        raise NanogapError(f"ffmpeg cannot write the film: {reason}")
