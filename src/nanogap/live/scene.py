"""Atoms of a moment as a page draws them: those that can be seen, compact."""

import base64
from dataclasses import dataclass

import numpy as np

from nanogap.device.device import Device
from nanogap.device.frames import labelled_atoms
from nanogap.device.lattice import METAL
from nanogap.observables import ION
from nanogap.typing import FloatArray

#: Steps of the packed positions in an angstrom.
_STEPS = 100.0
#: Neighbours of an atom that is hidden on all sides.
_HIDDEN = 12


@dataclass(frozen=True)
class Scene:
    """Atoms and ions of a moment, without those that others hide on all sides.

    Attributes
    ----------
    number : int
        Scenes of the same device before it.
    time : float
        s of the device.
    atoms, ions : int
        All of them, hidden ones too.
    radius : float
        At which neighbours touch, angstrom.
    unit : float
        Of the positions, angstrom.
    positions : str
        x, y, z about the middle of the box, as little-endian 16-bit integers in base64.
    kinds : str
        A byte each (`nanogap.observables.LOWER` and others), in base64.
    """

    number: int
    time: float
    atoms: int
    ions: int
    radius: float
    unit: float
    positions: str
    kinds: str


def scene(device: Device, number: int) -> Scene:
    """Gather the atoms of a device as they are now.

    Parameters
    ----------
    device : Device
    number : int
        Scenes before it.
    """
    states = device.engine.state.occupation
    atoms = labelled_atoms(
        device.tips, states, device.settings.geometry.element, constriction=False
    )
    sites, kinds = atoms.arrays["site"], atoms.arrays["kind"]
    neighbours = device.lattice.neighbours[sites]
    metal = np.append(states == METAL, False)  # a neighbour of -1 is none
    seen = (kinds == ION) | (metal[neighbours].sum(axis=1) < _HIDDEN)
    spread = device.lattice.positions
    middle = (spread.min(axis=0) + spread.max(axis=0)) / 2.0
    return Scene(
        number=number,
        time=device.time,
        atoms=int((kinds != ION).sum()),
        ions=int((kinds == ION).sum()),
        radius=float(device.lattice.lattice_constant / np.sqrt(8.0)),
        unit=1.0 / _STEPS,
        positions=_packed(atoms.positions[seen] - middle),
        kinds=base64.b64encode(kinds[seen].astype(np.uint8).tobytes()).decode(),
    )


def _packed(positions: FloatArray) -> str:
    """Pack positions, each to a hundredth of an angstrom."""
    return base64.b64encode(np.rint(positions * _STEPS).astype("<i2").tobytes()).decode()
