"""Statistics of conductance, however it came about; knows nothing of where the data came from."""

from nanogap.analysis.breakdown import BreakdownAnalysis
from nanogap.analysis.distributions import WeibullFit, spread
from nanogap.analysis.histogram import ConductanceHistogram, represented_time
from nanogap.analysis.histogram_2d import AlignedHistogram
from nanogap.analysis.histogram_peaks import Peak
from nanogap.analysis.noise import DetrendedFluctuation, NoiseAnalysis
from nanogap.analysis.retention import RetentionDrift
from nanogap.analysis.stages import (
    BridgeEvent,
    Stage,
    bridge_events,
    classify_stages,
    first_contact,
    landmarks,
    stage_spans,
    typical_snapshots,
)
from nanogap.analysis.switching import SwitchingAnalysis, SwitchingEvent

__all__ = [
    "AlignedHistogram",
    "BreakdownAnalysis",
    "BridgeEvent",
    "ConductanceHistogram",
    "DetrendedFluctuation",
    "NoiseAnalysis",
    "Peak",
    "RetentionDrift",
    "Stage",
    "SwitchingAnalysis",
    "SwitchingEvent",
    "WeibullFit",
    "bridge_events",
    "classify_stages",
    "first_contact",
    "landmarks",
    "represented_time",
    "spread",
    "stage_spans",
    "typical_snapshots",
]
