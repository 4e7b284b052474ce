"""Trajectory and result stores, and the readers of instrument files.

Each name is loaded when it is first used: what reads a small file must not wait for all that reads
workbooks.
"""

from typing import TYPE_CHECKING

from nanogap.lazy import on_first_use

if TYPE_CHECKING:
    from nanogap.io.atomic import copy_atomically as copy_atomically
    from nanogap.io.atomic import write_atomically as write_atomically
    from nanogap.io.atomic import write_bytes as write_bytes
    from nanogap.io.atomic import write_csv as write_csv
    from nanogap.io.atomic import write_json as write_json
    from nanogap.io.atomic import write_text as write_text
    from nanogap.io.dataset import cycle_number as cycle_number
    from nanogap.io.dataset import joined_files as joined_files
    from nanogap.io.dataset import measurement_dataset as measurement_dataset
    from nanogap.io.dataset import simulated_trace as simulated_trace
    from nanogap.io.measurement import iterate_measurements as iterate_measurements
    from nanogap.io.measurement import read_measurement as read_measurement
    from nanogap.io.measurement import read_measurements as read_measurements
    from nanogap.io.results import read_arrays as read_arrays
    from nanogap.io.results import read_attributes as read_attributes
    from nanogap.io.results import read_dataset as read_dataset
    from nanogap.io.results import write_dataset as write_dataset
    from nanogap.io.trajectory import Commit as Commit
    from nanogap.io.trajectory import SnapshotRecord as SnapshotRecord
    from nanogap.io.trajectory import TrajectoryStore as TrajectoryStore

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
    "write_csv",
    "write_dataset",
    "write_json",
    "write_text",
]

__getattr__ = on_first_use(
    __name__,
    {
        "nanogap.io.atomic": (
            "copy_atomically",
            "write_atomically",
            "write_bytes",
            "write_csv",
            "write_json",
            "write_text",
        ),
        "nanogap.io.dataset": (
            "cycle_number",
            "joined_files",
            "measurement_dataset",
            "simulated_trace",
        ),
        "nanogap.io.measurement": (
            "iterate_measurements",
            "read_measurement",
            "read_measurements",
        ),
        "nanogap.io.results": (
            "read_arrays",
            "read_attributes",
            "read_dataset",
            "write_dataset",
        ),
        "nanogap.io.trajectory": (
            "Commit",
            "SnapshotRecord",
            "TrajectoryStore",
        ),
    },
)
