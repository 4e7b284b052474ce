"""The histogram as a stream, by cycles, on a logarithmic scale; peaks behind a resistance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.analysis import AlignedHistogram, ConductanceHistogram, Peak
from nanogap.electrical import measured_conductance
from nanogap.errors import SettingsError

pieces = st.lists(st.lists(st.floats(-1.0, 8.0), max_size=30), min_size=1, max_size=5)


@settings(deadline=None)
@given(pieces, st.sampled_from([0.05, 0.1, 0.3]))
def test_a_stream_counts_as_one_array(parts, width):
    stream = ConductanceHistogram(width)
    for number, part in enumerate(parts):
        stream.add(part, cycle=number)
    whole = ConductanceHistogram(width).compute(np.concatenate(parts))
    np.testing.assert_array_equal(stream.counts, whole.counts)
    np.testing.assert_array_equal(stream.edges, whole.edges)
    assert (stream.n_outside, stream.n_missing) == (whole.n_outside, whole.n_missing)


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 10.0), max_size=60), st.sampled_from([0.05, 0.1, 0.7]))
def test_counts_are_those_of_numpy(values, width):
    histogram = ConductanceHistogram(width, maximum=5.0).compute(values)
    np.testing.assert_array_equal(histogram.counts, np.histogram(values, histogram.edges)[0])


def test_logarithmic_bins():
    histogram = ConductanceHistogram(1.0, 10.0, scale="logarithmic", minimum=1e-3)
    histogram.compute([5e-3, 5e-2, 0.5, 5.0, 0.0, -1.0, 50.0, np.nan])
    np.testing.assert_allclose(histogram.edges, [1e-3, 1e-2, 1e-1, 1.0, 10.0])
    assert histogram.counts.tolist() == [1.0, 1.0, 1.0, 1.0]
    assert (histogram.n_outside, histogram.n_missing) == (3, 1)
    assert histogram.n_negative == 1


def correlated(random, cycles=40, points=200):
    """Cycles of two plateaus; within a cycle the level is the same for all points."""
    number = np.repeat(np.arange(cycles), points)
    level = np.where(np.arange(points) < points // 2, 1.0, 2.0)
    shift = 0.05 * random.normal(size=(cycles, 2))
    values = level + np.where(level == 1.0, shift[:, :1], shift[:, 1:])
    return values.ravel() + 0.01 * random.normal(size=cycles * points), number


@pytest.mark.validation
def test_bootstrap_by_cycle_covers_and_poisson_does_not():
    values, cycle = correlated(np.random.default_rng(99), cycles=20_000)
    many = ConductanceHistogram(0.05, 3.0).compute(values, cycle=cycle)
    expected = many.counts / 500.0
    inside = {"bootstrap": [], "poisson": []}
    for seed in range(30):
        values, cycle = correlated(np.random.default_rng(seed))
        histogram = ConductanceHistogram(0.05, 3.0).compute(values, cycle=cycle)
        for method, found in inside.items():
            low, high = histogram.band(0.9, method)
            busy = expected > 200.0
            found.append(np.mean((low <= expected)[busy] & (expected <= high)[busy]))
    assert 0.8 < np.mean(inside["bootstrap"]) < 0.97
    assert np.mean(inside["poisson"]) < 0.4


def test_bands_of_few_cycles():
    histogram = ConductanceHistogram(0.5, 1.0).compute([0.1, 0.2, 0.7])
    low, high = histogram.band()
    assert (low <= histogram.counts).all()
    assert (high >= histogram.counts).all()
    with pytest.raises(SettingsError, match="two cycles"):
        histogram.band(method="bootstrap")
    with pytest.raises(SettingsError, match="confidence"):
        histogram.band(1.0)
    with pytest.raises(SettingsError, match="all points or of none"):
        histogram.add([0.1], cycle=3)


@pytest.mark.parametrize("resistance", [0.0, 500.0, 1500.0])
def test_peaks_stand_where_the_circuit_puts_them(resistance):
    random = np.random.default_rng(7)
    gap = np.concatenate([random.normal(n, 0.08, 40_000 // n**2) for n in (1, 2, 3, 4)])
    # the open gap before contact outnumbers everything
    gap = np.concatenate([gap, 10.0 ** random.uniform(-4, -1.5, 200_000)])
    peaks = ConductanceHistogram(0.05).compute(measured_conductance(gap, resistance)).peaks
    contacts = [peak.position for peak in peaks if peak.position > 0.3]
    expected = measured_conductance([1.0, 2.0, 3.0, 4.0], resistance)
    assert contacts == pytest.approx(expected.tolist(), abs=0.03)


@pytest.mark.parametrize("count", [300, 5000, 100_000])
def test_flat_counts_have_one_broad_peak_at_most(count):
    found = []
    for seed in range(40):
        values = np.random.default_rng(seed).uniform(0.0, 5.0, count)
        found.append(len(ConductanceHistogram(0.05, 5.0).compute(values).peaks))
    assert np.mean(found) <= 1.25


def test_deviation_from_integers():
    peak = Peak(2.46, 0.01, 5.0)
    assert (peak.nearest_level, round(peak.deviation, 2)) == (2, 0.46)
    assert Peak(2.51, 0.01, 5.0).nearest_level == 3


def test_cycles_are_aligned_at_first_contact():
    histogram = AlignedHistogram((-5.0, 5.0), abscissa_bins=10, maximum=3.0, bin_width=1.0)
    for contact in (3, 6):
        time = np.arange(12.0)
        histogram.add(time, np.where(time < contact, 0.1, 1.2))
    histogram.add(np.arange(12.0), np.full(12, 0.1))
    assert (histogram.n_aligned, histogram.n_skipped) == (2, 1)
    before, after = histogram.abscissa_edges[:-1] < 0.0, histogram.abscissa_edges[:-1] >= 0.0
    assert histogram.counts[0][after].sum() == 0.0
    assert histogram.counts[1][before].sum() == 0.0
    assert histogram.counts.sum() == 9.0 + 11.0
