"""Notes beside the results of a run."""

import numpy as np
import pytest
from tests.runs.hand_made import transmission, whole_run

from nanogap.io import write_dataset
from nanogap.runs import notes


def run_with_leads(path, channels, **settings):
    """A run whose T reaches 2.1 G0, in leads of so many channels."""
    run = whole_run(path, **settings)
    for number, place in run.files.transmissions().items():
        value = run.transmission_averages()["transmission_average"].to_numpy()[number, 0]
        opened = (("snapshot", "lead"), np.array([[channels, channels + 1.0]]))
        write_dataset(transmission(value).assign(open_channels=opened), place)
    return run


@pytest.mark.parametrize("cut", ["paper", "terrace"])
def test_leads_that_limit_the_transmission_are_told(tmp_path, cut):
    """Found in the run of the paper: 5 G0 in leads of 7.4 channels, 7 to 8 in wider ones."""
    run = run_with_leads(tmp_path / "run", 4.0, junction={"cut": cut})
    (note,) = notes.narrow_lead_notes(run)
    assert note.startswith("T reaches 2.1 G0, and the leads of the cut have 4 channels: beyond")
    assert ("junction.cut = 'terrace'" in note) == (cut == "paper")
    assert note in notes.notes_of(run)


def test_wide_leads_and_hand_made_files_without_leads_say_nothing(tmp_path):
    assert notes.narrow_lead_notes(run_with_leads(tmp_path / "wide", 5.0)) == []
    assert notes.narrow_lead_notes(whole_run(tmp_path / "unknown")) == []
    assert notes.narrow_lead_notes(whole_run(tmp_path / "none", values=[None] * 6)) == []
