"""Compute barriers of named hops with every packaged force field, for docs/force-fields.md.

ReaxFF of one metal without charges is an embedded-atom potential
(`nanogap.dynamics.native.parameters`): the bond order is its density, the bond energy and the van
der Waals energy its pair function, the over-coordination its embedding. So one program of nudged
elastic bands (`parametrisation.barriers`) serves both.

    python -m validation.force_field_barriers

A minute on one core; writes docs/data/force-field-barriers.json.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from parametrisation.barriers.named import Named, named_processes
from parametrisation.barriers.processes import Barrier, exchange_barrier, hop_barrier
from scipy.optimize import minimize_scalar

from nanogap.cli.programs import run_main
from nanogap.dynamics.embedded_functions import Functions, load_functions, spline, spline_values
from nanogap.dynamics.forcefield import load_force_field
from nanogap.dynamics.interaction import metal_parameters
from nanogap.dynamics.native import terms
from nanogap.io import write_json

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "data" / "force-field-barriers.json"
ELEMENTS = ("Ag", "Cu", "Au")
#: Knots of the splines.
_DISTANCES, _DENSITIES = 100_001, 10_001
#: Nearest distance that the pair function is tabulated for, angstrom; no atoms come so close.
_CLOSEST = 1.0


@dataclass(frozen=True)
class Row:
    """One process in one force field.

    Attributes
    ----------
    element, force_field, process : str
    outcome : str
        See `parametrisation.barriers.processes.Barrier`.
    forward, back : float or None
        Barriers there and back, eV; None where there is none.
    """

    element: str
    force_field: str
    process: str
    outcome: str
    forward: float | None
    back: float | None


def reaxff_functions(element: str) -> Functions:
    """Write the packaged ReaxFF of a metal, without charges, as embedded-atom functions.

    Parameters
    ----------
    element : str

    Returns
    -------
    Functions
    """
    interaction = load_force_field(element)
    metal = metal_parameters(interaction)
    distances = np.linspace(0.0, metal.cutoff, _DISTANCES)
    safe = np.maximum(distances, _CLOSEST)
    orders = terms.bond_order(safe, metal)
    energies = terms.van_der_waals(safe, metal)
    energies[orders > 0.0] += terms.bond_energy(orders[orders > 0.0], metal)
    # up to twelve bonds of the shortest distance that a hop knows
    densities = np.linspace(0.0, 40.0, _DENSITIES)
    coefficients = terms.atom_coefficients(metal)
    embedding = np.array([terms.atom_energy(total, coefficients)[0] for total in densities])
    functions = Functions(
        element=element,
        lattice_constant=interaction.lattice_constant,
        cutoff=metal.cutoff,
        density=spline(orders),
        pair=spline(energies * distances),
        embedding=spline(embedding),
        step=float(distances[1]),
        density_step=float(densities[1]),
    )
    return replace(functions, lattice_constant=lattice_constant(functions))


def energy_per_atom(functions: Functions, constant: float) -> float:
    """Energy of an atom of the fcc crystal, eV.

    Parameters
    ----------
    functions : Functions
    constant : float
        Lattice constant, angstrom.
    """
    reach = int(2.0 * functions.cutoff / constant) + 1
    points = np.stack(np.meshgrid(*3 * [np.arange(-reach, reach + 1)])).reshape(3, -1)
    points = points[:, (points.sum(axis=0) % 2 == 0) & points.any(axis=0)]
    lengths = 0.5 * constant * np.linalg.norm(points, axis=0)
    lengths = lengths[lengths < functions.cutoff]
    density = spline_values(functions.density, lengths / functions.step).sum()
    pairs = (spline_values(functions.pair, lengths / functions.step) / lengths).sum()
    embedding = spline_values(functions.embedding, np.array([density / functions.density_step]))
    return float(0.5 * pairs + embedding[0])


def lattice_constant(functions: Functions) -> float:
    """Lattice constant of lowest energy near that of the functions, angstrom."""
    near = functions.lattice_constant
    found = minimize_scalar(
        lambda constant: energy_per_atom(functions, constant),
        bounds=(0.93 * near, 1.07 * near),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(found.x)


def compute(process: Named, functions: Functions) -> Barrier:
    """Compute the barrier of a named process."""
    if process.target is None:
        return hop_barrier(process.hop, functions)
    return exchange_barrier(process.hop, process.target, functions)


def rows(element: str, force_field: str) -> list[Row]:
    """Compute all named processes of a metal; of those with several ways, the easiest."""
    functions = load_functions(element) if force_field == "eam" else reaxff_functions(element)
    found: dict[str, Barrier] = {}
    for process in named_processes():
        barrier = compute(process, functions)
        known = found.get(process.name)
        if known is None or not known.forward < barrier.forward:
            found[process.name] = barrier
    return [_row(element, force_field, name, barrier) for name, barrier in found.items()]


def _row(element: str, force_field: str, name: str, barrier: Barrier) -> Row:
    """Make a row."""
    known = np.isfinite(barrier.forward)
    return Row(
        element,
        force_field,
        name,
        barrier.outcome,
        round(barrier.forward, 4) if known else None,
        round(barrier.forward - barrier.change, 4) if known else None,
    )


def main() -> None:
    """Compute everything, and write it."""
    results = []
    for element in ELEMENTS:
        for force_field in ("reaxff", "eam"):
            results += rows(element, force_field)
            print(element, force_field, len(results), flush=True)
    write_json(RESULTS, {"rows": [asdict(row) for row in results]})


if __name__ == "__main__":
    run_main(main)
