"""Run the paper's protocols on simulated devices, for docs/device-results.md.

Each run is one device, one seed, one protocol; its readings are kept in a folder, so that an
interrupted trial goes on with what is missing:

    python -m validation.device_protocols -o FOLDER --processes 2
    python -m validation.device_results FOLDER

The first takes some hours on two cores (the parts by name: --part loops), the second draws the
figures and writes docs/data/device-protocols.json.
"""

import argparse
import io
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from nanogap.cli.programs import run_main
from nanogap.device.device import Device
from nanogap.device.measurement import Measurement, point_columns
from nanogap.io import write_bytes
from nanogap.settings.device import DeviceSettings, load_device_settings

#: Sweeps of the statistics, as in Fig. 4 of the paper (doi:10.1039/d3nh00476g).
SWEEPS = 116
#: Columns of the readings that are kept.
KEPT = ("time", "voltage", "current", "gap_voltage", "conductance", "cycle", "bridged", "read")
_LOOP: Mapping[str, object] = {"protocol.turning_points": [0.0, 2.5, 0.0]}
#: Exchange rate, per kink, 1/s, and surface condition, eV, of a medium in which contacts last about
#: as long as the paper's: fits.
SLOW_EXCHANGE, SLOW_SURFACE = 1e-4, 0.9
#: A read at 0.1 V.
_RETENTION: Mapping[str, object] = {"protocol.duration": 1000.0, "protocol.interval": 0.5}


@dataclass(frozen=True)
class Run:
    """One device under one protocol.

    Attributes
    ----------
    part, name : str
        What it is for; file in which its readings are kept.
    preset : str
    changes : mapping
        Settings that are not the preset's.
    """

    part: str
    name: str
    preset: str
    changes: Mapping[str, object] = field(default_factory=dict)

    def settings(self) -> DeviceSettings:
        """Load the settings."""
        return load_device_settings(self.preset, self.changes)


def runs(devices: int, sweeps: int) -> Iterator[Run]:
    """Yield all runs.

    Parameters
    ----------
    devices : int
        Devices that share the sweeps of the statistics; the paper has five.
    sweeps : int
        Of all devices; the paper has 116.
    """
    # the longest first, so that no core waits at the end
    yield from _statistics(devices, sweeps)
    for seed in (1, 2):
        yield Run("endurance", f"endurance-{seed}", "wire-endurance", {"seed": 400 + seed})
        yield Run("slow", f"slow-set-{seed}", "wire-slow-set", {"seed": 300 + seed})
        yield Run("slow", f"slow-reset-{seed}", "wire-slow-reset", {"seed": 300 + seed})
    for seed in range(1, 5):
        yield Run("loops", f"loops-{seed}", "wire-voltage-sweep", {"seed": seed})
        yield from _limits(seed)
        yield from _rates(seed)
    yield from _retention()


def _statistics(devices: int, sweeps: int) -> Iterator[Run]:
    """Yield the current sweeps, shared by devices."""
    for number in range(devices):
        share = len(np.array_split(np.arange(sweeps), devices)[number])
        changes = {
            "seed": 600 + number,
            "devices.number": 1,
            "devices.resistance_spread": 0.0,
            "devices.cycles": "each",
            "protocol.cycles": share,
        }
        yield Run("statistics", f"statistics-{number}", "wire-statistics", changes)


def _limits(seed: int) -> Iterator[Run]:
    """Yield loops with several current limits."""
    for limit in (50, 100, 200, 400):
        changes = {"seed": 100 + seed, "protocol.compliance": [limit * 1e-6, 0.1]}
        yield Run("compliance", f"compliance-{limit}-{seed}", "wire-program-1g0", changes)


def _rates(seed: int) -> Iterator[Run]:
    """Yield SETs at several sweep rates."""
    for rate in (0.01, 0.1, 1.0, 10.0):
        changes = {
            **_LOOP,
            "seed": 200 + seed,
            "protocol.rate": rate,
            "protocol.interval": 0.005 / rate,
            "protocol.compliance": 1e-4,
        }
        yield Run("rates", f"rate-{rate:g}-{seed}", "wire-program-1g0", changes)


def _retention() -> Iterator[Run]:
    """Yield reads at 0.1 V: at several temperatures, exchange rates and surface conditions."""
    # seeds outermost, so that a part of it covers all conditions
    for seed in range(1, 9):
        for temperature in (300, 315, 330):
            yield _read(f"retention-{temperature}-{seed}", seed, {"atoms.temperature": temperature})
        yield _read(f"retention-fast-{seed}", seed, {"medium.exchange_rate": 1e-3})
        for condition in (0.7, 0.8):
            name = f"retention-surface-{condition:g}-{seed}"
            yield _read(name, seed, {"atoms.surface_condition": condition})


def _read(name: str, seed: int, changes: Mapping[str, object]) -> Run:
    """Return a read at 0.1 V of a filament made with 100 uA, in the slow medium unless said."""
    slow: Mapping[str, object] = {
        "seed": 500 + seed,
        "preparation.compliance": 1e-4,
        "preparation.turning_points": [0.0, 2.5, 0.0],
        "medium.exchange_rate": SLOW_EXCHANGE,
        "atoms.surface_condition": SLOW_SURFACE,
    }
    return Run("retention", name, "wire-retention", {**_RETENTION, **slow, **changes})


def measure(run: Run, folder: Path, cache: str, changes: Mapping[str, object]) -> float:
    """Run one protocol and keep its readings; returns processor seconds."""
    started = time.process_time()
    with threadpool_limits(1):
        settings = load_device_settings(run.settings(), {"conductance.cache": cache, **changes})
        places = [point_columns().index(name) for name in KEPT]
        points = [
            [point.numbers[place] for place in places] for point in Measurement(Device(settings))
        ]
    seconds = time.process_time() - started
    values = np.array(points, dtype=np.float32)
    columns = {name: values[:, place] for place, name in enumerate(KEPT)}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, seconds=np.array(seconds), **columns)
    write_bytes(folder / f"{run.name}.npz", content.getvalue())
    return seconds


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the readings")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--part", action="append", help="only this part; may be repeated")
    parser.add_argument("--devices", type=int, default=5, help="devices of the statistics")
    parser.add_argument("--sweeps", type=int, default=SWEEPS, help="of the statistics")
    parser.add_argument("--cache", default="cache", help="file of known transmissions")
    parser.add_argument("--bond-scaling", type=float, help="instead of the default")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no run after so long")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    missing = [
        run
        for run in runs(arguments.devices, arguments.sweeps)
        if (not arguments.part or run.part in arguments.part)
        and not (arguments.output / f"{run.name}.npz").exists()
    ]
    with ProcessPoolExecutor(arguments.processes) as pool:
        jobs = {pool.submit(_job, run, arguments, begun): run for run in missing}
        for done, job in enumerate(as_completed(jobs), 1):
            said = job.result()
            print(f"{done}/{len(jobs)} {jobs[job].name} {said}", flush=True)


def _job(run: Run, arguments: argparse.Namespace, begun: float) -> str:
    """Run one, unless time is over; returns what is to be said of it."""
    if time.monotonic() - begun > arguments.seconds:
        return "left for another time"
    other = arguments.bond_scaling
    changes = {} if other is None else {"atoms.bond_scaling": other}
    return f"{measure(run, arguments.output, arguments.cache, changes):.0f} s"


if __name__ == "__main__":
    run_main(main)
