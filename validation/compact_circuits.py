"""Exports of the compact models in circuit simulators, against our own integration.

Devices that set near 1 V and reset near -0.6 V, behind 500 ohm: one loop of 60 s and 1.6 V with
three longest time steps, compared at 240 readings, and a sine of 1 000 cycles, of which the last is
compared. Some minutes:

    python -m validation.compact_circuits

writes docs/data/compact-circuits.json, of which tests/compact/test_export.py does a part again.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.compact import CompactModel, FittedModel
from nanogap.compact.export import exported, module_name
from nanogap.io import write_json
from nanogap.typing import FloatArray
from validation.circuit_simulators import PERIOD, Drive, Run, ngspice, vacask
from validation.compact_recovery import DEVICES, RESISTANCE

DATA = Path(__file__).resolve().parent.parent / "docs" / "data" / "compact-circuits.json"
#: Longest time steps of the loop, s, and that of the many cycles.
STEPS, LONG_STEP = (0.02, 0.01, 0.005), 0.1
CYCLES = 1000
#: The simulators: what runs them, and the form that they read.
SIMULATORS = {"ngspice": (ngspice, "spice"), "vacask": (vacask, "verilog-a")}
#: Readings of a cycle that are compared, and the least voltage, V, at which they are.
READINGS, LEAST_VOLTAGE = 240, 0.03


def fitted(device: CompactModel, spread: float = 0.0) -> FittedModel:
    """Return a device, with a spread of all its coordinates, behind the resistance."""
    count = len(device.coordinates)
    covariance = spread**2 * np.eye(count)
    return FittedModel(device, device.places(), covariance, series_resistance=RESISTANCE)


def driven(simulator: str, device: CompactModel, drive: Drive, step: float, folder: Path) -> Run:
    """Drive a device in a simulator, and return the readings of the last cycle."""
    run, form = SIMULATORS[simulator]
    model = fitted(device)
    return run(folder, module_name(model), exported(model, form), drive, step)


def differences(device: CompactModel, drive: Drive, run: Run) -> FloatArray:
    """Return the relative differences of the current at the readings of the last cycle.

    Our own integration goes through all cycles too.
    """
    points = READINGS if drive.cycles == 1 else 10 * READINGS
    time = np.linspace(0.0, drive.end, drive.cycles * points + 1)
    ours = device.simulate(
        time,
        drive.volts(time),
        resistance=RESISTANCE,
        tolerance=1e-6 if drive.cycles == 1 else 1e-5,
    )
    at = np.linspace(drive.end - PERIOD, drive.end, READINGS + 1)
    read = np.abs(drive.volts(at)) > LEAST_VOLTAGE
    expected = np.interp(at[read], time, ours.current)
    return np.asarray(np.abs(np.interp(at[read], run.time, run.current) / expected - 1.0))


def row(simulator: str, name: str, drive: Drive, step: float) -> dict[str, object]:
    """Compare one run."""
    with tempfile.TemporaryDirectory() as folder:
        run = driven(simulator, DEVICES[name], drive, step, Path(folder))
    apart = differences(DEVICES[name], drive, run)
    return {
        "simulator": simulator,
        "model": name,
        "cycles": drive.cycles,
        "step": step,
        "largest": float(apart.max()),
        "median": float(np.median(apart)),
        "above_one_percent": int((apart > 0.01).sum()),
        "readings": len(apart),
    }


def main() -> None:
    """Run everything and write what was found."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows: list[dict[str, object]] = []
    for name in DEVICES:
        for simulator in SIMULATORS:
            for drive, step in [*((Drive(), step) for step in STEPS), (Drive(CYCLES), LONG_STEP)]:
                rows.append(row(simulator, name, drive, step))
                write_json(DATA, {"rows": rows})
                print(rows[-1], flush=True)


if __name__ == "__main__":
    run_main(main)
