"""One look for all figures: colours, type, and how a figure becomes bytes.

Colours are those of Okabe and Ito (Color Universal Design, 2008), safe for colour-blind readers.
"""

import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text

from nanogap.analysis import Stage

INK = "#1f2933"
QUIET = "#7b8794"
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PURPLE = "#AA4499"

#: Colours of the two states of a device, in every figure.
HIGH_STATE, LOW_STATE = ORANGE, BLUE

#: Colours of switching events: that of the state to which they lead.
EVENT_COLOURS = {"set": LOW_STATE, "reset": HIGH_STATE, "forming": GREEN}

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


#: The mathematics that figures write; every other dollar sign is one in a name.
_OWN = re.compile(
    r"\$(?:_0|_0\^2|_F|_s|_\{10\}|\^\\nu|\^\{-\\alpha\}|\\alpha|\\nu|\\sigma|\\times)\$"
)


def inert_text(text: str) -> str:
    r"""Escape what is mathematics or steers a device in a name, but not the figures' own symbols.

    Examples
    --------
    >>> print(inert_text("G$_0$ of a$"))
    G$_0$ of a\$
    """
    parts, end = [], 0
    for own in _OWN.finditer(text):
        parts += [text[end : own.start()].replace("$", r"\$"), own[0]]
        end = own.end()
    escaped = "".join([*parts, text[end:].replace("$", r"\$")])
    escaped = escaped.replace(r"\\$", r"\$")  # it was escaped before
    return "".join(sign if sign == "\n" or _is_shown(sign) else "\ufffd" for sign in escaped)


def _is_shown(sign: str) -> bool:
    """Whether a character is one that fonts draw, or a blank of some width."""
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def make_inert(figure: Figure) -> None:
    """Make every text of a figure show names of files and devices as they are."""
    for artist in figure.findobj(Text):
        text = artist.get_text()
        if "$" in text or not text.isprintable():
            artist.set_text(inert_text(text))


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG."""
    make_inert(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def png(figure: Figure, resolution: int = 170) -> bytes:
    """Return a figure as PNG, at so many dots per inch."""
    make_inert(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=resolution, metadata={"Software": None})
    return buffer.getvalue()
