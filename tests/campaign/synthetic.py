"""Results of members whose conductances are known by construction."""

import json

import numpy as np
import xarray as xr

from nanogap.analysis.filament.stages import STAGES, Stage

_DRIFT, _CONTACT, _GROWTH = (
    STAGES.index(stage) for stage in (Stage.DRIFT, Stage.CONTACT, Stage.LATERAL_GROWTH)
)


def rewiring(seed, *, level=0.95, structural=0.12, thermal=0.06, contact=True, length=40):
    """A member that drifts, makes contact, and grows to two and three atoms."""
    random = np.random.default_rng(seed)
    begins = int(random.integers(5, 15))
    atoms = np.zeros(begins + 3 * length, dtype=int)
    g = 0.02 * random.random(len(atoms))
    if contact:
        for number in (1, 2, 3):
            part = slice(begins + (number - 1) * length, begins + number * length)
            atoms[part] = number
            mean = number * level + random.normal(0.0, structural)
            g[part] = mean + random.normal(0.0, thermal, length)
    stage = np.where(atoms > 1, _GROWTH, np.where(atoms == 1, _CONTACT, _DRIFT))
    count = len(atoms)
    bond = np.where(atoms > 0, 2.9 - 0.1 * (g - atoms), np.nan)
    return xr.Dataset(
        {
            "transmission": (("snapshot", "energy"), g[:, None], {"units": "2e^2/h"}),
            "time": ("snapshot", 500.0 * np.arange(count), {"units": "fs"}),
            "bottleneck_atoms": ("snapshot", atoms),
            "stage": ("snapshot", stage.astype(np.int8)),
            "bottleneck_bond_length": ("snapshot", bond, {"units": "angstrom"}),
        },
        coords={"snapshot": np.arange(count), "energy": [0.0]},
        attrs={
            "settings": "{}",
            "versions": json.dumps({"nanogap": "0"}),
            "core_seconds": 36.0,
            "dynamics_seconds": 20.0,
            "peak_memory": 2e8,
            "run_directory_bytes": 1_000_000,
            "points": count,
            "first_contact": float(g[begins]) if contact else float("nan"),
        },
    )
