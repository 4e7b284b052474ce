"""Frames of every stage, made atom by atom: what they show follows from how they are made.

Two tips face each other whose terraces are planes of one crystal, `layers` planes apart, so every
site between them is a lattice site (layer, i, j): layer 0 is the bottom terrace, layer `layers` the
top one. A site bonds with the six around it in its layer and with three in each layer beside it.
"""

import numpy as np

from nanogap.structure import build_pyramids
from nanogap.structure.tips import layer_spacing, stacking_shift, surface_vectors

A = 4.216
DISTANCE = A / np.sqrt(2.0)
#: The sites that bond with a site, as steps (layer, i, j).
IN_PLANE = [(0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (0, 1, -1), (0, -1, 1)]
UPWARD = [(1, 0, 0), (1, -1, 0), (1, 0, -1)]
BONDS = IN_PLANE + UPWARD + [tuple(-part for part in step) for step in UPWARD]


def neighbours(site):
    return {tuple(a + b for a, b in zip(site, step, strict=True)) for step in BONDS}


def frame(sites, layers=6, jitter=0.0, seed=0):
    """Two tips with adatoms at some sites."""
    sites = sorted(sites)
    spacing = layer_spacing(A)
    tips = build_pyramids(
        lattice_constant=A,
        base_width=26.0,
        height=2.1 * spacing,
        apex_width=20.0,
        gap=layers * spacing,
        fixed_layers=1,
        vacuum=12.0,
    )
    centre = tips.cell.lengths()[:2] / 2.0
    i, j = surface_vectors(A)
    for layer, a, b in sites:
        place = centre + layer * stacking_shift(A) + a * i + b * j
        tips.append("Ag")
        tips.positions[-1] = [*place, tips.info["bottom_terrace"] + layer * spacing]
        tips.arrays["electrode"][-1] = "mobile"
    moves = tips.arrays["electrode"] == "mobile"
    shake = np.random.default_rng(seed).normal(0.0, 1.0, (len(tips), 3)).clip(-2.0, 2.0)
    tips.positions[moves] += jitter * shake[moves]
    return tips


def axis(layer):
    """The site of a layer that is nearest to the axis: three layers up is a step (1, 1) aside."""
    return layer, -round(layer / 3), -round(layer / 3)


def offset(site):
    """How far a site is from the axis, in bonds within its layer."""
    layer, i, j = site
    _, i0, j0 = axis(layer)
    return max(abs(i - i0), abs(j - j0), abs(i - i0 + j - j0))


def patch(random, start, size, layer_limits):
    """Grow a cluster of bonded sites from a start, within layers and near the axis."""
    cluster = {start}
    while len(cluster) < size:
        rim = {
            site
            for member in cluster
            for site in neighbours(member)
            if layer_limits[0] <= site[0] <= layer_limits[1] and offset(site) <= 2
        }
        rim = sorted(rim - cluster)
        cluster.add(rim[random.integers(len(rim))])
    return cluster


def strays(random, count, layer, taken):
    """Single adatoms in a layer that bond neither with each other nor with what is taken."""
    chosen = set()
    places = [(layer, i, j) for i in range(-5, 6) for j in range(-5, 6)]
    places = [place for place in places if offset(place) <= 2]
    random.shuffle(places)
    for place in map(tuple, places):
        near = neighbours(place) | {place}
        if len(chosen) < count and not near & (chosen | taken):
            chosen.add(place)
    return chosen


def drift(seed):
    """Up to three single adatoms on either terrace."""
    random = np.random.default_rng(seed)
    layers = 6
    below = strays(random, random.integers(0, 4), 1, set())
    return below | strays(random, random.integers(0, 4), layers - 1, set()), layers


def islands(seed):
    """A cluster of two to nine adatoms on one terrace or both, at most two layers high."""
    random = np.random.default_rng(seed)
    layers, sites = 6, set()
    sides = [(1, (1, 2)), (layers - 1, (layers - 2, layers - 1))]
    for layer, limits in sides[:: random.choice([-1, 1])][: random.integers(1, 3)]:
        sites |= patch(random, axis(layer), random.integers(2, 10), limits)
    sites |= strays(random, random.integers(0, 3), 1, sites)
    return sites, layers


def chain(layers, step=(0, 0)):
    """One site in every layer, each bonded with the next; slanted back towards the axis."""
    return {(layer, step[0] - layer // 2, step[1]) for layer in range(1, layers)}


def contact(seed):
    """A chain of single atoms with islands at its ends, but one layer holds a single atom."""
    random = np.random.default_rng(seed)
    layers = int(random.choice([3, 6]))
    sites = chain(layers)
    waist = int(random.integers(1, layers))
    for limits in ((1, waist - 1), (waist + 1, layers - 1)):
        if limits[0] <= limits[1]:
            start = next(site for site in sorted(sites) if limits[0] <= site[0] <= limits[1])
            sites |= patch(random, start, random.integers(1, 7), limits)
    return sites, layers


def lateral_growth(seed):
    """Two chains or more, side by side or apart, with atoms around them."""
    random = np.random.default_rng(seed)
    layers = int(random.choice([3, 6]))
    sites = chain(layers)
    for shift in [(0, 1), (0, -2), (1, 0), (1, 1)][: random.integers(1, 5)]:
        sites |= chain(layers, shift)
    return sites | patch(random, (1, 0, 0), random.integers(1, 7), (1, 1)), layers
