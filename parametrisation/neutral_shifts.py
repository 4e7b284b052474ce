#!/usr/bin/env python3
"""Mean shift that makes atoms neutral, by their number of neighbours (docs/hamiltonian.md).

Printed for the junctions of pwcond_calibration.json; the table of hamiltonian_ag.toml rounds it.
"""

import json
from importlib import resources

import numpy as np

from nanogap.transport.fitting.vacuum_tail import junction_of
from nanogap.transport.negf.neutrality import neutral_junction
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.matrices import atom_densities
from nanogap.transport.tight_binding.neighbours import find_neighbours


def main() -> None:
    """Print mean, standard deviation and number of the shifts."""
    data = resources.files("nanogap.transport") / "data" / "pwcond_calibration.json"
    model = load_model()
    found = []
    for name, entry in json.loads(data.read_text(encoding="utf-8"))["junctions"].items():
        neutral = neutral_junction(junction_of(entry, "Ag"), name=name)
        counts = atom_densities(find_neighbours(neutral, model.cutoff), len(neutral), model)[2]
        inside = np.arange(len(neutral)) < entry["atoms"]
        shifts = neutral.arrays["onsite_shift"]
        found += [*zip(counts[inside], shifts[inside], strict=True)]
    counts, shifts = np.array(found).T
    for number in range(2, 13):
        chosen = shifts[np.rint(counts) == number]
        if len(chosen):
            print(f"{number:>3} neighbours: {chosen.mean():+.3f} +- {chosen.std():.3f} eV")


if __name__ == "__main__":
    main()
