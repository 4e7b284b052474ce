"""Numbers of simulated against measured curves: the same analysis of both, with intervals.

The interval of a median is that of its order statistics (Conover, Practical Nonparametric
Statistics, 1999, chapter 3.2), which exists for six values or more; that of a share is a bootstrap
over cycles (Efron, Ann. Stat. 7, 1 (1979), doi:10.1214/aos/1176344552).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import binom

from nanogap.analysis import ConductanceHistogram, SwitchingAnalysis
from nanogap.analysis.traces.compliance import Compliance
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.errors import DataFormatError
from nanogap.io.sweeps import current_swept
from nanogap.printing import counted
from nanogap.report.words import number
from nanogap.typing import FloatArray, Int64Array
from nanogap.units import CONDUCTANCE_QUANTUM

_LEVEL = 0.95
_FEWEST_CYCLES = 5
_RESAMPLES = 1000
#: Part of the largest voltage below which I/V is noise.
_NEAR_ZERO = 0.05
#: Steps that count, G0, and the range of one atom.
_STEP, _ONE_ATOM = 0.1, (0.8, 1.2)
#: Cycles of a source that are cut into plateaus.
_MOST_CYCLES = 20


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value : float
        NaN if there is none.
    low, high : float
        Ends of its 95 % interval; NaN if there are too few values.
    count : int
        Values that it rests on.
    """

    value: float
    low: float
    high: float
    count: int

    def text(self, unit: str, of: str) -> str:
        """Write it with its interval, or say that there are too few values for one."""
        if not np.isfinite(self.value):
            return "none"
        value = f"{number(self.value)} {unit}".strip()
        if np.isfinite(self.low):
            return f"{value} ({number(self.low)} to {number(self.high)}; {counted(self.count, of)})"
        return f"{value} ({counted(self.count, of)}: too few for an interval)"


@dataclass(frozen=True)
class ComparisonRow:
    """A number of the simulated beside that of the measured curves.

    Attributes
    ----------
    quantity, simulated, measured, verdict : str
    """

    quantity: str
    simulated: str
    measured: str
    verdict: str


@dataclass(frozen=True)
class _Found:
    """What the analysis finds in all sources of one kind."""

    set_voltage: Estimate
    reset_voltage: Estimate
    low_state: Estimate
    high_state: Estimate
    step: Estimate
    peak: Estimate
    share: Estimate


def comparison_rows(
    simulated: Sequence[xr.Dataset], measured: Sequence[xr.Dataset]
) -> list[ComparisonRow]:
    """Compare what the same analysis finds in simulated and in measured curves.

    Parameters
    ----------
    simulated, measured : sequence of xarray.Dataset
        With ``voltage`` (V), ``current`` (A) or ``conductance`` (G0), and ``cycle`` over ``point``;
        nothing is subtracted from either.
    """
    ours, theirs = _found(simulated), _found(measured)
    low, high = _ONE_ATOM
    table = (
        ("SET voltage, median", "set_voltage", "V", "SET"),
        ("RESET voltage, median", "reset_voltage", "V", "RESET"),
        ("conductance after the SET, at 0.4 V, median", "low_state", "G₀", "cycle"),
        ("conductance before the SET, at 0.4 V, median", "high_state", "G₀", "cycle"),
        (f"step between plateaus above {_STEP:g} G₀, median size", "step", "G₀", "step"),
        ("histogram: highest peak above 0.3 G₀", "peak", "G₀", "cycle"),
        (f"histogram: share of {low:g} to {high:g} G₀", "share", "%", "cycle"),
    )
    rows = []
    for name, key, unit, of in table:
        one, other = getattr(ours, key), getattr(theirs, key)
        rows.append(
            ComparisonRow(name, one.text(unit, of), other.text(unit, of), _verdict(one, other))
        )
    return rows


def _verdict(one: Estimate, other: Estimate) -> str:
    """Say whether two numbers can be told apart."""
    if not (np.isfinite(one.value) and np.isfinite(other.value)):
        return "nothing to compare"
    if not (np.isfinite(one.low) and np.isfinite(other.low)):
        return "too few to say"
    apart = one.low > other.high or other.low > one.high
    return "differ" if apart else "not told apart"


def _found(sources: Sequence[xr.Dataset]) -> _Found:
    """Analyse all sources of one kind together."""
    sets: list[float] = []
    resets: list[float] = []
    states: dict[str, list[float]] = {"low_resistance": [], "high_resistance": []}
    gaps: list[FloatArray] = []
    cycles: list[Int64Array] = []
    for whole in sources:
        source = whole.isel(point=np.flatnonzero(whole["cycle"].to_numpy() >= 0))
        analysis = _switching(source)
        if analysis is not None:
            sets += analysis.set_voltages.tolist()
            resets += analysis.reset_voltages.tolist()
            for name in states:
                states[name] += analysis.endurance[name].to_numpy().tolist()
        gap, cycle = _conductance(source, analysis)
        gaps.append(gap)
        # cycles of different sources are different cycles
        offset = 1 + max((int(one.max(initial=-1)) for one in cycles), default=-1)
        cycles.append(cycle - int(cycle.min(initial=0)) + offset)
    gap, cycle = np.concatenate(gaps), np.concatenate(cycles)
    return _Found(
        set_voltage=_median(sets),
        reset_voltage=_median(resets),
        low_state=_median(_quanta(states["low_resistance"])),
        high_state=_median(_quanta(states["high_resistance"])),
        step=_median(_steps(gap, cycle)),
        peak=_peak(gap, cycle),
        share=_share(gap, cycle),
    )


def _switching(source: xr.Dataset) -> SwitchingAnalysis | None:
    """Find SET and RESET; None where the voltage was not swept."""
    if "conductance" in source or current_swept(source):
        return None
    data = source
    if "read" in source:
        data = source.isel(point=~source["read"].to_numpy().astype(bool))
    flags = data["compliance"].to_numpy() if "compliance" in data else None
    limit = None
    if "simulated" in source.attrs or "gap_voltage" in source:
        known = np.zeros(data.sizes["point"], bool) if flags is None else flags.astype(bool)
        limit = Compliance(known, None, "file" if known.any() else "none")
    try:
        return SwitchingAnalysis().compute(
            data["voltage"], data["current"], data["cycle"], flags, limit=limit
        )
    except DataFormatError:
        return None


def _conductance(
    source: xr.Dataset, analysis: SwitchingAnalysis | None
) -> tuple[FloatArray, Int64Array]:
    """Conductance and cycle of the readings that tell one, G0."""
    cycle = source["cycle"].to_numpy().astype(np.int64)
    if "conductance" in source:
        gap = np.asarray(source["conductance"].to_numpy(), dtype=np.float64)
        return gap[np.isfinite(gap)], cycle[np.isfinite(gap)]
    volts = np.asarray(source["voltage"].to_numpy(), dtype=np.float64)
    amperes = np.asarray(source["current"].to_numpy(), dtype=np.float64)
    limited = np.zeros(len(volts), dtype=bool)
    if analysis is not None and len(analysis.in_compliance) == len(volts):
        limited = analysis.in_compliance
    elif "compliance" in source:
        limited = source["compliance"].to_numpy().astype(bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = amperes / volts / CONDUCTANCE_QUANTUM
    near = _NEAR_ZERO * float(np.nanmax(np.abs(volts), initial=0.0))
    kept = np.isfinite(gap) & ~limited & (np.abs(volts) > near)
    return gap[kept], cycle[kept]


def _quanta(ohms: Iterable[float]) -> list[float]:
    """Turn resistances into conductances, G0."""
    return [1.0 / (one * CONDUCTANCE_QUANTUM) for one in ohms if np.isfinite(one) and one > 0.0]


def _median(values: Sequence[float]) -> Estimate:
    """Median with the interval of its order statistics."""
    x = np.sort(np.asarray(values, dtype=np.float64))
    if not len(x):
        return Estimate(np.nan, np.nan, np.nan, 0)
    rank = int(binom.ppf((1.0 - _LEVEL) / 2.0, len(x), 0.5))
    low, high = (float(x[rank - 1]), float(x[-rank])) if rank else (np.nan, np.nan)
    return Estimate(float(np.median(x)), low, high, len(x))


def _steps(gap: FloatArray, cycle: Int64Array) -> list[float]:
    """Sizes of the steps between plateaus, G0."""
    chosen = np.unique(cycle)[:_MOST_CYCLES]
    inside = np.isin(cycle, chosen)
    try:
        found = PlateauDetection(minimum_step=_STEP).compute(gap[inside], cycle[inside])
    except DataFormatError:
        return []
    return [abs(one.step) for one in found.plateaus if abs(one.step) > _STEP]


def _peak(gap: FloatArray, cycle: Int64Array) -> Estimate:
    """Highest peak of the histogram beyond the open gap, and its error from cycle to cycle."""
    if not (gap > 0.0).any():
        return Estimate(np.nan, np.nan, np.nan, 0)
    histogram = ConductanceHistogram(maximum=10.0).compute(gap, cycle=cycle)
    peaks = [one for one in histogram.peaks if one.position > 0.3]
    if not peaks:
        return Estimate(np.nan, np.nan, np.nan, 0)
    best = max(peaks, key=lambda one: one.counts)
    # the error is that from cycle to cycle, which a few do not tell
    count = len(np.unique(cycle))
    half = 1.96 * best.uncertainty if count >= _FEWEST_CYCLES else np.nan
    return Estimate(best.position, best.position - half, best.position + half, count)


def _share(gap: FloatArray, cycle: Int64Array) -> Estimate:
    """Share of the readings near one quantum, %, with a bootstrap over cycles."""
    numbers, rows = np.unique(cycle, return_inverse=True)
    if not len(numbers):
        return Estimate(np.nan, np.nan, np.nan, 0)
    inside = (gap >= _ONE_ATOM[0]) & (gap <= _ONE_ATOM[1])
    hits = np.bincount(rows, inside.astype(np.float64))
    total = np.bincount(rows).astype(np.float64)
    low = high = np.nan
    if len(numbers) >= _FEWEST_CYCLES:
        draws = np.random.default_rng(0).integers(len(numbers), size=(_RESAMPLES, len(numbers)))
        shares = 100.0 * hits[draws].sum(axis=1) / total[draws].sum(axis=1)
        low, high = map(float, np.quantile(shares, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]))
    return Estimate(100.0 * float(hits.sum() / total.sum()), low, high, len(numbers))
