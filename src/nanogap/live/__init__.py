"""A device driven by hand, on a page of this machine: knobs, atoms, curves and a histogram."""

from nanogap.live.hand_driven import HandDriven, Turn, load_record, replay
from nanogap.live.knobs import Knobs, Range, first_knobs, knob_ranges
from nanogap.live.player import Player
from nanogap.live.server import LivePage, PageServer

__all__ = [
    "HandDriven",
    "Knobs",
    "LivePage",
    "PageServer",
    "Player",
    "Range",
    "Turn",
    "first_knobs",
    "knob_ranges",
    "load_record",
    "replay",
]
