"""Kinds of measurements, by which a report chooses its analyses."""

from enum import StrEnum

import numpy as np
import xarray as xr

from nanogap.analysis import BreakdownAnalysis
from nanogap.errors import DataFormatError
from nanogap.io.sweeps import current_swept
from nanogap.measured.compliance import compliance_of
from nanogap.units import CONDUCTANCE_QUANTUM

#: A source whose range is a smaller part of its size is constant.
_STEADY = 0.05


class Protocol(StrEnum):
    """Kinds of measurement."""

    SIMULATED = "simulated run"
    STEADY = "constant voltage"
    CURRENT_SWEEP = "current sweeps"
    BREAKDOWN = "breakdown"
    PRISTINE = "pristine curve"
    LOOPS = "voltage loops"
    VOLTAGE_SWEEP = "voltage sweep"


def protocol_of(dataset: xr.Dataset) -> Protocol:
    """Tell what a measurement dataset is from what its source did and what answered."""
    if "conductance" in dataset:
        return Protocol.SIMULATED if "simulated" in dataset.attrs else Protocol.STEADY
    volts = dataset["voltage"].to_numpy().astype(np.float64)
    amperes = dataset["current"].to_numpy().astype(np.float64)
    known = np.isfinite(volts) & np.isfinite(amperes)
    known &= ~compliance_of(dataset).limited if known.any() else known
    if not known.any():
        raise DataFormatError(f"{dataset['file_name'].to_numpy()[0]} holds no readings")
    size = float(np.abs(volts[known]).max())
    if np.ptp(volts[known]) <= _STEADY * size:
        return Protocol.STEADY
    if current_swept(dataset):
        return Protocol.CURRENT_SWEEP
    # a pristine wire is far better a conductor than any atomic contact behind its contacts
    first = dataset["cycle"].to_numpy() == dataset["cycle"].to_numpy()[0]
    analysis = BreakdownAnalysis().compute(volts[first], amperes[first])
    wire = analysis.resistance_before < 0.5 / CONDUCTANCE_QUANTUM
    if wire and analysis.found and analysis.resistance_after > 10.0 * analysis.resistance_before:
        return Protocol.BREAKDOWN
    if wire and not analysis.found and _straight(volts[known], amperes[known]):
        return Protocol.PRISTINE
    return Protocol.LOOPS if _returns(volts[known]) else Protocol.VOLTAGE_SWEEP


def need_steady(dataset: xr.Dataset, analysis: str) -> None:
    """Refuse a sweep where a state has to be read at constant voltage or current.

    A few pulses, with which the state is written, are allowed.

    Raises
    ------
    DataFormatError
        If both voltage and current leave their median in more than a tenth of the points.
    """
    if "conductance" in dataset:
        return
    spans = []
    for name, unit in (("voltage", "V"), ("current", "A")):
        values = dataset[name].to_numpy().astype(np.float64)
        values = values[np.isfinite(values)]
        if not len(values):
            return
        middle = float(np.median(values))
        away = np.abs(values - middle) > _STEADY * max(abs(middle), 1e-300)
        if away.mean() <= 0.1:
            return
        spans.append(f"the {name} goes from {values.min():.3g} to {values.max():.3g} {unit}")
    # a constant source whose readings are noisy, as of a small bias, is none the less constant
    if not dataset["direction"].to_numpy().any():
        return
    raise DataFormatError(
        f"{dataset['file_name'].to_numpy()[0]} is a sweep ({spans[0]}): {analysis} needs a state "
        "that is read at constant voltage"
    )


def _straight(volts: np.ndarray, amperes: np.ndarray) -> bool:
    """Whether a straight line explains all but a thousandth of the variance."""
    return bool(np.corrcoef(volts, amperes)[0, 1] ** 2 > 0.999)


def _returns(volts: np.ndarray) -> bool:
    """Whether the sweep comes back to where it began."""
    return bool(abs(volts[-1] - volts[0]) < 0.1 * np.ptp(volts))
