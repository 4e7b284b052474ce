"""Tips, leads, and junctions cut from snapshots."""

from nanogap.structure.connectivity import Connection, analyse_connection
from nanogap.structure.gap import Gap, analyse_gap
from nanogap.structure.tips import build_pyramids

__all__ = [
    "Connection",
    "Gap",
    "analyse_connection",
    "analyse_gap",
    "build_pyramids",
]
