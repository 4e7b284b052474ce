"""Histograms, stages and geometry descriptors; knows nothing of where the data came from."""

from nanogap.analysis.histogram import ConductanceHistogram, represented_time
from nanogap.analysis.histogram_peaks import Peak
from nanogap.analysis.stages import Stage, classify_stages, landmarks, stage_spans

__all__ = [
    "ConductanceHistogram",
    "Peak",
    "Stage",
    "classify_stages",
    "landmarks",
    "represented_time",
    "stage_spans",
]
