"""Statistics and report of campaigns whose conductances are known."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tests.campaign.synthetic import rewiring

from nanogap.campaign.collect import collect, open_ensemble
from nanogap.campaign.estimate import estimate
from nanogap.campaign.page import draw_all, write_campaign_report
from nanogap.campaign.state import CampaignState
from nanogap.campaign.state_page import write_state_page
from nanogap.campaign.statistics import ensemble_statistics
from nanogap.dynamics.start import build_tips, count_atoms
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_dataset
from nanogap.measured import DataFiles, DeviceResistances
from nanogap.settings import load_settings
from nanogap.units import CONDUCTANCE_QUANTUM

TWO_VOLTAGES = "repeats = 12\n[axes]\nvoltage.applied = [2.0, 8.0]\n"


@pytest.fixture
def folder(make_folder):
    """A campaign of 24 members, of which three of the lower voltage make no contact."""
    made = make_folder(TWO_VOLTAGES)
    for number, entry in enumerate(made.entries):
        level = 0.9 if entry.axes["voltage.applied"] == 2.0 else 1.02
        data = rewiring(number, level=level, contact=number > 2)
        write_dataset(data, made.result_path(entry))
    return made


@pytest.fixture
def measured(tmp_path):
    """A measured file with plateaus at known conductances behind 500 ohm."""
    random = np.random.default_rng(0)
    gap = np.concatenate([random.normal(level, 0.08, 400) for level in (1.0, 2.0, 3.0)])
    seen = gap / (1.0 + gap * 500.0 * CONDUCTANCE_QUANTUM)
    path = tmp_path / "sweep.csv"
    current = 0.1 * seen * CONDUCTANCE_QUANTUM
    lines = [f"{k},{0.1!r},{one!r}" for k, one in enumerate(current.tolist())]
    path.write_text("Time (s),Voltage (V),Current (A)\n" + "\n".join(lines) + "\n")
    return path


def statistics(folder, *arguments):
    collect(folder)
    with open_ensemble(folder.dataset) as dataset:
        return ensemble_statistics(dataset, *arguments)


def test_the_statistics_find_what_was_put_in(folder):
    found = statistics(folder)
    assert found.points.n_members == 24
    assert int(found.contacts.made.sum()) == 21
    assert [peak.nearest_level for peak in found.peaks] == [1, 2, 3]
    assert "3 peaks are significant" in found.statement()
    one, two, three = found.bottleneck.classes
    assert (one.plateaus, two.plateaus, three.plateaus) == (21, 21, 21)
    assert two.effect_low > 2.0
    assert two.superiority == pytest.approx(1.0, abs=0.02)
    assert one.thermal == pytest.approx(0.06, rel=0.1)
    variance = found.variance()
    assert sum(part.share for part in variance.values()) == pytest.approx(1.0)
    assert variance["bottleneck"].share > 0.9
    axis = found.axes["voltage.applied"]
    assert axis.members == [12, 12]
    assert axis.made == [9, 12]
    # in members as these, plateaus of longer bonds conduct less
    assert found.geometry["bottleneck_bond_length"][1][0] < -0.9


def test_the_summary_is_plain_data(folder, measured):
    found = statistics(folder, DataFiles([measured]), 500.0)
    text = json.dumps(asdict(found.summary()))
    content = json.loads(text)
    assert len(content["histogram"]["counts"]) == len(content["histogram"]["edges"]) - 1
    assert content["measured"]["series_resistance_added"] == 500.0
    assert content["measured"]["series_resistance_subtracted"] == {}
    chosen = DeviceResistances.chosen(300.0)
    comparison = statistics(folder, DataFiles([measured], resistances=chosen)).comparison
    assert {one.resistance for one in comparison.subtracted.values()} == {300.0}
    assert comparison.subtraction == "300"


def test_the_right_series_resistance_brings_simulation_and_measurement_together(
    make_folder, measured
):
    folder = make_folder("repeats = 10", name="same")
    for number, entry in enumerate(folder.entries):
        same = rewiring(number, level=1.0, structural=0.02, thermal=0.08)
        write_dataset(same, folder.result_path(entry))
    data = DataFiles([measured])
    without = statistics(folder, data).comparison
    added = statistics(folder, data, 500.0).comparison
    assert added.distance.wasserstein < 0.5 * without.distance.wasserstein
    assert added.simulated.counts.sum() == pytest.approx(without.simulated.counts.sum())


def test_the_report_shows_every_figure_and_table(folder, measured):
    written = write_campaign_report(folder.path, DataFiles([measured]), 500.0)
    page = written.path.read_text(encoding="utf-8")
    for words in (
        "Simulated conductance histogram",
        "First contact",
        "Time to first contact",
        "9 of 12",
        "Conductance by bottleneck",
        "Why the conductance varies",
        "Dependence on voltage.applied",
        "Beside measured conductances",
        "21 of 24",
        "24 of 24 members are finished",
    ):
        assert words in page
    assert "nan" not in page.casefold().split("<style>")[0]
    assert page.count("<img ") == 7


def test_figures_of_one_open_member_and_of_one_that_conducts(make_folder):
    folder = make_folder()
    write_dataset(rewiring(1, contact=False), folder.result_path(folder.entries[0]))
    found = statistics(folder)
    # it waited, in vain: that is a curve too
    assert set(draw_all(found)) == {"kinetics"}
    assert "too few members have a bridge (0; 6 are needed)" in found.statement()
    assert write_campaign_report(folder.path).summary.bottleneck == []
    write_dataset(rewiring(1), folder.result_path(folder.entries[0]))
    assert set(draw_all(statistics(folder))) == {
        "histogram",
        "first-contact",
        "kinetics",
        "bottleneck",
        "variance",
    }


def test_wrong_comparisons_are_one_sentence(folder, measured):
    with pytest.raises(SettingsError, match="0 or positive"):
        statistics(folder, DataFiles([measured]), -1.0)
    empty = rewiring(0).map(lambda values: values * np.nan, keep_attrs=True)
    for entry in folder.entries:
        write_dataset(
            empty.assign(stage=rewiring(0)["stage"]).assign_attrs(rewiring(0).attrs),
            folder.result_path(entry),
        )
    with pytest.raises(DataFormatError, match="has a conductance"):
        statistics(folder, DataFiles([measured]))


def test_the_estimate_scales_with_steps_and_members(make_folder):
    half = make_folder("repeats = 4")
    for number, entry in enumerate(half.entries[:2]):
        write_dataset(rewiring(number), half.result_path(entry))
    needs = estimate(half, workers=2)
    assert needs.members == 2
    assert needs.core_hours == pytest.approx(2 * 36.0 / 3600.0)
    assert needs.wall_hours == pytest.approx(36.0 / 3600.0)
    assert needs.memory == 2e8
    size = half.result_path(half.entries[0]).stat().st_size
    assert needs.disk == pytest.approx(2 * size + 2 * 1_000_000, rel=0.01)
    assert "measured on 2" in needs.sentence()
    assert estimate(make_folder(name="none"), 2) is None


def test_the_estimate_scales_with_the_size_of_the_tips(make_folder):
    folder = make_folder('[axes]\n"structure.base_width" = [20.0, 30.0]')
    small, large = folder.entries
    write_dataset(rewiring(0), folder.result_path(small))
    needs = estimate(folder, workers=2)
    times = count_atoms(folder.settings(large)) / count_atoms(folder.settings(small))
    assert times > 1.5
    # 20 s of the 36 were dynamics
    assert needs.core_hours == pytest.approx((16.0 + 20.0 * times) / 3600.0)
    assert needs.memory == pytest.approx(2e8 * times)


def test_atoms_are_counted_as_they_are_built():
    settings = load_settings("quick", ("structure.lattice_constant=4.216",))
    assert count_atoms(settings) == len(build_tips(settings))


def test_the_state_tells_what_is_done_and_what_failed(folder):
    last = folder.entries[-1]
    folder.result_path(last).unlink()
    state = CampaignState(folder)
    content = state.describe()
    assert (content.state, content.finished) == ("interrupted", 23)
    assert content.first_contact.members == 20
    assert content.hours_left == pytest.approx(36.0 / 3600.0)
    assert content.core_hours == pytest.approx(23 * 36.0 / 3600.0)
    with folder.lock(last):
        running = state.describe()
        assert running.state == "running"
        assert running.running[0].key == last.key
        write_state_page(folder, running)
    page = (folder.path / "status.html").read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' in page
    for _ in range(3):
        folder.record_failure(last, "it melted", 0)
    content = state.describe()
    assert content.state == "incomplete"
    assert content.given_up == {last.key: "it melted"}
    write_state_page(folder, content)
    page = (folder.path / "status.html").read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' not in page
    assert "it melted" in page


def test_a_member_whose_result_is_there_runs_no_more(folder):
    """Its process may hold it a moment longer, to clear away: it must not be counted twice."""
    with folder.lock(folder.entries[0]):
        status = CampaignState(folder).describe()
    assert (status.state, status.finished, status.running) == ("finished", 24, [])


@pytest.mark.parametrize(
    ("hours", "text"), [(None, "not known"), (0.001, "4 s"), (0.5, "30 min"), (30.0, "30.0 h")]
)
def test_times_have_the_unit_that_fits(folder, hours, text):
    assert replace(CampaignState(folder).describe(), hours_left=hours).time_left == text
