"""Histograms, stages and geometry descriptors; knows nothing of where the data came from."""

from nanogap.analysis.histogram import ConductanceHistogram, Peak, represented_time
from nanogap.analysis.stages import (
    Stage,
    classify_stages,
    first_contact,
    landmarks,
    stage_spans,
)

__all__ = [
    "ConductanceHistogram",
    "Peak",
    "Stage",
    "classify_stages",
    "first_contact",
    "landmarks",
    "represented_time",
    "stage_spans",
]
