"""Junctions that several transport tests share."""

import numpy as np
from ase import Atoms

from nanogap.structure.tips import layer_spacing, stacking_shift, surface_vectors

A = 4.216
PERIOD = 3 * layer_spacing(A)


def plane(width, layer, lattice_constant=A):
    """Sites of a (111) layer in a cell of width x width, shape (width^2, 3)."""
    vectors = surface_vectors(lattice_constant)
    sites = np.array([(i, j) for i in range(width) for j in range(width)]) @ vectors
    points = sites + layer * stacking_shift(lattice_constant)
    cell = width * vectors
    points = (points @ np.linalg.inv(cell) % 1.0) @ cell
    heights = np.full(len(points), layer * layer_spacing(lattice_constant))
    return np.column_stack([points, heights])


def slab_junction(width, extra=(), gap_layers=0, channel_layers=3, lattice_constant=A):
    """Two (111) half-crystals of one lattice, `gap_layers` planes missing, extra atoms between.

    Extra atoms are given from the middle of the gap, angstrom.
    """
    per_side = 3 + channel_layers
    total = 2 * per_side + gap_layers
    positions, regions = [], []
    for layer in range(total):
        if per_side <= layer < per_side + gap_layers:
            continue
        sites = plane(width, layer, lattice_constant)
        positions.append(sites)
        name = "left" if layer < 3 else "right" if layer >= total - 3 else "channel"
        regions += [name] * len(sites)
    cell = np.zeros((3, 3))
    cell[:2, :2] = width * surface_vectors(lattice_constant)
    cell[2, 2] = total * layer_spacing(lattice_constant)
    middle = np.array([*cell[:2, :2].sum(axis=0) / 2, (total - 1) / 2 * layer_spacing(A)])
    if len(extra):
        positions.append(middle + np.asarray(extra, dtype=float))
        regions += ["channel"] * len(extra)
    atoms = Atoms(
        f"Ag{len(regions)}", np.concatenate(positions), cell=cell, pbc=(True, True, False)
    )
    atoms.new_array("region", np.array(regions))
    period = 3 * layer_spacing(lattice_constant)
    atoms.info.update(left_period=period, right_period=period)
    return atoms


def tips(sizes, *, shared, inverted, width=3, lattice_constant=4.09):
    """Two tips of triangles with `sizes` atoms a side, on planes of width x width, face to face.

    `shared`: they have the last triangle in common; otherwise the last triangles are a bond length,
    or if `inverted` and of several atoms a layer, apart. `inverted`: the second is the first turned
    inside out, otherwise its mirror image.
    """
    vectors, spacing = surface_vectors(lattice_constant), layer_spacing(lattice_constant)
    shift, layers = stacking_shift(lattice_constant), []
    for layer in range(5):
        sites = np.indices((width, width)).reshape(2, -1).T
        layers.append(
            np.column_stack([sites @ vectors + layer * shift, [layer * spacing] * len(sites)])
        )
    for layer, size in enumerate(sizes, start=5):
        sites = np.array([(i, j) for i in range(size) for j in range(size - i)])
        layers.append(
            np.column_stack([sites @ vectors + layer * shift, [layer * spacing] * len(sites)])
        )
    low = np.concatenate(layers) - layers[-1].mean(axis=0)
    high = low * ([-1, -1, -1] if inverted else [1, 1, -1])
    labels = [["left"] * 3 * width**2 + ["channel"] * (len(low) - 3 * width**2)]
    labels.append([{"left": "right"}.get(label, label) for label in labels[0]])
    if shared:
        high, labels[1] = high[: -len(layers[-1])], labels[1][: -len(layers[-1])]
    elif inverted and sizes[-1] > 1:
        high[:, 2] += spacing
    else:
        high[:, 2] += lattice_constant / np.sqrt(2.0)
    positions = np.concatenate([low, high])
    cell = np.zeros((3, 3))
    cell[:2, :2] = width * vectors
    cell[2, 2] = np.ptp(positions[:, 2]) + spacing
    atoms = Atoms(f"Ag{len(positions)}", positions, cell=cell, pbc=(True, True, False))
    atoms.new_array("region", np.array(labels[0] + labels[1]))
    atoms.info.update(left_period=3 * spacing, right_period=3 * spacing)
    return atoms


def chain(distance, n_channel=3, repeats=1):
    """A monatomic wire along z; each lead unit holds `repeats` atoms."""
    n = n_channel + 2 * repeats
    atoms = Atoms(f"Ag{n}", positions=[(0.0, 0.0, i * distance) for i in range(n)])
    names = ["left"] * repeats + ["channel"] * n_channel + ["right"] * repeats
    atoms.new_array("region", np.array(names))
    atoms.info.update(left_period=repeats * distance, right_period=repeats * distance)
    return atoms


def disordered(seed, width=2, size=4, gap_layers=4):
    """Two half-crystals with a random blob of atoms that bridges the gap between them."""
    rng = np.random.default_rng(seed)
    junction = slab_junction(width, gap_layers=gap_layers, channel_layers=int(rng.integers(1, 4)))
    z = junction.positions[:, 2]
    gap = np.sort(z)[len(z) // 2 - 1 : len(z) // 2 + 1]
    cell = junction.cell.array[:2, :2]
    added = []
    while len(added) < size:
        point = np.append(rng.uniform(0, 1, 2) @ cell, rng.uniform(gap[0] + 1.6, gap[1] - 1.6))
        everything = np.array([*junction.positions, *added])
        difference = everything - point
        fraction = difference[:, :2] @ np.linalg.inv(cell)
        # the nearest image in a skewed cell is one of four
        fraction = (fraction % 1.0)[:, None] - np.array([(0, 0), (1, 0), (0, 1), (1, 1)])
        across = np.linalg.norm(fraction @ cell, axis=-1).min(axis=1)
        if np.hypot(across, difference[:, 2]).min() > 2.35:
            added.append(point)
    result = junction.copy()
    for point in added:
        result.append("Ag")
        result.positions[-1] = point
        result.arrays["region"][-1] = "channel"
    channel = result.arrays["region"] == "channel"
    # heat, but no atoms so close that they overlap
    noise = rng.normal(0.0, 0.08, (channel.sum(), 3))
    result.positions[channel] += np.clip(noise, -0.12, 0.12)
    return result


def mirrored(junction):
    """The junction seen from the other end: left and right, and +z and -z, exchanged."""
    turned = junction.copy()
    turned.positions[:, 2] *= -1.0
    names = {"left": "right", "right": "left", "channel": "channel"}
    regions = [names[str(name)] for name in junction.arrays["region"]]
    turned.arrays["region"] = np.array(regions)
    turned.info["left_period"], turned.info["right_period"] = (
        junction.info["right_period"],
        junction.info["left_period"],
    )
    return turned


def with_lead_layer(junction, side):
    """The same structure, cut one lead unit further out on a side."""
    sign = -1.0 if side == "left" else 1.0
    grown = junction.copy()
    unit = junction[junction.arrays["region"] == side]
    grown.arrays["region"][grown.arrays["region"] == side] = "channel"
    unit.positions[:, 2] += sign * junction.info[f"{side}_period"]
    return grown + unit


def turned_and_moved(junction, seed):
    """The same structure elsewhere, turned about z, its atoms renumbered and wrapped otherwise."""
    rng = np.random.default_rng(seed)
    moved = junction[rng.permutation(len(junction))]
    moved.rotate(float(rng.uniform(0, 360)), "z", rotate_cell=True)
    moved.positions += rng.uniform(-20, 20, 3)
    moved.positions += rng.integers(-1, 2, (len(moved), 2)) @ moved.cell.array[:2]
    return moved
