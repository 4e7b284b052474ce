#!/usr/bin/env python3
"""Compare the fast engine with PWCOND on the committed junctions; write the figure of the docs.

scripts/calibrate.py [--figure docs/images/calibration.png]
"""

import argparse
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nanogap.analysis.calibration import Calibration, barrier_decay, decay_constant
from nanogap.report.first_principles import draw_calibration
from nanogap.transport.transmission import compute_transmission

#: Gaps that count as tunnelling, angstrom: below, the density of the two surfaces overlaps.
TUNNELLING = 4.5
#: Height of the barrier: the work function of the same pseudopotential, eV.
WORK_FUNCTION = 4.46


def junction(entry: dict[str, Any]) -> Atoms:
    """Return the junction of an entry."""
    atoms = Atoms(
        f"Ag{entry['atoms']}", positions=entry["positions"], cell=entry["cell"], pbc=entry["pbc"]
    )
    atoms.new_array("region", np.array(entry["region"]))
    atoms.info.update(left_period=entry["left_period"], right_period=entry["right_period"])
    return atoms


def main() -> None:
    """Print errors by class and decay constants; draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path, default=Path("docs/images/calibration.png"))
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    packaged = resources.files("nanogap.transport") / "data" / "pwcond_calibration.json"
    text = arguments.data.read_text() if arguments.data else packaged.read_text(encoding="utf-8")
    entries = json.loads(text)["junctions"]
    names = list(entries)
    exact, fast, ratios = [], [], []
    for name in names:
        entry = entries[name]
        result = compute_transmission(
            [junction(entry)],
            [0.0],
            kpoints=tuple(entry["kpoints"]),
            gamma_centred=entry["gamma_centred"],
        )
        exact.append(entry["transmission"][entry["energies"].index(0.0)])
        fast.append(float(result["transmission_average"][0, 0]))
        ratios.append(entry["time"] / float(result.attrs["wall_time"]))
        print(f"{name:<36}{exact[-1]:>10.5f}{fast[-1]:>10.5f}   time x {ratios[-1]:.0f}")
    classes = [entries[name]["class"] for name in names]
    found = Calibration().compute(classes, np.array(exact), np.array(fast))
    print(f"mean absolute error, T <= 3: {found.mean_absolute_error:.3f} G0")
    print(f"Spearman's rank correlation: {found.rank_correlation:.3f}")
    for kind, error in found.by_class.items():
        print(
            f"  {kind:<12}{error.count:>3}  mean {error.mean_absolute:.3f}  bias {error.bias:+.3f}"
        )
    gaps = np.array([float(re.findall(r"[\d.]+", name)[0]) for name in names])
    far = (np.array(classes) == "gap") & (gaps >= TUNNELLING)
    decays = {
        label: decay_constant(gaps[far], np.array(values)[far])
        for label, values in (("PWCOND", exact), ("fast engine", fast))
        if (np.array(values)[far] > 0.0).all()
    }
    decays["barrier"] = barrier_decay(WORK_FUNCTION)
    print("decay of the amplitude, 1/Å:", {key: round(value, 3) for key, value in decays.items()})
    draw_calibration(classes, gaps, np.array(exact), np.array(fast), arguments.figure)


if __name__ == "__main__":
    main()
