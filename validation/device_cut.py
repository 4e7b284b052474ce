"""Measure how the conductance of a one-atom contact depends on the cut, for docs.

T of one atom between two cones, on the sites, with more and more layers of the cones kept before
perfect crystal follows, in wider and wider cells, and at more wave vectors:

- cones whose discs grow by 1.7 angstrom from layer to layer (a half angle of 36 degrees), and by
  one bond (51 degrees);
- the needles of a device with a bridge, cut as a device cuts them.

A quarter of an hour on one core; writes docs/data/device-cut.json and docs/images/device-cut.png,
for docs/device-conductance.md:

    python -m validation.device_cut
"""

import time
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.figure import Figure

from nanogap.cli.programs import run_main
from nanogap.device.labels import electrodes, label_metal
from nanogap.device.lattice import Lattice, SiteStates
from nanogap.device.neck import Neck, NeckCut, cut_necks, neck_junction
from nanogap.device.needles import build_needles
from nanogap.io import write_bytes, write_json
from nanogap.report.style import BLUE, GREEN, ORANGE, PURPLE, house_style, png
from nanogap.settings.atoms import GeometrySettings
from validation.device_conductance import (
    BOND,
    DOCS,
    LATTICE_CONSTANT,
    WIDENING,
    Shape,
    disc_neck,
    transmission,
)

DATA = DOCS / "data" / "device-cut.json"
#: Width of the cell in bonds, and wave vectors along each axis, that are compared.
CELLS = ((4, 3), (4, 6), (6, 3), (6, 4), (8, 2), (10, 2))
LAYERS = (1, 2, 3, 4, 5, 6)
#: By how much the radius of the bridge grows with the distance from its middle.
_SLOPE = 0.72


@dataclass(frozen=True)
class CutRow:
    """T of a cut.

    Attributes
    ----------
    family : str
    layers : int
        Kept on either side of the atom.
    width : int
        Of the cell, bonds.
    kpoints : int
        Wave vectors along each axis.
    atoms : list of int
        Of each layer.
    transmission : float
        G0.
    seconds : float
        CPU time.
    """

    family: str
    layers: int
    width: int
    kpoints: int
    atoms: list[int]
    transmission: float
    seconds: float


def measured(family: str, neck: Neck, layers: int, kpoints: int) -> CutRow:
    """Compute T of a neck."""
    started = time.process_time()
    junction = neck_junction(neck, LATTICE_CONSTANT, "Ag")
    value = float(transmission(junction, np.zeros(1), (kpoints, kpoints))[0])
    row = CutRow(
        family=family,
        layers=layers,
        width=neck.occupied.shape[1],
        kpoints=kpoints,
        atoms=neck.occupied.sum(axis=(1, 2)).tolist(),
        transmission=value,
        seconds=time.process_time() - started,
    )
    print(row, flush=True)
    return row


def bridged_needles() -> tuple[Lattice, SiteStates, tuple[int, int]]:
    """Build the default needles with a bridge of one atom in its narrowest layer.

    Returns
    -------
    tuple
        Lattice, labels of its sites, first and last layer that is not fixed.
    """
    geometry = GeometrySettings()
    tips = build_needles(
        lattice_constant=LATTICE_CONSTANT,
        base_width=geometry.base_width,
        height=geometry.height,
        apex_width=geometry.apex_width,
        gap=11.8,
        fixed_layers=geometry.fixed_layers,
        margin=geometry.margin,
    )
    lattice = tips.lattice
    middle = (tips.bottom_terrace + tips.top_terrace) // 2
    terrace = tips.metal & (lattice.layer == tips.bottom_terrace)
    inner = np.flatnonzero(lattice.layer == middle)
    apart = lattice.positions[inner, :2] - lattice.positions[terrace, :2].mean(axis=0)
    centre = lattice.positions[inner[np.argmin(np.hypot(*apart.T))], :2]
    aside = lattice.positions[:, :2] - centre
    aside -= lattice.cell[:2] * np.round(aside / lattice.cell[:2])
    radius = 0.1 + _SLOPE * np.abs(lattice.layer - middle) * lattice.spacing
    between = (lattice.layer > tips.bottom_terrace) & (lattice.layer < tips.top_terrace)
    bridge = between & (np.hypot(*aside.T) <= radius)
    states = (tips.metal | bridge).astype(np.uint8)
    labels = label_metal(lattice, states, *electrodes(lattice, tips.fixed)).labels
    return lattice, labels, (geometry.fixed_layers, lattice.shape[2] - 1 - geometry.fixed_layers)


def cone_rows() -> list[CutRow]:
    """Measure both cones, as far as their discs differ from full layers."""
    rows = []
    for family, widening in (("cone of 36 degrees", WIDENING), ("cone of 51 degrees", BOND)):
        for width, kpoints in CELLS:
            done: list[int] = []
            for layers in LAYERS[:5]:
                radii = tuple(0.1 + widening * abs(n) for n in range(-layers, layers + 1))
                neck = disc_neck(Shape(family, radii), width)
                counts = neck.occupied.sum(axis=(1, 2)).tolist()
                if layers > 1 and counts[0] == width**2 == counts[1]:
                    break
                if counts != done:
                    rows.append(measured(family, neck, layers, kpoints))
                done = counts
    return rows


def needle_rows() -> list[CutRow]:
    """Measure the needles of a device."""
    lattice, labels, movable = bridged_needles()
    rows = []
    for width, kpoints in CELLS:
        for layers in LAYERS:
            cut = NeckCut(widths=(width,), depth=layers, most_layers=20)
            (neck,) = cut_necks(lattice, labels, movable, cut)
            rows.append(measured("needles", neck, layers, kpoints))
    return rows


def draw(rows: list[CutRow]) -> None:
    """Draw T against the layers kept, a panel for each family, a line for each cell."""
    families = list(dict.fromkeys(row.family for row in rows))
    colours = dict(zip((4, 6, 8, 10), (PURPLE, BLUE, GREEN, ORANGE), strict=True))
    with house_style():
        figure = Figure(figsize=(9.0, 3.6))
        panels = figure.subplots(1, len(families), sharey=True)
        for axes, family in zip(panels, families, strict=True):
            for width, kpoints in CELLS:
                own = [
                    row
                    for row in rows
                    if (row.family, row.width, row.kpoints) == (family, width, kpoints)
                ]
                axes.plot(
                    [row.layers for row in own],
                    [row.transmission for row in own],
                    "o:" if (width, kpoints) in {(4, 3), (6, 4)} else "o-",
                    color=colours[width],
                    label=f"{width} bonds, {kpoints} x {kpoints}",
                )
            axes.set_title(family)
            axes.set_xlabel("layers kept")
            axes.set_xticks(LAYERS)
        panels[0].set_ylabel("transmission (G₀)")
        panels[0].set_ylim(0.0, 1.25)
        panels[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        write_bytes(DOCS / "images" / "device-cut.png", png(figure, 100))


def main() -> None:
    """Write data and figure."""
    rows = [*cone_rows(), *needle_rows()]
    write_json(
        DATA,
        {"command": "python -m validation.device_cut", "rows": [asdict(row) for row in rows]},
    )
    draw(rows)


if __name__ == "__main__":
    run_main(main)
