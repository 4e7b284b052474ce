#!/usr/bin/env python3
r"""Compare the fast engine with PWCOND on the committed junctions; write the figure of the docs.

python -m parametrisation.calibrate [--figure docs/images/calibration.png] \
        [--neutrality none coordination ...]
"""

import argparse
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.report.first_principles import draw_calibration
from nanogap.transport.fitting.calibration import Calibration, barrier_decay, decay_constant
from nanogap.transport.fitting.vacuum_tail import junction_of
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.neutrality import METHODS

#: Gaps that count as tunnelling, angstrom: below, the density of the two surfaces overlaps.
TUNNELLING = 4.5
#: Height of the barrier: the work function of the same pseudopotential, eV.
WORK_FUNCTION = 4.46


def distance(name: str) -> float:
    """Read the first length in a name, angstrom."""
    return float(re.findall(r"[\d.]+", name)[0])


def transmissions(
    entries: dict[str, dict[str, Any]], neutrality: str
) -> tuple[np.ndarray, np.ndarray]:
    """Compute all junctions with the fast engine: T at the Fermi energy, and how much faster."""
    values, ratios = [], []
    for entry in entries.values():
        result = compute_transmission(
            [junction_of(entry, "Ag")],
            [0.0],
            kpoints=tuple(entry["kpoints"]),
            gamma_centred=entry["gamma_centred"],
            neutrality=neutrality,
        )
        values.append(float(result["transmission_average"][0, 0]))
        ratios.append(entry["time"] / float(result.attrs["wall_time"]))
    return np.array(values), np.array(ratios)


def show_errors(classes: list[str], exact: np.ndarray, fast: np.ndarray) -> None:
    """Print the errors of some junctions."""
    found = Calibration().compute(classes, exact, fast)
    print(f"  mean absolute error, T <= 3: {found.mean_absolute_error:.3f} G0")
    print(f"  Spearman's rank correlation: {found.rank_correlation:.3f}")
    for kind, error in found.by_class.items():
        print(
            f"    {kind:<12}{error.count:>3}  mean {error.mean_absolute:.3f}  "
            f"worst {error.worst:.3f}  bias {error.bias:+.3f}"
        )


def main() -> None:
    """Print errors by class and decay constants; draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path, default=Path("docs/images/calibration.png"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--neutrality", nargs="+", default=["none"], choices=METHODS)
    arguments = parser.parse_args()
    packaged = resources.files("nanogap.transport") / "data" / "pwcond_calibration.json"
    text = arguments.data.read_text() if arguments.data else packaged.read_text(encoding="utf-8")
    data = json.loads(text)
    entries = data["junctions"]
    names, classes = list(entries), [entry["class"] for entry in entries.values()]
    exact = np.array([e["transmission"][e["energies"].index(0.0)] for e in entries.values()])
    judged = ~np.isin(names, data["fitted"])
    results = {name: transmissions(entries, name) for name in arguments.neutrality}
    for number, name in enumerate(names):
        own = "".join(f"{values[number]:>10.5f}" for values, _ in results.values())
        ratio = next(iter(results.values()))[1][number]
        print(f"{name:<36}{exact[number]:>10.5f}{own}   time x {ratio:.0f}")
    lengths = np.array([distance(name) for name in names])
    for method, (fast, _) in results.items():
        print(f"neutrality {method}, all {len(names)}:")
        show_errors(classes, exact, fast)
        print(f"neutrality {method}, the {judged.sum()} that were not fitted:")
        show_errors(
            [c for c, own in zip(classes, judged, strict=True) if own], exact[judged], fast[judged]
        )
        for kind in ("gap", "adatom"):
            far = (np.array(classes) == kind) & (lengths >= TUNNELLING)
            decays = [decay_constant(lengths[far], values[far]) for values in (exact, fast)]
            print(
                f"  decay of the amplitude, {kind}: PWCOND {decays[0]:.3f}, fast engine "
                f"{decays[1]:.3f}, barrier {barrier_decay(WORK_FUNCTION):.3f} 1/Å"
            )
    fast = next(iter(results.values()))[0]
    draw_calibration(classes, lengths, exact, fast, arguments.figure)


if __name__ == "__main__":
    main()
