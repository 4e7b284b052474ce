"""Speed of the kinetic Monte Carlo of a device, beside one that makes all anew, and of a sweep.

    python -m benchmarks.device [--events 1000000] [--json]

Two needles of 10 000 atoms joined by a neck at 300 K: events per processor second,
without caps and with one that throttles the atoms which hop along edges. The baseline, in the same
run, does the same events and makes all rates anew after each.

The current sweep is one of the preset wire-statistics, 4 000 readings in 222 s, twice: first with
the transmissions of its necks, then with these known.
"""

import argparse
import json
import math
import tempfile
import time
from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.device.device import Device
from nanogap.device.energetics import load_energetics
from nanogap.device.engine import LatticeKMC
from nanogap.device.kernels import entry
from nanogap.device.measurement import Measurement
from nanogap.device.needles import build_needles
from nanogap.device.state import Caps
from nanogap.settings.device import load_device_settings

#: Events per processor second that are wanted; processor seconds of a current sweep.
WANTED, WANTED_SWEEP = 1e6, 120.0


def device(cap: float, base_width: float = 64.0) -> LatticeKMC:
    """Two needles with a neck of a few atoms."""
    tips = build_needles(
        lattice_constant=4.09,
        base_width=base_width,
        height=0.53 * base_width,
        apex_width=9.0,
        gap=7.2,
        fixed_layers=3,
        margin=10.0,
    )
    lattice = tips.lattice
    aside = np.hypot(*(lattice.positions[:, :2] - lattice.cell[:2] / 2.0).T)
    between = (lattice.layer > tips.bottom_terrace) & (lattice.layer < tips.top_terrace)
    return LatticeKMC(
        lattice,
        tips.metal | (between & (aside < 3.5)),
        tips.fixed,
        load_energetics("Ag"),
        temperature=300.0,
        seed=1,
        caps=Caps(metal=cap),
    )


def speed(engine: LatticeKMC, events: int) -> dict[str, float]:
    """Measure events per processor second, and per simulated second."""
    engine.advance(1.0, max_events=1000, stop_on_contact=False)
    clock = time.process_time()
    found = engine.advance(1e9, max_events=events, stop_on_contact=False)
    clock = time.process_time() - clock
    return {
        "sites": len(engine.lattice),
        "atoms": engine.state.n_atoms,
        "events_per_cpu_second": events / clock,
        "events_per_simulated_second": events / found.time,
    }


def anew(engine: LatticeKMC, events: int) -> float:
    """Events per processor second where all rates are made anew after each."""
    engine.advance(1.0, max_events=10, stop_on_contact=False)
    clock = time.process_time()
    for _ in range(events):
        engine.advance(1e9, max_events=1, stop_on_contact=False)
        entry.rebuild(engine._sites, engine._tables, engine._tree, engine._work, engine._counts)  # noqa: SLF001
    return events / (time.process_time() - clock)


def measured(events: int, base_width: float = 64.0) -> dict[str, dict[str, float]]:
    """Measure without caps, with a cap of 1e4/s, and the baseline."""
    results = {
        "no_cap": speed(device(math.inf, base_width), events),
        "cap_1e4": speed(device(1e4, base_width), events),
    }
    baseline = anew(device(math.inf, base_width), max(events // 10_000, 10))
    for row in results.values():
        row["ratio_to_all_anew"] = row["events_per_cpu_second"] / baseline
        row["ratio_to_wanted"] = row["events_per_cpu_second"] / WANTED
    return results


def current_sweep(**other: object) -> dict[str, float]:
    """Measure a current sweep, its necks new and known; other settings with __ for the point."""
    with tempfile.TemporaryDirectory() as folder:
        changes: dict[str, object] = {
            "devices.number": 1,
            "devices.resistance_spread": 0.0,
            "devices.cycles": "each",
            "protocol.cycles": 1,
            "conductance.cache": str(Path(folder, "necks.sqlite")),
        }
        changes |= {name.replace("__", "."): value for name, value in other.items()}
        settings = load_device_settings("wire-statistics", changes)
        spent, count = [], 0
        for _ in range(2):
            clock = time.process_time()
            made = Device(settings)
            readings = sum(1 for _ in Measurement(made))
            spent.append(time.process_time() - clock)
            count = max(count, made.necks.count.computed)
            made.necks.store.close()
    return {
        "readings": readings,
        "necks": count,
        "cpu_seconds_necks_new": spent[0],
        "cpu_seconds_necks_known": spent[1],
        "readings_per_cpu_second": readings / spent[1],
        "ratio_to_wanted": WANTED_SWEEP / spent[1],
    }


def main() -> None:
    """Print all results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="in each run")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    results = measured(options.events) | {"current_sweep": current_sweep()}
    if options.json:
        print(json.dumps(results))
        return
    for part, values in results.items():
        print(part)
        for key, value in values.items():
            print(f"  {key}: {value:.4g}")


if __name__ == "__main__":
    run_main(main)
