"""Common parts of the figures of measured data: the G0 grid, synthetic marks, saving."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MultipleLocator

from nanogap.errors import SettingsError
from nanogap.io import write_atomically
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, house_style, make_inert
from nanogap.typing import FloatArray

#: One colour per device, in order; Okabe and Ito's, then repeated.
CYCLE_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00", "#56B4E9", INK)

FIGURE_SUFFIXES = (".pdf", ".svg", ".png", ".eps")

#: Points drawn of a curve at most; the rest is thinned evenly.
MOST_POINTS = 20_000

_SYNTHETIC = "SYNTHETIC DATA"


def quantum_lines(axes: Axes, top: float, *, vertical: bool = False, label: bool = True) -> None:
    """Draw lines at integer multiples of G0, thinned where they would crowd."""
    step = max(1, int(np.ceil(top / 8.0)))
    for level in range(step, int(top + 1e-9) + 1, step):
        draw = axes.axvline if vertical else axes.axhline
        draw(level, color=QUIET, linewidth=0.8, linestyle=":", zorder=0)
    if label:
        axis = axes.xaxis if vertical else axes.yaxis
        axis.set_major_locator(MultipleLocator(step))


def stepped_band(
    axes: Axes,
    edges: FloatArray,
    band: tuple[FloatArray, FloatArray],
    colour: str | FloatArray,
    *,
    alpha: float = 0.22,
    label: str | None = None,
) -> None:
    """Shade between two stepped curves.

    Parameters
    ----------
    axes : Axes
    edges : ndarray, shape (n_steps + 1,)
    band : tuple of ndarray, each of shape (n_steps,)
        Lower and upper end at every step.
    colour : str or ndarray, shape (4,)
        A name, or red, green, blue and opacity.
    alpha : float
        Opacity.
    label : str, optional
        In the legend.
    """
    low, high = band
    axes.fill_between(
        edges,
        np.append(low, low[-1]),
        np.append(high, high[-1]),
        step="post",
        color=colour,
        alpha=alpha,
        linewidth=0,
        label=label,
    )


def mark(figure: Figure, *, synthetic: bool, footnotes: Sequence[str] = ()) -> Figure:
    """Say on the figure that its data are synthetic, and what is known to mislead."""
    if synthetic:
        engine = figure.get_layout_engine()
        if isinstance(engine, ConstrainedLayoutEngine):
            # room for the mark above everything else
            engine.set(rect=(0.0, 0.0, 1.0, 1.0 - 0.18 / figure.get_figheight()))
        figure.text(
            0.995,
            0.995,
            _SYNTHETIC,
            ha="right",
            va="top",
            color=ORANGE,
            fontsize=8,
            fontweight="bold",
        )
    if footnotes:
        # 7.5 point text has about 17 characters to the inch
        width = int(17.0 * figure.get_figwidth())
        lines = [line for note in footnotes for line in textwrap.wrap(note, width)]
        figure.supxlabel("\n".join(lines), fontsize=7.5, color=QUIET, x=0.01, ha="left")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure; the ending chooses between vector (pdf, svg, eps) and pixels (png).

    Raises
    ------
    SettingsError
        If the ending is none of these.
    """
    need_figure_path(path)
    kind = path.suffix.casefold().lstrip(".")
    dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    make_inert(figure)
    with house_style():
        write_atomically(
            path,
            lambda temporary: figure.savefig(
                temporary, format=kind, dpi=200, metadata=dates.get(kind)
            ),
        )


def save_figures(figures: Mapping[str, Figure], folder: Path) -> None:
    """Write figures as pdf by their names into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.pdf")


def need_figure_path(path: Path, option: str = "-o") -> None:
    """Refuse a path that no figure can be written to.

    Parameters
    ----------
    path : Path
    option : str
        That the path was given with, to name it.

    Raises
    ------
    SettingsError
        If the ending is unknown or the folder does not exist.
    """
    if path.suffix.casefold() not in FIGURE_SUFFIXES:
        endings = ", ".join(FIGURE_SUFFIXES)
        raise SettingsError(f"{option} {path}: figures end in {endings}, the first two are vector")
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"{option} {path}: there is no folder {path.absolute().parent}")


def thinned(count: int) -> slice:
    """Take every so many of `count` points, for a curve of a size that draws fast."""
    return slice(None, None, max(1, -(-count // MOST_POINTS)))


def unit_for(largest: float, unit: str) -> tuple[float, str]:
    """Choose a prefix: factor from the plain unit and the name with its prefix."""
    prefixes = ("", "m", "\N{MICRO SIGN}", "n", "p", "f", "a")
    for place, prefix in enumerate(prefixes):
        if largest * 1000.0**place >= 1.0:
            return 1000.0**place, f"{prefix}{unit}"
    return 1e12, f"p{unit}"


def resistance_text(value: float) -> str:
    """Write a resistance with a prefix."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}Ω"
    return f"{value:.3g} Ω"


def resistance_ticks(axes: Axes) -> None:
    """Label a logarithmic resistance axis with prefixes."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: resistance_text(value)))
