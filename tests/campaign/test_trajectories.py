"""The runs of a campaign as figures see them: finished with kept atoms, and at work."""

import pytest
from tests.runs.hand_made import STORY, TRANSMISSIONS, whole_run

from nanogap.campaign.member import keep_trajectory, packed
from nanogap.campaign.trajectories import open_trajectories
from nanogap.errors import DataFormatError
from nanogap.io import write_dataset
from nanogap.report.paper_figures import PAPER_FIGURES
from nanogap.report.style import house_style


@pytest.fixture
def folder(make_folder, tmp_path):
    """Of four members, one is finished and kept, one finished, one at work, one not begun."""
    folder = make_folder("repeats = 4\n")
    for number, entry in enumerate(folder.entries[:2]):
        run = whole_run(tmp_path / f"run-{number}")
        result = packed(run, run.settings)
        write_dataset(result, folder.result_path(entry))
        if not number:
            folder.trajectory_path(entry).parent.mkdir()
            keep_trajectory(run, folder.trajectory_path(entry), 5)
    whole_run(folder.run_path(folder.entries[2]), (0.002, 0.03), STORY[:2])
    return folder


def test_every_run_that_has_begun_is_opened(folder):
    found = open_trajectories([folder.path])
    assert [one.name for one in found] == ["run 1", "run 2", "run 3"]
    assert [one.there.tolist() for one in found] == [
        [True, False, True, False, False, True],  # every fifth, the first contact, the last
        [False] * 6,
        [True, True],
    ]
    for one in found[:2]:
        assert one.result.transmission.tolist() == list(TRANSMISSIONS)
        assert one.result.settings.name == "campaign"
    assert found[0].frame(2).info["snapshot"] == 2


def test_figures_are_drawn_of_the_atoms_that_are_kept(folder):
    found = open_trajectories([folder.path])
    with house_style():
        made = PAPER_FIGURES["4c"].draw(found)
        growth = PAPER_FIGURES["3bc"].draw(found)
    assert [row[:1] + row[2:3] for row in made.rows] == [("run 1", 2)]
    assert [row[-1] for row in growth.rows] == [1, None, 2, None, None, None]


def test_a_damaged_trajectory_is_one_sentence(folder):
    path = folder.trajectory_path(folder.entries[0])
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataFormatError, match="is damaged"):
        open_trajectories([folder.path])


def test_a_campaign_without_a_snapshot_and_samples_of_one_are_refused(make_folder, folder):
    with pytest.raises(DataFormatError, match="no run has a snapshot yet"):
        open_trajectories([make_folder(name="new").path])
    with pytest.raises(DataFormatError, match="give its run directory"):
        open_trajectories([folder.path], sampled=True)
