"""The circuit around the gap, and devices whose every answer is known."""

from nanogap.electrical.circuit import (
    GapConductance,
    SeriesCircuit,
    level_displacement,
    measured_conductance,
)
from nanogap.electrical.series_resistance import (
    PristineResistance,
    SaturationResistance,
    SeriesResistance,
)

__all__ = [
    "GapConductance",
    "PristineResistance",
    "SaturationResistance",
    "SeriesCircuit",
    "SeriesResistance",
    "level_displacement",
    "measured_conductance",
]
