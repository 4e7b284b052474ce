"""Switching events and retention of a campaign."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nanogap.analysis import RetentionDrift, SwitchingAnalysis, WeibullFit, spread
from nanogap.errors import DataFormatError
from nanogap.measured.files import DataFiles, Trace
from nanogap.typing import FloatArray


@dataclass
class SwitchingCampaign:
    """Switching of every file.

    Attributes
    ----------
    rows : list of (Trace, SwitchingAnalysis)
    """

    rows: list[tuple[Trace, SwitchingAnalysis]] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _ in self.rows)

    def voltages(self, kind: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Voltages of all events of a kind, V."""
        found = [e.voltage for _, one in self.rows for e in one.events if e.kind == kind]
        return np.array(found, dtype=np.float64)

    def summary(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "events": [
                {
                    "file": trace.name,
                    "device": trace.device,
                    "cycle": event.cycle,
                    "kind": event.kind,
                    "index": event.index,
                    "voltage": event.voltage,
                    "current": event.current,
                    "ratio": event.ratio,
                }
                for trace, analysis in self.rows
                for event in analysis.events
            ],
            "endurance": [_endurance(trace, analysis) for trace, analysis in self.rows],
            "set_voltage": _law(self.voltages("set")),
            "reset_voltage": _law(self.voltages("reset")),
            "devices": {
                device: {
                    kind: spread(
                        [
                            event.voltage
                            for trace, analysis in self.rows
                            for event in analysis.events
                            if event.kind == kind and trace.device == device
                        ]
                    )
                    for kind in ("set", "reset")
                }
                for device in dict.fromkeys(trace.device for trace, _ in self.rows)
            },
            "synthetic": self.synthetic,
        }


def _endurance(trace: Trace, analysis: SwitchingAnalysis) -> dict[str, Any]:
    table = analysis.endurance
    return {
        "file": trace.name,
        "device": trace.device,
        "read_voltage": float(table.attrs["read_voltage"]),
        "compliance_current": analysis.compliance_current,
        "orientation": analysis.orientation,
        "cycle": table["cycle"].to_numpy().tolist(),
        "high_resistance": _plain(table["high_resistance"].to_numpy()),
        "low_resistance": _plain(table["low_resistance"].to_numpy()),
    }


def _plain(values: Any) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _law(values: Any) -> dict[str, Any]:
    """Spread of voltages and the Weibull law of their sizes, where there are enough."""
    content: dict[str, Any] = dict(spread(values))
    try:
        fit = WeibullFit().compute(np.abs(values))
    except DataFormatError:
        content["weibull"] = None
        return content
    content["weibull"] = {
        "shape": fit.shape,
        "shape_interval": list(fit.shape_interval),
        "scale": fit.scale,
        "scale_interval": list(fit.scale_interval),
        "level": 0.95,
    }
    return content


def switching_campaign(
    files: DataFiles,
    *,
    read_voltage: float = 0.4,
    minimum_ratio: float = 3.0,
    method: Any = "steepest",
    compliance: float | None = None,
) -> SwitchingCampaign:
    """Find the switching events of every file; parameters as `SwitchingAnalysis`."""
    result = SwitchingCampaign()
    for trace in files.traces():
        analysis = SwitchingAnalysis(read_voltage, minimum_ratio, method, compliance)
        _need_curves(trace)
        try:
            analysis.compute(
                trace.dataset["voltage"].to_numpy(),
                trace.dataset["current"].to_numpy(),
                trace.cycle,
                trace.compliance,
            )
        except DataFormatError as error:
            raise DataFormatError(f"{trace.name}: {error}") from None
        result.rows.append((trace, analysis))
    return result


def _need_curves(trace: Trace) -> None:
    if "conductance" in trace.dataset:
        raise DataFormatError(
            f"{trace.name} gives a conductance; switching and breakdown need voltage and current"
        )


@dataclass
class RetentionCampaign:
    """Retention of every file.

    Attributes
    ----------
    rows : list of (Trace, RetentionDrift)
    """

    rows: list[tuple[Trace, RetentionDrift]] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any file says that it is synthetic."""
        return any(trace.synthetic for trace, _ in self.rows)

    def summary(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "states": [
                {
                    "file": trace.name,
                    "device": trace.device,
                    "duration": float(np.nanmax(trace.time) - np.nanmin(trace.time)),
                    "conductance_after_one_second": drift.conductance_after_one_second,
                    "exponent": drift.exponent,
                    "exponent_uncertainty": drift.exponent_uncertainty,
                    "relative_fluctuation": drift.relative_fluctuation,
                    "lost_at": drift.lost_at,
                    "after_ten_years": float(drift.extrapolate(10 * 365.25 * 86400.0)),
                }
                for trace, drift in self.rows
            ],
            "synthetic": self.synthetic,
        }


def retention_campaign(files: DataFiles, tolerance: float = 2.0) -> RetentionCampaign:
    """Fit the drift of the state in every file."""
    result = RetentionCampaign()
    for trace in files.traces():
        gap = np.where(trace.usable, trace.gap, np.nan)
        try:
            drift = RetentionDrift(tolerance).compute(since_written(trace), gap)
            result.rows.append((trace, drift))
        except DataFormatError as error:
            raise DataFormatError(f"{trace.name}: {error}") from None
    return result


def since_written(trace: Trace) -> FloatArray:
    """Return the time since the state was written, shape (n_points,), s.

    Where the times begin at zero or below, the first point is taken one sampling interval after
    the writing: the drift is a power of that time.

    Raises
    ------
    DataFormatError
        If the trace has no times.
    """
    if not np.isfinite(trace.time).any():
        raise DataFormatError("there is no time column, which retention needs")
    first = float(np.nanmin(trace.time))
    if first > 0.0:
        return trace.time
    return np.asarray(trace.time - first + float(np.nanmedian(np.diff(trace.time))))
