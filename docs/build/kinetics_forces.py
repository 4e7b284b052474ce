"""Forces and charges of the voltage on the starting tips, beside the plates of a capacitor."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.constants import angstrom, e, epsilon_0

from docs.build.kinetics_runs import STRONG
from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.dynamics.engine import Engine
from nanogap.dynamics.forcefield import load_force_field
from nanogap.dynamics.start import build_tips
from nanogap.settings import Settings
from nanogap.structure.tips import nearest_neighbour_distance

#: Gaps at which the pull of the strong voltage is measured besides, Å.
OTHER_GAPS = (5.0, 6.5, 7.5, 8.3, 12.0, 20.0)

#: Vacuum permittivity, e/(V Å).
EPSILON = epsilon_0 * angstrom / e
#: One eV/Å³ in GPa.
GIGAPASCAL = e / angstrom**3 / 1e9


def forces_of_voltages(settings: Settings) -> Iterator[dict[str, float]]:
    """Measure the pull of a voltage on starting tips, against voltage and against gap."""
    yield from pulls(settings, (1.0, 2.0, 4.0, STRONG, -STRONG))
    for gap in OTHER_GAPS:
        structure = settings.structure.model_copy(update={"gap": gap})
        yield from pulls(settings.model_copy(update={"structure": structure}), (STRONG,))


def pulls(settings: Settings, voltages: tuple[float, ...]) -> Iterator[dict[str, float]]:
    """Measure forces less those at 0 V, on the perfect lattice, beside those of plates."""
    tips = build_tips(settings)
    upper = tips.positions[:, 2] > tips.cell[2, 2] / 2.0
    terrace = upper & (tips.positions[:, 2] < tips.info["top_terrace"] + 0.1)
    network = MetalNetwork.from_positions(
        tips.positions, tips.arrays["electrode"], settings.voltage.cutoff
    )
    bond = nearest_neighbour_distance(tips.info["lattice_constant"])
    area = float(terrace.sum() * np.sqrt(0.75) * bond**2)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        force_field = load_force_field(settings.structure.element)
        engine = Engine(tips, settings.dynamics, force_field, Path(folder), seed=1)
        engine.save(Path(folder) / "start")
        for voltage in (0.0, *voltages):
            engine.load(Path(folder) / "start")
            engine.set_potential(network.steady(np.zeros(len(tips)), voltage))
            engine.advance(0)
            found[voltage] = engine.forces, engine.charges
        engine.close()
    for voltage in voltages:
        forces, charges = found[voltage]
        pull = -(forces - found[0.0][0])[:, 2]  # of the top tip, towards the bottom one
        field = voltage / settings.structure.gap
        row = {
            "charge_top": charges[upper].sum(),
            "plate_charge": EPSILON * field * area,
            "pull": pull[upper].sum(),
            "plate_pull": EPSILON * field**2 / 2.0 * area,
            "pull_on_terrace_atom": pull[terrace].mean(),
            "plate_pressure": EPSILON * field**2 / 2.0 * GIGAPASCAL,
        }
        yield {
            "voltage": voltage,
            "gap": settings.structure.gap,
            **{name: float(f"{value:.6g}") for name, value in row.items()},
        }
