"""Update interval of the potential: the error of the potential that atoms feel.

Judges the default of voltage.update_interval. RUN is a finished run of the preset quick with its
checkpoints. 400 time steps are recorded in each of three stages; the potential that is held for n
steps is compared with the one of every step on the same positions.

It writes docs/data/update_interval.json, which
tests/validation/test_update_interval.py compares with the page that quotes it, and
docs/images/update-interval.png:

    python -m validation.update_interval RUN
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure

from nanogap.cli.programs import run_main
from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.dynamics.schedule import FineSchedule, FineWindow
from nanogap.dynamics.simulation import Simulation
from nanogap.io import write_bytes, write_json
from nanogap.report.style import BLUE, GREEN, ORANGE, house_style, png
from nanogap.runs.directory import RunDirectory
from nanogap.settings import VoltageSettings
from nanogap.structure.tips import MOBILE
from nanogap.typing import FloatArray

DOCS = Path(__file__).resolve().parent.parent / "docs"
STEPS = 400
INTERVALS = (1, 2, 5, 10, 20, 50, 100)
#: Times in the run, fs: before, around and after the first contact.
TIMES = {"open gap": 10_000.0, "first contact": 17_600.0, "lateral growth": 30_000.0}


def record(run: RunDirectory, time: float) -> list[Atoms]:
    """Follow a run for some steps with the potential brought up to date at each."""
    settings, tips = run.settings, run.tips
    if tips is None:
        raise SystemExit(f"{run.path} has no starting structure")
    voltage = settings.voltage.model_copy(update={"update_interval": 1})
    step = settings.dynamics.time_step
    window = FineWindow(time, step, STEPS * step, settings.dynamics.sampling_interval, 0.0)
    schedule = FineSchedule(settings.dynamics, voltage, window)
    earlier = max(step for step in run.checkpoints() if step < schedule.begin)
    chosen = settings.model_copy(update={"voltage": voltage})
    with Simulation(tips, chosen, schedule=schedule) as simulation:
        simulation.load(run.checkpoints()[earlier])
        return simulation.run()


def steady_errors(frames: list[Atoms]) -> list[dict[str, float]]:
    """Compare held potentials with those of every step, over the mobile atoms, V."""
    mobile = frames[0].arrays["electrode"] == MOBILE
    potentials = np.array([frame.arrays["potential"][mobile] for frame in frames])
    # the forces of a step come from the potential of an earlier one
    before = np.arange(len(frames) - 1)
    return [
        _row(interval, potentials[before - before % interval] - potentials[before])
        for interval in INTERVALS
    ]


def relaxation_errors(frames: list[Atoms], run: RunDirectory) -> list[dict[str, float]]:
    """Do the same for the published relaxation in time, from the steady potential on, V."""
    voltage, step = run.settings.voltage, run.settings.dynamics.time_step
    electrode = frames[0].arrays["electrode"]
    networks = [
        MetalNetwork.from_positions(frame.positions, electrode, voltage.cutoff) for frame in frames
    ]
    traces: dict[int, FloatArray] = {}
    for interval in INTERVALS:
        potential = frames[0].arrays["potential"]
        trace = []
        for index in range(1, len(frames)):
            trace.append(potential)
            if index % interval == 0:
                potential = networks[index].relax(
                    potential,
                    voltage.applied,
                    time=interval * step,
                    steps=interval * voltage.relaxation_steps,
                    mobility=voltage.diffusion / voltage.normalisation,
                )
        traces[interval] = np.array(trace)[:, electrode == MOBILE]
    return [_row(interval, traces[interval] - traces[1]) for interval in INTERVALS]


def _row(interval: int, difference: FloatArray) -> dict[str, float]:
    return {
        "interval": interval,
        "rms": float(f"{np.sqrt(np.mean(difference**2)):.5g}"),
        "largest": float(f"{np.abs(difference).max():.5g}"),
    }


def main() -> None:
    """Measure in every stage, write data and figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run of the preset quick")
    run = RunDirectory(parser.parse_args().run)
    content: dict[str, Any] = {"time_step": run.settings.dynamics.time_step, "steps": STEPS}
    for stage, time in TIMES.items():
        frames = record(run, time)
        content[stage] = {
            "time": time,
            "steady": steady_errors(frames),
            "relaxation": relaxation_errors(frames, run),
        }
        for mode in ("steady", "relaxation"):
            for row in content[stage][mode]:
                print(f"{stage}, {mode}: {row}")
    write_json(DOCS / "data" / "update_interval.json", content)
    draw(content)


def draw(content: dict[str, Any]) -> None:
    """Draw the errors, with a line at the default."""
    with house_style():
        figure = Figure(figsize=(8.0, 3.6))
        axes = figure.subplots()
        for stage, colour in zip(TIMES, (GREEN, ORANGE, BLUE), strict=True):
            for mode, line in (("steady", "o-"), ("relaxation", "s:")):
                rows = [row for row in content[stage][mode] if row["rms"] > 1e-7]
                axes.loglog(
                    [row["interval"] for row in rows],
                    [1e3 * row["rms"] for row in rows],
                    line,
                    color=colour,
                    label=f"{stage}, {mode}" if rows else f"{stage}, {mode}: none",
                )
        axes.axvline(VoltageSettings().update_interval, color="0.6", linewidth=0.8)
        axes.set_xlabel(f"update interval (steps of {content['time_step']:g} fs)")
        axes.set_ylabel("rms error of the potential (mV)")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        write_bytes(DOCS / "images" / "update-interval.png", png(figure, 100))


if __name__ == "__main__":
    run_main(main)
