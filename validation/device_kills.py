"""Kill a device's measurement often, resume it each time, and compare with an undisturbed one.

The preset device-quick, with the smallest needles that set and reset and with a coarse mesh of the
conductance, is run once undisturbed, and once with SIGKILL after random shares of its readings and
a random delay on top, so that kills meet the start, readings, and the writing of states alike. At
the end every bit of the measurement, the frames and the last state has to be the same:

    python -m validation.device_kills --kills 20 -o kills
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nanogap.cli.programs import run_main
from nanogap.io.device_files import DeviceFiles, is_device_directory
from nanogap.settings.device import load_device_settings

PRESET = "device-quick"
CHANGES = (
    "geometry.base_width=12", "geometry.height=5", "geometry.gap=5", "geometry.fixed_layers=1",
    "geometry.margin=4", "geometry.upper_apex_width=same", "conductance.cell_widths=[4]",
    "conductance.kpoints=1", "medium.exchange_rate=0.05", "protocol.rate=1",
)  # fmt: skip
_LONGEST_DELAY = 0.2
#: Runs the command with states kept so often, s, instead of every ten.
CODE = (
    "import sys; from nanogap import cli; from nanogap.runs import device_part; "
    "device_part._PAUSE = float(sys.argv.pop(1)); cli.main()"
)


@dataclass(frozen=True)
class Kill:
    """One kill.

    Attributes
    ----------
    kept : int
        Readings of the latest state that was on disk, from which the next start goes on.
    delay : float
        Time after the share of the readings that the kill waited for, s.
    """

    kept: int
    delay: float


def begin(folder: Path, changes: tuple[str, ...], pause: float) -> subprocess.Popen[bytes]:
    """Start the measurement, or resume what is there of it."""
    words = ["resume", str(folder)]
    if not is_device_directory(folder):
        cache = f"conductance.cache={folder.parent / 'necks.sqlite'}"
        changed = [word for change in (*changes, cache) for word in ("--set", change)]
        words = ["run", PRESET, "-o", str(folder), *changed]
    return subprocess.Popen(
        [sys.executable, "-c", CODE, str(pause), "device", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kept(folder: Path) -> int:
    """Return the readings of the latest state on disk."""
    states = DeviceFiles(folder).part(0).checkpoints()
    return int(states[0].name.removeprefix("after-")) if states else 0


def kill_often(
    folder: Path, kills: int, seed: int, *, changes: tuple[str, ...] = CHANGES, pause: float = 0.05
) -> list[Kill]:
    """Run with so many kills, then to the end; say what each kill met.

    Parameters
    ----------
    folder : Path
        Device directory to be.
    kills, seed : int
    changes : tuple of str
        Settings that are not the preset's.
    pause : float
        Time between two states that are kept, s, at the least.

    Raises
    ------
    SystemExit
        If a run fails by itself.
    """
    random, met = np.random.default_rng(seed), list[Kill]()
    total = load_device_settings(PRESET, changes).total_samples
    for share in np.sort(random.random(kills)):
        process = begin(folder, changes, pause)
        # every other kill waits for readings of this start; the others may come while it loads
        goal = max(0.95 * share * total, kept(folder) + 1 if len(met) % 2 else 0)
        while process.poll() is None and kept(folder) < goal:
            time.sleep(0.002)
        delay = float(random.uniform(0.0, _LONGEST_DELAY))
        deadline = time.monotonic() + delay
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() not in {None, 0}:
            raise SystemExit(f"the run failed after {kept(folder)} readings")
        process.kill()
        process.wait()
        met.append(Kill(kept(folder), round(delay, 3)))
    if begin(folder, changes, pause).wait():
        raise SystemExit("the last run failed")
    return met


def differences(found: Path, expected: Path) -> list[str]:
    """Say in what a measurement differs from another one."""
    one, other = DeviceFiles(found), DeviceFiles(expected)
    faults = list[str]()
    with (
        xr.open_dataset(one.measurement, engine="h5netcdf") as ours,
        xr.open_dataset(other.measurement, engine="h5netcdf") as theirs,
    ):
        if not ours.drop_attrs().identical(theirs.drop_attrs()):
            faults.append(one.measurement.name)
    for mine, its in (
        (one.part(0).points, other.part(0).points),
        (one.part(0).frames, other.part(0).frames),
    ):
        if mine.read_bytes() != its.read_bytes():
            faults.append(mine.name)
    last, reference = one.part(0).checkpoints()[0], other.part(0).checkpoints()[0]
    if last.name != reference.name:
        return [*faults, "the last state"]
    for name in ("atoms.npz", "potential.npz"):
        if (last / name).read_bytes() != (reference / name).read_bytes():
            faults.append(f"{name} of the last state")
    if circuit_and_meters(last) != circuit_and_meters(reference):
        faults.append("circuit and meters of the last state")
    return faults


def circuit_and_meters(state: Path) -> dict[str, object]:
    """Read what a state holds of circuit and meters.

    Not the place in the protocol: after the last reading it is the same state whether the segment
    has been closed or not, and which of the two is kept is a matter of time.
    """
    content = json.loads((state / "measurement.json").read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key != "state"}


def main() -> None:
    """Read the arguments, kill, compare, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="an empty folder")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    reference, folder = output / "undisturbed", output / "killed"
    if begin(reference, CHANGES, 10.0).wait():
        raise SystemExit("the undisturbed run failed")
    started = time.monotonic()
    met = kill_often(folder, arguments.kills, arguments.seed)
    report = {
        "kills": [asdict(kill) for kill in met],
        "readings": load_device_settings(PRESET, CHANGES).total_samples,
        "seconds": round(time.monotonic() - started),
        "differences": differences(folder, reference),
    }
    print(json.dumps(report, indent=1))
    raise SystemExit(bool(report["differences"]))


if __name__ == "__main__":
    run_main(main)
