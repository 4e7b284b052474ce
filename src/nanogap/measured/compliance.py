"""Points in compliance: found once for every command, left out, and told."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from nanogap.analysis.traces.compliance import FEWEST_POINTS, Compliance, find_compliance
from nanogap.io.dataset import flags_compliance
from nanogap.io.stated_limits import STATED
from nanogap.io.sweeps import current_swept
from nanogap.report.marks import unit_for

_ORIGINS = {
    "given": "as given by `compliance`",
    "file": "as the file says",
    "curve": "seen in the curve: the current stays there while the voltage goes on rising",
}


@dataclass(frozen=True)
class Exclusion:
    """Points of one file that the instrument limited.

    Attributes
    ----------
    n_limited, n_points : int
        Points in compliance, and all points.
    current : float or None
        The limit, A; None if no point was limited.
    origin : str
        See `nanogap.analysis.traces.compliance.Compliance`.
    """

    n_limited: int
    n_points: int
    current: float | None
    origin: str

    @classmethod
    def of(cls, limit: Compliance) -> "Exclusion":
        """Count the points of a limit."""
        return cls(int(limit.limited.sum()), len(limit.limited), limit.current, limit.origin)

    def __add__(self, other: "Exclusion | None") -> "Exclusion":
        """Count the points of two pieces of one file."""
        if other is None:
            return self
        both = self.n_limited + other.n_limited, self.n_points + other.n_points
        return replace(self, n_limited=both[0], n_points=both[1])


def compliance_of(dataset: xr.Dataset, given: float | None = None) -> Compliance:
    """Find the points of one measurement dataset that the instrument limited.

    Parameters
    ----------
    dataset : xarray.Dataset
        With one source; its variable ``compliance`` holds the flags of the file.
    given : float, optional
        The limit, A. Default: as flagged in the file; as the curve shows where the file has no
        flags.
    """
    flags = np.asarray(dataset.variables["compliance"].values, dtype=bool)
    if "conductance" in dataset:
        return Compliance(flags, None, "file" if flags.any() else "none")
    volts, amperes, cycles = (
        dataset.variables[key].values for key in ("voltage", "current", "cycle")
    )
    known = bool(flags.any()) or flags_compliance(dataset)
    if given is None and not known:
        for stated in stated_limits(dataset):
            found = find_compliance(volts, amperes, cycles, given=stated)
            if np.count_nonzero(found.limited) >= FEWEST_POINTS:
                return replace(found, origin="file")
    found = find_compliance(volts, amperes, cycles, flags if known else None, given)
    if found.origin == "file" and current_swept(dataset):
        return replace(found, current=None)  # what is limited there is the voltage
    return found


def stated_limits(dataset: xr.Dataset) -> list[float]:
    """Limits of the current that the lines above the table state, the lowest first, A."""
    return sorted(float(limit) for limit in str(dataset.attrs.get(STATED, "")).split())


def told_exclusions(exclusions: Iterable[Exclusion]) -> list[str]:
    """Sentences on what was left out because the instrument limited it; empty if nothing was."""
    rows = list(exclusions)
    total = sum(row.n_points for row in rows)
    sentences = []
    for origin, words in _ORIGINS.items():
        used = [row for row in rows if row.origin == origin and row.n_limited]
        limits = sorted({current_text(row.current) for row in used if row.current is not None})
        if used:
            level = f" to {' or '.join(limits[:4])}" if limits else ""
            level += " and others" if len(limits) > 4 else ""
            sentences.append(
                f"{sum(row.n_limited for row in used)} of {total} points not counted: limited by "
                f"the instrument{level} ({words})"
            )
    unmet = [row for row in rows if row.origin == "given" and not row.n_limited]
    if unmet:
        sentences.append(
            f"`compliance`: in {len(unmet)} of {len(rows)} files no current stays at that limit"
        )
    return sentences


def current_text(amperes: float) -> str:
    """Write a current with a prefix, such as 100 µA."""
    factor, unit = unit_for(abs(amperes) * (1.0 + 1e-9), "A")
    return f"{np.format_float_positional(amperes * factor, 3, fractional=False, trim='-')} {unit}"
