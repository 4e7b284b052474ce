"""Parameters of compact models, recovered from devices that are such models, with intervals.

Every trial draws four devices around known coordinates, and four voltage loops of each, with a
spread over devices and over cycles, and reads them with 1 % of noise behind 500 ohm; half of the
loops is fitted (`nanogap.compact.fit`). Counted is how often the 95 % interval of each coordinate
holds the mean that the devices were drawn around. The levels of the point contact are given, as a
histogram gives them. A trial takes 3 to 30 s:

    python -m validation.compact_recovery --trials 10

writes docs/data/compact-recovery.json, which tests/validation/test_compact_recovery.py re-checks.
"""

import argparse
from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.compact import CompactModel, Gap, PointContact, PotentiationDepression, Threshold
from nanogap.compact.cycles import Cycle
from nanogap.compact.fit import fit_cycles
from nanogap.io import write_json

DATA = Path(__file__).resolve().parent.parent / "docs" / "data" / "compact-recovery.json"
RESISTANCE, NOISE, FLOOR = 500.0, 0.01, 1e-9

#: Devices that set near 1 V and reset near -0.6 V at 0.1 V/s.
DEVICES: dict[str, CompactModel] = {
    "potentiation": PotentiationDepression(
        potentiation_rate=float(np.exp(-13.5)),
        potentiation_slope=15.0,
        depression_rate=float(np.exp(-5.0)),
        depression_slope=10.0,
        low_conductance=1e-6,
        high_conductance=2e-4,
    ),
    "gap": Gap(),
    "point-contact": PointContact(),
    "threshold": Threshold(),
}
#: Standard deviations of the places of the coordinates, over devices and over cycles alike.
SPREADS = {
    "potentiation": (0.05, 0.05, 0.03, 0.05, 0.1, 0.1),
    "gap": (0.02, 0.0, 0.05, 0.0, 0.1, 0.1),
    "point-contact": (0.05, 0.05, 0.03, 0.05, 0.05, 0.05),
    "threshold": (0.05, 0.1, 0.05, 0.1, 0.1, 0.1),
}


def loops(
    name: str, seed: int, devices: int = 4, cycles: int = 4, points: int = 161
) -> list[Cycle]:
    """Return the loops of a trial."""
    random = np.random.default_rng(seed)
    model, spread = DEVICES[name], np.array(SPREADS[name])
    time = np.linspace(0.0, 60.0, points)
    volts = 1.6 * np.interp(time, [0, 15, 30, 45, 60], [0, 1, 0, -1, 0])
    found = []
    for number in range(devices):
        own = model.places() + spread * random.normal(size=len(spread))
        for cycle in range(cycles):
            one = model.moved(own + spread * random.normal(size=len(spread)))
            through = one.simulate(time, volts, resistance=RESISTANCE).current
            read = through * (1.0 + NOISE * random.normal(size=points))
            read += FLOOR * random.normal(size=points)
            with np.errstate(divide="ignore", invalid="ignore"):
                seen = np.log(read / volts)
                error = np.hypot(0.02, FLOOR / np.abs(read))
            used = np.isfinite(seen) & (np.abs(volts) > 0.05) & (error < 1.0)
            found.append(
                Cycle(
                    device=f"device {number}",
                    file="trial",
                    number=cycle,
                    time=time,
                    voltage=volts,
                    limit=np.full(points, np.inf),
                    resistance=RESISTANCE,
                    log_conductance=np.where(used, seen, 0.0),
                    error=np.where(used, error, 1.0),
                    used=used,
                    driven="voltage",
                )
            )
    return found


def trial(name: str, seed: int, devices: int = 4, cycles: int = 4) -> list[dict[str, object]]:
    """Fit the loops of a trial; every coordinate with its truth and its interval."""
    model = DEVICES[name]
    levels = model.levels if isinstance(model, PointContact) else None
    found = fit_cycles(loops(name, seed, devices, cycles), type(model), levels=levels, seed=seed)
    rows: list[dict[str, object]] = []
    for one, coordinate, place in zip(
        found.fitted.distributions, model.coordinates, model.places(), strict=True
    ):
        rows.append(
            {
                "model": name,
                "seed": seed,
                "coordinate": one.name,
                "truth": coordinate.value(float(place)),
                "value": one.value,
                "interval": one.interval and [*one.interval],
                "allowed": one.allowed and [*one.allowed],
            }
        )
    return rows


def main() -> None:
    """Run the trials and write what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    trials = parser.parse_args().trials
    rows = []
    for seed in range(trials):
        for name in DEVICES:
            rows += trial(name, seed)
            write_json(DATA, {"rows": rows})
            print(f"{name} {seed}", flush=True)


if __name__ == "__main__":
    run_main(main)
