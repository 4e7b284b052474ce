"""One device of a device directory: readings are appended, states are kept, frames are chosen."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nanogap.device.device import Device
from nanogap.device.lattice import SiteStates
from nanogap.device.measurement import Measurement, Point
from nanogap.errors import DataFormatError
from nanogap.io import write_text
from nanogap.io.device_files import PartFiles
from nanogap.settings.device import DeviceSettings
from nanogap.typing import FloatArray

#: Time between two states that are kept, s, at the least.
_PAUSE = 10.0
#: A frame is kept where the conductance has changed by so many G0 since the last one.
_STEP = 0.25
#: Frames at most; later ones are passed over.
_MOST_FRAMES = 2000
_COLUMNS = tuple(field.name for field in fields(Point))
_PER_BYTE = 4


@dataclass(frozen=True)
class Frame:
    """Atoms at a moment.

    Attributes
    ----------
    point : int
        Reading that it belongs to.
    time : float
        s.
    conductance : float
        G0.
    states : ndarray of uint8, shape (n_sites,)
        Of the sites of the lattice.
    """

    point: int
    time: float
    conductance: float
    states: SiteStates


def compute_part(
    files: PartFiles, settings: DeviceSettings, watch: Callable[[int], object]
) -> None:
    """Go on with the measurement of one device until its end.

    Parameters
    ----------
    files : PartFiles
    settings : DeviceSettings
        Of this device.
    watch : callable
        Called with the number of readings so far.
    """
    if files.done.is_file():
        return
    files.folder.mkdir(exist_ok=True)
    device = Device(settings)
    measurement = Measurement(device)
    frames = _resume(files, measurement)
    shown = frames[-1].conductance if frames else -1.0
    bridged = bool(frames) and device.conductance.bridged
    n_frames, rows, saved = len(frames), [], time.monotonic()
    with files.points.open("ab") as points, files.frames.open("ab") as pictures:
        for point in measurement:
            rows.append(tuple(float(getattr(point, name)) for name in _COLUMNS))
            now = device.conductance.value
            if n_frames < _MOST_FRAMES and (
                abs(now - shown) > _STEP or point.bridged != bridged or not n_frames
            ):
                shown, bridged = now, point.bridged
                frame = Frame(
                    measurement.state.points - 1,
                    point.time,
                    now,
                    device.engine.state.occupation,
                )
                pictures.write(_packed(frame))
                n_frames += 1
            watch(measurement.state.points)
            if time.monotonic() - saved > _PAUSE:
                _flush(points, pictures, rows)
                _keep(files, measurement)
                rows, saved = [], time.monotonic()
        _flush(points, pictures, rows)
    _keep(files, measurement)
    write_text(files.done, f"{measurement.state.points} readings\n")


def part_progress(files: PartFiles) -> int:
    """Count the readings of a device that are on disk with a state that goes on from them."""
    found = files.checkpoints()
    return int(found[0].name[6:]) if found else 0


def read_points(files: PartFiles) -> dict[str, FloatArray]:
    """Read the readings that count.

    Returns
    -------
    dict of str to ndarray, shape (n_points,)
        By the fields of `nanogap.device.measurement.Point`.
    """
    count = part_progress(files)
    table = np.zeros((0, len(_COLUMNS)))
    if count:
        values = np.fromfile(files.points, dtype=np.float64, count=count * len(_COLUMNS))
        if values.size != count * len(_COLUMNS):
            raise DataFormatError(
                f"{files.points} holds {values.size // len(_COLUMNS)} readings and should hold "
                f"{count}: it was cut off; delete {files.folder} and resume"
            )
        table = values.reshape(count, len(_COLUMNS))
    return {name: table[:, place].copy() for place, name in enumerate(_COLUMNS)}


def read_frames(files: PartFiles, n_sites: int) -> list[Frame]:
    """Read the frames whose readings count.

    Parameters
    ----------
    files : PartFiles
    n_sites : int
        Of the lattice.
    """
    if not files.frames.is_file():
        return []
    record = _record(n_sites)
    content = np.fromfile(files.frames, dtype=np.uint8)
    whole = content[: len(content) // record.itemsize * record.itemsize].view(record)
    limit = part_progress(files)
    return [
        Frame(int(one["point"]), float(one["time"]), float(one["conductance"]), states)
        for one in whole
        if one["point"] < limit
        for states in [_unpacked(one["states"], n_sites)]
    ]


def _record(n_sites: int) -> np.dtype[np.void]:
    """Layout of a frame on disk: two bits per site."""
    size = -(-n_sites // _PER_BYTE)
    return np.dtype(
        [("point", "<i8"), ("time", "<f8"), ("conductance", "<f8"), ("states", "u1", (size,))]
    )


def _packed(frame: Frame) -> bytes:
    """Bytes of a frame."""
    n_sites = len(frame.states)
    padded = np.zeros(-(-n_sites // _PER_BYTE) * _PER_BYTE, dtype=np.uint8)
    padded[:n_sites] = frame.states
    parts = padded.reshape(-1, _PER_BYTE)
    record = np.zeros(1, dtype=_record(n_sites))
    record["point"], record["time"] = frame.point, frame.time
    record["conductance"] = frame.conductance
    record["states"] = parts[:, 0] | parts[:, 1] << 2 | parts[:, 2] << 4 | parts[:, 3] << 6
    return record.tobytes()


def _unpacked(packed: NDArray[np.uint8], n_sites: int) -> SiteStates:
    """States of the sites of a frame."""
    parts = [packed >> shift & 3 for shift in (0, 2, 4, 6)]
    return np.stack(parts, axis=1).ravel()[:n_sites].astype(np.uint8)


def _resume(files: PartFiles, measurement: Measurement) -> list[Frame]:
    """Load the latest whole state, and cut off what came after it."""
    for folder in files.checkpoints():
        try:
            measurement.load(folder)
            break
        except DataFormatError:
            shutil.rmtree(folder)
    count = measurement.state.points
    n_sites = len(measurement.device.lattice)
    frames = read_frames(files, n_sites)
    if files.points.is_file():
        os.truncate(files.points, count * len(_COLUMNS) * 8)
    if files.frames.is_file():
        os.truncate(files.frames, len(frames) * _record(n_sites).itemsize)
    return frames


def _flush(points: object, pictures: object, rows: list[tuple[float, ...]]) -> None:
    """Append readings, and let them and the frames reach the disk."""
    np.asarray(rows, dtype=np.float64).tofile(points)  # type: ignore[arg-type]
    for handle in (points, pictures):
        handle.flush()  # type: ignore[attr-defined]
        os.fsync(handle.fileno())  # type: ignore[attr-defined]


def _keep(files: PartFiles, measurement: Measurement) -> None:
    """Keep the present state, and that before it."""
    target = files.checkpoint(measurement.state.points)
    if target.is_dir():
        return
    fresh = target.with_name(f".{target.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    measurement.save(fresh)
    fresh.rename(target)
    for old in files.checkpoints()[2:]:
        shutil.rmtree(old)
