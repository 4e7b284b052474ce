"""Time of the fields of a device of 36 000 sites: labels, potential, heat, current forces.

Two needles of 10 000 atoms, open and joined by a neck; atoms near the constriction move at random
between updates. CPU time of one thread, median over the updates. Ten seconds.

    python -m benchmarks.device_fields [--json]
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.device.heat import Heating, current_density, wind_force
from nanogap.device.labels import bottleneck, electrodes, label_metal
from nanogap.device.lattice import EMPTY, METAL, SiteStates
from nanogap.device.needles import Tips, build_needles
from nanogap.device.potential import PotentialField


@dataclass(frozen=True)
class FieldTimes:
    """CPU times of one call, milliseconds.

    Attributes
    ----------
    sites, atoms : int
    labels : float
        Labels of all metal.
    idle_update : float
        An update that finds nothing to solve.
    cold_solution, warm_open, warm_bridged : float
        Solutions: the first one, and those after one move, the gap open and bridged.
    screened : float
        The first one in a medium that screens over 3 angstrom.
    near : float
        Solutions near the move alone, the gap open.
    bottleneck : float
        Fewest atoms that hold the bridge.
    heat, force : float
        Temperatures of the sites; current density and wind force.
    """

    sites: int
    atoms: int
    labels: float
    idle_update: float
    cold_solution: float
    screened: float
    warm_open: float
    warm_bridged: float
    near: float
    bottleneck: float
    heat: float
    force: float


def needles(base_width: float = 60.0) -> Tips:
    """Build the needles."""
    return build_needles(
        lattice_constant=4.09,
        base_width=base_width,
        height=base_width / 2.0,
        apex_width=8.0,
        gap=12.0,
        fixed_layers=3,
        margin=25.0,
    )


def bridge(tips: Tips, states: SiteStates) -> SiteStates:
    """Fill the gap with a column of atoms."""
    lattice = tips.lattice
    aside = lattice.positions[:, :2] - lattice.cell[:2] / 2.0
    between = (lattice.layer > tips.bottom_terrace) & (lattice.layer < tips.top_terrace)
    joined = states.copy()
    joined[between & (np.hypot(*aside.T) < 4.5)] = METAL
    return joined


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def cold(tips: Tips, states: SiteStates, screening_length: float, repeats: int) -> float:
    """Median CPU time of the first solution."""

    def solve() -> None:
        PotentialField(tips.lattice, tips.fixed, screening_length=screening_length).update(states)

    return milliseconds(solve, max(1, repeats // 4))


def warm(
    tips: Tips, field: PotentialField, states: SiteStates, moves: int, *, everywhere: bool = True
) -> float:
    """Median CPU time of a solution after an atom near the constriction has moved."""
    rng = np.random.default_rng(0)
    middle = (tips.bottom_terrace + tips.top_terrace) / 2.0
    near = (np.abs(tips.lattice.layer - middle) < 6) & ~tips.fixed
    ends = tips.lattice.neighbours
    times: list[float] = []
    while len(times) < moves:
        linked = (states[ends] == METAL).sum(axis=1)
        states[rng.choice(np.flatnonzero(near & (states == METAL) & (linked < 8)))] = EMPTY
        states[rng.choice(np.flatnonzero(near & (states == EMPTY) & (linked > 3)))] = METAL
        start = time.process_time()
        update = field.update(states)
        if update.solved and update.everywhere == everywhere:
            times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def measure(tips: Tips, repeats: int = 20) -> FieldTimes:
    """Measure all times."""
    lattice, states = tips.lattice, np.where(tips.metal, METAL, EMPTY).astype(np.uint8)
    lower, upper = electrodes(lattice, tips.fixed)
    joined = bridge(tips, states)
    opened, closed = (PotentialField(lattice, tips.fixed, local_error=0.0) for _ in range(2))
    near = PotentialField(lattice, tips.fixed)
    near.update(states)
    opened.update(states)
    closed.update(joined)
    heating = Heating("diffusive")
    clusters = closed.clusters
    return FieldTimes(
        sites=len(lattice),
        atoms=int(tips.metal.sum()),
        labels=milliseconds(lambda: label_metal(lattice, states, lower, upper), repeats),
        idle_update=milliseconds(lambda: opened.update(states), repeats),
        cold_solution=cold(tips, states, math.inf, repeats),
        screened=cold(tips, states, 3.0, repeats),
        bottleneck=milliseconds(
            lambda: bottleneck(lattice, clusters, lower, upper), max(1, repeats // 4)
        ),
        heat=milliseconds(lambda: heating.temperatures(closed, lattice, 0.1, 300.0), repeats),
        force=milliseconds(
            lambda: wind_force(lattice, current_density(lattice, closed, 1e-5), -20.0, 1.6e-8),
            repeats,
        ),
        near=warm(tips, near, states.copy(), repeats, everywhere=False),
        warm_open=warm(tips, opened, states, repeats),
        warm_bridged=warm(tips, closed, joined, repeats),
    )


def main() -> None:
    """Print all times."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    times = measure(needles())
    if options.json:
        print(json.dumps(asdict(times)))
        return
    for name, value in asdict(times).items():
        print(f"{name:15} {value:10.4g}")


if __name__ == "__main__":
    run_main(main)
