"""One device of a device directory: readings are appended, states are kept, frames are chosen."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanogap.device.device import Device
from nanogap.device.lattice import SiteStates
from nanogap.device.measurement import Measurement, Point, point_columns
from nanogap.errors import DataFormatError, OtherStateError
from nanogap.io import write_json, write_text
from nanogap.io.device_files import PartFiles
from nanogap.runs.growing_file import GrowingFile, refuse_cut
from nanogap.settings.device import DeviceSettings
from nanogap.typing import FloatArray

#: Time between two states that are kept, s, at the least.
_PAUSE = 10.0
#: A change of the conductance from one reading to the next that is a step, G0: the frames before
#: and after it are kept.
STEP = 0.1
#: So much change since the last frame is kept too, however slow it was, G0.
_DRIFT = 0.25
#: A step that finds room where smaller ones no longer do, G0.
_LARGE = 0.5
#: Frames at most, and bytes of them; small steps find room in proportion to the readings done, so
#: that those of a long measurement's beginning leave room for the others.
_MOST_FRAMES = 2000
_MOST_BYTES = 2**24
_FIRST_SHARE = 0.25
_COLUMNS = point_columns()
_PER_BYTE = 4
_COST, _APPENDED = "cost.json", "appended.json"


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


@dataclass(frozen=True)
class PartCost:
    """Computing time of the readings of a device.

    Attributes
    ----------
    cpu_time : float
        Of all, s.
    transport_time : float
        Of the conductances, s.
    asked, known, computed : int
        Conductances that were asked for, those that the cache knew, those that were computed.
    updates : int
        Times that potential and conductance followed the atoms.
    unconverged : int
        Conductances asked for whose neck was not relaxed to the end.
    steps_left_out : int
        Steps of the conductance whose frames found no room on disk.
    """

    cpu_time: float = 0.0
    transport_time: float = 0.0
    asked: int = 0
    known: int = 0
    computed: int = 0
    updates: int = 0
    unconverged: int = 0
    steps_left_out: int = 0

    def __add__(self, other: "PartCost") -> "PartCost":
        """Add the cost of another stretch, or of another device."""
        names = [field.name for field in fields(self)]
        return PartCost(*(getattr(self, name) + getattr(other, name) for name in names))


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
    begun = time.process_time()
    files.folder.mkdir(exist_ok=True)
    device = Device(settings)
    measurement = Measurement(device)
    frames, points, pictures = _resume(files, measurement)
    spent, updates = read_cost(files), device.updates

    def cost() -> PartCost:
        count = device.necks.count
        return spent + PartCost(
            cpu_time=time.process_time() - begun,
            transport_time=count.seconds,
            asked=count.asked,
            known=count.known,
            computed=count.computed,
            updates=device.updates - updates,
            unconverged=count.unconverged,
            steps_left_out=chosen.left_out,
        )

    chosen = _Chosen(measurement, frames, _last_time(files))
    rows, saved = [], time.monotonic()
    with points, pictures:
        for point in measurement:
            rows.append(point.numbers)
            for frame in chosen.of(point):
                pictures.write(_packed(frame))
            watch(measurement.state.points)
            if time.monotonic() - saved > _PAUSE:
                _flush(points, pictures, rows)
                _keep(files, measurement, cost(), points, pictures)
                rows, saved = [], time.monotonic()
        for frame in chosen.end():
            pictures.write(_packed(frame))
        _flush(points, pictures, rows)
        _keep(files, measurement, cost(), points, pictures)
    write_text(files.done, f"{measurement.state.points} readings\n")


class _Chosen:
    """Frames that are kept: the first, those before and after each step, and the last.

    A step is that of the atoms' conductance (`step_size`), without the noise of the instrument, by
    more than `STEP`, or a contact that forms or breaks.

    Parameters
    ----------
    measurement : Measurement
        As it is at the latest reading.
    frames : list of Frame
        Kept so far.
    time : float
        Of the latest reading, s.

    Attributes
    ----------
    left_out : int
        Steps since then whose frames found no room.
    """

    def __init__(self, measurement: Measurement, frames: list[Frame], time: float) -> None:
        self._measurement, self._count, self.left_out = measurement, len(frames), 0
        self._latest = self._frame(time)
        self._kept = frames[-1] if frames else None
        self._bridged = measurement.device.conductance.bridged
        size = _record(len(self._latest.states)).itemsize
        self._most = min(_MOST_FRAMES, max(2, _MOST_BYTES // size))
        self._planned = max(1, measurement.device.settings.total_samples)

    def of(self, point: Point) -> list[Frame]:
        """Return the frames that are to be kept because of a reading."""
        before, self._latest = self._latest, self._frame(point.time)
        bridged, self._bridged = self._bridged, point.bridged
        last, now = self._kept, self._latest
        if last is None:
            return self._keep([now])
        size = step_size(before.conductance, now.conductance, point.conductance)
        switched = point.bridged != bridged
        step = switched or size > STEP
        if not step and not abs(now.conductance - last.conductance) > _DRIFT:
            return []
        share = 1.0
        if not switched and size < _LARGE:
            share = _FIRST_SHARE + (1.0 - _FIRST_SHARE) * (now.point + 1) / self._planned
        kept = [now] if before.point == last.point else [before, now]
        if self._count + len(kept) > share * self._most:
            self.left_out += int(step)
            return []
        return self._keep(kept)

    def _keep(self, kept: list[Frame]) -> list[Frame]:
        self._kept, self._count = kept[-1], self._count + len(kept)
        return kept

    def end(self) -> list[Frame]:
        """Return the frame of the end, unless it is kept already."""
        known = self._kept is None or self._kept.point == self._latest.point
        return [] if known else [self._latest]

    def _frame(self, time: float) -> Frame:
        """Return the frame of the latest reading."""
        measurement = self._measurement
        return Frame(
            measurement.state.points - 1,
            time,
            measurement.device.conductance.value,
            measurement.moment.occupation,
        )


def step_size(before: float, after: float, mean: float) -> float:
    """Return how much the conductance changed in a reading, G0.

    Parameters
    ----------
    before, after : float
        Conductance at the end of the reading before and at that of this one, G0.
    mean : float
        Over the averaging time of this reading, G0: where it lies beyond both, something came and
        went within the reading.
    """
    passing = max(mean - max(before, after), min(before, after) - mean)
    return max(abs(after - before), passing)


def _last_time(files: PartFiles) -> float:
    """Return the time of the latest reading that counts, s."""
    return float(read_points(files)["time"][-1]) if files.readings else 0.0


def read_cost(files: PartFiles) -> PartCost:
    """Read what the readings that count have cost; nothing if it was not recorded."""
    for folder in files.checkpoints()[:1]:
        try:
            return PartCost(**json.loads((folder / _COST).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            break
    return PartCost()


def read_points(files: PartFiles) -> dict[str, FloatArray]:
    """Read the readings that count.

    Returns
    -------
    dict of str to ndarray, shape (n_points,)
        By `nanogap.device.measurement.point_columns`.
    """
    count = files.readings
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

    Raises
    ------
    DataFormatError
        If the file has been cut off, or is missing.
    """
    for folder in files.checkpoints()[:1]:
        refuse_cut(files.frames, int(str(_appended(folder).get("frames", {}).get("size", 0))))
    if not files.frames.is_file():
        return []
    record = _record(n_sites)
    content = np.fromfile(files.frames, dtype=np.uint8)
    whole = content[: len(content) // record.itemsize * record.itemsize].view(record)
    limit = files.readings
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


def _resume(
    files: PartFiles, measurement: Measurement
) -> tuple[list[Frame], GrowingFile, GrowingFile]:
    """Load the latest whole state; return the frames, and the files without what came after it."""
    appended: dict[str, dict[str, object]] = {}
    for folder in files.checkpoints():
        try:
            measurement.load(folder)
            appended = _appended(folder)
            break
        except OtherStateError as error:  # no damage: what was measured is not thrown away
            raise OtherStateError(f"{error}: put it back, or begin another measurement") from None
        except DataFormatError:
            shutil.rmtree(folder)
    n_sites = len(measurement.device.lattice)
    with contextlib.ExitStack() as opened:
        if appended:
            points = GrowingFile.as_recorded(files.points, appended["points"])
            opened.enter_context(points)
            pictures = GrowingFile.as_recorded(files.frames, appended["frames"])
            frames = read_frames(files, n_sites)
        else:
            frames = read_frames(files, n_sites)
            points = GrowingFile(files.points, measurement.state.points * len(_COLUMNS) * 8)
            opened.enter_context(points)
            pictures = GrowingFile(files.frames, len(frames) * _record(n_sites).itemsize)
        opened.pop_all()
    return frames, points, pictures


def _appended(folder: Path) -> dict[str, dict[str, object]]:
    """Read what the files held when a state was kept; nothing for one of an older version."""
    try:
        found = json.loads((folder / _APPENDED).read_text(encoding="utf-8"))
        return {name: dict(found[name]) for name in ("points", "frames")}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFormatError(f"checkpoint {folder.name} cannot be read: {error}") from None


def _flush(points: GrowingFile, pictures: GrowingFile, rows: list[tuple[float, ...]]) -> None:
    """Append readings, and let them and the frames reach the disk."""
    points.write(np.asarray(rows, dtype=np.float64).tobytes())
    points.sync()
    pictures.sync()


def _keep(
    files: PartFiles,
    measurement: Measurement,
    cost: PartCost,
    points: GrowingFile,
    pictures: GrowingFile,
) -> None:
    """Keep the present state, and that before it."""
    target = files.checkpoint(measurement.state.points)
    if target.is_dir():
        return
    fresh = target.with_name(f".{target.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    measurement.save(fresh)
    write_json(fresh / _COST, asdict(cost))
    write_json(fresh / _APPENDED, {"points": points.record, "frames": pictures.record})
    fresh.rename(target)
    for old in files.checkpoints()[2:]:
        shutil.rmtree(old)
