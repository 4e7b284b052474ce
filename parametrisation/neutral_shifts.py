"""Average the shifts that make atoms neutral, by their number of neighbours.

Makes the table ``[neutrality]`` of a ``hamiltonian_xx.toml``, which rounds what is printed
(docs/hamiltonian.md). From the junctions of ``pwcond_calibration_xx.json``, each made neutral by
the self-consistent method; three minutes on one core:

    python -m parametrisation.neutral_shifts [--element Ag] [--data FILE]
"""

import argparse
from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.transport.fitting.reference_transmissions import (
    packaged_reference_transmissions,
    read_reference_transmissions,
)
from nanogap.transport.negf.neutrality import neutral_junction
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.matrices import atom_densities
from nanogap.transport.tight_binding.neighbours import find_neighbours


def main() -> None:
    """Print mean, standard deviation and number of the shifts."""
    parser = argparse.ArgumentParser(
        prog="python -m parametrisation.neutral_shifts", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--element", default="Ag", help="whose packaged transmissions (default: %(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, help="file of reference transmissions (default: the packaged one)"
    )
    arguments = parser.parse_args()
    if arguments.data:
        data = read_reference_transmissions(arguments.data)
    else:
        data = packaged_reference_transmissions(arguments.element)
    model = load_model(data.element)
    found = []
    for junction in data.junctions:
        neutral = neutral_junction(junction.atoms, name=junction.name)
        counts = atom_densities(find_neighbours(neutral, model.cutoff), len(neutral), model)[2]
        inside = np.arange(len(neutral)) < len(junction.atoms)
        shifts = neutral.arrays["onsite_shift"]
        found += [*zip(counts[inside], shifts[inside], strict=True)]
    counts, shifts = np.array(found).T
    for number in range(2, 13):
        chosen = shifts[np.rint(counts) == number]
        if len(chosen):
            print(
                f"{number:>3} neighbours: {chosen.mean():+.3f} +- {chosen.std():.3f} eV "
                f"({len(chosen)} atoms)"
            )


if __name__ == "__main__":
    run_main(main)
