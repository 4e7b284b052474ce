import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.analysis import ConductanceHistogram, represented_time
from nanogap.errors import SettingsError

conductances = st.lists(st.floats(-5.0, 50.0) | st.sampled_from([np.nan, np.inf]), max_size=50)
widths = st.sampled_from([0.01, 0.05, 0.1, 0.3, 1.0])


@settings(deadline=None)
@given(conductances, widths, st.none() | st.floats(0.5, 60.0))
def test_every_point_is_counted_or_accounted_for(values, width, maximum):
    histogram = ConductanceHistogram(width, maximum).compute(values)
    data = np.array(values, dtype=float)
    finite = data[np.isfinite(data)]
    inside = (finite >= 0.0) & (finite <= histogram.edges[-1])
    assert histogram.counts.sum() == inside.sum()
    assert histogram.n_outside == len(finite) - inside.sum()
    assert histogram.n_missing == len(data) - len(finite)
    assert histogram.n_negative == (finite < 0.0).sum()
    if maximum is None:
        assert histogram.n_outside == (finite < 0.0).sum()


@settings(deadline=None)
@given(conductances, widths)
def test_edges_are_multiples_of_the_width(values, width):
    histogram = ConductanceHistogram(width).compute(values)
    assert len(histogram.edges) == len(histogram.counts) + 1
    np.testing.assert_allclose(histogram.edges, width * np.arange(len(histogram.edges)))


@pytest.mark.parametrize("name", ["edges", "counts", "peaks", "n_missing", "n_outside"])
def test_properties_raise_before_compute(name):
    with pytest.raises(AttributeError, match="compute"):
        getattr(ConductanceHistogram(), name)


def test_peaks_are_where_the_plateaus_are():
    random = np.random.default_rng(3)
    values = np.concatenate([random.normal(level, 0.08, 2000) for level in (1.0, 1.95, 2.9)])
    peaks = ConductanceHistogram().compute(values).peaks
    assert [peak.position for peak in peaks] == pytest.approx([1.0, 1.95, 2.9], abs=0.03)
    assert all(0.0 < peak.uncertainty < 0.05 for peak in peaks)


def test_a_peak_at_zero_is_found():
    peaks = ConductanceHistogram().compute([0.0] * 5 + [1.0] * 5).peaks
    assert [peak.position for peak in peaks] == pytest.approx([0.025, 1.0], abs=0.03)
    assert [peak.counts for peak in peaks] == [5.0, 5.0]


def test_no_points_no_peaks():
    assert ConductanceHistogram().compute([]).peaks == []
    assert ConductanceHistogram().compute([np.nan]).counts.tolist() == [0.0]


def test_weights_are_summed():
    histogram = ConductanceHistogram(1.0).compute([0.5, 1.5, np.nan], [2.0, 3.0, 7.0])
    assert histogram.counts.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("width", [0.0, -1.0, np.nan, np.inf])
def test_bin_width_must_be_positive(width):
    with pytest.raises(SettingsError, match="bin width"):
        ConductanceHistogram(width)


def test_far_too_many_bins_are_refused():
    with pytest.raises(SettingsError, match="wider bins"):
        ConductanceHistogram().compute([1e9])


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1e6), min_size=2, max_size=30).map(sorted))
def test_represented_times_fill_the_run(times):
    weights = represented_time(times)
    assert (weights >= 0.0).all()
    assert weights.sum() == pytest.approx(times[-1] - times[0])


def test_dense_samples_stand_for_less_time():
    assert represented_time([0.0, 10.0, 11.0, 12.0]).tolist() == [5.0, 5.5, 1.0, 0.5]
    assert represented_time([3.0]).tolist() == [1.0]
    assert represented_time([]).tolist() == []


@pytest.mark.parametrize("count", [100, 3000])
@pytest.mark.parametrize("scatter", [0.02, 0.05, 0.08])
@pytest.mark.parametrize("levels", [(1, 2, 3), (1, 2, 3, 4, 5), (1e-3, 0.1, 1)])
def test_logarithmic_peaks_are_neither_merged_nor_invented(count, scatter, levels):
    random = np.random.default_rng(count)
    values = [level + scatter * min(level, 1) * random.normal(size=count) for level in levels]
    found = ConductanceHistogram(maximum=10.0, scale="logarithmic").compute(np.concatenate(values))
    assert [peak.position for peak in found.peaks] == pytest.approx(levels, rel=0.03)


@pytest.mark.parametrize("count", [1000, 20_000])
def test_chance_makes_no_peaks_of_flat_counts(count):
    random = np.random.default_rng(count)
    number = [
        len(ConductanceHistogram(maximum=10.0, scale="logarithmic").compute(values).peaks)
        for values in 10 ** random.uniform(-6, 1, (20, count))
    ]
    assert np.mean(number) < 1.3


@pytest.mark.parametrize("scale", ["linear", "logarithmic"])
def test_a_peak_in_the_first_or_last_bin_stands_in_its_middle(scale):
    empty = ConductanceHistogram(0.05, 10.0, scale=scale, minimum=1e-2).compute([1.0])
    low, high = empty.edges[:-1], empty.edges[1:]
    middle = (low + high) / 2.0 if scale == "linear" else np.sqrt(low * high)
    for value in middle[[0, -1]]:
        found = ConductanceHistogram(0.05, 10.0, scale=scale, minimum=1e-2)
        (peak,) = found.compute(np.full(500, value)).peaks
        assert peak.position == pytest.approx(value, rel=2e-3)
