r"""Compare tight binding with PWCOND on the reference junctions, and draw the figure of the docs.

Prints the errors by class of junction, the decay of tunnelling, and how much faster tight binding
is: the numbers of docs/first-principles.md and docs/hamiltonian.md. From the transmissions that
`parametrisation.compute_pwcond` made; half a minute on one core, with the self-consistent method
three more:

    python -m parametrisation.calibrate [--element Ag] \
        [--figure docs/images/calibration_ag.png] \
        [--neutrality none coordination self-consistent]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.errors import SettingsError
from nanogap.report.first_principles import draw_calibration
from nanogap.transport.fitting.calibration import (
    Calibration,
    length_in_name,
    reference_values,
    tunnelling_decays,
)
from nanogap.transport.fitting.reference_transmissions import (
    ReferenceTransmissions,
    packaged_reference_transmissions,
    read_reference_transmissions,
)
from nanogap.transport.fitting.vacuum_tail import vacuum_decay
from nanogap.transport.negf.neutrality import METHODS
from nanogap.transport.tight_binding.files import load_model
from nanogap.typing import BoolArray, FloatArray


def show_errors(classes: Sequence[str], exact: FloatArray, fast: FloatArray) -> None:
    """Print the errors of some junctions."""
    found = Calibration().compute(classes, exact, fast)
    print(f"  mean absolute error, T <= 3: {found.mean_absolute_error:.3f} G0")
    print(f"  Spearman's rank correlation: {found.rank_correlation:.3f}")
    for kind, error in found.by_class.items():
        print(
            f"    {kind:<12}{error.count:>3}  mean {error.mean_absolute:.3f}  "
            f"worst {error.worst:.3f}  bias {error.bias:+.3f}"
        )


def show_method(
    method: str, data: ReferenceTransmissions, fast: FloatArray, judged: BoolArray
) -> None:
    """Print the errors of all junctions and of those that judge, and the decay of tunnelling."""
    classes = np.array([junction.kind for junction in data.junctions])
    exact = np.array([junction.transmission for junction in data.junctions])
    print(f"neutrality {method}, all {len(classes)}:")
    show_errors(classes.tolist(), exact, fast)
    print(f"neutrality {method}, the {judged.sum()} that were not fitted:")
    show_errors(classes[judged].tolist(), exact[judged], fast[judged])
    references = tunnelling_decays(data.junctions, exact)
    for kind, decay in tunnelling_decays(data.junctions, fast).items():
        print(
            f"  decay of the amplitude, {kind}: PWCOND {references[kind]:.3f}, tight binding "
            f"{decay:.3f}, barrier {vacuum_decay(data.work_function):.3f} 1/Å"
        )


def main() -> None:
    """Print errors by class and decay constants; draw the figure."""
    parser = argparse.ArgumentParser(
        prog="python -m parametrisation.calibrate", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--element", default="Ag", help="whose packaged transmissions (default: %(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, help="file of reference transmissions (default: the packaged one)"
    )
    parser.add_argument(
        "--hamiltonian", help="TOML file of the Hamiltonian (default: the packaged one)"
    )
    parser.add_argument(
        "--figure",
        type=Path,
        help="the figure, PNG or SVG (default: docs/images/calibration_xx.png of the element)",
    )
    parser.add_argument(
        "--neutrality",
        nargs="+",
        default=["none"],
        choices=METHODS,
        help="how atoms are made neutral; the figure shows the first (default: none)",
    )
    arguments = parser.parse_args()
    if arguments.data:
        data = read_reference_transmissions(arguments.data)
    else:
        data = packaged_reference_transmissions(arguments.element)
    model = load_model(arguments.hamiltonian or data.element)
    if model.element != data.element:
        raise SettingsError(
            f"{arguments.hamiltonian} is of {model.element}, the transmissions are of "
            f"{data.element}: give both of one element (--element, --data)"
        )
    judged = np.array([junction.name not in data.fitted for junction in data.junctions])
    results = {name: reference_values(data.junctions, model, name) for name in arguments.neutrality}
    times = next(iter(results.values()))[1]
    for number, junction in enumerate(data.junctions):
        own = "".join(f"{values[number]:>10.5f}" for values, _ in results.values())
        ratio = junction.time / times[number]
        print(f"{junction.name:<36}{junction.transmission:>10.5f}{own}   time x {ratio:.0f}")
    for method, (fast, _) in results.items():
        show_method(method, data, fast, judged)
    draw_calibration(
        [junction.kind for junction in data.junctions],
        np.array([length_in_name(junction.name) for junction in data.junctions]),
        np.array([junction.transmission for junction in data.junctions]),
        next(iter(results.values()))[0],
        arguments.figure or Path(f"docs/images/calibration_{data.element.lower()}.png"),
    )


if __name__ == "__main__":
    run_main(main)
