"""Compact models: few numbers that stand for a device in circuits and networks.

Four models with one contract (`nanogap.compact.model`), their fit to measured or simulated cycles
with distributions over cycles and devices, and their export to circuit and network simulators.
"""

from nanogap.compact.gap import Gap
from nanogap.compact.model import CompactModel, Features, Trajectory
from nanogap.compact.point_contact import PointContact
from nanogap.compact.potentiation import Fluctuations, PotentiationDepression
from nanogap.compact.threshold import Threshold

#: The models by their names on the command line.
MODELS: dict[str, type[CompactModel]] = {
    one.model: one for one in (PotentiationDepression, Gap, PointContact, Threshold)
}

__all__ = [
    "MODELS",
    "CompactModel",
    "Features",
    "Fluctuations",
    "Gap",
    "PointContact",
    "PotentiationDepression",
    "Threshold",
    "Trajectory",
]
