"""Statistics of conductance, however it came about; knows nothing of where the data came from."""

from nanogap.analysis.filament.contact import first_contact
from nanogap.analysis.filament.stages import (
    BridgeEvent,
    Stage,
    bridge_events,
    classify_stages,
    landmarks,
    stage_spans,
    typical_snapshots,
)
from nanogap.analysis.traces.breakdown import BreakdownAnalysis
from nanogap.analysis.traces.distributions import Spread, WeibullFit, spread
from nanogap.analysis.traces.histogram import ConductanceHistogram, represented_time
from nanogap.analysis.traces.histogram_2d import AlignedHistogram
from nanogap.analysis.traces.histogram_peaks import Peak
from nanogap.analysis.traces.noise import DetrendedFluctuation, NoiseAnalysis
from nanogap.analysis.traces.retention import RetentionDrift
from nanogap.analysis.traces.switching import SwitchingAnalysis, SwitchingEvent

__all__ = [
    "AlignedHistogram",
    "BreakdownAnalysis",
    "BridgeEvent",
    "ConductanceHistogram",
    "DetrendedFluctuation",
    "NoiseAnalysis",
    "Peak",
    "RetentionDrift",
    "Spread",
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
