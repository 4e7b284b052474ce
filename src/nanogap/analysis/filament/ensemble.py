"""The conductance points of an ensemble of simulated runs, and their histogram.

Points of one member are correlated, so that all uncertainties come from drawing whole members:
the cluster bootstrap (Davison and Hinkley, Bootstrap Methods and their Application, 1997,
doi:10.1017/CBO9780511802843, section 3.8).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from nanogap.analysis.filament.contact import member_conductances, need_variables
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.analysis.filament.stages import STAGES, Stage
from nanogap.analysis.traces.histogram import ConductanceHistogram, represented_time
from nanogap.errors import DataFormatError, SettingsError
from nanogap.typing import BoolArray, FloatArray, Int64Array

#: Arrays of the points.
_ARRAYS = ("member", "snapshot", "time", "conductance", "bottleneck", "bridged", "weight")

#: In these stages metal leads from tip to tip.
_BRIDGED = [STAGES.index(Stage.CONTACT), STAGES.index(Stage.LATERAL_GROWTH)]


@dataclass(frozen=True)
class EnsemblePoints:
    """All snapshots with a conductance of all members, member by member in order of time.

    Attributes
    ----------
    n_members : int
        Those without any point too.
    member, snapshot : ndarray of int, shape (n_points,)
        Numbers, from 0.
    time : ndarray, shape (n_points,)
        Since the voltage was applied, fs.
    conductance : ndarray, shape (n_points,)
        G0.
    bottleneck : ndarray of int, shape (n_points,)
        Atoms in the bottleneck.
    bridged : ndarray of bool, shape (n_points,)
        Whether a bridge leads from tip to tip.
    weight : ndarray, shape (n_points,)
        Time that a point represents, in units in which their sum is the number of equally heavy
        points that would say as much (Kish, Survey Sampling, 1965): (sum w)^2 / sum w^2.

    Raises
    ------
    DataFormatError
        If the arrays do not have one value for every point.
    """

    n_members: int
    member: Int64Array
    snapshot: Int64Array
    time: FloatArray
    conductance: FloatArray
    bottleneck: Int64Array
    bridged: BoolArray
    weight: FloatArray

    def __post_init__(self) -> None:
        shapes = {name: getattr(self, name).shape for name in _ARRAYS}
        wrong = [name for name in _ARRAYS if shapes[name] != (self.member.size,)]
        if wrong:
            raise DataFormatError(
                f"{wrong[0]} has the shape {shapes[wrong[0]]}, but there are {self.member.size} "
                "points: every array needs one value for each"
            )

    @property
    def bridged_members(self) -> int:
        """Members that have a point of a bridge."""
        return len(np.unique(self.member[self.bridged]))

    def of(self, chosen: BoolArray) -> "EnsemblePoints":
        """Return some of the points; the members stay numbered as they are."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _ARRAYS})


def ensemble_points(dataset: xr.Dataset) -> EnsemblePoints:
    """Take the points out of the dataset of an ensemble.

    Parameters
    ----------
    dataset : xarray.Dataset
        ``transmission`` over (``member``, ``snapshot``, ``energy``) and ``time``, ``stage``,
        ``bottleneck_atoms`` over (``member``, ``snapshot``), NaN behind the last snapshot.

    Raises
    ------
    DataFormatError
        If a variable is missing.
    """
    need_variables(dataset, "transmission", "time", "stage", "bottleneck_atoms")
    values = member_conductances(dataset)
    time = dataset["time"].transpose("member", "snapshot").to_numpy()
    stage = dataset["stage"].transpose("member", "snapshot").to_numpy()
    atoms = dataset["bottleneck_atoms"].transpose("member", "snapshot").to_numpy()
    weight = np.zeros_like(time)
    for row, moments in enumerate(time):
        there = np.isfinite(moments)
        weight[row, there] = represented_time(moments[there])
    known = np.isfinite(values) & np.isfinite(time)
    member, snapshot = np.nonzero(known)
    weights = weight[known]
    if weights.any():
        weights = weights * weights.sum() / (weights @ weights)
    return EnsemblePoints(
        n_members=len(values),
        member=member.astype(np.int64),
        snapshot=snapshot.astype(np.int64),
        time=time[known],
        conductance=values[known],
        bottleneck=atoms[known].astype(np.int64),
        bridged=np.isin(stage[known], _BRIDGED),
        weight=weights,
    )


def ensemble_histogram(
    points: EnsemblePoints, bin_width: float = 0.05, maximum: float | None = None
) -> ConductanceHistogram:
    """Count the conductances of bridges; the members are its cycles, so its band draws members.

    Parameters
    ----------
    points : EnsemblePoints
    bin_width, maximum
        See `nanogap.analysis.ConductanceHistogram`, G0.
    """
    histogram = ConductanceHistogram(bin_width, maximum)
    # a missing point of every member: one that never bridged is a member all the same
    everyone = np.arange(points.n_members)
    bridged = points.of(points.bridged)
    return histogram.compute(
        np.concatenate([bridged.conductance, np.full(points.n_members, np.nan)]),
        np.concatenate([bridged.weight, np.ones(points.n_members)]),
        np.concatenate([bridged.member, everyone]),
    )


def member_draws(n_members: int, n_resamples: int, seed: int) -> Iterator[Int64Array]:
    """Yield how often every member is drawn, shape (n_members,), in one resample after another."""
    random = np.random.default_rng(seed)
    share = np.full(n_members, 1.0 / n_members)
    for _ in range(n_resamples):
        yield random.multinomial(n_members, share).astype(np.int64)


def bootstrap_interval(
    statistic: Callable[[Int64Array], FloatArray],
    n_members: int,
    level: float = 0.95,
    n_resamples: int = 400,
    seed: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Compute the percentile interval of a statistic, by drawing members.

    Parameters
    ----------
    statistic : callable
        Takes how often every member is drawn, shape (n_members,), and returns numbers, shape
        (n_numbers,); NaN where it is not defined, which is left out.
    n_members : int
    level : float
        Probability inside.
    n_resamples, seed : int

    Returns
    -------
    low, high : ndarray, shape (n_numbers,)
        NaN if there are fewer than `FEWEST_MEMBERS` members, if fewer than half of the resamples
        define a number, or if it is the same in all of them.

    Raises
    ------
    SettingsError
        If the level is not a probability.
    """
    if not 0.0 < level < 1.0:
        raise SettingsError(f"confidence level is {level}; it must lie between 0 and 1")
    drawn = np.array([statistic(one) for one in member_draws(n_members, n_resamples, seed)])
    tail = (1.0 - level) / 2.0
    defined = np.isfinite(drawn).mean(axis=0) >= 0.5
    usable = defined & (n_members >= FEWEST_MEMBERS)
    low, high = np.full(drawn.shape[1], np.nan), np.full(drawn.shape[1], np.nan)
    if usable.any():
        low[usable], high[usable] = np.nanquantile(drawn[:, usable], [tail, 1.0 - tail], axis=0)
        same = ~(high > low)  # what no drawing changes is no better known for it
        low[same] = high[same] = np.nan
    return low, high
