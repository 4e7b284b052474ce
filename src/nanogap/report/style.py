"""One look for all figures: colours, type, and how a figure becomes bytes.

Colours are those of Okabe and Ito (Color Universal Design, 2008), safe for colour-blind readers.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

from nanogap.analysis import Stage

INK = "#1f2933"
QUIET = "#7b8794"
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PURPLE = "#AA4499"

#: Colours of the two states of a device, in every figure.
HIGH_STATE, LOW_STATE = ORANGE, BLUE

#: Background of a stage in figures over time, and of its badge on the page.
STAGE_COLOURS = {
    Stage.DRIFT: "#e8ecf1",
    Stage.ISLANDS: "#cfe3f5",
    Stage.CONTACT: "#ffe7b8",
    Stage.LATERAL_GROWTH: "#d0ebdb",
    Stage.RUPTURE: "#f3c9d7",
}

#: Colours of the landmarks, in order of time.
LANDMARK_COLOURS = (QUIET, ORANGE, BLUE)

#: Diverging maps, centred at zero: positive charge is red, positive potential brown.
CHARGE_MAP = "RdBu_r"
POTENTIAL_MAP = "PuOr_r"

WIDTH = 10.0

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.0,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    # text as outlines and fixed identifiers: the same run gives the same bytes on any machine
    "svg.fonttype": "path",
    "svg.hashsalt": "nanogap",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save figures of the report inside this context."""
    with mpl.rc_context(cast("Any", _STYLE)):
        yield


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def png(figure: Figure, resolution: int = 170) -> bytes:
    """Return a figure as PNG, at so many dots per inch."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=resolution, metadata={"Software": None})
    return buffer.getvalue()
