"""Images drawn: grey values, a scale bar of a round length, and a curve with numbered moments."""

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from nanogap.imaging.moments import Curve
from nanogap.imaging.picture import SHOWN
from nanogap.report.marks import thinned
from nanogap.report.style import BLUE, INK, ORANGE, QUIET
from nanogap.typing import FloatArray

#: The scale bar is the longest of round lengths below this share of the width.
_BAR_SHARE = 0.3
#: Share of the pixels that may be brighter than white: few bright ones make all others dark, and of
#: shading the edges are far brighter than the rest.
_BRIGHTEST = {"haadf": 0.0005, "sem": 0.02}
#: Longer side of a single image, inches.
_SIZE = 6.0
#: Height to width of the images of a series together.
_TALLNESS = 1.3
#: Least distance of two numbers beside a curve, in its height.
_APART = 0.075
_TITLES = {"haadf": "HAADF (Z-contrast)", "sem": "SEM-like shading"}


def round_length(longest: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten up to a length.

    Parameters
    ----------
    longest : float
        Above 0.

    Examples
    --------
    >>> round_length(180.0), round_length(0.72), round_length(5.0)
    (100.0, 0.5, 5.0)
    """
    power = 10.0 ** math.floor(math.log10(longest) + 1e-9)
    return power * max(one for one in (1.0, 2.0, 5.0) if one * power <= longest * (1.0 + 1e-9))


def length_text(length: float) -> str:
    """Write a length, nm, in the unit that suits it.

    Examples
    --------
    >>> length_text(0.5), length_text(200.0), length_text(2000.0)
    ('5 Å', '200 nm', '2 µm')
    """
    if length < 1.0:
        return f"{10.0 * length:g} Å"
    return f"{length:g} nm" if length < 1e3 else f"{length / 1e3:g} µm"


def image_figure(images: xr.Dataset) -> Figure:
    """Draw the first image of a dataset.

    Parameters
    ----------
    images : xarray.Dataset
        By `nanogap.imaging.picture.take_images`.

    Returns
    -------
    Figure
    """
    values, words = shown_values(images)
    height, width = _inches(images, _SIZE)
    figure = Figure(figsize=(max(width, 3.6) + 1.2, height + 0.75))
    axes = figure.subplots()
    drawn = draw_image(axes, images, values[0], grey_limits(images, values))
    lines = [one for one in (title_of(images), _caption(images, 0)) if one]
    axes.set_title("\n".join(lines), linespacing=1.4, fontsize=9.5)
    figure.colorbar(drawn, ax=axes, label=words, aspect=30, pad=0.02)
    return figure


def series_figure(
    images: xr.Dataset, curve: Curve | None, marks: Sequence[tuple[float, float] | None]
) -> Figure:
    """Draw all images of a dataset with numbers, and the curve with the same numbers beside them.

    Parameters
    ----------
    images : xarray.Dataset
        By `nanogap.imaging.picture.take_images`.
    curve : Curve or None
    marks : sequence of (float, float) or None
        Where each image lies on the curve.

    Returns
    -------
    Figure
        All images in the same grey values.
    """
    values, words = shown_values(images)
    count = len(values)
    columns = _columns(count, len(images["y"]) / len(images["x"]))
    rows = math.ceil(count / columns)
    height, width = _inches(images, 6.4 / columns if columns > 1 else 4.6)
    wide = columns * width + 1.0
    beside = 4.4 if curve is not None else 0.0
    figure = Figure(figsize=(wide + beside, max(rows * (height + 0.35) + 0.5, 3.4)))
    # one column of parts, or two with the curve
    parts = figure.subfigures(
        1, 2 if beside else 1, squeeze=False, width_ratios=[wide, beside] if beside else [wide]
    )[0]
    panels = parts[0].subplots(rows, columns, squeeze=False)
    limits = grey_limits(images, values)
    for number, axes in enumerate(panels.ravel()):
        if number >= count:
            axes.set_axis_off()
            continue
        drawn = draw_image(axes, images, values[number], limits, bar=number == 0)
        axes.set_title(_caption(images, number), fontsize=8.5)
        axes.text(
            0.02,
            0.96,
            str(number + 1),
            transform=axes.transAxes,
            va="top",
            color="white",
            fontsize=11,
            fontweight="bold",
            path_effects=[withStroke(linewidth=2.2, foreground="black")],
        )
    parts[0].colorbar(
        drawn, ax=panels.ravel().tolist(), label=words, shrink=0.8, aspect=30, pad=0.02
    )
    parts[0].suptitle(title_of(images), fontsize=9.5, x=0.02, ha="left")
    if curve is not None:
        draw_curve(parts[1].subplots(), curve, marks)
    return figure


def _columns(count: int, tallness: float) -> int:
    """Choose columns so that the images together have about the wanted height to width."""
    return min(
        range(1, count + 1),
        key=lambda one: abs(math.log(math.ceil(count / one) * tallness / one / _TALLNESS)),
    )


def _inches(images: xr.Dataset, longest: float) -> tuple[float, float]:
    """Return height and width of an image whose width, or longer side, is given."""
    tallness = len(images["y"]) / len(images["x"])
    width = longest / max(1.0, tallness)
    return width * tallness, width


def shown_values(images: xr.Dataset) -> tuple[FloatArray, str]:
    """Return what is drawn, electrons where they are counted, and its words."""
    name = "electrons" if "electrons" in images else SHOWN[images.attrs["kind"]][0]
    return images[name].to_numpy().astype(np.float64), str(images[name].attrs["long_name"])


def grey_limits(images: xr.Dataset, values: FloatArray) -> tuple[float, float]:
    """Return the values of black and white."""
    high = float(np.quantile(values, 1.0 - _BRIGHTEST[images.attrs["kind"]]))
    return 0.0, high if high > 0.0 else max(float(values.max()), 1e-12)


def title_of(images: xr.Dataset) -> str:
    """Return what is seen, and how."""
    probe = 10.0 * float(images.attrs["probe"])
    width = f", probe {probe:.3g} Å" if "abtem" not in images.attrs["settings"] else ", multislice"
    return f"{_TITLES[images.attrs['kind']]} of {images.attrs['title']}{width}"


def _caption(images: xr.Dataset, number: int) -> str:
    return str(images["caption"].to_numpy()[number])


def draw_image(
    axes: Axes,
    images: xr.Dataset,
    values: FloatArray,
    limits: tuple[float, float],
    *,
    bar: bool = True,
) -> AxesImage:
    """Draw one image with its scale bar."""
    half = float(images.attrs["pixel"]) / 2.0
    x, y = images["x"].to_numpy(), images["y"].to_numpy()
    extent = (x[0] - half, x[-1] + half, y[0] - half, y[-1] + half)
    drawn = axes.imshow(
        values, cmap="gray", vmin=limits[0], vmax=limits[1], origin="lower", extent=extent
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if bar:
        scale_bar(axes, extent)
    return drawn


def scale_bar(axes: Axes, extent: tuple[float, float, float, float]) -> None:
    """Draw a bar of a round length, on dark, into the lower right corner.

    Parameters
    ----------
    axes : Axes
    extent : tuple of float
        Left, right, bottom and top edge of the image, nm.
    """
    left, right, bottom, top = extent
    width, height = right - left, top - bottom
    unit = min(width, height)
    length = round_length(_BAR_SHARE * width)
    middle, low = right - 0.06 * unit - length / 2.0, bottom + 0.06 * unit
    outline = [withStroke(linewidth=2.4, foreground="black")]
    axes.add_patch(  # what is behind may be as bright as the bar
        Rectangle(
            (middle - length / 2.0 - 0.025 * unit, low - 0.025 * unit),
            length + 0.05 * unit,
            0.15 * unit,
            facecolor="black",
            edgecolor="white",
            linewidth=0.5,
            zorder=4,
        )
    )
    axes.add_patch(
        Rectangle(
            (middle - length / 2.0, low),
            length,
            0.018 * unit,
            facecolor="white",
            edgecolor="black",
            linewidth=0.8,
            zorder=5,
        )
    )
    axes.text(
        middle,
        low + 0.035 * unit,
        length_text(length),
        ha="center",
        va="bottom",
        color="white",
        fontsize=10,
        path_effects=outline,
        zorder=6,
    )


def draw_curve(axes: Axes, curve: Curve, marks: Sequence[tuple[float, float] | None]) -> None:
    """Draw a curve, and numbers of moments that stay apart where the moments do not."""
    thin = thinned(len(curve.x))
    axes.plot(curve.x[thin], curve.y[thin], ".-", color=BLUE, markersize=2.0, linewidth=0.9)
    if curve.logarithmic:
        axes.set_yscale("log")
    axes.set_xlabel(curve.x_label)
    axes.set_ylabel(curve.y_label)
    known = [(number, mark) for number, mark in enumerate(marks, 1) if mark is not None]
    for _, mark in known:
        axes.plot(*mark, "o", color=ORANGE, markersize=5, zorder=4)
    axes.margins(x=0.08, y=0.1)
    axes.autoscale_view()  # or the places below are those of other limits
    places = [axes.transData.transform(mark) for _, mark in known]
    fractions = [axes.transAxes.inverted().transform(one) for one in places]
    for (number, mark), (x, y) in zip(known, apart(fractions), strict=True):
        axes.annotate(
            str(number),
            mark,
            xytext=(x, y),
            textcoords="axes fraction",
            color=INK,
            fontsize=11,
            fontweight="bold",
            ha="center",
            va="center",
            arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.7, "shrinkA": 6},
            zorder=5,
        )


def apart(points: Sequence[FloatArray]) -> list[tuple[float, float]]:
    """Place a label beside every point so that none lies on another.

    Parameters
    ----------
    points : sequence of ndarray, each of shape (2,)
        In shares of the width and height of the axes.

    Returns
    -------
    list of (float, float)
        To the left of each point, or to the right near the left edge; down as far as need be.

    Examples
    --------
    >>> apart([np.array([0.5, 0.5]), np.array([0.5, 0.5])])
    [(0.43, 0.56), (0.43, 0.485)]
    """
    found: list[tuple[float, float]] = []
    for x, y in points:
        aside = float(x) - 0.07 if x > 0.12 else float(x) + 0.07
        place = min(float(y) + 0.06, 0.96)
        while any(abs(aside - a) < _APART and abs(place - b) < _APART - 1e-9 for a, b in found):
            place -= _APART
        found.append((round(aside, 6), round(place, 6)))
    return found
