"""Frames of a device as atoms: where each metal atom belongs, and the steps of the conductance."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.extxyz import write_extxyz
from numpy.typing import NDArray

from nanogap.device.device import make_energetics, make_tips
from nanogap.device.labels import bottleneck, electrodes, label_metal
from nanogap.device.lattice import BRIDGED, FLOATING, ION, METAL, UPPER, SiteStates
from nanogap.device.needles import Tips
from nanogap.errors import DataFormatError
from nanogap.io import write_atomically
from nanogap.io.device_files import PartFiles
from nanogap.report import device_content
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
from nanogap.typing import BoolArray, Int64Array


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
        self._electrodes = electrodes(self.tips.lattice, self.tips.fixed)

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
            With arrays ``kind`` (`nanogap.report.device_content`) and ``site``; ``info`` has
            ``time`` (s), ``conductance`` (G0), ``transmission`` (at the Fermi energy, where the
            conductance is that and not I/V), ``voltage`` (V, at the source), ``current`` (A),
            ``point``, ``bridged``, ``n_ions`` and, if counted, ``constriction``.
        """
        lattice, states = self.tips.lattice, frame.states
        lower, upper = self._electrodes
        clusters = label_metal(lattice, states, lower, upper)
        metal, ions = np.flatnonzero(states == METAL), np.flatnonzero(states == ION)
        sites = np.concatenate([metal, ions])
        kinds = np.full(len(lattice), device_content.LOWER)
        kinds[clusters.labels == UPPER] = device_content.UPPER
        kinds[clusters.labels == FLOATING] = device_content.FLOATING
        kinds[ions] = device_content.ION
        if clusters.bridged:
            kinds[(clusters.labels == BRIDGED) & self._nearer_upper(states)] = device_content.UPPER
        atoms = Atoms(
            f"{self._element}{len(sites)}",
            positions=lattice.positions[sites],
            cell=lattice.cell,
            pbc=(True, True, False),
        )
        atoms.new_array("kind", kinds[sites].astype(np.int64))
        atoms.new_array("site", sites.astype(np.int64))
        atoms.info.update(
            lattice_constant=lattice.lattice_constant,
            time=frame.time,
            conductance=frame.conductance,
            **({"transmission": frame.conductance} if self._linear else {}),
            voltage=float(self._points["voltage"][frame.point]),
            current=float(self._points["current"][frame.point]),
            point=frame.point,
            bridged=clusters.bridged,
            n_ions=len(ions),
        )
        if constriction:
            atoms.info["constriction"] = len(bottleneck(lattice, clusters, lower, upper))
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

    def _nearer_upper(self, states: SiteStates) -> BoolArray:
        """Tell the metal sites that fewer bonds lead to from the upper electrode."""
        lower, upper = (self._bonds(states == METAL, start) for start in self._electrodes)
        return np.asarray(upper < lower, dtype=np.bool_)

    def _bonds(self, metal: BoolArray, start: BoolArray) -> Int64Array:
        """Count the bonds from the nearest site of an electrode to every metal site."""
        neighbours = self.tips.lattice.neighbours
        count = np.full(len(metal), np.iinfo(np.int64).max)
        front: NDArray[np.integer[Any]] = np.flatnonzero(start & metal)
        steps = 0
        while len(front):
            count[front] = steps
            reached = np.unique(neighbours[front])
            reached = reached[reached >= 0]
            front = reached[metal[reached] & (count[reached] > steps + 1)]
            steps += 1
        return count


def write_frames(run: DeviceRun, output: Path) -> int:
    """Write the frames of a device directory as a trajectory; return how many.

    Parameters
    ----------
    run : DeviceRun
    output : Path
        An extended xyz file. Every frame says its ``device`` (from 1) beside what
        `DeviceFrames.atoms` gives.

    Raises
    ------
    DataFormatError
        If there is no frame yet.
    """
    count = 0

    def every() -> Iterator[Atoms]:
        for number, member in enumerate(run.members):
            kept = DeviceFrames(run.files.part(number), member)
            for frame in kept.frames:
                atoms = kept.atoms(frame, constriction=False)
                atoms.info["device"] = number + 1
                yield atoms

    def write(path: Path) -> None:
        nonlocal count
        with path.open("w", encoding="utf-8") as handle:
            for atoms in every():
                write_extxyz(handle, [atoms])
                count += 1
        if not count:
            raise DataFormatError(f"{run.path} has no reading yet, so no frame: resume it")

    write_atomically(output, write)
    return count
