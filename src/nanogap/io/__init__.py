"""Trajectory and result stores."""

from nanogap.io.atomic import write_atomically, write_json, write_text
from nanogap.io.results import read_dataset, write_dataset
from nanogap.io.trajectory import OBSERVABLES, Commit, TrajectoryStore

__all__ = [
    "OBSERVABLES",
    "Commit",
    "TrajectoryStore",
    "read_dataset",
    "write_atomically",
    "write_dataset",
    "write_json",
    "write_text",
]
