"""The circuit around the gap: resistances, sources with compliance, protocols, instruments."""

from nanogap.electrical.circuit import (
    GapConductance,
    SeriesCircuit,
    level_displacement,
    measured_conductance,
)
from nanogap.electrical.displacement import charges_capacitance, displacement_current
from nanogap.electrical.operating import OperatingPoint
from nanogap.electrical.protocols import CurrentSweep, Protocol, Staircase, VoltageSweep
from nanogap.electrical.sampling import Averager, Meter, MeterState, Sample, aperture
from nanogap.electrical.segments import Driven, InOrder, Reading, Segment, SegmentList
from nanogap.electrical.series_resistance import (
    PristineResistance,
    SaturationResistance,
    SeriesResistance,
)
from nanogap.electrical.source import Source, SourceState, SourceStep
from nanogap.electrical.states import ConstantRead, Endurance, ProgramToLevel, Pulses
from nanogap.electrical.stepped import BreakdownSweep, Forming
from nanogap.electrical.waveform import Waveform

__all__ = [
    "Averager",
    "BreakdownSweep",
    "ConstantRead",
    "CurrentSweep",
    "Driven",
    "Endurance",
    "Forming",
    "GapConductance",
    "InOrder",
    "Meter",
    "MeterState",
    "OperatingPoint",
    "PristineResistance",
    "ProgramToLevel",
    "Protocol",
    "Pulses",
    "Reading",
    "Sample",
    "SaturationResistance",
    "Segment",
    "SegmentList",
    "SeriesCircuit",
    "SeriesResistance",
    "Source",
    "SourceState",
    "SourceStep",
    "Staircase",
    "VoltageSweep",
    "Waveform",
    "aperture",
    "charges_capacitance",
    "displacement_current",
    "level_displacement",
    "measured_conductance",
]
