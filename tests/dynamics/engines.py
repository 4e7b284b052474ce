"""Engines that several tests begin with."""

import numpy as np

from nanogap.dynamics.engine import Engine
from nanogap.settings import DynamicsSettings


def prepared(tips, force_field, folder, **changes):
    """Return an engine of hot tips at 4 V, with its potential."""
    settings = DynamicsSettings(temperature=800.0, time_step=4.0, charge_tolerance=1e-10, **changes)
    engine = Engine(tips, settings, force_field, folder, seed=3)
    potential = np.where(tips.positions[:, 2] > tips.cell[2, 2] / 2.0, 2.0, -2.0)
    engine.set_potential(potential)
    return engine, potential
