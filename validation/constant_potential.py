"""Does the field of a metal drive contact? Runs at constant potential, and the static forces.

    python -m validation.constant_potential runs RUNS.jsonl --minutes 30
    python -m validation.constant_potential gather RUNS.jsonl -o docs/data/constant-potential.json

The tips, temperature and times are those of docs/kinetics.md. ``runs`` appends a line for each run
to a file, and goes on where it was; a run takes half a minute of one core. ``gather`` writes all
runs, and the charges and pulls on the tips beside those of plates. The tables and the figure of the
page are made of that by docs/build/constant_potential_page.py.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nanogap.cli.programs import run_main
from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.dynamics.native_engine import NativeEngine
from nanogap.dynamics.simulation import Simulation
from nanogap.dynamics.start import build_tips
from nanogap.io import write_json
from nanogap.settings import Settings, load_settings
from nanogap.units import COULOMB

#: Gap (angstrom), voltage (V) and runs of every point, the most telling first.
POINTS = (
    (6.0, 8.0, 20),
    (6.0, 0.0, 20),
    (5.0, 8.0, 10),
    (5.0, 0.0, 10),
    (6.5, 8.0, 10),
    (6.5, 0.0, 10),
    (8.3, 8.0, 10),
    (6.0, 4.0, 20),
    (5.0, 4.0, 10),
    (8.3, 0.0, 10),
)
_BASE: dict[str, object] = {
    "dynamics.engine": "eam",
    "voltage.mode": "constant-potential",
    "structure.base_width": 20.0,
    "structure.height": 8.0,
    "structure.apex_width": 10.0,
    "dynamics.production_time": 40_000.0,
    "dynamics.sampling_interval": 4_000.0,
    "dynamics.contact_sampling_interval": 80.0,
    "dynamics.contact_sampling_time": 0.0,
    "dynamics.contact_history": 3,
    "dynamics.stop_after_contact": 1.0,
    "dynamics.checkpoint_interval": 0.0,
}
_GAPS = (5.0, 6.0, 6.5, 8.3, 12.0, 20.0)
_TERRACE_AREA_PER_ATOM = np.sqrt(3.0) / 4.0


def settings_of(gap: float, voltage: float, seed: int) -> Settings:
    """Make the settings of a run."""
    changes = {"structure.gap": gap, "voltage.applied": voltage, "seed": seed}
    return load_settings("quick", _BASE | changes)


def run(gap: float, voltage: float, seed: int) -> dict[str, float | None]:
    """Run to the first contact or to the end."""
    settings = settings_of(gap, voltage, seed)
    begin = time.process_time()
    with Simulation(build_tips(settings), settings) as simulation:
        frames = simulation.run()
        step, schedule = simulation.progress.first_contact_step, simulation.schedule
        step_time = settings.dynamics.time_step / 1000.0
        return {
            "gap": gap,
            "voltage": voltage,
            "seed": seed,
            "contact_ps": None if step is None else (step - schedule.equilibration) * step_time,
            "end_ps": (simulation.progress.step - schedule.equilibration) * step_time,
            "atoms": len(frames[-1]),
            "cpu_s": time.process_time() - begin,
        }


def read(path: Path) -> list[dict[str, Any]]:
    """Read the runs that were made."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run_all(path: Path, minutes: float) -> None:
    """Make the runs that are missing, seed by seed, until the time is over."""
    end = time.time() + 60.0 * minutes
    made = {(one["gap"], one["voltage"], one["seed"]) for one in read(path)}
    wanted = [
        (gap, voltage, seed)
        for seed in range(1, max(count for *_, count in POINTS) + 1)
        for gap, voltage, count in POINTS
        if seed <= count
    ]
    for one in wanted:
        if time.time() > end:
            return
        if one not in made:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(run(*one)) + "\n")


def static(gap: float, voltage: float) -> dict[str, float]:
    """Charge of the top tip, pull on it and on its terrace, beside those of plates."""
    settings = settings_of(gap, voltage, 1)
    tips = build_tips(settings, lattice_constant=4.09)
    upper = tips.positions[:, 2] > tips.cell[2, 2] / 2.0
    terrace = _terrace(tips)
    engine = NativeEngine(tips, settings.dynamics, load_embedded_atom("Ag"), 1)
    forces = []
    for applied in (0.0, voltage):
        engine = NativeEngine(tips, settings.dynamics, load_embedded_atom("Ag"), 1)
        engine.set_potential(np.where(upper, applied / 2.0, -applied / 2.0))
        engine.advance(0)
        forces.append(engine.forces[:, 2])
    pull, area = forces[0] - forces[1], _TERRACE_AREA_PER_ATOM * 4.09**2
    field, charges = voltage / gap, engine.charges
    return {
        "gap": gap,
        "voltage": voltage,
        "charge": float(charges[upper].sum()),
        "terrace_charge_per_atom": float(charges[terrace].mean()),
        "plates_charge_per_atom": field * area / (4.0 * np.pi * COULOMB),
        "pull": float(pull[upper].sum()),
        "pull_per_terrace_atom": float(pull[terrace].mean()),
        "pull_per_inner_terrace_atom": float(np.sort(pull[terrace])[: len(terrace) // 3].mean()),
        "plates_pull_per_atom": field**2 * area / (8.0 * np.pi * COULOMB),
    }


def _terrace(tips: Atoms) -> Any:
    """Atoms of the terrace of the top tip."""
    height = tips.positions[:, 2]
    return np.flatnonzero(np.abs(height - tips.info["top_terrace"]) < 0.5)


def gather(path: Path, output: Path) -> None:
    """Write what the runs gave, in order, and the static forces."""
    order = [(gap, voltage) for gap, voltage, _ in POINTS]
    runs = sorted(
        read(path), key=lambda one: (order.index((one["gap"], one["voltage"])), one["seed"])
    )
    write_json(output, {"runs": runs, "static": [static(gap, 8.0) for gap in _GAPS]})


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("runs")
    making.add_argument("file", type=Path)
    making.add_argument("--minutes", type=float, default=60.0)
    telling = commands.add_parser("gather")
    telling.add_argument("file", type=Path)
    telling.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "runs":
        run_all(arguments.file, arguments.minutes)
    else:
        gather(arguments.file, arguments.output)


if __name__ == "__main__":
    run_main(main)
