"""Random kills of one run, which must come out as one that nothing disturbed, to the bit.

Judges the commits, checkpoints and resume of a run directory. The moments are random shares of the
parts of a run: build, dynamics, transport beside and after it, report. SIGKILL goes to the main
process alone, whose workers then end by themselves, or to all of its processes at once. The next
session resumes. The report goes to stdout, docs/run-directory.md quotes it; tests/runs/test_run.py
does the same with four kills. Twenty kills:

    OMP_NUM_THREADS=1 python -m validation.random_kills --kills 20 -o kills
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nanogap.cli.programs import run_main
from nanogap.io.run_files import RunFiles, is_run_directory
from nanogap.runs import RunDirectory, status

PARTS = ("build", "dynamics", "transport", "report")
#: A kill comes within so many seconds after its share of a part is done.
DELAY = {"build": 4.0, "dynamics": 1.0, "transport": 1.0, "report": 4.0}
PROGRAM = [sys.executable, "-c", "from nanogap.cli.app import main; main()"]
#: About a hundred atoms that bridge within a picosecond.
SETTINGS = Path(__file__).with_name("tiny.toml")


def begin(settings: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start a run, or resume what is there of it."""
    there = is_run_directory(folder)
    arguments = ["resume", str(folder)] if there else ["run", str(settings), "-o", str(folder)]
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def children(parent: int) -> list[int]:
    """Find the processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def phase(folder: Path) -> str:
    """Tell what a run is at, from what is on disk."""
    if not RunFiles(folder).tips.exists():
        return "build"
    run = RunDirectory(folder)
    if not run.dynamics.finished:
        return "dynamics and transport"
    done = run.settled
    if done < run.dynamics.commit.snapshots or not run.spectra_path.exists():
        return "transport"
    return "report"


def moments(kills: int, random: np.random.Generator) -> list[tuple[str, float]]:
    """Choose when to kill: a part of the run and how much of it is done, in order."""
    chosen = random.choice(len(PARTS), size=kills, p=[0.15, 0.45, 0.25, 0.15])
    return [
        (PARTS[part], share)
        for part, share in sorted(zip(chosen, random.random(kills), strict=True))
    ]


def reached(folder: Path, part: str, share: float) -> bool:
    """Whether a run has done a share of a part of itself."""
    if part == "build":
        return True
    if not RunFiles(folder).tips.exists():
        return False
    run = RunDirectory(folder)
    if part == "dynamics":
        return run.dynamics.step >= share * max(1, run.dynamics.end_step)
    done = run.settled
    if part == "transport":
        return run.dynamics.finished and done >= share * run.dynamics.commit.snapshots
    return phase(folder) == "report"


@dataclass(frozen=True)
class Kill:
    """One kill.

    Attributes
    ----------
    phase : str
        What the run was at.
    step : int
        Time steps of the last commit.
    all_processes : bool
        Whether all processes were killed, not the main one alone.
    """

    phase: str
    step: int
    all_processes: bool


def kill_often(settings: Path, folder: Path, kills: int, seed: int) -> list[Kill]:
    """Run with so many kills, then to the end; say when each came and what it met."""
    random, met = np.random.default_rng(seed), list[Kill]()
    for part, share in moments(kills, random):
        process = begin(settings, folder)
        while process.poll() is None and not reached(folder, part, share):
            time.sleep(0.01)
        deadline = time.monotonic() + float(random.uniform(0.0, DELAY[part]))
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        ended = process.poll() is not None
        moment = "after the end" if ended else phase(folder)
        whole = bool(random.integers(2))
        victims = children(process.pid) if whole and not ended else []
        process.kill()
        for victim in victims:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        process.wait()
        step = RunDirectory(folder).dynamics.step if is_run_directory(folder) else 0
        met.append(Kill(moment, step, whole))
    process = begin(settings, folder)
    if process.wait():
        raise SystemExit(f"the run failed: {RunDirectory(folder).error}")
    return met


def differences(found: Path, expected: Path) -> list[str]:
    """Say in what a run differs from another one."""
    ours, theirs = status(RunDirectory(found)), status(RunDirectory(expected))
    faults, times = list[str](), ours.time
    if times != sorted(set(times)) or times != theirs.time:
        faults.append("snapshots are lost or doubled")
    if ours.state != "finished":
        faults.append(f"it is {ours.state}")
    files = RunFiles(expected)
    texts = (files.trajectory.name, files.index.name, files.tips.name)
    faults += [name for name in texts if not same_bytes(found, expected, name)]
    folders = [RunDirectory(path).checkpoints() for path in (found, expected)]
    if folders[0].keys() != folders[1].keys():
        faults.append("checkpoints")
    # all digits of positions, velocities and thermostat at the end
    last = max(folders[1])
    states = ("restart.lammps", "potential.npy", "progress.json")
    faults += [
        f"{name} of the last checkpoint"
        for name in states
        if last not in folders[0] or not same_bytes(folders[0][last], folders[1][last], name)
    ]
    results = (files.joined_transmission.name, files.spectra.name)
    return faults + [name for name in results if not same_arrays(found / name, expected / name)]


def same_bytes(found: Path, expected: Path, name: str) -> bool:
    """Whether a file is the same in two folders."""
    return (found / name).read_bytes() == (expected / name).read_bytes()


def same_arrays(found: Path, expected: Path) -> bool:
    """Whether two datasets agree in every bit of every array."""
    with (
        xr.open_dataset(found, engine="h5netcdf") as one,
        xr.open_dataset(expected, engine="h5netcdf") as other,
    ):
        return bool(one.drop_attrs().identical(other.drop_attrs()))


def main() -> None:
    """Read the arguments, kill, compare, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="an empty folder")
    parser.add_argument(
        "--settings", type=Path, default=SETTINGS, help="default: tips of about a hundred atoms"
    )
    parser.add_argument("--reference", type=Path, help="the undisturbed run, if there is one")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    reference = arguments.reference or output / "undisturbed"
    if arguments.reference is None and begin(arguments.settings, reference).wait():
        raise SystemExit("the undisturbed run failed")
    folder, started = output / "killed", time.monotonic()
    met = kill_often(arguments.settings, folder, arguments.kills, arguments.seed)
    report = {
        "kills": [asdict(kill) for kill in met],
        "phases": Counter(kill.phase for kill in met),
        "snapshots": status(RunDirectory(folder)).snapshots,
        "seconds": round(time.monotonic() - started),
        "differences": differences(folder, reference),
    }
    print(json.dumps(report, indent=1))
    raise SystemExit(bool(report["differences"]))


if __name__ == "__main__":
    run_main(main)
