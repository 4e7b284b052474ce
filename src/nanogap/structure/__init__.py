"""Tips, leads, and junctions cut from snapshots."""

from nanogap.structure.connectivity import Connection, analyse_connection
from nanogap.structure.tips import build_tips

__all__ = ["Connection", "analyse_connection", "build_tips"]
