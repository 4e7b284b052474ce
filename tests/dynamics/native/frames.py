"""Small frames of every kind that a simulation meets."""

import numpy as np
from ase import Atoms

from nanogap.structure import build_pyramids


def tips(force_field, gap):
    """Two tips of about 130 atoms."""
    return build_pyramids(
        lattice_constant=force_field.lattice_constant,
        base_width=12.0,
        height=5.0,
        apex_width=6.0,
        gap=gap,
        fixed_layers=1,
        vacuum=12.0,
        element=force_field.element,
    )


def loose(force_field, positions):
    """A few atoms in a wide box, all of them mobile."""
    atoms = Atoms(f"{force_field.element}{len(positions)}", positions, cell=[60.0, 60.0, 60.0])
    atoms.positions += 25.0
    atoms.new_array("electrode", np.full(len(atoms), "mobile"))
    return atoms


def shaken(atoms, size, seed=1):
    """Displace all atoms at random."""
    moved = atoms.copy()
    moved.positions += np.random.default_rng(seed).normal(0.0, size, atoms.positions.shape)
    return moved


def squeezed(atoms, factor):
    """Scale all distances."""
    moved = atoms.copy()
    centre = atoms.cell.lengths() / 2.0
    moved.positions = centre + factor * (atoms.positions - centre)
    return moved


def every_kind(force_field):
    """Frames by name, from an isolated atom to tips that are hot or compressed."""
    length = force_field.lattice_constant / np.sqrt(2.0)
    open_tips, bridged = tips(force_field, 6.0), tips(force_field, 3.1)
    frames = {
        "open": open_tips,
        "open, hot": shaken(open_tips, 0.15),
        "open, melted": shaken(open_tips, 0.3),
        "bridged": bridged,
        "bridged, hot": shaken(bridged, 0.15),
        "compressed": squeezed(open_tips, 0.9),
        "compressed, hot": shaken(squeezed(bridged, 0.92), 0.1),
        "stretched": squeezed(open_tips, 1.12),
        "far apart": tips(force_field, 11.0),
        "isolated atoms": loose(force_field, [[0, 0, 0], [20.0, 0, 0], [0, 9.5, 0]]),
        "chain": loose(force_field, [[0, 0, length * k] for k in range(7)]),
    }
    for ratio in (0.7, 0.85, 1.0, 1.2, 1.5, 2.2, 3.2):
        dimer = [[0, 0, 0], [0.3, 0.2, length * ratio]]
        frames[f"dimer at {ratio} bonds"] = loose(force_field, dimer)
    adatom = open_tips.copy()
    adatom.positions[-1] = adatom.cell.lengths() / 2.0
    frames["an atom in the gap"] = adatom
    return frames


def potential_of(atoms, seed=2):
    """A potential of 4 V that varies from atom to atom, V."""
    upper = atoms.positions[:, 2] > atoms.positions[:, 2].mean()
    noise = np.random.default_rng(seed).normal(0.0, 0.1, len(atoms))
    return np.where(upper, 2.0, -2.0) + noise
