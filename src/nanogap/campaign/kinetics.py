"""How fast the members of a campaign make contact, and what it depends on."""

import itertools
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from nanogap.analysis.filament.kinetics import (
    Rate,
    Survival,
    Trend,
    WaitingTimes,
    contact_waiting_times,
    event_rate,
    rate_trend,
    survival,
)
from nanogap.units import BOLTZMANN

FS_PER_PS = 1000.0

#: A trend with a smaller p-value is called one.
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Point:
    """Members with one combination of the values of all axes.

    Attributes
    ----------
    values : dict
        Axis to its value.
    members : int
        Those that waited: tips that touch before the voltage comes on are left out.
    survival : Survival
    rate : Rate
        All times in ps.
    """

    values: dict[str, Any]
    members: int
    survival: Survival
    rate: Rate

    @property
    def label(self) -> str:
        """The combination in words."""
        return ", ".join(f"{key} = {value}" for key, value in self.values.items()) or "all members"


@dataclass(frozen=True)
class AxisKinetics:
    """How the rate of first contacts depends on an axis, at equal values of the others.

    Attributes
    ----------
    covariate : str
        What of the axis enters: see `COVARIATES`; with the axes that always change with it.
    trend : Trend
        Of the rate in 1/ps.
    activated : bool
        Whether the slope is minus an activation energy, eV.
    """

    covariate: str
    trend: Trend
    activated: bool

    def sentence(self) -> str:
        """Say in a sentence what the numbers allow to say."""
        trend, name = self.trend, self.covariate
        chance = f"p = {trend.log_rank:.2g}, log-rank"
        if not np.isfinite(trend.log_rank):
            return f"How first contacts depend on {name} cannot be told: there are too few."
        if trend.log_rank >= _SIGNIFICANT:
            verdict = f"No dependence of the first contacts on {name} is significant ({chance})"
        else:
            verdict = f"First contacts depend on {name} ({chance})"
        if not np.isfinite(trend.slope):
            return f"{verdict}; they come at one end of it only, so that no slope is determined."
        if self.activated:
            return (
                f"{verdict}; activation energy {-trend.slope:.2f} eV (95 %: {-trend.high:.2f} to "
                f"{-trend.low:.2f})."
            )
        return (
            f"{verdict}; their rate changes by a factor of {np.exp(trend.slope):.3g} (95 %: "
            f"{np.exp(trend.low):.3g} to {np.exp(trend.high):.3g}) per unit of it."
        )


def _number(value: Any) -> float:
    return float(value)


def _inverse_energy(temperature: Any) -> float:
    return 1.0 / (BOLTZMANN * float(temperature))


#: What enters instead of an axis itself: its name and the number. Opposite voltages are mirror
#: images of each other, and a rate that is activated goes as exp(-E / kT).
COVARIATES = {
    "voltage.applied": ("the size of voltage.applied", abs),
    "dynamics.temperature": ("1 / (k T)", _inverse_energy),
}


@dataclass(frozen=True)
class CampaignKinetics:
    """First-contact times of a campaign.

    Attributes
    ----------
    times : WaitingTimes
        Of all members that waited, ps.
    touching : int
        Members whose tips touched before the voltage came on.
    points : list of Point
    axes : dict
        Axis, if its values are numbers, to how the rate depends on it.
    """

    times: WaitingTimes
    touching: int
    points: list[Point]
    axes: dict[str, AxisKinetics]

    def statement(self) -> str:
        """Say in sentences what was found."""
        cut = len(self.times) - self.times.events
        first = (
            f"{self.times.events} of {len(self.times)} members made contact while waiting; {cut} "
            "ended before and count as later."
        )
        if self.touching:
            first += f" {self.touching} touched before the voltage came on and are left out."
        return " ".join([first, *(axis.sentence() for axis in self.axes.values())])

    def summary(self) -> dict[str, Any]:
        """Return everything as plain data; times in ps, rates in 1/ps."""
        return {
            "statement": self.statement(),
            "members": len(self.times),
            "contacts": self.times.events,
            "touching": self.touching,
            "points": [
                {
                    "values": point.values,
                    "members": point.members,
                    "median": point.survival.median,
                    "median_interval": list(point.survival.median_interval),
                    "rate": asdict(point.rate),
                    "survival": {
                        name: getattr(point.survival, name).tolist()
                        for name in ("time", "share", "low", "high")
                    },
                }
                for point in self.points
            ],
            "axes": {
                name: {"covariate": axis.covariate, **asdict(axis.trend)}
                for name, axis in self.axes.items()
            },
        }


def dataset_kinetics(dataset: xr.Dataset) -> CampaignKinetics:
    """Compute the kinetics of a collected dataset.

    Parameters
    ----------
    dataset : xarray.Dataset
        See `nanogap.campaign.collect.collect`.

    Raises
    ------
    DataFormatError
        If a variable is missing.
    """
    times, waited = contact_waiting_times(dataset)
    axes = {
        name: dataset[name].to_numpy()[waited].tolist()
        for name in json.loads(dataset.attrs.get("axes", "[]"))
    }
    in_ps = WaitingTimes(times.time / FS_PER_PS, times.observed)
    return kinetics(in_ps, axes, touching=int((~waited).sum()))


def kinetics(
    times: WaitingTimes, axes: dict[str, list[Any]], touching: int = 0
) -> CampaignKinetics:
    """Compute the kinetics of first contacts.

    Parameters
    ----------
    times : WaitingTimes
        ps.
    axes : dict
        Axis to its value for every member.
    touching : int
        Members that are left out.
    """
    rows = list(zip(*axes.values(), strict=True)) if axes else [()] * len(times)
    points = []
    for row in sorted(set(rows), key=_order):
        some = times.of(np.array([one == row for one in rows], dtype=bool))
        values = dict(zip(axes, row, strict=True))
        points.append(Point(values, len(some), survival(some), event_rate(some)))
    found = {
        name: _axis_kinetics(times, axes, name)
        for name, values in axes.items()
        if all(isinstance(value, int | float) for value in values) and len(set(values)) > 1
    }
    return CampaignKinetics(times, touching, points, found)


def _axis_kinetics(times: WaitingTimes, axes: dict[str, list[Any]], name: str) -> AxisKinetics:
    """Compare members that differ in one axis, and in what always changes with it."""
    values = axes[name]
    others = {key: column for key, column in axes.items() if key != name}
    tied = [
        key
        for key, column in others.items()
        if len(set(zip(values, column, strict=True))) == len(set(values))
    ]
    free = [column for key, column in others.items() if key not in tied]
    strata = list(zip(*free, strict=True)) if free else None
    words, number = COVARIATES.get(name, (name, _number))
    trend = rate_trend(times, [number(value) for value in values], strata)
    with_it = [key for key in tied if len(set(others[key])) > 1]
    if with_it:
        words += f" (and with it {', '.join(with_it)})"
    return AxisKinetics(words, trend, activated=name == "dynamics.temperature")


def _order(row: tuple[Any, ...]) -> list[Any]:
    """Numbers by size, before words."""
    return list(
        itertools.chain.from_iterable(
            (0, one, "") if isinstance(one, int | float) else (1, 0, str(one)) for one in row
        )
    )
