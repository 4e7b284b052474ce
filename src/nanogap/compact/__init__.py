"""Compact models: few numbers that stand for a device in circuits and networks.

Four models with one contract (`nanogap.compact.model`), their fit to measured or simulated cycles
with distributions over cycles and devices, and their export to circuit and network simulators.
"""

from nanogap.compact.file import MODELS, FittedModel, read_model
from nanogap.compact.fit import CompactFit, fit_model
from nanogap.compact.gap import Gap
from nanogap.compact.model import CompactModel, Features, Trajectory
from nanogap.compact.point_contact import PointContact
from nanogap.compact.potentiation import Fluctuations, PotentiationDepression
from nanogap.compact.threshold import Threshold

__all__ = [
    "MODELS",
    "CompactFit",
    "CompactModel",
    "Features",
    "FittedModel",
    "Fluctuations",
    "Gap",
    "PointContact",
    "PotentiationDepression",
    "Threshold",
    "Trajectory",
    "fit_model",
    "read_model",
]
