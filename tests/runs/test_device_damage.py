"""A device directory whose files were cut, or that two processes want."""

import numpy as np
import pytest
from tests.runs.hand_made_device import make

from nanogap.device.device import Device
from nanogap.device.measurement import Measurement, point_columns
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import write_text
from nanogap.io.lock import FileLock
from nanogap.runs import device_run
from nanogap.runs.device_part import compute_part, read_frames, read_points
from nanogap.runs.device_run import DeviceRun, start_device
from nanogap.runs.growing_file import GrowingFile
from nanogap.settings.device import load_device_settings

SMALL = {
    "geometry.base_width": 12.0, "geometry.height": 7.0, "geometry.gap": 5.0,
    "geometry.upper_apex_width": "same", "geometry.fixed_layers": 1, "geometry.margin": 3.0,
    "conductance.cell_widths": [4], "conductance.kpoints": 1, "conductance.cache": "none",
    "medium.name": "vacuum", "protocol.turning_points": [0.0, 0.2, 0.0], "protocol.rate": 8.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """One measured device, and how its files were."""
    settings = load_device_settings("device-quick", SMALL)
    run = DeviceRun.create(tmp_path_factory.mktemp("damage") / "dev", settings, "test")
    part = run.files.part(0)
    compute_part(part, settings, lambda _: None)
    part.done.unlink()
    return settings, part, part.points.read_bytes(), part.frames.read_bytes()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda points, frames: (points[:160], frames), "points.* 160 bytes and should hold"),
        (lambda points, frames: (points, frames[:-1]), "frames.* was cut off; delete"),
        (lambda points, frames: (points[:8] + points[16:24] + points[16:], frames), "changed"),
        (lambda points, frames: (points, frames[:30] + b"\xff" + frames[31:]), "changed"),
    ],
)
def test_a_cut_or_changed_file_is_refused_and_left_alone(measured, damage, words):
    """A cut file of readings was filled up with zeros, one of frames lost them."""
    settings, part, points, frames = measured
    for path, content in zip((part.points, part.frames), damage(points, frames), strict=True):
        path.write_bytes(content)
    with pytest.raises(DataFormatError, match=words):
        compute_part(part, settings, lambda _: None)
    assert part.points.read_bytes() == damage(points, frames)[0]
    assert not part.done.is_file()
    part.points.write_bytes(points)
    part.frames.write_bytes(frames)


def test_what_came_after_the_state_is_cut_off(measured):
    settings, part, points, frames = measured
    with part.points.open("ab") as file:
        file.write(points[:80])
    compute_part(part, settings, lambda _: None)
    assert (part.points.read_bytes(), part.frames.read_bytes()) == (points, frames)
    part.done.unlink()


def test_missing_frames_are_told_where_they_are_read(measured):
    settings, part, _, frames = measured
    n_sites = len(Measurement(Device(settings)).device.lattice)
    assert len(read_points(part)["time"]) == part.readings
    part.frames.unlink()
    with pytest.raises(DataFormatError, match="holds 0 bytes and should hold"):
        read_frames(part, n_sites)
    part.frames.write_bytes(frames)
    assert read_frames(part, n_sites)


def test_a_full_disk_is_told_with_its_file(tmp_path):
    with GrowingFile(tmp_path / "points", 0) as file:
        file.write(b"1234")

        class Full:
            def flush(self):
                raise OSError(28, "No space left on device")

            def close(self):
                self.flush()

        file._handle.close()  # noqa: SLF001 in place of a full disk
        file._handle = Full()  # noqa: SLF001
        with pytest.raises(NanogapError, match=r"points cannot be written: No space left.* resume"):
            file.sync()


def test_the_slower_of_two_processes_is_told_that_the_folder_is_taken(tmp_path, monkeypatch):
    """It heard of edited settings, or removed what the other one wrote."""
    settings = load_device_settings("device-quick", SMALL)
    monkeypatch.setattr(device_run, "check_empty", lambda _folder: None)  # asked before the other
    DeviceRun.create(tmp_path / "dev", settings, "test")
    with pytest.raises(SettingsError, match="not empty"):
        start_device(tmp_path / "dev", settings, "test", lambda *_: None)
    assert DeviceRun(tmp_path / "dev").points == 0


def test_what_another_process_holds_is_not_removed(tmp_path):
    run = make(tmp_path / "dev", 0)
    with FileLock(run.files.lock).hold():
        run.remove()
    assert run.path.is_dir()
    run.remove()
    assert not run.path.exists()


def test_the_report_of_a_session_that_ends_is_not_of_a_running_one(tmp_path, monkeypatch):
    """It was written while the folder is held, and said so for ever."""
    settings = load_device_settings("device-quick", SMALL)
    states = []
    monkeypatch.setattr(DeviceRun, "write_report", lambda run: states.append(run.status.state))

    def stop(points, _planned):
        states.append(run.status.state)
        if points == 3:
            raise KeyboardInterrupt

    run = DeviceRun.create(tmp_path / "dev", settings, "test")
    monkeypatch.setattr(device_run, "compute_part", _three_readings)
    with pytest.raises(KeyboardInterrupt):
        run.compute(stop)
    run.compute(lambda *_: None)
    assert states == ["running", "interrupted", "finished"]


def _three_readings(files, _settings, watch):
    """Stop once after three readings, and finish then."""
    if not files.folder.is_dir():
        files.folder.mkdir()
        files.checkpoint(3).mkdir()
        np.zeros((3, len(point_columns()))).tofile(files.points)
        watch(3)
    write_text(files.done, "3 readings\n")
