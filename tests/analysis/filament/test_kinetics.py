"""Waiting times against textbook examples, other programs and laws known by construction."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, logrank, weibull_min

from nanogap.analysis.filament.contact import first_contacts
from nanogap.analysis.filament.kinetics import (
    WaitingTimes,
    event_rate,
    rate_trend,
    survival,
)
from nanogap.errors import DataFormatError

# remission of leukaemia, weeks; + is censored: Freireich et al., Blood 21, 699 (1963), as in
# Kalbfleisch and Prentice (2002) and Cox, J. R. Stat. Soc. B 34, 187 (1972)
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def parsed(text):
    words = text.split()
    return WaitingTimes([float(w.rstrip("+")) for w in words], ["+" not in w for w in words])


def joined(*parts):
    return WaitingTimes(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.observed for part in parts]),
    )


def drawn(random, rate, count, end):
    time = random.exponential(1.0 / np.asarray(rate), count)
    return WaitingTimes(np.minimum(time, end), time <= end)


waiting = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=30).map(
    lambda rows: WaitingTimes([float(t) for t, _ in rows], [seen for _, seen in rows])
)


@pytest.mark.validation
def test_survival_of_the_leukaemia_example():
    """Product-limit table of the 6-MP group: 0.857 0.807 0.753 0.690 0.627 0.538 0.448."""
    found = survival(parsed(TREATED))
    assert found.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert found.share == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=6e-4)
    assert found.median == 23.0
    # R survival::survfit, conf.type = "log-log"
    assert found.median_interval == (13.0, np.inf)
    assert survival(parsed(PLACEBO)).median == 8.0
    assert survival(parsed(PLACEBO)).median_interval == (4.0, 11.0)


@pytest.mark.validation
def test_rate_and_log_rank_of_the_leukaemia_example():
    """Hazards 9/359 and 21/182; log-rank chi-square 16.79 (R survdiff: 16.8, p = 4e-5)."""
    treated, placebo = parsed(TREATED), parsed(PLACEBO)
    assert (event_rate(treated).events, event_rate(treated).exposure) == (9, 359.0)
    assert event_rate(placebo).value == pytest.approx(21 / 182)
    group = [0.0] * 21 + [1.0] * 21
    trend = rate_trend(joined(treated, placebo), group)
    assert trend.slope == pytest.approx(np.log((21 / 182) / (9 / 359)))
    # variance of a log rate is 1 / events, so that of the ratio is their sum
    assert trend.high - trend.slope == pytest.approx(1.96 * np.sqrt(1 / 9 + 1 / 21), rel=1e-4)
    theirs = logrank(
        *(CensoredData(p.time[p.observed], right=p.time[~p.observed]) for p in (treated, placebo))
    )
    assert trend.log_rank == pytest.approx(theirs.pvalue, rel=1e-9)
    assert theirs.statistic**2 == pytest.approx(16.79, abs=0.01)


def test_intervals_of_rate_and_slope_hold_the_truth_as_often_as_they_say():
    random, x = np.random.default_rng(1), np.repeat([0.0, 1.0, 2.0, 4.0], 15)
    truth, inside, slopes, constant = 0.5, 0, 0, 0
    for _ in range(400):
        times = drawn(random, 0.05 * np.exp(truth * x), len(x), 20.0)
        first = event_rate(times.of(x == 0.0))
        inside += first.low <= 0.05 <= first.high
        trend = rate_trend(times, x)
        slopes += trend.low <= truth <= trend.high
        constant += event_rate(drawn(random, 0.1, 30, 20.0)).p_value < 0.05
    assert inside >= 375  # at least 95 %
    assert 0.92 < slopes / 400 < 0.98
    assert 0.02 < constant / 400 < 0.09


def test_the_shape_of_a_weibull_law_is_that_of_scipy():
    random = np.random.default_rng(5)
    time = 10.0 * random.weibull(2.5, 60)
    times = WaitingTimes(np.minimum(time, 11.0), time <= 11.0)
    data = CensoredData(times.time[times.observed], right=times.time[~times.observed])
    shape, _, _ = weibull_min.fit(data, floc=0.0)
    found = event_rate(times)
    assert found.shape == pytest.approx(shape, rel=1e-3)
    assert found.p_value < 1e-4


@given(waiting)
def test_a_run_that_ends_later_without_the_event_never_raises_rate_or_shortens_the_median(times):
    later = WaitingTimes(np.where(times.observed, times.time, times.time + 50.0), times.observed)
    assert event_rate(later).value <= event_rate(times).value
    before, after = survival(times), survival(later)
    assert after.median >= before.median
    shared = np.isin(before.time, after.time)
    assert shared.all()
    assert (after.share >= before.share - 1e-12).all()


@given(waiting, st.floats(0.01, 100.0))
@settings(deadline=None)
def test_another_unit_of_time_changes_only_the_unit(times, factor):
    scaled = WaitingTimes(times.time * factor, times.observed)
    one, other = event_rate(times), event_rate(scaled)
    assert other.value * factor == pytest.approx(one.value)
    assert other.high * factor == pytest.approx(one.high)
    assert other.shape == pytest.approx(one.shape, rel=1e-6, nan_ok=True)
    assert other.p_value == pytest.approx(one.p_value, abs=1e-6, nan_ok=True)
    assert survival(scaled).share == pytest.approx(survival(times).share)
    x = np.arange(len(times)) % 3
    assert rate_trend(scaled, x).slope == pytest.approx(
        rate_trend(times, x).slope, rel=1e-6, abs=1e-9, nan_ok=True
    )


@given(waiting)
def test_the_median_lies_in_its_interval_and_shares_fall(times):
    found = survival(times)
    low, high = found.median_interval
    assert low <= found.median <= high
    assert (np.diff(found.share) < 0.0).all()


@given(waiting, st.integers(-3, 3).filter(bool))
def test_a_mirrored_number_mirrors_the_slope(times, factor):
    x = np.arange(len(times)) % 4
    one, other = rate_trend(times, x), rate_trend(times, factor * x + 7.0)
    assert other.slope * factor == pytest.approx(one.slope, rel=1e-6, abs=1e-9, nan_ok=True)
    assert other.log_rank == pytest.approx(one.log_rank, rel=1e-6, nan_ok=True)


def test_strata_take_away_what_another_axis_does():
    """In each stratum the rates are equal; mixed, the faster one has the larger numbers."""
    random = np.random.default_rng(3)
    slow, fast = drawn(random, 0.01, 400, 100.0), drawn(random, 0.2, 400, 100.0)
    x = np.concatenate([random.choice([0, 0, 0, 1], 400), random.choice([0, 1, 1, 1], 400)])
    times, strata = joined(slow, fast), ["slow"] * 400 + ["fast"] * 400
    assert rate_trend(times, x).p_value < 1e-6
    parted = rate_trend(times, x, strata)
    assert parted.low < 0.0 < parted.high
    assert parted.log_rank > 0.01


def test_events_at_one_end_only_determine_no_slope():
    times = WaitingTimes([1.0, 2.0, 3.0, 9.0, 9.0, 9.0], [True] * 3 + [False] * 3)
    trend = rate_trend(times, [1, 1, 1, 0, 0, 0])
    assert np.isnan(trend.slope)
    assert trend.log_rank < 0.05


def test_no_event_leaves_an_upper_limit():
    times = WaitingTimes([10.0, 20.0], [False, False])
    assert event_rate(times).low == event_rate(times).value == 0.0
    # exp(-rate 30) = 0.025
    assert event_rate(times).high == pytest.approx(-np.log(0.025) / 30.0)
    assert survival(times).median == np.inf


def test_six_runs_in_vain_put_the_median_beyond_them():
    """Six heads in a row have a probability of 1/64 < 2.5 %, five of 1/32."""
    in_vain = WaitingTimes([5.0, 20.0, 20.0, 20.0, 20.0, 20.0], [False] * 6)
    assert survival(in_vain).median_interval == (5.0, np.inf)
    assert survival(in_vain.of(np.arange(6) > 0)).median_interval == (0.0, np.inf)


def test_contact_times_of_members():
    """Contact in the third snapshot, none, before the voltage."""
    nan = np.nan
    dataset = xr.Dataset(
        {
            "time": (("member", "snapshot"), [[0, 5, 7.0], [0, 5, nan], [0, 5, 10]]),
            "bottleneck_atoms": (("member", "snapshot"), [[0, 0, 2.0], [0, 0, nan], [1, 0, 1]]),
        }
    )
    times, waited = first_contacts(dataset).waiting_times()
    assert times.time.tolist() == [7.0, 5.0]
    assert times.observed.tolist() == [True, False]
    assert waited.tolist() == [True, True, False]
    with pytest.raises(DataFormatError, match="bottleneck_atoms"):
        first_contacts(dataset.drop_vars("bottleneck_atoms"))


@pytest.mark.parametrize("time", [[0.0], [-1.0], [np.nan]])
def test_times_must_be_positive(time):
    with pytest.raises(DataFormatError, match="positive"):
        WaitingTimes(time, [True])
