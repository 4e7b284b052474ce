"""A device driven by hand, on a page of this machine: knobs, atoms, curves and a histogram.

Each name is loaded when it is first used: the page of a measurement needs no device.
"""

from typing import TYPE_CHECKING

from nanogap.lazy import on_first_use

if TYPE_CHECKING:
    from nanogap.live.hand_driven import HandDriven as HandDriven
    from nanogap.live.hand_driven import Turn as Turn
    from nanogap.live.hand_driven import load_record as load_record
    from nanogap.live.hand_driven import replay as replay
    from nanogap.live.knobs import Knobs as Knobs
    from nanogap.live.knobs import Range as Range
    from nanogap.live.knobs import first_knobs as first_knobs
    from nanogap.live.knobs import knob_ranges as knob_ranges
    from nanogap.live.loopback import PageServer as PageServer
    from nanogap.live.player import Player as Player
    from nanogap.live.server import LivePage as LivePage

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

__getattr__ = on_first_use(
    __name__,
    {
        "nanogap.live.hand_driven": ("HandDriven", "Turn", "load_record", "replay"),
        "nanogap.live.knobs": ("Knobs", "Range", "first_knobs", "knob_ranges"),
        "nanogap.live.loopback": ("PageServer",),
        "nanogap.live.player": ("Player",),
        "nanogap.live.server": ("LivePage",),
    },
)
