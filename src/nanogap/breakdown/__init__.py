"""The wire before the gap: heat, electromigration, and thinning to two needles."""

from nanogap.breakdown.gap import Gap, Tip
from nanogap.breakdown.measurement import Breakdown, Moment, WireReading, break_wire
from nanogap.breakdown.result import WireResult, breakdown_dataset, result_of

__all__ = [
    "Breakdown",
    "Gap",
    "Moment",
    "Tip",
    "WireReading",
    "WireResult",
    "break_wire",
    "breakdown_dataset",
    "result_of",
]
