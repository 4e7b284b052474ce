"""Measure what the conductance of a device's neck depends on, for docs/device-conductance.md.

Necks are layers of discs around an axis, wider from layer to layer on both sides of the middle:

- T of typical necks on their sites, and after some steps of relaxation by embedded atoms;
- I(V)/V of some of them with T(E) at steps of the energy against finer ones, and without
  temperature against 300 K.

Five minutes on one core; writes docs/data/device-relaxation.json and
docs/images/device-relaxation.png:

    python -m validation.device_conductance
"""

import time
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms
from matplotlib.figure import Figure

from nanogap.cli.programs import run_main
from nanogap.device.conductance import ENERGY_STEP, NeckConductance
from nanogap.device.neck import Neck, neck_junction
from nanogap.device.relaxation import relax_neck
from nanogap.dynamics.embedded_functions import load_functions
from nanogap.io import write_bytes, write_json
from nanogap.report.style import BLUE, GREEN, ORANGE, PURPLE, house_style, png
from nanogap.structure.tips import nearest_neighbour_distance, stacking_shift, surface_vectors
from nanogap.transport.current import CurrentVoltage
from nanogap.transport.negf.compute import compute_transmission
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

DOCS = Path(__file__).resolve().parent.parent / "docs"
RELAXATION = DOCS / "data" / "device-relaxation.json"
LATTICE_CONSTANT = 4.09
BOND = nearest_neighbour_distance(LATTICE_CONSTANT)
MESH = (3, 3)
WIDTH = 6
STEPS = (0, 5, 20, 100)
#: By how much a disc of a cone is wider than the one before, angstrom.
WIDENING = 1.7
VOLTAGES = (0.1, 0.4, 1.0)
FINE_STEP = 0.025


@dataclass(frozen=True)
class Shape:
    """Discs around an axis.

    Attributes
    ----------
    name : str
    radii : tuple of float
        Of the layers, angstrom; below 0: none.
    through : str
        What the axis goes through in the middle: ``atom``, ``bond``, ``hollow`` (of three atoms),
        or ``chain`` (from an atom to its neighbour in the next layer).
    """

    name: str
    radii: tuple[float, ...]
    through: str = "atom"


def widening(inner: tuple[float, ...], layers: int = 2) -> tuple[float, ...]:
    """Return the radii of layers that widen on both sides of inner ones."""
    aside = [abs(inner[0]) + WIDENING * number for number in range(1, layers + 1)]
    return (*reversed(aside), *inner, *aside)


SHAPES = (
    Shape("gap of one missing atom", widening((-0.1,))),
    Shape("one-atom contact", widening((0.1,))),
    Shape("chain of two atoms", widening((0.1, 0.1)), "chain"),
    Shape("two atoms", widening((1.5,)), "bond"),
    Shape("three atoms", widening((1.7,)), "hollow"),
    Shape("seven atoms", widening((2.95,))),
)


def disc_neck(shape: Shape, width: int = WIDTH) -> Neck:
    """Fill the sites of a cell that lie within discs around an axis."""
    vectors, count = surface_vectors(LATTICE_CONSTANT), len(shape.radii)
    middle = (count - 1) // 2
    aside = {
        "bond": vectors[0] / 2.0,
        "hollow": stacking_shift(LATTICE_CONSTANT),
    }.get(shape.through, np.zeros(2))
    occupied = np.zeros((count, width, width), dtype=np.bool_)
    for layer, first, second in product(range(count), range(width), range(width)):
        # a chain turns with the stacking, any other axis is straight
        at = min(max(layer - middle, 0), 1) if shape.through == "chain" else 0
        column = np.array([first, second]) + (layer - middle - at) / 3.0
        images = column + width * np.array(list(product((-1, 0, 1), repeat=2)))
        distance = np.linalg.norm(images @ vectors - aside, axis=1).min()
        occupied[layer, first, second] = distance <= shape.radii[layer] + 1e-6
    return Neck(occupied, True, 0, 0)


def transmission(junction: Atoms, energies: FloatArray, mesh: tuple[int, int]) -> FloatArray:
    """Compute T at energies, G0."""
    result = compute_transmission([junction], energies.tolist(), kpoints=mesh)
    return np.asarray(result["transmission_average"].values[0])


@dataclass(frozen=True)
class RelaxationRow:
    """T of a neck after some steps.

    Attributes
    ----------
    shape : str
    atoms : list of int
        Of each layer.
    steps, steps_made : int
        Allowed and made.
    force : float
        Largest one left, eV/angstrom.
    moved : float
        Largest way of an atom, angstrom.
    transmission : float
        G0.
    seconds : float
        CPU time of the relaxation.
    """

    shape: str
    atoms: list[int]
    steps: int
    steps_made: int
    force: float
    moved: float
    transmission: float
    seconds: float


def relaxation_rows(shape: Shape, steps: tuple[int, ...] = STEPS) -> list[RelaxationRow]:
    """Relax a neck by more and more steps."""
    functions = load_functions("Ag")
    neck = disc_neck(shape)
    junction = neck_junction(neck, LATTICE_CONSTANT, "Ag")
    rows = []
    for allowed in steps:
        started = time.process_time()
        relaxed = relax_neck(junction, LATTICE_CONSTANT, functions, allowed)
        spent = time.process_time() - started
        moved = np.linalg.norm(relaxed.junction.positions - junction.positions, axis=1).max()
        rows.append(
            RelaxationRow(
                shape=shape.name,
                atoms=neck.occupied.sum(axis=(1, 2)).tolist(),
                steps=allowed,
                steps_made=relaxed.steps,
                force=relaxed.force,
                moved=float(moved),
                transmission=float(transmission(relaxed.junction, np.zeros(1), MESH)[0]),
                seconds=spent,
            )
        )
        print(rows[-1], flush=True)
    return rows


@dataclass(frozen=True)
class CurveRow:
    """I(V)/V of a neck.

    Attributes
    ----------
    shape : str
    voltage : float
        V.
    chord : float
        G0, as a device has it.
    fine : float
        With finer steps of the energy, without temperature.
    warm : float
        The same at 300 K.
    linear : float
        T at the Fermi energy.
    """

    shape: str
    voltage: float
    chord: float
    fine: float
    warm: float
    linear: float


def curve_rows(shape: Shape) -> list[CurveRow]:
    """Compare I(V)/V with that of finer energies."""
    neck = disc_neck(shape, width=4)
    made = NeckConductance("Ag", LATTICE_CONSTANT, kpoints=(2, 2), curve="transmission", store=None)
    reach = max(VOLTAGES) / 2.0 + 0.4
    most = round(reach / FINE_STEP)
    energies = FINE_STEP * np.arange(-most, most + 1, dtype=np.float64)
    junction = neck_junction(neck.canonical, LATTICE_CONSTANT, "Ag")
    values = transmission(junction, energies, (2, 2))
    dataset = xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), values[None])},
        coords={"energy": energies},
    )
    rows = []
    for voltage in VOLTAGES:
        fine, warm = (
            float(CurrentVoltage([voltage], kelvin).compute(dataset).current[0, 0])
            / (CONDUCTANCE_QUANTUM * voltage)
            for kelvin in (0.0, 300.0)
        )
        row = CurveRow(
            shape.name, voltage, made.of_neck(neck, voltage), fine, warm, made.of_neck(neck)
        )
        rows.append(row)
        print(row, flush=True)
    return rows


def draw_relaxation(rows: list[RelaxationRow]) -> None:
    """Draw T against the steps, a line for each neck."""
    names = list(dict.fromkeys(row.shape for row in rows))
    with house_style():
        figure = Figure(figsize=(7.5, 4.0))
        axes = figure.subplots()
        colours = (PURPLE, BLUE, GREEN, ORANGE, "0.45", "0.1")
        for name, colour in zip(names, colours, strict=True):
            own = [row for row in rows if row.shape == name]
            axes.plot(
                range(len(own)), [row.transmission for row in own], "o-", color=colour, label=name
            )
        axes.set_yscale("log")
        axes.set_xticks(range(len(STEPS)), [str(number) for number in STEPS])
        axes.set_xlabel("steps of relaxation at most")
        axes.set_ylabel("transmission (G₀)")
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.0))
        write_bytes(DOCS / "images" / "device-relaxation.png", png(figure, 100))


def main() -> None:
    """Write the data and the figure of the relaxation, and the data of the curve."""
    rows = [row for shape in SHAPES for row in relaxation_rows(shape)]
    curves = [row for shape in SHAPES[:4] for row in curve_rows(shape)]
    content = {
        "command": "python -m validation.device_conductance",
        "width": WIDTH,
        "kpoints": MESH,
        "relaxation": [asdict(row) for row in rows],
        "energy_step": ENERGY_STEP,
        "fine_energy_step": FINE_STEP,
        "curve": [asdict(row) for row in curves],
    }
    write_json(RELAXATION, content)
    draw_relaxation(rows)


if __name__ == "__main__":
    run_main(main)
