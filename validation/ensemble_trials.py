"""Try a campaign: how well it uses the cores, whether kills or a cluster change its dataset.

    export OMP_NUM_THREADS=1
    python -m validation.ensemble_trials time  docs/data/ensemble.toml -o calm > time.json
    python -m validation.ensemble_trials kill  docs/data/ensemble.toml -o killed > kill.json
    python -m validation.ensemble_trials slurm docs/data/ensemble.toml -o slurm > slurm.json
    python -m validation.ensemble_trials same calm killed slurm > same.json

And with two members, which were also run undisturbed:

    ... ensemble_trials kill docs/data/ensemble.toml --members 2 --seconds 600 -o killed-often \
        > often.json
    ... ensemble_trials walltime docs/data/ensemble.toml --members 2 -o walltime > walltime.json
    nanogap campaign run killed-often-file.toml -o calm-two
    python -m validation.ensemble_trials same calm-two killed-often walltime > same-two.json

``time`` runs two members alone, one after the other, and then all of them on the cores of the file,
with nothing else on the machine. ``kill`` sends SIGKILL to the driver or to a member, in turns, at
random moments. ``slurm`` starts a SLURM of one node (Debian: slurm-wlm) and changes the line
``kind``; ``walltime`` gives its jobs less time than a member needs. ``same`` compares datasets with
the first bit by bit. Each prints what it found as JSON, under the name of its folder.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanogap.campaign.collect import open_ensemble
from nanogap.campaign.folder import CampaignFolder
from nanogap.cli.programs import run_main
from validation import slurm
from validation.random_kills import children

PROGRAM = [sys.executable, "-c", "from nanogap.cli.app import main; main()", "campaign"]
#: Variables that are no physics: time and memory that it took.
UNEQUAL = {"core_seconds", "peak_memory"}
#: Two minutes, in hours.
WALLTIME = "0.034"
ON_SLURM = {"slurm": '"slurm"', "walltime": f'"slurm"\nwalltime = {WALLTIME}'}


def call(*arguments: str | Path) -> dict[str, Any]:
    """Run a command of nanogap campaign to its end, and return what it says."""
    command = [*PROGRAM, *map(str, arguments), "--json"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(done.returncode)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def changed(file: Path, folder: Path, **lines: str) -> Path:
    """Write a campaign file that differs in some lines beside the folder of its campaign."""
    text = file.read_text(encoding="utf-8").splitlines()
    for key, value in lines.items():
        places = [n for n, line in enumerate(text) if line.startswith(f"{key} =")]
        if len(places) != 1:
            raise SystemExit(f"{file} has no line, or several, for {key}")
        text[places[0]] = f"{key} = {value}"
    target = folder.with_suffix(".toml")
    target.write_text("\n".join(text) + "\n", encoding="utf-8")
    return target


def members(folder: Path) -> xr.Dataset:
    """Collect a campaign and read its dataset."""
    call("collect", folder)
    with open_ensemble(CampaignFolder(folder).dataset) as dataset:
        return dataset.load()


def timed(file: Path, folder: Path) -> dict[str, Any]:
    """Compare the time of a campaign with what its members need alone."""
    alone = folder.with_name(folder.name + "-alone")
    call("run", changed(file, alone, repeats="2", workers="1"), "-o", alone, "--yes")
    single = members(alone)["core_seconds"].to_numpy()
    begin = time.monotonic()
    call("run", file, "-o", folder, "--yes")
    wall = time.monotonic() - begin
    together = members(folder)
    cores = tomllib.loads(file.read_text(encoding="utf-8"))["executor"]["workers"]
    best = float(single.mean()) * together.sizes["member"] / cores
    return {
        "alone_core_seconds": single.tolist(),
        "core_seconds": float(together["core_seconds"].mean()),
        "members": together.sizes["member"],
        "cores": cores,
        "wall_seconds": wall,
        "efficiency": best / wall,
        "points": int(np.isfinite(together["transmission"]).sum()),
    }


def killed(file: Path, folder: Path, kills: int, last: float) -> dict[str, Any]:
    """Kill drivers and members at random moments, about evenly over the campaign."""
    dice = random.Random(7)  # noqa: S311 no secret
    done: Counter[str] = Counter()
    driver: subprocess.Popen[bytes] | None = None
    for number in range(kills):
        driver = driver or subprocess.Popen(
            [*PROGRAM, "run", str(file), "-o", str(folder), "--yes"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(dice.uniform(0.2, 1.8) * last / kills)
        if driver.poll() is not None:
            raise SystemExit(f"the campaign ended before kill {number + 1} of {kills}")
        if number % 2:
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            driver = None
            done["driver"] += 1
        else:
            while not (found := children(driver.pid)) and driver.poll() is None:  # just begun
                time.sleep(0.5)
            os.kill(dice.choice(found), signal.SIGKILL)
            done["member"] += 1
        print(f"kill {number + 1} of {kills}", file=sys.stderr)
    if driver is not None:
        driver.wait()
    content = call("run", file, "-o", folder, "--yes")
    members(folder)
    return {"kills": dict(done), "finished": content["finished"], "given_up": content["given_up"]}


def on_slurm(file: Path, folder: Path, kind: str) -> dict[str, Any]:
    """Run a campaign on a SLURM of this one machine."""
    begin = time.monotonic()
    node = folder.absolute().with_name(folder.name + "-node")
    with slurm.single_node(node):
        content = call("run", changed(file, folder, kind=kind), "-o", folder, "--yes")
    members(folder)
    return {
        "finished": content["finished"],
        "given_up": content["given_up"],
        "jobs_out_of_time": (node / "log").read_text().count("Time limit exhausted"),
        "wall_seconds": time.monotonic() - begin,
    }


def same(folders: list[Path]) -> dict[str, Any]:
    """Compare datasets bit by bit with the first, in the members that both have."""
    first, *others = (members(folder) for folder in folders)
    found: dict[str, Any] = {"variables": len(set(first.variables) - UNEQUAL)}
    for folder, other in zip(folders[1:], others, strict=True):
        shared, here, there = np.intersect1d(first["key"], other["key"], return_indices=True)
        one, two = first.isel(member=here), other.isel(member=there)
        found[folder.name] = {
            "members": len(shared),
            "points": int(np.isfinite(one["transmission"]).sum()),
            "different": sorted(
                name
                for name in {*one.variables, *two.variables} - UNEQUAL
                if name not in one
                or name not in two
                or one[name].to_numpy().tobytes() != two[name].to_numpy().tobytes()
            ),
        }
    return found


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trial", choices=["time", "kill", *ON_SLURM, "same"])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--members", type=int, help="other than in the file")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--seconds", type=float, default=3500.0, help="that a calm campaign takes, for the kills"
    )
    given = parser.parse_args()
    if given.trial == "same":
        print(json.dumps({"same": same(given.paths)}, indent=1))
        return
    if given.output is None:
        parser.error("-o is missing")
    file, folder = given.paths[0], given.output
    if given.members:
        file = changed(file, folder.with_name(f"{folder.name}-file"), repeats=str(given.members))
    if given.trial == "time":
        found = timed(file, folder)
    elif given.trial == "kill":
        found = killed(file, folder, given.kills, given.seconds)
    else:
        found = on_slurm(file, folder, ON_SLURM[given.trial])
    print(json.dumps({folder.name: found}, indent=1))


if __name__ == "__main__":
    run_main(main)
