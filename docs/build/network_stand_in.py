"""Models that stand in for fitted ones in docs/compact-network.md: assumed numbers, no fit.

    python -m docs.build.network_stand_in

writes docs/data/network-demo-point-contact.json and network-demo-potentiation.json: devices that
set near 1 V, whose numbers are assumed and whose spread over devices and cycles is that of the
recovery trials (validation/compact_recovery.py), some per cent.
"""

from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.compact import CompactModel, FittedModel, PointContact, PotentiationDepression

DATA = Path(__file__).resolve().parents[1] / "data"

MODELS: tuple[CompactModel, ...] = (
    PointContact(),
    PotentiationDepression(
        potentiation_rate=float(np.exp(-13.5)),
        potentiation_slope=15.0,
        depression_rate=float(np.exp(-5.0)),
        depression_slope=10.0,
        low_conductance=1e-6,
        high_conductance=2.3e-4,
    ),
)
#: Standard deviations of the places of the coordinates, over devices and over cycles alike.
SPREAD = (0.05, 0.05, 0.03, 0.05, 0.05, 0.05)


def main() -> None:
    """Write both models."""
    for model in MODELS:
        covariance = 2.0 * np.diag(np.square(SPREAD))
        facts = {"stand_in": "assumed numbers, not fitted"}
        fitted = FittedModel(model, model.places(), covariance, facts=facts)
        fitted.write(DATA / f"network-demo-{model.model}.json")


if __name__ == "__main__":
    run_main(main)
