"""Simulated ns/day of the paper's tips: the published recipe, LAMMPS and the native kernel.

The tips are those of the preset paper-8v (about 2 770 atoms), heated for 0.2 ps. All cases go on
from the same frame, in turn and more than once, the fastest turn counts:

(a) the published recipe, as a plain LAMMPS input written here, with nothing of our engine: no
    control settings, ``fix qeq/reaxff`` to 1e-6 (as in LAMMPS' own examples; the paper gives no
    number), LAMMPS' neighbour lists for these units, 1 fs, and a potential that stays (EChemDID
    itself is left out);
(b) our default settings: one process, potential updated at the default interval, 4 fs;
(c) the same with two processes, which need two free cores;
(d) as (b) with ``dynamics.engine = "native"``, one thread;
(e) the same with two threads, which need two free cores.

The ratios of (b) and (d) with (a) and with each other are of CPU times, which other programs hardly
disturb; that of (c) and (b) is of wall times, and that of (e) and (d) of the fastest turns of the
parts of a step (`benchmarks.native_threads`).
Two minutes.

    python -m benchmarks.dynamics [--quick]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from ase import Atoms

from benchmarks import native_threads
from nanogap.cli.programs import run_main
from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.dynamics.engine import Engine
from nanogap.dynamics.engines import open_engine
from nanogap.dynamics.forcefield import load_force_field
from nanogap.dynamics.lammps import FOLDER, Rank
from nanogap.dynamics.simulation import Simulation
from nanogap.dynamics.start import build_tips
from nanogap.settings import DynamicsSettings, Settings, VoltageSettings, load_settings
from nanogap.structure.tips import MOBILE
from nanogap.typing import FloatArray
from nanogap.units import KCAL_PER_MOL

LATTICE_CONSTANT = 4.268  # the force field's own at 800 K
HEATING = 50
TOLERANCE = 1e-6
#: Turns for the parts of a native step, for one of everything else.
NATIVE_TURNS = 5
WANTED = {
    "b_to_a": 10.0,
    "c_to_b": 1.6,
    "d_to_a": 30.0,
    "d_to_b": 2.5,
    "e_to_d": native_threads.WANTED,
    "force": 1e-6,
    "bias": 0.03,
}


@dataclass(frozen=True)
class DynamicsSpeed:
    """Result of the benchmark; cases (a) to (e) as above.

    Attributes
    ----------
    atoms : int
    ns_per_day_cpu, ns_per_day_wall : dict of str to float
        Simulated time per CPU time and per wall time, by case.
    b_to_a_cpu, b_to_a_wall, c_to_b_wall, d_to_a_cpu, d_to_b_cpu : float
        Ratios of these.
    native_step : dict of str to float
        Time of a step of (d) and (e) by its fastest parts, s.
    e_to_d : float
        Ratio of these speeds.
    force_difference, native_force_difference : float
        Largest difference of the forces of (b) and (d) and those of (a) with exact charges,
        eV/angstrom.
    force_error_of_a : float
        Largest error of the forces of (a) from its charges, eV/angstrom.
    share_of_bias : float
        Share of the CPU time that is not spent in LAMMPS.
    load : float
        Of the machine, processes.
    """

    atoms: int
    ns_per_day_cpu: dict[str, float]
    ns_per_day_wall: dict[str, float]
    b_to_a_cpu: float
    b_to_a_wall: float
    c_to_b_wall: float
    d_to_a_cpu: float
    d_to_b_cpu: float
    native_step: dict[str, float]
    e_to_d: float
    force_difference: float
    native_force_difference: float
    force_error_of_a: float
    share_of_bias: float
    load: float


def tips(*changes: str) -> Atoms:
    """Build the paper's tips."""
    constant = f"structure.lattice_constant={LATTICE_CONSTANT}"
    return build_tips(load_settings("paper-8v", (constant, *changes)))


def heated(atoms: Atoms, potential: FloatArray, folder: Path) -> Atoms:
    """Heat the tips for a short time; positions and velocities stay in the frame."""
    settings = DynamicsSettings(time_step=4.0)
    engine = Engine(atoms, settings, load_force_field("Ag"), folder, seed=1)
    engine.set_potential(potential)
    engine.advance(HEATING)
    frame = atoms.copy()
    frame.positions = engine.positions
    frame.new_array("velocities", engine.velocities)
    engine.close()
    return frame


def heated_tips(folder: Path, *changes: str) -> Atoms:
    """Build and heat the paper's tips at 8 V."""
    atoms = tips(*changes)
    network = MetalNetwork.from_positions(atoms.positions, atoms.arrays["electrode"], 4.0)
    return heated(atoms, network.steady(np.zeros(len(atoms)), 8.0), folder)


class Plain:
    """The published recipe, as anyone would write it."""

    def __init__(
        self, frame: Atoms, potential: FloatArray, folder: Path, tolerance: float = TOLERANCE
    ) -> None:
        force_field = load_force_field("Ag")
        n = len(frame)
        data = folder / "plain.data"
        lines = ["tips", "", f"{n} atoms", "1 atom types"]
        for axis, length in zip("xyz", frame.cell.lengths().tolist(), strict=True):
            lines.append(f"0.0 {length!r} {axis}lo {axis}hi")
        lines += ["", "Masses", "", f"1 {force_field.mass}", "", "Atoms # charge", ""]
        lines += [f"{i + 1} 1 0.0 {x!r} {y!r} {z!r}" for i, (x, y, z) in _rows(frame.positions)]
        lines += ["", "Velocities", ""]
        lines += [
            f"{i + 1} {x!r} {y!r} {z!r}" for i, (x, y, z) in _rows(frame.arrays["velocities"])
        ]
        data.write_text("\n".join(lines) + "\n", encoding="utf-8")
        fixed = np.flatnonzero(frame.arrays["electrode"] != MOBILE) + 1
        self._rank = Rank(None)
        for command in (
            "units real",
            "atom_style charge",
            "atom_modify map array",
            "boundary p p f",
            f"read_data {FOLDER}/{data.name}",
            *force_field.pair_commands(folder, fast=False),
            f"group fixed id {' '.join(map(str, fixed))}",
            "group mobile subtract all fixed",
            "fix potential all property/atom d_nanogap_phi ghost yes",
            "variable shift atom d_nanogap_phi",
            "variable none atom 0.0",
            "fix field all efield 0.0 0.0 v_none potential v_shift",
            f"fix charges all qeq/reaxff 1 0.0 10.0 {tolerance} reaxff maxiter 1000",
            "timestep 1.0",
            "thermo 1000000",
            "fix motion mobile nvt temp 800.0 800.0 100.0",
        ):
            self._rank.command(command, folder)
        self._rank.set_shift(-potential)
        self._rank.command("run 0 post no")

    def forces(self) -> FloatArray:
        """Return forces in the order of the frame, eV/angstrom."""
        return self._rank.gather("f") * KCAL_PER_MOL

    def advance(self, steps: int) -> None:
        """Run time steps."""
        self._rank.command(f"run {steps} pre no post no")

    def close(self) -> None:
        """Free LAMMPS."""
        self._rank.close()


def _rows(values: FloatArray) -> Iterator[tuple[int, list[float]]]:
    return enumerate(values.tolist())


class Ours(Simulation):
    """A simulation whose frames are not analysed, and that knows the time LAMMPS takes in it."""

    def _snapshot(self) -> Atoms:
        """Take no snapshot: what it costs is another budget."""
        frame = self._tips.copy()
        frame.info.update(step=self.progress.step, bottleneck_atoms=0)
        return frame


def ours(frame: Atoms, folder: Path, steps: int, **changes: Any) -> Ours:
    """Make a simulation that is ready to run one chunk of `steps` steps at 8 V."""
    dynamics = DynamicsSettings(
        time_step=4.0,
        equilibration_time=0.0,
        production_time=4.0 * 100 * steps,
        sampling_interval=4.0 * steps,
        **changes,
    )
    settings = Settings(dynamics=dynamics, voltage=VoltageSettings(applied=8.0))
    simulation = Ours(frame, settings, folder=folder, seed=1)
    simulation.advance()  # the first chunk pays for lists, compilation and the switching on
    return simulation


def clocks(function: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall time of a call, s."""
    cpu, wall = time.process_time(), time.perf_counter()
    function()
    return time.process_time() - cpu, time.perf_counter() - wall


def in_turn(
    cases: dict[str, Callable[[], object]], turns: int
) -> dict[str, list[tuple[float, float]]]:
    """Return CPU and wall times of the cases, s, which have their turns one after another."""
    times = {case: [clocks(run)] for case, run in cases.items()}
    for _ in range(turns):
        for case, run in cases.items():
            times[case].append(clocks(run))
    return times


def bias_share(simulation: Ours) -> float:
    """Share of a chunk's CPU time that is not spent in LAMMPS: update, work, Python."""
    inside, plain = [0.0], Rank.command

    def timed(self: Rank, text: str, folder: Path | None = None) -> None:
        start = time.process_time()
        plain(self, text, folder)
        inside[0] += time.process_time() - start

    with patch.object(Rank, "command", timed):
        cpu, _ = clocks(simulation.advance)
    return 1.0 - inside[0] / cpu


def force_difference(
    frame: Atoms,
    potential: FloatArray,
    folder: Path,
    plain_forces: FloatArray,
    settings: DynamicsSettings | None = None,
) -> float:
    """Largest difference of our forces and those of the plain recipe on one frame, eV/angstrom."""
    engine = open_engine(
        frame, settings or DynamicsSettings(), load_force_field("Ag"), folder, seed=1
    )
    engine.set_potential(potential)
    engine.advance(0)
    forces = engine.forces
    engine.close()
    return float(np.abs(forces - plain_forces).max())


def measure(atoms: Atoms, turns: int, steps: int = 20) -> DynamicsSpeed:
    """Measure all cases on the same frame of two tips.

    Parameters
    ----------
    atoms : ase.Atoms
        The tips, not heated.
    turns : int
        How often every case is measured.
    steps : int
        Time steps that are measured at a time.
    """
    network = MetalNetwork.from_positions(atoms.positions, atoms.arrays["electrode"], 4.0)
    potential = network.steady(np.zeros(len(atoms)), 8.0)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folders = [root / part for part in "abcdef"]
        for folder in folders:
            folder.mkdir()
        frame = heated(atoms, potential, folders[3])
        tight = Plain(frame, potential, folders[0], tolerance=1e-12)
        exact = tight.forces()
        tight.close()
        plain = Plain(frame, potential, folders[0])
        published_error = float(np.abs(plain.forces() - exact).max())
        difference, native_difference = (
            force_difference(frame, potential, folders[3], exact, DynamicsSettings(engine=engine))
            for engine in ("reaxff", "native")
        )
        one, two = (ours(frame, folders[n], steps, processes=n) for n in (1, 2))
        native, threads = (
            ours(frame, folders[3 + n], steps, engine="native", threads=n) for n in (1, 2)
        )
        cases: dict[str, Callable[[], object]] = {
            "a": lambda: plain.advance(steps),
            "b": one.advance,
            "c": two.advance,
            "d": native.advance,
            "e": threads.advance,
        }
        times = in_turn(cases, turns)
        parts = native_threads.measure(native, threads, NATIVE_TURNS * turns)
        share = min(bias_share(one) for _ in range(turns))
        for used in (plain, one, two, native, threads):
            used.close()
    day = {case: 86400e-6 * steps * (1.0 if case == "a" else 4.0) for case in cases}
    rate = {
        case: [day[case] / min(column) for column in zip(*measured, strict=True)]
        for case, measured in times.items()
    }
    return DynamicsSpeed(
        atoms=len(atoms),
        ns_per_day_cpu={case: rate[case][0] for case in "abd"},
        ns_per_day_wall={case: rate[case][1] for case in "abcde"},
        b_to_a_cpu=rate["b"][0] / rate["a"][0],
        b_to_a_wall=rate["b"][1] / rate["a"][1],
        c_to_b_wall=rate["c"][1] / rate["b"][1],
        d_to_a_cpu=rate["d"][0] / rate["a"][0],
        d_to_b_cpu=rate["d"][0] / rate["b"][0],
        native_step={case: one.step for case, one in zip("de", parts, strict=True)},
        e_to_d=native_threads.speed_up(*parts),
        force_difference=difference,
        native_force_difference=native_difference,
        force_error_of_a=published_error,
        share_of_bias=share,
        load=os.getloadavg()[0],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two turns instead of twelve")
    result = measure(tips(), turns=2 if parser.parse_args().quick else 12)
    report(result)
    print(json.dumps(asdict(result)), file=sys.stderr)


def report(result: DynamicsSpeed) -> None:
    """Print what was wanted and what came out."""
    cpu, wall = result.ns_per_day_cpu, result.ns_per_day_wall
    print(f"the paper's tips, {result.atoms} atoms; simulated ns/day (load {result.load:.1f})")
    print(
        f"  (a) published recipe, 1 fs   {cpu['a']:7.2f} by CPU time  {wall['a']:7.2f} by the clock"
    )
    print(f"  (b) default, one core, 4 fs  {cpu['b']:7.2f}              {wall['b']:7.2f}")
    print(f"  (c) two processes            {'':7}              {wall['c']:7.2f}")
    print(f"  (d) native, one core, 4 fs   {cpu['d']:7.2f}              {wall['d']:7.2f}")
    print(f"  (e) native, two threads      {'':7}              {wall['e']:7.2f}")
    rates = [cpu["a"], cpu["b"], cpu["d"], cpu["d"] * result.e_to_d]
    print(
        "published recipe : LAMMPS default : native, one core : native, two threads = "
        + " : ".join(f"{rate:.3g}" for rate in rates)
        + " = "
        + " : ".join(f"{rate / rates[0]:.3g}" for rate in rates)
    )
    print(f"(b)/(a) {result.b_to_a_cpu:.2f} by CPU time, wanted {WANTED['b_to_a']:g}")
    print(
        f"(c)/(b) {result.c_to_b_wall:.2f} by the clock, wanted {WANTED['c_to_b']:g} "
        "(on two free cores)"
    )
    print(
        f"(d)/(a) {result.d_to_a_cpu:.1f} and (d)/(b) {result.d_to_b_cpu:.2f} by CPU time, wanted "
        f"{WANTED['d_to_a']:g} and {WANTED['d_to_b']:g}"
    )
    print(
        f"(e)/(d) {result.e_to_d:.2f} by the fastest parts of a step, "
        f"{1e3 * result.native_step['d']:.2f} and {1e3 * result.native_step['e']:.2f} ms, "
        f"wanted {WANTED['e_to_d']:g}"
    )
    print(
        f"largest difference of the forces of (b) and of (a) with its charges to 1e-12: "
        f"{result.force_difference:.1e} eV/Å, of (d) {result.native_force_difference:.1e}, wanted "
        f"{WANTED['force']:g}; the 1e-6 of (a) alone "
        f"moves its forces by {result.force_error_of_a:.1e}"
    )
    print(f"share of the bias in a step {result.share_of_bias:.1%}, wanted {WANTED['bias']:.0%}")


if __name__ == "__main__":
    run_main(main)
