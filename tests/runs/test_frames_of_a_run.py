"""Frames of a run outside it: cut in the cells that the run gives them."""

import pytest

from nanogap.errors import SettingsError
from nanogap.runs import cell
from nanogap.settings import load_settings


class _Run:
    settings = load_settings("quick")

    def __init__(self, folder):
        self.path = folder

    def records(self):
        return [0] * 5


@pytest.fixture
def cut_frames(monkeypatch):
    found = []
    monkeypatch.setattr(cell, "RunDirectory", _Run)
    monkeypatch.setattr(
        cell, "junction_of", lambda _, number, settings: found.append((number, settings.cut))
    )
    return found


@pytest.mark.parametrize(
    ("index", "numbers"), [("0", [0]), ("-1", [4]), ("1:3", [1, 2]), (":", [0, 1, 2, 3, 4])]
)
def test_frames_are_cut_by_the_settings_of_their_run(cut_frames, tmp_path, index, numbers):
    cell.junctions_of_frames(tmp_path, index)
    assert cut_frames == [(number, "terrace") for number in numbers]


def test_another_cut_is_taken_where_it_is_asked_for(cut_frames, tmp_path):
    cell.junctions_of_frames(tmp_path, "-1", "full")
    assert cut_frames == [(4, "full")]


@pytest.mark.usefixtures("cut_frames")
@pytest.mark.parametrize("index", ["5", "-6", "7:9", "x", ""])
def test_a_frame_that_is_not_there_is_refused(tmp_path, index):
    with pytest.raises(SettingsError, match="has 5 snapshots"):
        cell.junctions_of_frames(tmp_path, index)
