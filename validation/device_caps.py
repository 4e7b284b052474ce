"""Measure that a device does not depend on how its kinetics are computed, for device-kinetics.md.

The needles of the preset device-quick, many seeds each, with the caps of the defaults, with ten
times larger ones, with caps of 100/s, 10/s and 0.1/s on all pairs (the defaults are above every
rate of these needles, so that the larger ones give the same bits), and with the potential solved
four times as often:

- the voltage of the SET in a sweep of 1 V/s;
- the lifetime at +0.1 and -0.1 V of the contact that a sweep with 300 uA has made.

The conductance counts atoms (`CountedNeck`): it matters for the compliance alone. Some ten
minutes on one core; writes docs/data/device-caps.json:

    python -m validation.device_caps
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from nanogap.cli.programs import run_main
from nanogap.device.conductance import MomentaryConductance, NeckConductance
from nanogap.device.device import Device
from nanogap.device.measurement import Measurement, Point
from nanogap.device.neck import Neck
from nanogap.io import write_json
from nanogap.settings.device import load_device_settings

CAPS = Path(__file__).resolve().parent.parent / "docs" / "data" / "device-caps.json"
SEEDS = range(1, 25)
LIFETIME_SEEDS = range(1, 17)
#: Contacts that last longer are counted with this time, s.
LONGEST = 300.0
PREPARATION = 5.0
DEFAULT = "default"
VARIANTS: Mapping[str, Mapping[str, object]] = {
    DEFAULT: {},
    "caps x 10": {"kinetics.metal_cap": 1e5, "kinetics.ion_cap": 1e5},
    **{
        f"caps of {cap:g}/s": {
            "kinetics.metal_cap": cap,
            "kinetics.ion_cap": cap,
            "kinetics.redox_cap": cap,
        }
        for cap in (100.0, 10.0, 0.1)
    },
    "redox_events = 5": {"kinetics.redox_events": 5},
}
VOLTAGES = (0.1, -0.1)
#: Where larger caps give the same bits up to the SET, they do after it.
LIFETIMES_OF = (DEFAULT, "caps of 100/s", "caps of 10/s", "caps of 0.1/s")


class CountedNeck(NeckConductance):
    """Conductance that counts atoms: G0 for each of the layer with the fewest."""

    def __init__(self) -> None:
        super().__init__("Ag", 4.09, store=None)

    def momentary(self, cells: Sequence[Neck], voltage: float = 0.0) -> MomentaryConductance:  # noqa: ARG002
        """Return the conductance of a gap; a count has no I(V)."""
        bridged = cells[0].bridged
        value = sum(float(neck.occupied.sum(axis=(1, 2)).min()) for neck in cells)
        return MomentaryConductance(value if bridged else 1e-3, bridged, False, 0)


@dataclass(frozen=True)
class Comparison:
    """Two samples of a quantity.

    Attributes
    ----------
    quantity, variant : str
        What was measured; what was other than the defaults.
    default, other : tuple of float
        Values, by seed.
    difference, error : float
        Of the means (of the logarithm of lifetimes), and its standard error.
    p_value : float
        Two-sample test of Kolmogorov and Smirnov.
    """

    quantity: str
    variant: str
    default: tuple[float, ...]
    other: tuple[float, ...]
    difference: float
    error: float
    p_value: float


def measure(changes: Mapping[str, object]) -> Measurement:
    """Make a measurement of the small needles with a counted conductance."""
    return Measurement(Device(load_device_settings("device-quick", changes), CountedNeck()))


def set_voltage(seed: int, changes: Mapping[str, object]) -> float:
    """Return the voltage at which a sweep to 2.5 V joins the electrodes; nan: it does not."""
    sweep = {"protocol.turning_points": [0.0, 2.5], "protocol.interval": 0.005, "seed": seed}
    for point in measure({**sweep, **changes}):
        if point.bridged:
            return point.time  # V at 1 V/s, without the series resistance and noise
    return float("nan")


def lifetime(seed: int, voltage: float, changes: Mapping[str, object]) -> float:
    """Return the time for which a contact lasts at a voltage, s; nan: there was none."""
    words: dict[str, object] = {
        "seed": seed,
        "preparation": {
            "kind": "voltage-sweep",
            "turning_points": [0.0, PREPARATION / 2.0, 0.0],
            "rate": 1.0,
            "compliance": 3e-4,
            "interval": 0.02,
        },
        "protocol": {
            "kind": "constant-read",
            "voltage": voltage,
            "duration": LONGEST,
            "interval": 0.5,
        },
    }
    last: Point | None = None
    for point in measure({**words, **changes}):
        if point.time > PREPARATION:
            if last is None or not last.bridged:
                return float("nan")
            if not point.bridged:
                return point.time - PREPARATION
        last = point if point.time <= PREPARATION else last
    return LONGEST


def compare(
    quantity: str, variant: str, default: Sequence[float], other: Sequence[float]
) -> Comparison:
    """Compare two samples; lifetimes by their logarithm."""
    one, two = (np.array(values)[np.isfinite(values)] for values in (default, other))
    if quantity.startswith("lifetime"):
        one, two = np.log(one), np.log(two)
    error = np.hypot(stats.sem(one), stats.sem(two))
    return Comparison(
        quantity,
        variant,
        tuple(default),
        tuple(other),
        float(two.mean() - one.mean()),
        float(error),
        float(stats.ks_2samp(one, two).pvalue),
    )


def main() -> None:
    """Measure all and write the data."""
    rows = list[Comparison]()
    samples: dict[tuple[str, str], list[float]] = {}
    for variant, changes in VARIANTS.items():
        key = "SET voltage, V", variant
        samples[key] = [set_voltage(seed, changes) for seed in SEEDS]
        for voltage in VOLTAGES if variant in LIFETIMES_OF else ():
            key = f"lifetime at {voltage:+g} V, s", variant
            samples[key] = [lifetime(seed, voltage, changes) for seed in LIFETIME_SEEDS]
        print(variant, samples[key], flush=True)
    for (quantity, variant), values in samples.items():
        if variant != DEFAULT:
            rows.append(compare(quantity, variant, samples[quantity, DEFAULT], values))
            print(quantity, variant, rows[-1].difference, rows[-1].error, rows[-1].p_value)
    write_json(
        CAPS,
        {
            "command": "python -m validation.device_caps",
            "longest": LONGEST,
            "comparisons": [asdict(row) for row in rows],
        },
    )


if __name__ == "__main__":
    run_main(main)
