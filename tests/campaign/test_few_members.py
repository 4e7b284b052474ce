"""Campaigns of too few members: no interval of zero width, no curve that ends early."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from tests.campaign.synthetic import rewiring

from nanogap.analysis.filament.bottleneck import BottleneckAnalysis
from nanogap.analysis.filament.comparison import GroupedSample, SampleComparison
from nanogap.analysis.filament.contact import described
from nanogap.analysis.filament.ensemble import bootstrap_interval, ensemble_points
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS, WaitingTimes, survival
from nanogap.campaign.collect import collect, open_ensemble
from nanogap.campaign.kinetics import kinetics
from nanogap.campaign.page import draw_all, kinetics_figure, write_campaign_report
from nanogap.campaign.statistics import ensemble_statistics
from nanogap.cli.common import finite
from nanogap.io import write_dataset


@pytest.fixture
def make_finished(make_folder):
    """Return a function that makes a campaign of so many finished members."""

    def make(contacts, text="", **options):
        folder = make_folder(f"repeats = {len(contacts)}\n{text}")
        for number, (entry, contact) in enumerate(zip(folder.entries, contacts, strict=True)):
            data = rewiring(number, contact=contact, length=12, **options)
            write_dataset(data, folder.result_path(entry))
        return folder

    return make


def statistics(folder):
    collect(folder)
    with open_ensemble(folder.dataset) as dataset:
        return ensemble_statistics(dataset.load())


def intervals(content, path=()):
    """Yield every pair of a lower and an upper end in the numbers of a campaign."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name.endswith("low"):
                yield (*path, name), value, content[name.removesuffix("low") + "high"]
            elif name.endswith("interval"):
                yield (*path, name), *value
            else:
                yield from intervals(value, (*path, name))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from intervals(value, (*path, number))


#: Which of the members make contact.
FEW = {
    "one": [True],
    "one in vain": [False],
    "two": [True, True],
    "five": [True] * 5,
    "one of many": [True] + [False] * 8,
    "none of many": [False] * 8,
}


@pytest.mark.parametrize("contacts", FEW.values(), ids=FEW)
def test_too_few_members_have_no_interval_of_zero_width(make_finished, contacts):
    summary = json.loads(json.dumps(finite(statistics(make_finished(contacts)).summary())))
    for place, low, high in intervals(summary):
        if isinstance(low, list):
            assert len(low) == len(high)
            assert set(low) | set(high) <= {None} or summary["members"] >= FEWEST_MEMBERS, place
        elif low is not None and high is not None:
            assert low < high, place
    assert summary["histogram"]["peaks"] == []
    assert set(summary["histogram"]["low"]) == {None}
    assert "too few members have a bridge" in summary["statement"]


@pytest.mark.parametrize("contacts", [FEW["one"], FEW["one of many"]], ids=["one", "one of many"])
def test_a_page_of_too_few_members_says_so(make_finished, contacts):
    folder = make_finished(contacts)
    page = write_campaign_report(folder.path).path.read_text(encoding="utf-8")
    shown = page.split("</style>")[1]
    assert "too few" in shown
    for word in ("unknown", "nan ", "(nan", "inf "):
        assert word not in shown.casefold()


def test_six_members_have_intervals(make_finished):
    found = statistics(make_finished([True] * FEWEST_MEMBERS))
    summary = found.summary()
    assert np.isfinite(summary.histogram.low).all()
    assert summary.bottleneck[0].mean_low < summary.bottleneck[0].mean_high
    part = summary.variance["bottleneck"]
    assert part.low < part.share < part.high
    low, high = summary.first_contact.deviation_interval
    assert low < high


def test_an_effect_needs_members_on_both_sides(make_finished):
    """Two members of nine grow to three atoms: the step to three has no interval."""
    folder = make_finished([True] * 9)
    for entry in folder.entries[2:]:
        data = rewiring(entry.number, length=12)
        write_dataset(
            data.where(data["bottleneck_atoms"] < 3, drop=True), folder.result_path(entry)
        )
    collect(folder)
    with open_ensemble(folder.dataset) as dataset:
        _, two, three = BottleneckAnalysis().compute(ensemble_points(dataset)).classes
    assert two.effect_low < two.effect_high
    assert three.members == 2
    assert np.isfinite(three.effect)
    assert np.isnan([three.effect_low, three.effect_high, three.mean_low]).all()


def test_one_plateau_has_no_spread(make_finished):
    assert np.isnan(
        [one.deviation for one in statistics(make_finished([True])).bottleneck.classes]
    ).all()


def test_what_no_drawing_changes_has_no_interval():
    low, high = bootstrap_interval(lambda drawn: np.array([1.0, drawn[0]]), 20)
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] < high[1]


def test_values_and_groups_that_are_too_few():
    five = described([1.0, 1.1, 0.9, 1.05, 0.8])
    assert np.isfinite(five.mean_interval).all()  # Student's t takes a law of the values
    assert np.isnan(five.deviation_interval).all()
    random = np.random.default_rng(0)
    for groups in (5, 6):
        sample = GroupedSample(random.normal(1.0, 0.1, 600), np.arange(600) % groups)
        found = SampleComparison().compute(sample, sample)
        assert np.isfinite(found.wasserstein_interval).all() == (groups == FEWEST_MEMBERS)
        assert np.isfinite(found.p_value)


@pytest.mark.parametrize("members", [1, 2, 5])
def test_the_median_of_few_has_no_interval(members):
    times = WaitingTimes(np.arange(1.0, members + 1.0), [True] * members)
    curve = survival(times)
    assert np.isfinite(curve.median)
    assert curve.median_interval == (0.0, np.inf)
    assert np.isnan([*curve.low, *curve.high]).all()
    point = kinetics(times, {}).summary().points[0]
    assert np.isnan(point.median_interval).all()


def test_survival_curves_go_to_the_longest_time_waited():
    """Early contacts, and members that waited long in vain: the curve must show that they did."""
    times = WaitingTimes([1.0, 2.0, 3.0, 40.0, 40.0, 30.0], [True] * 3 + [False] * 3)
    found = kinetics(times, {"v": [1.0, 1.0, 1.0, 1.0, 2.0, 2.0]})
    assert [point.survival.last for point in found.points] == [40.0, 40.0]
    assert found.summary().points[0].survival.last == 40.0
    steps = kinetics_figure(found).axes[0].patches
    ends = [float(step.get_data().edges[-1]) for step in steps]
    assert ends == [40.0, 40.0]
    assert [step.get_data().values[-1] for step in steps] == [pytest.approx(0.25), 1.0]


def test_members_in_vain_are_drawn_to_their_end(make_finished):
    drawn = draw_all(statistics(make_finished([False] * 8)))
    assert set(drawn) == {"kinetics"}
    (step,) = drawn["kinetics"].axes[0].patches
    assert step.get_data().values.tolist() == [1.0]


def test_members_without_a_transmission_have_a_page_of_their_times(make_finished):
    folder = make_finished([True] * 7 + [False])
    for entry in folder.entries:
        data = rewiring(entry.number, contact=entry.number < 7, length=12)
        attributes = {**data.attrs, "points": 0, "first_contact": float("nan")}
        data["transmission"] = np.nan * data["transmission"]
        write_dataset(data.assign_attrs(attributes), folder.result_path(entry))
    written = write_campaign_report(folder.path)
    assert written.summary.points == 0
    assert written.summary.kinetics.contacts == 7
    assert "8 members and no conductance yet" in written.summary.statement
    page = written.path.read_text(encoding="utf-8")
    assert "Time to first contact" in page
    assert "7 of 8" in page
    assert page.count("<img ") == 1
    json.dumps(finite(asdict(written.summary)), allow_nan=False)


def test_a_dependence_on_an_axis_that_few_tell_is_said_so(make_finished):
    folder = make_finished([True, True], '[axes]\n"voltage.applied" = [2.0]\n')
    page = write_campaign_report(folder.path).path.read_text(encoding="utf-8")
    assert "probability of unknown" not in page
    times = WaitingTimes([1.0, 2.0], [True, True])
    assert "there are too few" in kinetics(times, {"v": [1.0, 2.0]}).statement()
