"""A film of images, and the curve beside them as far as it has come."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL.Image import Image

from nanogap.imaging.figure import draw_curve, draw_image, grey_limits, shown_values, title_of
from nanogap.imaging.moments import Curve
from nanogap.report.film import picture_of, write_film
from nanogap.report.style import INK, ORANGE

#: Inches, and dots to the inch: even numbers of pixels, as H.264 wants them.
_SIZE, _DOTS = (10.0, 4.6), 100


def write_image_film(
    images: xr.Dataset,
    curve: Curve | None,
    marks: Sequence[tuple[float, float] | None],
    path: Path,
    *,
    rate: float = 8.0,
    watch: Callable[[int, int], object] = lambda _done, _total: None,
) -> None:
    """Write images as a film; it is there whole or not at all.

    Parameters
    ----------
    images : xarray.Dataset
        By `nanogap.imaging.picture.take_images`.
    curve : Curve or None
    marks : sequence of (float, float) or None
        Where each image lies on the curve.
    path : Path
        Ends in .gif, or in .mp4 where ffmpeg is installed.
    rate : float
        Pictures per second.
    watch : callable, optional
        Is told how many pictures are drawn, and how many there are.

    Raises
    ------
    SettingsError
        If the film cannot be written to that path.
    NanogapError
        If ffmpeg fails.
    """
    values, words = shown_values(images)
    limits, count = grey_limits(images, values), len(values)

    def draw(places: Sequence[int]) -> Iterator[Image]:
        figure = Figure(figsize=_SIZE, dpi=_DOTS, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        columns = 1 if curve is None else 2
        panels = figure.subplots(1, columns, squeeze=False, width_ratios=[1.7, 1.0][:columns])[0]
        figure.suptitle(title_of(images), fontsize=9.5, x=0.02, ha="left")
        if curve is not None:
            draw_curve(panels[1], curve, [])
        for done, place in enumerate(places):
            if len(places) == count:
                watch(done, count)
            panels[0].clear()
            drawn = draw_image(panels[0], images, values[place], limits)
            if not done:
                figure.colorbar(
                    drawn, ax=panels[0], label=words, location="bottom", shrink=0.6, aspect=40
                )
            panels[0].set_title(str(images["caption"].to_numpy()[place]), fontsize=10)
            mark, now = marks[place], []
            if curve is not None and mark is not None:
                now = [
                    panels[1].axvline(mark[0], color=INK, linewidth=0.9),
                    *panels[1].plot(*mark, "o", color=ORANGE, markersize=7, zorder=6),
                ]
            yield picture_of(canvas)
            for artist in now:
                artist.remove()
        if len(places) == count:
            watch(count, count)

    write_film(path, draw, count, rate)
