"""Kinetics of first contact in a campaign: waiting times, rates, and their dependence on axes."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from nanogap.analysis.filament.contact import first_contacts
from nanogap.analysis.filament.kinetics import (
    FEWEST_MEMBERS,
    Rate,
    Survival,
    Trend,
    WaitingTimes,
    event_rate,
    rate_trend,
    survival,
)
from nanogap.printing import counted
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

    values: dict[str, float | str]
    members: int
    survival: Survival
    rate: Rate

    @property
    def median_interval(self) -> tuple[float, float]:
        """95 % interval of the median, ps; NaN where the members are too few for one."""
        if self.members < FEWEST_MEMBERS:
            return float("nan"), float("nan")
        return self.survival.median_interval

    @property
    def label(self) -> str:
        """The combination in words."""
        return ", ".join(f"{key} = {value}" for key, value in self.values.items()) or "all members"


@dataclass(frozen=True)
class AxisKinetics:
    """Dependence of the rate of first contacts on an axis, at equal values of the others.

    Attributes
    ----------
    covariate : str
        Number that enters the regression, see `COVARIATES`; with the axes that always change with
        this one.
    trend : Trend
        Trend of the rate in 1/ps.
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


def _number(value: float | str) -> float:
    return float(value)


def _size(value: float | str) -> float:
    return abs(float(value))


def _inverse_energy(temperature: float | str) -> float:
    return 1.0 / (BOLTZMANN * float(temperature))


#: Number that enters the regression instead of an axis itself: its name, and how it is computed.
#: Opposite voltages are mirror images of each other; an activated rate goes as exp(-E / kT).
COVARIATES = {
    "voltage.applied": ("the size of voltage.applied", _size),
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
            f"{self.times.events} of {counted(len(self.times), 'member')} made contact while "
            f"waiting; {cut} ended before and {'counts' if cut == 1 else 'count'} as later."
        )
        if self.touching:
            verb = "is" if self.touching == 1 else "are"
            first += f" {self.touching} touched before the voltage came on and {verb} left out."
        return " ".join([first, *(axis.sentence() for axis in self.axes.values())])

    def summary(self) -> "KineticsSummary":
        """Return everything as plain numbers; times in ps, rates in 1/ps."""
        return KineticsSummary(
            statement=self.statement(),
            members=len(self.times),
            contacts=self.times.events,
            touching=self.touching,
            points=[PointSummary.of(point) for point in self.points],
            axes={
                name: AxisTrend(**asdict(axis.trend), covariate=axis.covariate)
                for name, axis in self.axes.items()
            },
        )


@dataclass(frozen=True)
class SurvivalCurve:
    """A survival curve: the share of members without contact.

    Attributes
    ----------
    time : list of float, length n
        At which the share falls, ps.
    share, low, high : list of float, length n
        From that time on, and its 95 % interval; NaN where there is none.
    last : float
        Longest time waited, with a contact or without, ps: where the curve ends.
    """

    time: list[float]
    share: list[float]
    low: list[float]
    high: list[float]
    last: float


@dataclass(frozen=True)
class PointSummary:
    """First-contact times of the members with one combination of the values of all axes.

    Attributes
    ----------
    values : dict
        Axis to its value.
    members : int
    median : float
        ps; infinite if more than half of the members have no contact.
    median_interval : tuple of float
        95 %, ps; NaN with fewer than six members.
    rate : Rate
        1/ps.
    survival : SurvivalCurve
    """

    values: dict[str, float | str]
    members: int
    median: float
    median_interval: tuple[float, float]
    rate: Rate
    survival: SurvivalCurve

    @classmethod
    def of(cls, point: Point) -> "PointSummary":
        """Take the numbers out of a point."""
        curve = point.survival
        return cls(
            values=point.values,
            members=point.members,
            median=curve.median,
            median_interval=point.median_interval,
            rate=point.rate,
            survival=SurvivalCurve(
                time=curve.time.tolist(),
                share=curve.share.tolist(),
                low=curve.low.tolist(),
                high=curve.high.tolist(),
                last=curve.last,
            ),
        )


@dataclass(frozen=True)
class AxisTrend(Trend):
    """Dependence of the rate of first contacts on an axis.

    Attributes
    ----------
    covariate : str
        Number that the rate was compared with.
    """

    covariate: str


@dataclass(frozen=True)
class KineticsSummary:
    """First-contact times of a campaign as plain numbers.

    Attributes
    ----------
    statement : str
        The findings in sentences.
    members, contacts : int
        Members that waited, and those of them that made contact.
    touching : int
        Members whose tips touched before the voltage came on.
    points : list of PointSummary
    axes : dict of str to AxisTrend
    """

    statement: str
    members: int
    contacts: int
    touching: int
    points: list[PointSummary]
    axes: dict[str, AxisTrend]


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
    times, waited = first_contacts(dataset).waiting_times()
    axes = {
        name: dataset[name].to_numpy()[waited].tolist()
        for name in json.loads(dataset.attrs.get("axes", "[]"))
    }
    in_ps = WaitingTimes(times.time / FS_PER_PS, times.observed)
    return kinetics(in_ps, axes, touching=int((~waited).sum()))


def kinetics(
    times: WaitingTimes, axes: Mapping[str, Sequence[float | str]], touching: int = 0
) -> CampaignKinetics:
    """Compute the kinetics of first contacts.

    Parameters
    ----------
    times : WaitingTimes
        ps.
    axes : dict
        Axis to its value for every member.
    touching : int
        Members whose tips touched before the voltage came on, which are left out.
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


def _axis_kinetics(
    times: WaitingTimes, axes: Mapping[str, Sequence[float | str]], name: str
) -> AxisKinetics:
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
    if len(times) < FEWEST_MEMBERS:
        trend = Trend(*(float("nan"),) * 5)
    else:
        trend = rate_trend(times, [number(value) for value in values], strata)
    with_it = [key for key in tied if len(set(others[key])) > 1]
    if with_it:
        words += f" (and with it {', '.join(with_it)})"
    return AxisKinetics(words, trend, activated=name == "dynamics.temperature")


def _order(row: tuple[float | str, ...]) -> list[float | str]:
    """Return the key that sorts numbers by size, before words."""
    return list(
        itertools.chain.from_iterable(
            (0, one, "") if isinstance(one, int | float) else (1, 0, str(one)) for one in row
        )
    )
