"""One device of a campaign from start to finish: its directory, its result, its kept frames."""

import lzma
from pathlib import Path

import xarray as xr

from nanogap.campaign.keys import RESULT_FORMAT
from nanogap.io import write_bytes
from nanogap.runs.device_alone import open_or_create_device
from nanogap.runs.device_frames import write_frames
from nanogap.runs.device_report import report_device
from nanogap.runs.device_run import DeviceRun
from nanogap.settings.device import DeviceSettings


def open_device(path: Path, settings: DeviceSettings, campaign: str) -> DeviceRun:
    """Open the device directory of a member to go on with it, or make it."""
    return open_or_create_device(path, settings, f"campaign {campaign}")


def device_progress(path: Path) -> int:
    """Count the readings of a member that are on disk.

    Raises
    ------
    NanogapError, OSError
        If there is no device directory to read.
    """
    return DeviceRun(path).points


def packed_device(run: DeviceRun) -> xr.Dataset:
    """Return all readings of a finished measurement, with how it was made.

    Returns
    -------
    xarray.Dataset
        See `nanogap.runs.device_run.DeviceRun.dataset`; the attribute ``points`` counts readings.
    """
    dataset = run.dataset()
    return dataset.assign_attrs(
        result_format=RESULT_FORMAT, seed=run.settings.seed, points=dataset.sizes["point"]
    )


def keep_frames(run: DeviceRun, path: Path) -> None:
    """Write the frames at the steps of the conductance, compressed; `ase.io.read` reads them."""
    plain = path.with_suffix("")
    write_frames(run, plain)
    write_bytes(path, lzma.compress(plain.read_bytes()))
    plain.unlink()


def complete_directory(run: DeviceRun) -> None:
    """Write the measurement and the report of a device directory that is kept."""
    run.write()
    report_device(run)
