"""Frames of a device as atoms: where each metal atom belongs, and the steps of the conductance."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ase import Atoms
from ase.io.extxyz import write_extxyz

from nanogap.device.frames import labelled_atoms
from nanogap.device.needles import Tips
from nanogap.device.parts import make_energetics, make_tips
from nanogap.errors import DataFormatError
from nanogap.io import write_atomically
from nanogap.io.device_files import PartFiles
from nanogap.report.device_content import Step
from nanogap.runs.device_part import (
    STEP,
    Frame,
    read_cost,
    read_frames,
    read_points,
    step_size,
)
from nanogap.runs.device_run import DeviceRun
from nanogap.settings.device import DeviceSettings


class DeviceFrames:
    """Frames that were kept of one device.

    Parameters
    ----------
    files : PartFiles
    settings : DeviceSettings
        Of this device.

    Attributes
    ----------
    tips : Tips
        The lattice and its fixed sites.
    frames : list of Frame
        In order of time.
    steps_left_out : int
        Steps whose frames found no room on disk.
    """

    def __init__(self, files: PartFiles, settings: DeviceSettings) -> None:
        self.tips: Tips = make_tips(settings, make_energetics(settings).lattice_constant)
        self.frames: list[Frame] = read_frames(files, len(self.tips.lattice))
        self.steps_left_out: int = read_cost(files).steps_left_out
        self._linear = settings.conductance.curve == "linear"
        self._element = settings.geometry.element
        self._points = read_points(files)

    def atoms(self, frame: Frame, *, constriction: bool = True) -> Atoms:
        """Return a frame as atoms, metal first.

        Parameters
        ----------
        frame : Frame
        constriction : bool
            Count the atoms of the constriction, which takes tens of milliseconds.

        Returns
        -------
        ase.Atoms
            `nanogap.device.frames.labelled_atoms`; ``info`` has ``time`` (s), ``conductance`` (G0),
            ``transmission`` (at the Fermi energy, where the conductance is that and not I/V),
            ``voltage`` (V, at the source), ``current`` (A) and ``point`` too.
        """
        atoms = labelled_atoms(self.tips, frame.states, self._element, constriction=constriction)
        atoms.info.update(
            time=frame.time,
            conductance=frame.conductance,
            **({"transmission": frame.conductance} if self._linear else {}),
            voltage=float(self._points["voltage"][frame.point]),
            current=float(self._points["current"][frame.point]),
            point=frame.point,
        )
        return atoms

    @property
    def n_steps(self) -> int:
        """Number of steps of the conductance whose frames were kept."""
        return len(self._steps())

    def steps(self, most: int) -> list[Step]:
        """Return the largest steps of the conductance, in order of time.

        Parameters
        ----------
        most : int
            Steps at most; those at which a contact forms or breaks come first, then by their size.
        """
        largest = sorted(self._steps(), reverse=True)[:most]
        return [
            Step(*map(self.atoms, self.frames[place : place + 2]))
            for place in sorted(place for *_, place in largest)
        ]

    def _steps(self) -> list[tuple[bool, float, int]]:
        """List the steps: whether a contact formed or broke, size, place of the frame before it."""
        bridged, mean = self._points["bridged"].astype(bool), self._points["conductance"]
        found: list[tuple[bool, float, int]] = []
        for place, (before, after) in enumerate(pairwise(self.frames)):
            if after.point != before.point + 1:
                continue
            size = step_size(before.conductance, after.conductance, float(mean[after.point]))
            switched = bool(bridged[after.point] != bridged[before.point])
            if switched or size > STEP:
                found.append((switched, size, place))
        return found


def frames_of(run: DeviceRun) -> Iterator[Atoms]:
    """Yield the frames of a device directory; see `DeviceRun.frames`."""
    for number, member in enumerate(run.members):
        kept = DeviceFrames(run.files.part(number), member)
        for frame in kept.frames:
            atoms = kept.atoms(frame, constriction=False)
            atoms.info["device"] = number + 1
            yield atoms


def write_frames(run: DeviceRun, output: Path) -> int:
    """Write the frames of a device directory as a trajectory; return how many.

    Parameters
    ----------
    run : DeviceRun
    output : Path
        An extended xyz file with what `DeviceRun.frames` gives.

    Raises
    ------
    DataFormatError
        If there is no frame yet.
    """
    count = 0

    def write(path: Path) -> None:
        nonlocal count
        with path.open("w", encoding="utf-8") as handle:
            for atoms in frames_of(run):
                write_extxyz(handle, [atoms])
                count += 1
        if not count:
            raise DataFormatError(f"{run.path} has no reading yet, so no frame: resume it")

    write_atomically(output, write)
    return count
