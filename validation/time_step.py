"""Time step of 4 fs for silver: drift of the energy, and averages against 1 fs.

Judges the default of dynamics.time_step. Two tips of the preset quick, 9 angstrom apart so that
they stay open, at 8 V and 800 K.

- Drift: from one heated state, without a thermostat and at constant potential phi, the sum
  E_kin + E_pot - sum(phi q) is followed for 10 ps with steps of 1, 2, 4, 6 and 8 fs, and with
  charges ten times tighter.
- Averages: ten runs of 12 ps after 4 ps of equilibration, five seeds with 1 fs and with 4 fs: their
  means with standard errors, and the histogram of all their samples.

It takes a quarter of an hour on one core, and writes docs/data/time_step.json, which
tests/validation/test_time_step.py re-checks, and docs/images/time-step.png:

    python -m validation.time_step
"""

import argparse
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure

from nanogap.cli.programs import run_main
from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.dynamics.engine import Engine
from nanogap.dynamics.forcefield import load_force_field
from nanogap.dynamics.simulation import Simulation
from nanogap.dynamics.start import build_tips
from nanogap.io import write_bytes, write_json
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, house_style, png
from nanogap.settings import DynamicsSettings, Settings, VoltageSettings, load_settings
from nanogap.structure.connectivity import BOND_FACTOR, neighbour_pairs
from nanogap.structure.tips import MOBILE, nearest_neighbour_distance

DOCS = Path(__file__).resolve().parent.parent / "docs"
TEMPERATURE, VOLTAGE, LATTICE_CONSTANT = 800.0, 8.0, 4.268
DRIFT_STEPS, DRIFT_TIME, HEATING_TIME = (1.0, 2.0, 4.0, 6.0, 8.0), 9_600.0, 2_000.0
STEPS, SEEDS = (1.0, 4.0), (1, 2, 3, 4, 5)
EQUILIBRATION, PRODUCTION, SAMPLING, LAG = 4_000.0, 12_000.0, 200.0, 4_000.0
UPDATE = 8.0  # fs between two updates of the potential
#: Mean, its standard error and spread, by observable and time step.
Averages = dict[str, dict[str, dict[str, float]]]
NAMES = {
    "potential_energy": "potential energy (eV/atom)",
    "temperature": "temperature (K)",
    "coordination": "mean coordination",
    "surface_displacement": "msd of surface atoms in 4 ps (Å²)",
    "charge": "charge of the top tip (e)",
}


@dataclass(frozen=True)
class Drift:
    """Conserved energy of one case without a thermostat.

    Attributes
    ----------
    time_step : float
        fs.
    charge_tolerance : float
        Of charge equilibration.
    drift : float
        Slope, eV/atom/ps.
    fluctuation : float
        Standard deviation about the slope, eV/atom.
    trace : list of float
        Change since the start every 96 fs, eV/atom.
    """

    time_step: float
    charge_tolerance: float
    drift: float
    fluctuation: float
    trace: list[float]


def tips() -> Atoms:
    """Two small tips that do not bridge in the time."""
    changes = (f"structure.lattice_constant={LATTICE_CONSTANT}", "structure.gap=9.0")
    return build_tips(load_settings("quick", changes))


def drift(
    folder: Path,
    steps: tuple[float, ...] = DRIFT_STEPS,
    time: float = DRIFT_TIME,
    heating_time: float = HEATING_TIME,
) -> list[Drift]:
    """Follow the conserved energy from one heated state with several time steps, eV/atom."""
    atoms, force_field = tips(), load_force_field("Ag")
    network = MetalNetwork.from_positions(atoms.positions, atoms.arrays["electrode"], 4.0)
    potential = network.steady(np.zeros(len(atoms)), VOLTAGE)
    heating = DynamicsSettings(temperature=TEMPERATURE, time_step=1.0)
    engine = Engine(atoms, heating, force_field, folder, seed=1)
    engine.set_potential(potential)
    engine.advance(round(heating_time))
    restart = folder / "heated"
    engine.save(restart)
    engine.close()
    default = heating.charge_tolerance
    cases = [(step, default) for step in steps] + [(4.0, default / 10.0)]
    rows = []
    for step, tolerance in cases:
        settings = DynamicsSettings(
            temperature=TEMPERATURE, time_step=step, charge_tolerance=tolerance
        )
        engine = Engine(atoms, settings, force_field, folder, seed=1)
        engine.load(restart)
        engine.free_motion()
        engine.set_potential(potential)
        engine.advance(0)
        energies = []
        every = round(24.0 / step)
        for _ in range(round(time / 24.0) + 1):
            total = engine.kinetic_energy + engine.potential_energy - potential @ engine.charges
            energies.append(total / len(atoms))
            engine.advance(every)
        engine.close()
        times = 24.0e-3 * np.arange(len(energies))  # ps
        slope = np.polynomial.Polynomial.fit(times, energies, 1).convert().coef[1]
        fluctuation = float(np.std(np.asarray(energies) - slope * times))
        rows.append(
            Drift(
                time_step=step,
                charge_tolerance=tolerance,
                drift=float(f"{slope:.3g}"),
                fluctuation=float(f"{fluctuation:.3g}"),
                trace=np.round(np.asarray(energies) - energies[0], 7)[::4].tolist(),
            )
        )
        print(
            f"{step:g} fs, tolerance {tolerance:g}: drift {slope:.3g} eV/atom/ps, "
            f"fluctuation {fluctuation:.3g} eV/atom",
            flush=True,
        )
    return rows


def samples(step: float, seed: int) -> dict[str, list[float]]:
    """Sample one run at constant temperature."""
    dynamics = DynamicsSettings(
        temperature=TEMPERATURE,
        time_step=step,
        equilibration_time=EQUILIBRATION,
        production_time=PRODUCTION,
        sampling_interval=SAMPLING,
    )
    voltage = VoltageSettings(applied=VOLTAGE, update_interval=round(UPDATE / step))
    settings = Settings(dynamics=dynamics, voltage=voltage)
    with Simulation(tips(), settings, seed=seed) as simulation:
        frames = simulation.run()
    return observe(frames)


def observe(frames: list[Atoms]) -> dict[str, list[float]]:
    """Compute the observables of a run, one value per frame (the displacement: per lag)."""
    mobile = frames[0].arrays["electrode"] == MOBILE
    bond = BOND_FACTOR * nearest_neighbour_distance(LATTICE_CONSTANT)
    neighbours = np.array(
        [
            np.bincount(neighbour_pairs(frame.positions, bond)[0].ravel(), minlength=len(frame))
            for frame in frames
        ]
    )
    lag = round(LAG / SAMPLING)
    displacement = []
    for start in range(0, len(frames) - lag, lag):
        surface = mobile & (neighbours[start] < 10)
        moved = frames[start + lag].positions[surface] - frames[start].positions[surface]
        displacement.append(float((moved**2).sum(axis=1).mean()))
    biased = frames[1:]  # the first frame is that at which the voltage comes on
    found = {
        "potential_energy": [f.info["potential_energy"] / len(f) for f in biased],
        "temperature": [f.info["temperature"] for f in biased],
        "coordination": neighbours[1:, mobile].mean(axis=1).tolist(),
        "surface_displacement": displacement,
        "charge": [f.info["charge_top"] for f in biased],
    }
    return {name: [float(f"{value:.7g}") for value in values] for name, values in found.items()}


def summarise(
    runs: dict[float, list[dict[str, list[float]]]],
) -> Averages:
    """Mean over the seeds with its standard error, and the spread of all samples, for each step."""
    content: Averages = {}
    for name in NAMES:
        content[name] = {}
        for step, found in runs.items():
            means = np.array([np.mean(run[name]) for run in found])
            everything = np.concatenate([run[name] for run in found])
            content[name][f"{step:g} fs"] = {
                "mean": float(f"{means.mean():.6g}"),
                "standard_error": float(f"{means.std(ddof=1) / np.sqrt(len(means)):.2g}"),
                "spread": float(f"{everything.std():.3g}"),
            }
    return content


def draw(rows: list[Drift], runs: dict[float, list[dict[str, list[float]]]]) -> Figure:
    """Draw the energies without a thermostat, and the distributions with one."""
    figure = Figure(figsize=(10.0, 5.6), layout="tight")
    panels = figure.subplots(2, 3).ravel()
    for row, colour in zip(rows, (GREEN, PURPLE, BLUE, INK, ORANGE), strict=False):
        trace = 1e3 * np.array(row.trace)
        panels[0].plot(
            0.096 * np.arange(len(trace)),
            trace,
            color=colour,
            linewidth=0.9,
            label=f"{row.time_step:g} fs",
        )
    panels[0].set_xlabel("time (ps)")
    panels[0].set_ylabel("conserved energy (meV/atom)")
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low - 0.5 * (high - low), high)  # room for the legend
    panels[0].legend(ncols=3, loc="lower center")
    for panel, (name, label) in zip(panels[1:], NAMES.items(), strict=True):
        everything = {s: np.concatenate([run[name] for run in found]) for s, found in runs.items()}
        together = np.concatenate(list(everything.values()))
        edges = np.histogram_bin_edges(together, bins=15 if len(together) > 100 else 6)
        for (step, values), colour in zip(everything.items(), (GREEN, BLUE), strict=True):
            panel.hist(
                values, edges, density=True, histtype="step", color=colour, label=f"{step:g} fs"
            )
        panel.set_xlabel(label)
        panel.set_yticks([])
    panels[1].legend()
    return figure


def main() -> None:
    """Measure both, write data and figure."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = drift(Path(folder))
    runs: dict[float, list[dict[str, list[float]]]] = {}
    for step in STEPS:
        runs[step] = [samples(step, seed) for seed in SEEDS]
        print(f"{step:g} fs: sampled", flush=True)
    averages = summarise(runs)
    for name, cases in averages.items():
        print(name, cases)
    content = {
        "temperature": TEMPERATURE,
        "voltage": VOLTAGE,
        "atoms": len(tips()),
        "drift": [asdict(row) for row in rows],
        "averages": averages,
        "samples": {f"{step:g} fs": found for step, found in runs.items()},
    }
    write_json(DOCS / "data" / "time_step.json", content)
    with house_style():
        write_bytes(DOCS / "images" / "time-step.png", png(draw(rows, runs), 100))


if __name__ == "__main__":
    run_main(main)
