"""Trajectory and result stores, and the readers of instrument files."""

from nanogap.io.atomic import copy_atomically, write_atomically, write_bytes, write_json, write_text
from nanogap.io.dataset import cycle_number, joined_files, measurement_dataset, simulated_trace
from nanogap.io.measurement import iterate_measurements, read_measurement, read_measurements
from nanogap.io.results import read_arrays, read_attributes, read_dataset, write_dataset
from nanogap.io.trajectory import Commit, SnapshotRecord, TrajectoryStore

__all__ = [
    "Commit",
    "SnapshotRecord",
    "TrajectoryStore",
    "copy_atomically",
    "cycle_number",
    "iterate_measurements",
    "joined_files",
    "measurement_dataset",
    "read_arrays",
    "read_attributes",
    "read_dataset",
    "read_measurement",
    "read_measurements",
    "simulated_trace",
    "write_atomically",
    "write_bytes",
    "write_dataset",
    "write_json",
    "write_text",
]
