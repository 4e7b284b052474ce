"""Kill one run many times at random moments, and compare it with one that nothing disturbed.

Every session ends by SIGKILL after a random time: of the main process alone, whose workers then end
by themselves, or of all of its processes at once. The next session resumes. Twenty kills:

    OMP_NUM_THREADS=1 python scripts/random_kills.py --kills 20 -o kills
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanogap.run import RunDirectory, status

PROGRAM = [sys.executable, "-c", "from nanogap.cli import main; main()"]
#: About a hundred atoms that bridge within a picosecond.
SETTINGS = """\
name = "tiny"
seed = 3

[structure]
base_width = 12.0
height = 5.0
apex_width = 6.0
gap = 5.0
fixed_layers = 1
lattice_constant = 4.2
vacuum = 12.0

[dynamics]
time_step = 4.0
equilibration_time = 80.0
production_time = 2000.0
sampling_interval = 100.0
contact_sampling_interval = 20.0
contact_sampling_time = 200.0

[junction]
cut = "paper"
lead_repeats = 2

[transport]
kpoints = [2, 2]
spectrum_energies = "-0.2:0.2:0.2"
"""


def begin(settings: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start a run, or resume what is there of it."""
    there = (folder / "run.json").exists()
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
    if not (folder / "tips.extxyz").exists():
        return "build"
    run = RunDirectory(folder)
    if not run.dynamics.finished:
        return "dynamics and transport"
    done = len(list((folder / "transmission").glob("[0-9]*")))
    if done < run.dynamics.commit.snapshots or not run.spectra_path.exists():
        return "transport"
    return "report"


def kill_often(
    settings: Path, folder: Path, kills: int, seed: int, longest: float
) -> list[dict[str, Any]]:
    """Run with so many kills, then to the end; say when each came and what it met.

    The first comes within a fifth of the longest time, while the structure is in the making.
    """
    random, met = np.random.default_rng(seed), list[dict[str, Any]]()
    for number in range(kills):
        process = begin(settings, folder)
        limit = longest if number else longest / 5.0
        delay, whole = float(random.uniform(0.0, limit)), bool(random.integers(2))
        started = time.monotonic()
        while time.monotonic() < started + delay and process.poll() is None:
            time.sleep(0.01)
        ended = process.poll() is not None
        moment = "after the end" if ended else phase(folder)
        victims = children(process.pid) if whole and not ended else []
        process.kill()
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        process.wait()
        met.append({"after": round(delay, 2), "all processes": whole, "phase": moment})
    process = begin(settings, folder)
    if process.wait():
        raise SystemExit(f"the run failed: {RunDirectory(folder).error}")
    return met


def differences(found: Path, expected: Path) -> list[str]:
    """Say in what a run differs from another one."""
    ours, theirs = status(RunDirectory(found)), status(RunDirectory(expected))
    faults, times = list[str](), ours["time"]
    if times != sorted(set(times)) or times != theirs["time"]:
        faults.append("snapshots are lost or doubled")
    if ours["state"] != "finished":
        faults.append(f"it is {ours['state']}")
    names = ("trajectory.extxyz", "snapshots.jsonl", "tips.extxyz")
    faults += [name for name in names if not same_bytes(found, expected, name)]
    folders = [RunDirectory(path).checkpoints() for path in (found, expected)]
    if folders[0].keys() != folders[1].keys():
        faults.append("checkpoints")
    # all digits of positions, velocities and thermostat at the end
    last = max(folders[1])
    names = ("restart.lammps", "potential.npy", "progress.json")
    faults += [
        f"{name} of the last checkpoint"
        for name in names
        if last not in folders[0] or not same_bytes(folders[0][last], folders[1][last], name)
    ]
    names = ("transmission.nc", "spectra.nc")
    return faults + [name for name in names if not same_arrays(found / name, expected / name)]


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
    parser.add_argument("--settings", type=Path, help="default: tips of about a hundred atoms")
    parser.add_argument("--reference", type=Path, help="the undisturbed run, if there is one")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=12.0, help="longest session, s")
    arguments = parser.parse_args()
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    settings = arguments.settings or output / "settings.toml"
    if arguments.settings is None:
        settings.write_text(SETTINGS)
    reference = arguments.reference or output / "undisturbed"
    if arguments.reference is None and begin(settings, reference).wait():
        raise SystemExit("the undisturbed run failed")
    folder, started = output / "killed", time.monotonic()
    met = kill_often(settings, folder, arguments.kills, arguments.seed, arguments.longest)
    report = {
        "kills": met,
        "phases": Counter(kill["phase"] for kill in met),
        "snapshots": len(status(RunDirectory(folder))["time"]),
        "seconds": round(time.monotonic() - started),
        "differences": differences(folder, reference),
    }
    print(json.dumps(report, indent=1))
    raise SystemExit(bool(report["differences"]))


if __name__ == "__main__":
    main()
