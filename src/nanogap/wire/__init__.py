"""The wire before the gap: heat, electromigration, and thinning to two needles."""

from nanogap.wire.gap import Gap, Tip
from nanogap.wire.measurement import Breakdown, Moment, WireReading, break_wire
from nanogap.wire.result import WireResult, breakdown_dataset, result_of

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
