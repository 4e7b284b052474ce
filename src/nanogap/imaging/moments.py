"""Moments of a structure file, a run, a device or a wire that can be seen, and their curve."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from nanogap.errors import DataFormatError, SettingsError
from nanogap.imaging.outline import Outline, outline_of, parted_outline
from nanogap.io.device_files import is_device_directory
from nanogap.io.run_files import is_run_directory
from nanogap.io.wire_files import is_wire_directory
from nanogap.printing import counted
from nanogap.report.movie import chosen_pictures
from nanogap.runs.device_frames import DeviceFrames
from nanogap.runs.device_run import DeviceRun
from nanogap.runs.directory import RunDirectory
from nanogap.runs.trajectory import trajectory_of
from nanogap.runs.wire_run import WireRun
from nanogap.structure.junction import read_frames
from nanogap.typing import FloatArray, Int64Array
from nanogap.wire.result import stored_moments, stored_result

#: Times that are one, of those in a file.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve that is drawn beside images.

    Attributes
    ----------
    x, y : ndarray, shape (n_points,)
    x_label, y_label : str
        With units.
    logarithmic : bool
        Whether y is drawn so.
    """

    x: FloatArray
    y: FloatArray
    x_label: str
    y_label: str
    logarithmic: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """Atoms or a wire at a moment.

    Attributes
    ----------
    body : ase.Atoms or Outline
    caption : str
        Time and state, for the reader.
    mark : tuple of float or None
        Where the moment lies on the curve.
    """

    body: Atoms | Outline
    caption: str
    mark: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments that can be seen.

    Attributes
    ----------
    name : str
        Of the file or folder.
    times : ndarray, shape (n_moments,)
        In the unit; the numbers of the frames of a file.
    unit : str
        ps or s; empty where there are no times.
    span : tuple of float
        First and last time that can be asked for.
    read : callable
        Gives the scene of a moment by its place.
    chosen : callable
        Gives the places of so many moments that tell the story, in order.
    curve : Curve or None
    is_wire : bool
    """

    name: str
    times: FloatArray
    unit: str
    span: tuple[float, float]
    read: Callable[[int], Scene]
    chosen: Callable[[int], Int64Array]
    curve: Curve | None = None
    is_wire: bool = False

    def place(self, at: float | None = None, moment: int | None = None) -> int:
        """Return the place of a moment; default: the last.

        Parameters
        ----------
        at : float, optional
            Time: the moment that is nearest.
        moment : int, optional
            Number, from 1.

        Raises
        ------
        SettingsError
            If both are given, there are no times, or there is no such moment.
        """
        count = len(self.times)
        if at is not None and moment is not None:
            raise SettingsError("give at or moment, not both: each chooses a moment")
        if moment is not None:
            if not 1 <= moment <= count:
                raise SettingsError(
                    f"moment = {moment}: {self.name} has {counted(count, 'moment')}: give 1 to "
                    f"{count}"
                )
            return moment - 1
        if at is None:
            return count - 1
        if not self.unit:
            raise SettingsError(
                f"at = {at:g}: the frames of {self.name} have no times: choose one with moment"
            )
        low, high = self.span
        slack = _SAME * max(abs(low), abs(high))
        if not low - slack <= at <= high + slack:
            raise SettingsError(
                f"at = {at:g}: {self.name} has moments from {low:.6g} to {high:.6g} {self.unit}: "
                "give a time between"
            )
        return int(np.argmin(np.abs(self.times - at)))


def open_moments(path: Path, wire: int | None = None, device: int | None = None) -> Moments:
    """Open what is to be seen.

    Parameters
    ----------
    path : Path
        A structure file that ASE reads, or the directory of a run, of devices or of wires.
    wire, device : int, optional
        Which one of the directory, from 1; default: the first.

    Raises
    ------
    SettingsError
        If a wire or device is asked for where there is none, or there is no such one.
    DataFormatError
        If there is nothing to see, or it cannot be read.
    """
    of_wires = path.is_dir() and is_wire_directory(path)
    of_devices = path.is_dir() and is_device_directory(path)
    for name, asked, there in (("wire", wire, of_wires), ("device", device, of_devices)):
        if asked is not None and not there:
            raise SettingsError(f"{name} = {asked}: {path} is no {name} directory: leave it out")
    if of_wires:
        return _of_wire(path, 1 if wire is None else wire)
    if of_devices:
        return _of_device(path, 1 if device is None else device)
    if not path.is_dir():
        return _of_file(path)
    if is_run_directory(path):
        return _of_run(path)
    raise DataFormatError(
        f"{path} is a folder without a run: give that of 'nanogap run', 'nanogap device run' or "
        "'nanogap wire run', or a structure file"
    )


def _evenly(count: int, wanted: int) -> Int64Array:
    """Return the places of so many of `count` moments, evenly, first and last among them."""
    if wanted >= count:
        return np.arange(count, dtype=np.int64)
    return np.unique(np.linspace(0, count - 1, wanted).round().astype(np.int64))


def _of_file(path: Path) -> Moments:
    """Open a structure file, or a trajectory in one."""
    frames = read_frames(path, ":")
    count = len(frames)

    def read(place: int) -> Scene:
        caption = f"frame {place + 1} of {count}" if count > 1 else ""
        return Scene(frames[place], caption)

    return Moments(
        name=path.name,
        times=np.arange(1.0, count + 1.0),
        unit="",
        span=(1.0, float(count)),
        read=read,
        chosen=lambda wanted: _evenly(count, wanted),
    )


def _of_run(path: Path) -> Moments:
    """Open a run of molecular dynamics."""
    trajectory = trajectory_of(RunDirectory(path))
    result = trajectory.result
    known = np.isfinite(result.transmission)

    def read(place: int) -> Scene:
        time, value = float(result.time[place]), float(result.transmission[place])
        conductance = f", T = {value:.3g}" if np.isfinite(value) else ""
        mark = (time, value) if np.isfinite(value) else None
        return Scene(trajectory.frame(place), f"{time:.4g} ps{conductance}", mark)

    curve = Curve(
        result.time[known],
        result.transmission[known],
        "time under voltage (ps)",
        "transmission T = G / G$_0$",
    )
    return Moments(
        name=trajectory.name,
        times=result.time,
        unit="ps",
        span=(float(result.time.min()), float(result.time.max())),
        read=read,
        chosen=lambda wanted: chosen_pictures(trajectory, wanted),
        curve=curve if known.any() else None,
    )


def _of_device(path: Path, number: int) -> Moments:
    """Open one device of a device directory."""
    run = DeviceRun(path)
    _need_number("device", number, len(run.members), path)
    if not run.points_of(number - 1):
        raise DataFormatError(f"{path} has no reading of device {number} yet, so no frame")
    kept = DeviceFrames(run.files.part(number - 1), run.members[number - 1])
    if not kept.frames:
        raise DataFormatError(f"{path} has no frame of device {number}: nothing is to be seen")
    data = run.of_device(number - 1)
    times = np.array([one.time for one in kept.frames])
    least = 1e-6

    def read(place: int) -> Scene:
        frame = kept.frames[place]
        atoms = kept.atoms(frame, constriction=False)
        caption = (
            f"{frame.time:.4g} s, {atoms.info['voltage']:.3g} V, {frame.conductance:.3g} G$_0$"
        )
        return Scene(atoms, caption, (frame.time, max(frame.conductance, least)))

    return Moments(
        name=path.absolute().name,
        times=times,
        unit="s",
        span=(float(times.min()), max(float(times.max()), float(data["time"].max()))),
        read=read,
        chosen=lambda wanted: _evenly(len(times), wanted),
        curve=Curve(
            data["time"].to_numpy(),
            np.maximum(data["gap_conductance"].to_numpy(), least),
            "time (s)",
            "conductance (G$_0$)",
            logarithmic=True,
        ),
    )


def _of_wire(path: Path, number: int) -> Moments:
    """Open one wire of a wire directory: its kept moments, and what is left once it has parted."""
    run = WireRun(path)
    _need_number("wire", number, len(run.members), path)
    if number - 1 not in run.finished:
        raise DataFormatError(
            f"{path} has no finished wire {number} yet: 'nanogap wire resume {path}' goes on"
        )
    part = run.breakdown(number - 1)
    kept, result = stored_moments(part), stored_result(part)
    times, radii = [one.time for one in kept], [float(one.radii.min()) for one in kept]
    if result.parted:
        times.append(times[-1] + 1e-3)  # the needles have cooled long before
        radii.append(0.0)

    def read(place: int) -> Scene:
        if place == len(kept):
            body = parted_outline(kept[-1], result)
            width = result.gap or 0.0
            return Scene(body, f"parted: gap of {width:.3g} nm", (kept[-1].voltage, 0.0))
        one = kept[place]
        caption = f"{one.voltage:.4g} V, {1e3 * one.current:.3g} mA"
        return Scene(outline_of(one), caption, (one.voltage, 1e3 * one.current))

    def chosen(wanted: int) -> Int64Array:
        if wanted >= len(radii):
            return np.arange(len(radii), dtype=np.int64)
        # evenly in the thinnest radius: in time nearly all of it happens at the end
        sought = np.linspace(radii[0], radii[-1], wanted)
        return np.unique([int(np.argmin(np.abs(np.array(radii) - one))) for one in sought])

    return Moments(
        name=f"{path.absolute().name}, wire {number}",
        times=np.array(times),
        unit="s",
        span=(times[0], max(times[-1], float(part["time"].max()))),
        read=read,
        chosen=chosen,
        curve=Curve(
            part["voltage"].to_numpy(),
            1e3 * part["current"].to_numpy(),
            "voltage at the source (V)",
            "current (mA)",
        ),
        is_wire=True,
    )


def _need_number(kind: str, number: int, count: int, path: Path) -> None:
    """Refuse a number that no wire or device has."""
    if not 1 <= number <= count:
        raise SettingsError(
            f"{kind} = {number}: {path} has {counted(count, kind)}: give 1 to {count}"
        )
