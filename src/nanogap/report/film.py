"""Films: pictures one after the other, as GIF by Pillow or as MP4 (H.264) by the program ffmpeg."""

import contextlib
import io
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from nanogap.errors import NanogapError, SettingsError
from nanogap.io import write_atomically
from nanogap.processes import child_environment
from nanogap.report.style import house_style, make_inert

FILM_SUFFIXES = (".gif", ".mp4")
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
    if path.suffix.casefold() not in FILM_SUFFIXES:
        raise SettingsError(f"-o {path}: films end in .gif, or in .mp4 where ffmpeg is installed")
    if path.is_dir() or not path.absolute().parent.is_dir():
        missing = "is a folder" if path.is_dir() else f"has no folder {path.absolute().parent}"
        raise SettingsError(f"-o {path} {missing}: give the name of a file in a folder")
    if path.suffix.casefold() == ".mp4" and shutil.which("ffmpeg") is None:
        raise SettingsError(
            f"-o {path}: MP4 is written by the program ffmpeg, which is not installed: install "
            "it, or write a .gif"
        )


def write_film(
    path: Path, draw: Callable[[Sequence[int]], Iterator[Image.Image]], count: int, rate: float
) -> None:
    """Write a film; it is there whole or not at all.

    Parameters
    ----------
    path : Path
        Ends in .gif or .mp4.
    draw : callable
        Draws the pictures of these places, one after the other; for a GIF some of them twice.
    count : int
        Pictures.
    rate : float
        Pictures per second.

    Raises
    ------
    SettingsError
        If the film cannot be written to that path.
    NanogapError
        If ffmpeg fails.
    """
    need_movie_path(path)

    def write(temporary: Path) -> None:
        pictures = draw(range(count))
        if path.suffix.casefold() == ".gif":
            palette = _palette(draw([0, count // 2, count - 1]))
            _write_gif(temporary, pictures, palette, _durations(count, rate))
        else:
            _write_mp4(temporary, pictures, rate)

    with house_style():
        write_atomically(path, write)


def picture_of(canvas: FigureCanvasAgg) -> Image.Image:
    """Draw the figure of a canvas as a picture of a film."""
    make_inert(canvas.figure)
    content = io.BytesIO()
    canvas.print_rgba(content)  # type: ignore[no-untyped-call]
    return Image.frombytes("RGBA", canvas.get_width_height(), content.getvalue()).convert("RGB")


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
