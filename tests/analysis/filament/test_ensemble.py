"""Statistics of ensembles against distributions whose answers are known."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import energy_distance, kruskal, norm, wasserstein_distance

from nanogap.analysis.filament.bottleneck import PARTS, BottleneckAnalysis, effect_size, superiority
from nanogap.analysis.filament.comparison import GroupedSample, SampleComparison
from nanogap.analysis.filament.contact import axis_dependence, described, first_contacts
from nanogap.analysis.filament.ensemble import (
    bootstrap_interval,
    ensemble_histogram,
    ensemble_points,
)
from nanogap.analysis.filament.stages import STAGES, Stage
from nanogap.errors import DataFormatError, SettingsError

CONTACT = STAGES.index(Stage.CONTACT)
DRIFT = STAGES.index(Stage.DRIFT)


def dataset(conductance, bottleneck=None, time=None, stage=None):
    """An ensemble over (member, snapshot); NaN behind the last snapshot of a member."""
    g = np.asarray(conductance, dtype=np.float64)
    there = np.isfinite(g)
    atoms = np.ones_like(g) if bottleneck is None else np.asarray(bottleneck, dtype=np.float64)
    moments = 100.0 * np.arange(g.shape[1]) * np.ones_like(g) if time is None else np.asarray(time)
    stages = np.where(atoms > 0, CONTACT, DRIFT) if stage is None else np.asarray(stage)
    names = ("member", "snapshot")
    return xr.Dataset(
        {
            "transmission": ((*names, "energy"), g[..., None]),
            "time": (names, np.where(there, moments, np.nan)),
            "stage": (names, np.where(there, stages, np.nan)),
            "bottleneck_atoms": (names, np.where(there, atoms, np.nan)),
        },
        coords={"energy": [0.0]},
    )


def clustered(random, members, per_member, between, within, *, mean=2.0):
    """Points whose mean differs from member to member."""
    shift = random.normal(0.0, between, (members, 1))
    return mean + shift + random.normal(0.0, within, (members, per_member))


def test_points_are_those_with_a_conductance():
    g = np.array([[0.1, 1.0, np.nan], [0.2, np.nan, np.nan]])
    points = ensemble_points(dataset(g, bottleneck=[[0, 1, 0], [0, 0, 0]]))
    assert points.n_members == 2
    assert points.member.tolist() == [0, 0, 1]
    assert points.snapshot.tolist() == [0, 1, 0]
    assert points.bridged.tolist() == [False, True, False]
    with pytest.raises(DataFormatError, match="bottleneck_atoms"):
        ensemble_points(dataset(g).drop_vars("bottleneck_atoms"))


@given(
    st.lists(st.floats(1.0, 1000.0), min_size=2, max_size=30),
    st.integers(1, 4),
)
def test_weights_are_the_time_and_sum_to_the_effective_number(steps, members):
    time = np.tile(np.cumsum(steps), (members, 1))
    points = ensemble_points(dataset(np.ones_like(time), time=time))
    span = points.weight.reshape(members, -1)
    share = span / span.sum()
    assert 0.0 < points.weight.sum() <= len(points.weight) * (1 + 1e-9)
    assert points.weight.sum() == pytest.approx(1.0 / (share**2).sum())
    # the first point stands for half of the first step, and so on
    assert share[0, 0] == pytest.approx(0.5 * steps[1] / (members * sum(steps[1:])))


def test_equal_steps_weigh_nearly_one_each():
    points = ensemble_points(dataset(np.ones((3, 50))))
    assert points.weight.sum() == pytest.approx(150, rel=0.02)


def test_the_histogram_counts_bridges_and_all_members():
    g = np.array([[0.01, 1.0, 1.0, 1.0], [0.01, 0.01, 0.01, 0.01]])
    atoms = [[0, 1, 1, 1], [0, 0, 0, 0]]
    histogram = ensemble_histogram(ensemble_points(dataset(g, atoms)))
    assert histogram.n_cycles == 2
    assert np.flatnonzero(histogram.counts).tolist() == [20]


def coverage(make, statistic, truth, trials=200, level=0.9):
    """How often the bootstrap interval by members holds the truth."""
    held = 0
    for trial in range(trials):
        points = ensemble_points(dataset(make(np.random.default_rng(trial))))
        low, high = bootstrap_interval(
            lambda drawn, p=points: np.atleast_1d(statistic(p, drawn)),
            points.n_members,
            level,
            200,
            trial,
        )
        held += bool(low[0] <= truth <= high[0])
    return held / trials


def weighted_mean(points, drawn):
    return np.average(points.conductance, weights=points.weight * drawn[points.member])


def test_the_interval_of_a_mean_covers_it_although_points_are_correlated():
    def make(random):
        return clustered(random, 40, 25, between=0.3, within=0.3)

    found = coverage(make, weighted_mean, truth=2.0)
    assert found == pytest.approx(0.9, abs=0.06)


def test_the_band_of_a_histogram_covers_the_shares_of_a_known_distribution():
    """Member means and noise, both normal: the bins' shares are those of a normal distribution."""
    width, members, per_member, trials = 0.1, 60, 20, 200
    edges = width * np.arange(15, 26)  # where a member has a point or more on average
    truth = np.diff(norm.cdf(edges, 2.0, np.hypot(0.3, 0.2)))
    held = np.zeros(len(truth))
    for trial in range(trials):
        random = np.random.default_rng(1000 + trial)
        points = ensemble_points(dataset(clustered(random, members, per_member, 0.3, 0.2)))
        histogram = ensemble_histogram(points, width, 6.0)
        low, high = histogram.band(level=0.9, n_resamples=200, seed=trial)
        expected = truth * points.weight.sum()
        held += (low[15:25] <= expected) & (expected <= high[15:25])
    # percentile intervals of skewed counts hold a little less than they say
    assert held.mean() / trials == pytest.approx(0.9, abs=0.04)


def test_points_taken_as_independent_would_give_a_band_that_is_too_narrow():
    points = ensemble_points(dataset(clustered(np.random.default_rng(1), 40, 100, 0.3, 0.02)))
    histogram = ensemble_histogram(points, 0.1, 6.0)
    by_member, poisson = (
        np.subtract(*reversed(histogram.band(method=method))) for method in ("bootstrap", "poisson")
    )
    assert by_member[15:25].mean() > 3.0 * poisson[15:25].mean()


def test_too_few_members_have_no_interval():
    low, high = bootstrap_interval(lambda _: np.array([1.0]), 1)
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    with pytest.raises(SettingsError, match="between 0 and 1"):
        bootstrap_interval(lambda _: np.array([1.0]), 3, level=1.5)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(0.0, 10.0), st.integers(1, 4), st.floats(1.0, 50.0)),
            min_size=2,
            max_size=25,
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 3),
)
def test_the_parts_of_the_variance_add_up_to_it(members, minimum_length):
    longest = max(map(len, members))
    g, atoms, time = np.full((3, len(members), longest), np.nan)
    for row, member in enumerate(members):
        values, numbers, steps = map(np.array, zip(*member, strict=True))
        g[row, : len(member)] = values
        atoms[row, : len(member)] = numbers
        time[row, : len(member)] = np.cumsum(steps)
    found = BottleneckAnalysis(minimum_length).compute(
        ensemble_points(dataset(g, np.nan_to_num(atoms), time))
    )
    points, label = found.labels
    assert found.n_left_out + len(label) == int(np.isfinite(g).sum())
    if not len(label):
        assert np.isnan(found.parts()).all()
        assert found.classes == []
        return
    mean = np.average(points.conductance, weights=points.weight)
    variance = np.average((points.conductance - mean) ** 2, weights=points.weight)
    parts = found.parts()
    assert (parts >= 0.0).all()
    assert parts.sum() == pytest.approx(variance, abs=1e-9)
    table = found.plateaus
    assert int(table["length"].sum()) == len(label)
    assert (table["length"] >= minimum_length).all()


def staircase(random, levels, *, thermal, members=30, length=200, structural=0.0):
    """Members that stay on one plateau per number of atoms."""
    rows, atoms = [], []
    for _ in range(members):
        steps = [level + random.normal(0.0, structural) for level in levels]
        rows.append(np.concatenate([step + random.normal(0.0, thermal, length) for step in steps]))
        atoms.append(np.repeat(np.arange(1, len(levels) + 1), length))
    return dataset(np.array(rows), np.array(atoms))


def test_each_cause_of_variance_is_found_where_it_was_put():
    """Variances of independent normal causes, known by construction."""
    random = np.random.default_rng(5)
    data = staircase(random, [2.0, 3.0], thermal=0.2, structural=0.3, members=150)
    parts = dict(
        zip(PARTS, BottleneckAnalysis().compute(ensemble_points(data)).parts(), strict=True)
    )
    assert parts["bottleneck"] == pytest.approx(0.25, rel=0.15)
    # one plateau of each number in a member: members and plateaus are one
    assert parts["member"] == pytest.approx(0.09, rel=0.2)
    assert parts["plateau"] == pytest.approx(0.0, abs=1e-12)
    assert parts["thermal"] == pytest.approx(0.04, rel=0.05)


def test_classes_have_the_means_and_effects_they_were_made_with():
    random = np.random.default_rng(6)
    data = staircase(random, [1.0, 1.9], thermal=0.1, structural=0.3, members=200)
    first, second = BottleneckAnalysis().compute(ensemble_points(data)).classes
    assert (first.atoms, second.atoms) == (1, 2)
    assert first.plateaus == second.members == 200
    assert first.mean_low < 1.0 < first.mean_high
    assert second.mean_low < 1.9 < second.mean_high
    assert second.mean_high - second.mean_low == pytest.approx(4 * 0.3 / np.sqrt(200), rel=0.3)
    assert first.deviation == pytest.approx(0.3, rel=0.15)
    assert first.thermal == pytest.approx(0.1, rel=0.05)
    assert np.isnan(first.effect)
    assert second.effect_low < 3.0 < second.effect_high
    # P(x > y) of two normals three deviations apart
    assert second.superiority == pytest.approx(2 * norm.cdf(3 / np.sqrt(2)) - 1, abs=0.02)


def test_a_plateau_ends_where_bottleneck_member_or_bridge_changes():
    g = np.ones((2, 6))
    atoms = [[1, 1, 2, 2, 2, 1], [1, 1, 1, 0, 1, 1]]
    table = BottleneckAnalysis(1).compute(ensemble_points(dataset(g, atoms))).plateaus
    assert table["length"].to_numpy().tolist() == [2, 3, 1, 3, 2]
    assert table["member"].to_numpy().tolist() == [0, 0, 0, 1, 1]
    assert table["first"].to_numpy().tolist() == [0, 2, 5, 0, 4]


def test_a_geometry_that_sets_the_conductance_correlates_with_it():
    random = np.random.default_rng(7)
    data = staircase(random, [1.0, 2.0], thermal=0.01, structural=0.3)
    analysis = BottleneckAnalysis().compute(ensemble_points(data))
    bond = -data["transmission"].isel(energy=0).to_numpy()
    found = analysis.geometry_correlation(bond)
    assert found == {1: (pytest.approx(-1.0), 30), 2: (pytest.approx(-1.0), 30)}


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
)
def test_superiority_is_that_of_all_pairs(first, second):
    a, b = np.array(first, float), np.array(second, float)
    pairs = np.sign(a[:, None] - b[None, :]).mean()
    assert superiority(a, b) == pytest.approx(pairs, abs=1e-12)
    assert superiority(b, a) == pytest.approx(-pairs, abs=1e-12)


def test_effect_size_of_a_worked_example():
    """Two samples of five with means 2 apart and variance 2.5 each: d = 1.2649, times 1 - 3/31."""
    low = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert effect_size(low + 2.0, low) == pytest.approx(2 / np.sqrt(2.5) * (1 - 3 / 31))
    assert np.isnan(effect_size(low, np.array([1.0])))
    assert np.isnan(effect_size(np.ones(3), np.ones(3)))


def test_first_contacts_are_the_first_bonds():
    g = [[0.1, 0.8, 0.9], [0.1, 0.2, 0.3], [1.2, 1.3, np.nan]]
    atoms = [[0, 1, 2], [0, 0, 0], [1, 1, 0]]
    contacts = first_contacts(dataset(g, atoms))
    assert contacts.conductance[[0, 2]].tolist() == [0.8, 1.2]
    assert contacts.time[[0, 2]].tolist() == [100.0, 0.0]
    assert contacts.made.tolist() == [True, False, True]
    assert contacts.last.tolist() == [200.0, 200.0, 100.0]


def test_the_median_time_counts_members_without_a_contact():
    """By hand (Kaplan and Meier): 1 - 1/4 = 3/4 at 100 fs, 3/4 x 2/3 = 1/2 at 200 fs."""
    g = [[0.0, 1, 1, 1], [0.0, 0, 1, 1], [0.0] * 4, [0.0] * 4]
    atoms = np.array(g) > 0
    contacts = first_contacts(dataset(g, atoms))
    assert contacts.median_time() == 200.0
    assert contacts.median_time([False, False, True, True]) == np.inf


def test_the_interval_of_the_mean_first_contact_covers_it():
    held = sum(
        low <= 1.0 <= high
        for low, high in (
            described(np.random.default_rng(k).normal(1.0, 0.2, 12)).mean_interval
            for k in range(300)
        )
    )
    assert held / 300 == pytest.approx(0.95, abs=0.035)


def test_the_interval_of_the_spread_holds_it_for_a_large_sample():
    found = described(np.random.default_rng(3).normal(1.0, 0.2, 300))
    assert found.deviation_interval[0] < 0.2 < found.deviation_interval[1]
    assert found.deviation_interval[1] - found.deviation_interval[0] < 0.06


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0, 1.0], [np.nan, 2.0]])
def test_few_values_are_described_without_an_interval(values):
    found = described(values)
    assert found.count == int(np.isfinite(values).sum())
    assert np.isnan(found.mean_interval).all()


def test_dependence_on_an_axis_is_that_of_the_test_it_names():
    random = np.random.default_rng(4)
    axis = [2.0] * 20 + [8.0] * 20
    g = np.where(np.array(axis) > 5, 1.5, 1.0) + random.normal(0.0, 0.1, 40)
    contacts = first_contacts(dataset(g[:, None]))
    found = axis_dependence(contacts, axis)
    assert found.values == [2.0, 8.0]
    assert found.members == found.made == [20, 20]
    assert found.p_value == pytest.approx(kruskal(g[:20], g[20:]).pvalue)
    assert found.effect > 0.6
    assert found.trend > 0.8
    shuffled = axis_dependence(contacts, list(random.permutation(axis)))
    assert shuffled.p_value > 0.01
    words = axis_dependence(contacts, ["paper"] * 20 + ["full"] * 20)
    assert words.values == ["full", "paper"]
    assert np.isnan(words.trend)
    with pytest.raises(DataFormatError, match="1 values for 40 members"):
        axis_dependence(contacts, [1.0])


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(0.0, 8.0), min_size=1, max_size=40),
    st.lists(st.floats(0.0, 8.0), min_size=1, max_size=40),
)
def test_distances_are_those_of_scipy_to_the_bin_width(first, second):
    found = SampleComparison(0.0, 8.0, n_resamples=2).compute(
        GroupedSample(first, np.zeros(len(first))), GroupedSample(second, np.zeros(len(second)))
    )
    assert found.wasserstein == pytest.approx(wasserstein_distance(first, second), abs=0.011)
    # the energy distance is a root: its error is largest near zero
    assert found.energy == pytest.approx(energy_distance(first, second), abs=0.11)
    assert np.isnan(found.p_value)


def test_a_shift_is_the_distance_and_a_difference_is_told_from_chance():
    random = np.random.default_rng(9)

    def sample(mean):
        g = clustered(random, 40, 50, 0.2, 0.1, mean=mean)
        return GroupedSample(g.ravel(), np.repeat(np.arange(40), 50))

    near, same, far = sample(2.0), sample(2.0), sample(2.5)
    apart = SampleComparison(0.3, 6.0).compute(near, far)
    assert apart.wasserstein == pytest.approx(0.5, abs=0.12)
    assert apart.wasserstein_interval[0] < 0.5 < apart.wasserstein_interval[1]
    assert apart.p_value < 0.01
    assert apart.wasserstein > apart.wasserstein_by_chance
    alike = SampleComparison(0.3, 6.0).compute(near, same)
    assert alike.p_value > 0.05
    assert alike.wasserstein < alike.wasserstein_by_chance
    assert alike.energy_interval[0] < alike.energy_interval[1]


def test_the_test_of_equal_samples_is_wrong_as_often_as_it_says():
    wrong = 0
    for trial in range(100):
        random = np.random.default_rng(trial)
        sides = [
            GroupedSample(clustered(random, 15, 20, 0.2, 0.1).ravel(), np.repeat(np.arange(15), 20))
            for _ in range(2)
        ]
        comparison = SampleComparison(0.3, 6.0, n_resamples=99).compute(*sides)
        wrong += comparison.p_value <= 0.1
    assert wrong / 100 == pytest.approx(0.1, abs=0.08)


def test_what_cannot_be_compared_is_refused():
    one = GroupedSample([1.0, 2.0], [0, 1])
    with pytest.raises(DataFormatError, match="no point lies"):
        SampleComparison(5.0, 6.0).compute(one, one)
    with pytest.raises(SettingsError, match="ascend"):
        SampleComparison(2.0, 1.0)
    with pytest.raises(AttributeError, match="compute"):
        _ = SampleComparison().wasserstein
