"""Tips, leads, and junctions cut from snapshots."""
