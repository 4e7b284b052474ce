"""First contact: its definition, its time and conductance, and their dependence on axes.

One definition holds for dynamics, stages, reports and campaigns: the first contact of a run is its
first snapshot in which bonds lead from tip to tip, that is in which the bottleneck has an atom or
more (`nanogap.structure.connectivity.BOND_FACTOR` says how long a bond may be). Its time is known
to the interval between snapshots: ``dynamics.contact_sampling_interval``, or ``sampling_interval``
without that. It is the same whether or not the transmission of that snapshot could be computed; if
not, its conductance is unknown, and that of a later snapshot does not take its place.

Tips that touch already when the voltage comes on have their first contact at time 0. They did not
wait for it, so waiting times leave them out; and the dynamics, which samples densely and may stop
after the contact, goes by the first contact after that moment.

Two other things are not first contact. The observable ``connected`` (of `nanogap status`, and of
the conducting network of the dynamics) says that a chain of atoms within ``voltage.cutoff`` leads
from base to base; that is longer than a bond, so it can be true some snapshots earlier. Measured
traces have no atoms: there, `nanogap.analysis.AlignedHistogram` takes the first conductance above a
threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.stats import bootstrap, kruskal, spearmanr, t

from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS, WaitingTimes, survival
from nanogap.errors import DataFormatError
from nanogap.typing import BoolArray, FloatArray, Int64Array

#: A test of ranks, or an interval by Student's t, needs so many values.
_FEWEST = 3


def bonded(observables: xr.Dataset) -> BoolArray:
    """Whether bonds lead from tip to tip in every snapshot; False where that is unknown.

    Parameters
    ----------
    observables : xarray.Dataset
        With ``bottleneck_atoms``, over ``snapshot`` or over (``member``, ``snapshot``).

    Returns
    -------
    ndarray of bool
        Same shape as ``bottleneck_atoms``.

    Raises
    ------
    DataFormatError
        If the variable is missing.
    """
    need_variables(observables, "bottleneck_atoms")
    return np.asarray(observables["bottleneck_atoms"].to_numpy() >= 1, dtype=bool)


def first_contact(observables: xr.Dataset) -> int | None:
    """Find the first contact of a run.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, in order of time, with ``bottleneck_atoms``.

    Returns
    -------
    int or None
        Index of the first snapshot in which bonds lead from tip to tip; None if there is none.

    Raises
    ------
    DataFormatError
        If the variable is missing.
    """
    places = np.flatnonzero(bonded(observables))
    return int(places[0]) if len(places) else None


@dataclass(frozen=True)
class FirstContacts:
    """The first contact of every member of an ensemble.

    Attributes
    ----------
    snapshot : ndarray of int, shape (n_members,)
        Index of the first snapshot with bonds from tip to tip; -1 if there is none.
    time : ndarray, shape (n_members,)
        Of that snapshot, fs since the voltage came on; NaN if there is none.
    conductance : ndarray, shape (n_members,)
        Of that snapshot, G0; NaN if there is none, or if its transmission is not known.
    last : ndarray, shape (n_members,)
        Last moment that was simulated, fs; NaN for a member without a snapshot.

    Raises
    ------
    DataFormatError
        If the four do not have one value for every member.
    """

    snapshot: Int64Array
    time: FloatArray
    conductance: FloatArray
    last: FloatArray

    def __post_init__(self) -> None:
        shapes = [one.shape for one in (self.snapshot, self.time, self.conductance, self.last)]
        if self.snapshot.ndim != 1 or len(set(shapes)) > 1:
            raise DataFormatError(
                "first contacts need one snapshot, time, conductance and last moment for every "
                f"member; their shapes are {', '.join(map(str, shapes))}"
            )

    @property
    def made(self) -> BoolArray:
        """Whether a member made contact, shape (n_members,)."""
        return np.isfinite(self.time)

    def waiting_times(self) -> tuple[WaitingTimes, BoolArray]:
        """Return the times that members waited for the contact, or in vain.

        Returns
        -------
        WaitingTimes
            fs; those of members without a contact are cut off at their last moment.
        waited : ndarray of bool, shape (n_members,)
            Which members these are: those whose tips did not touch before the voltage came on.
        """
        ended = np.where(self.made, self.time, self.last)
        waited: BoolArray = ended > 0.0
        return WaitingTimes(ended[waited], self.made[waited]), waited

    def median_time(self, chosen: ArrayLike | None = None) -> float:
        """Estimate the median time of the first contact.

        Parameters
        ----------
        chosen : array_like of bool, shape (n_members,), optional
            Members that count; default: all.

        Returns
        -------
        float
            fs; infinite if over half of the members have no contact. Members without one count as
            ones that would come later than their last moment, see
            `nanogap.analysis.filament.kinetics.survival`; those in contact from the beginning are
            left out.
        """
        times, waited = self.waiting_times()
        inside = waited if chosen is None else waited & np.asarray(chosen, dtype=bool)
        return survival(times.of(inside[waited])).median


def first_contacts(dataset: xr.Dataset) -> FirstContacts:
    """Find the first contact of every member of an ensemble.

    Parameters
    ----------
    dataset : xarray.Dataset
        ``time`` (fs) and ``bottleneck_atoms`` over (``member``, ``snapshot``), NaN behind the last
        snapshot of a member; ``transmission`` over (``member``, ``snapshot``, ``energy``), without
        which no conductance is known.

    Raises
    ------
    DataFormatError
        If a variable is missing.
    """
    need_variables(dataset, "time", "bottleneck_atoms")
    ordered = dataset[["time", "bottleneck_atoms"]].transpose("member", "snapshot")
    time = ordered["time"].to_numpy()
    there = np.isfinite(time)
    touching = bonded(ordered) & there
    made = touching.any(axis=1)
    rows, snapshot = np.flatnonzero(made), np.full(len(time), -1, dtype=np.int64)
    snapshot[rows] = np.argmax(touching[rows], axis=1)
    came, conductance = np.full((2, len(time)), np.nan)
    came[rows] = time[rows, snapshot[rows]]
    if "transmission" in dataset:
        conductance[rows] = member_conductances(dataset)[rows, snapshot[rows]]
    last = np.where(there, time, -np.inf).max(axis=1, initial=-np.inf)
    return FirstContacts(snapshot, came, conductance, np.where(np.isfinite(last), last, np.nan))


def member_conductances(dataset: xr.Dataset) -> FloatArray:
    """Return the conductance of every snapshot of an ensemble, that is T at the Fermi energy.

    Parameters
    ----------
    dataset : xarray.Dataset
        With ``transmission`` over (``member``, ``snapshot``, ``energy``).

    Returns
    -------
    ndarray, shape (n_members, n_snapshots)
        G0; NaN where it is not known.
    """
    at_fermi_energy = dataset["transmission"].sel(energy=0.0, method="nearest")
    values = at_fermi_energy.transpose("member", "snapshot").to_numpy()
    # rounding can leave the T of an open gap a trifle below zero
    return np.asarray(np.maximum(values, 0.0), dtype=np.float64)


def need_variables(dataset: xr.Dataset, *names: str) -> None:
    """Refuse a dataset that lacks a variable.

    Raises
    ------
    DataFormatError
        If one is missing.
    """
    missing = [name for name in names if name not in dataset.variables]
    if missing:
        raise DataFormatError(f"the dataset has no variable {min(missing)!r}")


@dataclass(frozen=True)
class Distribution:
    """Mean, spread and median of independent values, with intervals.

    Attributes
    ----------
    count : int
    mean, deviation, median : float
        Deviation: standard deviation of a sample; NaN where there are too few values.
    mean_interval : tuple of float
        95 % by Student's t; NaN with fewer than three values, or where all are equal.
    deviation_interval : tuple of float
        95 % by the bias-corrected and accelerated bootstrap (Efron, J. Am. Stat. Assoc. 82, 171
        (1987), doi:10.1080/01621459.1987.10478410); NaN with fewer than `FEWEST_MEMBERS` values, or
        where all are equal.
    """

    count: int
    mean: float
    deviation: float
    median: float
    mean_interval: tuple[float, float]
    deviation_interval: tuple[float, float]


def described(values: ArrayLike, seed: int = 0) -> Distribution:
    """Compute mean, spread and median of values, one of each member; NaN are left out."""
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    nothing = (float("nan"), float("nan"))
    if not len(x):
        return Distribution(0, float("nan"), float("nan"), float("nan"), nothing, nothing)
    mean, median = float(x.mean()), float(np.median(x))
    if len(x) < _FEWEST or np.ptp(x) == 0.0:
        deviation = float(x.std(ddof=1)) if len(x) > 1 else float("nan")
        return Distribution(len(x), mean, deviation, median, nothing, nothing)
    deviation = float(x.std(ddof=1))
    half = float(t.ppf(0.975, len(x) - 1)) * deviation / np.sqrt(len(x))
    by_mean = (mean - half, mean + half)
    if len(x) < FEWEST_MEMBERS:
        return Distribution(len(x), mean, deviation, median, by_mean, nothing)
    # a deviation of equal values has no logarithm; BCa needs none, but values that vary
    result = bootstrap(
        (x,),
        lambda sample, axis: np.std(sample, axis=axis, ddof=1),
        n_resamples=999,
        rng=np.random.default_rng(seed),
        vectorized=True,
    )
    interval = result.confidence_interval
    return Distribution(
        len(x),
        mean,
        deviation,
        median,
        by_mean,
        (float(interval.low), float(interval.high)),
    )


@dataclass(frozen=True)
class AxisDependence:
    """Dependence of first contacts on one axis of a campaign.

    Attributes
    ----------
    values : list
        Values of the axis, in order.
    members, made : list of int
        Members and those that made contact, at each value.
    conductance : list of Distribution
        Conductance of the first contact at each value, G0.
    median_time : list of float
        Median time of the first contact at each value, fs; see `FirstContacts.median_time`.
    p_value : float
        Of equal conductances at all values (Kruskal and Wallis, J. Am. Stat. Assoc. 47, 583
        (1952), doi:10.1080/01621459.1952.10483441); NaN with fewer than two values of three
        contacts each.
    effect : float
        Part of the variance of the ranks that the axis explains, from 0 to 1: H / (n - 1).
    trend : float
        Spearman's rank correlation with the axis, where it is a number.
    """

    values: list[float | str]
    members: list[int]
    made: list[int]
    conductance: list[Distribution]
    median_time: list[float]
    p_value: float
    effect: float
    trend: float


def axis_dependence(contacts: FirstContacts, axis: Sequence[float | str]) -> AxisDependence:
    """Group first contacts by an axis.

    Parameters
    ----------
    contacts : FirstContacts
    axis : sequence, length n_members
        Value of the axis of every member.

    Raises
    ------
    DataFormatError
        If the axis has not one value per member.
    """
    if len(axis) != len(contacts.conductance):
        raise DataFormatError(
            f"the axis has {len(axis)} values for {len(contacts.conductance)} members"
        )
    values = sorted(set(axis))
    rows = [np.array([one == value for one in axis]) for value in values]
    known = np.isfinite(contacts.conductance)
    groups = [contacts.conductance[row & known] for row in rows]
    testable = [group for group in groups if len(group) >= _FEWEST]
    p_value = effect = float("nan")
    pooled = np.concatenate(testable) if testable else np.zeros(0)
    if len(testable) >= 2 and np.ptp(pooled) > 0.0:
        test = kruskal(*testable)
        p_value, effect = float(test.pvalue), float(test.statistic / (len(pooled) - 1))
    return AxisDependence(
        values=values,
        members=[int(row.sum()) for row in rows],
        made=[int((row & contacts.made).sum()) for row in rows],
        conductance=[described(group) for group in groups],
        median_time=[contacts.median_time(row) for row in rows],
        p_value=p_value,
        effect=effect,
        trend=_trend(contacts, axis),
    )


def _trend(contacts: FirstContacts, axis: Sequence[float | str]) -> float:
    if not all(isinstance(value, int | float | np.number) for value in axis):
        return float("nan")
    known = np.isfinite(contacts.conductance)
    x, y = np.asarray(axis, dtype=np.float64)[known], contacts.conductance[known]
    if len(x) < _FEWEST or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return float("nan")
    return float(spearmanr(x, y).statistic)
