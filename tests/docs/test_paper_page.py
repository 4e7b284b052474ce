"""The page of the paper's figures says what its data say, and its commands are ours."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from docs.build import page_tables, paper_cuts, paper_kept, paper_page, paper_runs, paper_terraces
from tests.runs.hand_made import whole_run

from nanogap.campaign.trajectories import open_trajectories
from nanogap.errors import DataFormatError
from nanogap.io import write_dataset
from nanogap.report.paper_figures import PAPER_FIGURES
from nanogap.settings import load_settings
from nanogap.structure.cut import cut_junction
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.files import chosen_model

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def content():
    return json.loads((DOCS / "data" / "paper-runs.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page():
    return (DOCS / "paper-figures.md").read_text(encoding="utf-8")


def test_the_tables_of_the_page_are_those_of_the_data(content, page):
    assert page.count("<!-- table ") == len(paper_page.TABLES)
    assert page_tables.filled(page, paper_page.TABLES, content) == page


def test_every_figure_has_its_command_on_the_page(page):
    named = set(re.findall(r"nanogap figure (\S+)", page)) | {"3b", "3c", "5c", "5d"}
    assert named == PAPER_FIGURES.keys()


def test_runs_of_the_paper_have_its_gap_and_say_how_far_they_are(content):
    for run in content["paper"]:
        preset = load_settings(run["preset"])
        assert (run["gap"], run["voltage"]) == (preset.structure.gap, preset.voltage.applied)
        assert len(run["time"]) == len(run["transmission"])
        assert run["time"][-1] == pytest.approx(run["simulated"], abs=1e-3)
        assert run["finished"] == (run["simulated"] >= run["planned"] - 1e-6)
        assert run["planned"] == pytest.approx(348 * 8.6) or run["first_contact"] is not None
        assert paper_kept.kept_path(run).is_file() == (not run.get("earlier"))


def test_runs_are_kept_as_they_were(content):
    for run in [*content["paper"], *content["closer"]]:
        again = paper_runs.described(paper_kept.kept_trajectory(run))
        without_atoms = {"spectra", "structures", "contacts"}
        if paper_kept.kept_path(run).is_file():
            without_atoms = {"spectra", "contacts", "terraces"}
            assert again["contacts"][:1] == run["contacts"][:1]
        names = run.keys() - without_atoms - {"earlier"}
        assert {name: again[name] for name in names} == {name: run[name] for name in names}


def test_the_transmissions_of_kept_structures_are_those_of_the_run(content):
    """Those of the last numbered structure, the widest."""
    found = [run for run in content["paper"] if paper_kept.kept_path(run).is_file()]
    assert found
    for run in found:
        one = paper_kept.kept_trajectory(run)
        frame, settings = one.frame(int(one.with_atoms[-1])), one.result.settings
        junction = cut_junction(
            frame,
            settings.junction,
            settings.voltage.cutoff,
            axis=np.asarray(frame.info["cell_axis"]),
        )
        transport = settings.transport
        computed = compute_transmission(
            [junction],
            [0.0],
            kpoints=transport.kpoints,
            gamma_centred=transport.gamma_centred,
            neutrality=transport.neutrality,
            model=chosen_model(transport.hamiltonian, settings.structure.element),
        )
        # positions are kept to a thousandth of an angstrom
        expected = pytest.approx(run["structures"][-1]["transmission"], rel=0.01)
        assert computed["transmission_average"].item() == expected


def test_a_run_takes_the_place_of_that_of_its_seed():
    runs = [{"preset": "paper-8v", "voltage": 8.0, "seed": seed, "end": 1.0} for seed in (1, 3)]
    slow = {"preset": "paper-2v", "voltage": 2.0, "seed": 1, "end": 1.0}
    made = paper_runs.merged([*runs, slow], runs[0] | {"end": 2.0})
    assert [(run["voltage"], run["seed"], run["end"]) for run in made] == [
        (8.0, 1, 2.0), (8.0, 3, 1.0), (2.0, 1, 1.0),
    ]  # fmt: skip
    made = paper_runs.merged(made, runs[0] | {"seed": 2})
    assert [run["seed"] for run in made] == [1, 2, 3, 1]
    made = paper_runs.merged(made, runs[0] | {"seed": 10})
    assert [run["seed"] for run in made] == [1, 2, 3, 10, 1]
    assert len(paper_runs.merged(made, runs[0] | {"voltage": 4.0})) == 6


def test_a_run_of_earlier_engines_stays_beside_the_one_that_can_be_made_again():
    earlier = {"preset": "paper-8v", "voltage": 8.0, "seed": 1, "earlier": True}
    again = {"preset": "paper-8v", "voltage": 8.0, "seed": 1}
    assert paper_runs.merged([earlier], again) == [again, earlier]
    assert paper_kept.kept_path(earlier) != paper_kept.kept_path(again)


def test_terraces_lose_their_atoms_while_the_gap_is_open(content):
    known = [run for run in content["paper"] if "terraces" in run]
    assert known
    for run in known:
        lower, upper = run["terraces"]["lower"], run["terraces"]["upper"]
        assert len(lower) == len(upper) == len(run["time"])
        # heat has moved few of the 22 atoms when the voltage comes on
        assert min(lower[0], upper[0]) >= 20
        if run["first_contact"] is None and run["finished"]:
            assert lower[-1] < lower[0] - 4
            assert upper[-1] < upper[0] - 4


def test_atoms_of_terraces_are_counted(small_tips):
    lower, upper = paper_terraces.terrace_atoms(small_tips)
    heights = small_tips.positions[:, 2]
    top = small_tips.info["top_terrace"]
    assert upper == (np.abs(heights - top) < 1e-6).sum() > 0
    assert lower == upper
    moved = small_tips.copy()
    moved.positions[np.argmin(np.abs(heights - top)), 2] += 1.5
    assert paper_terraces.terrace_atoms(moved) == (lower, upper - 1)


def test_the_page_says_what_the_runs_show(content, page):
    """Sentences that further runs may make wrong, so that they are not forgotten."""
    open_so_far = "**The runs so far have not come to a contact**" in page
    assert open_so_far == all(run["first_contact"] is None for run in content["paper"])
    contacts = [run["contacts"][0] for run in content["closer"] if run["contacts"]]
    assert 0.7 < np.mean(contacts) < 1.3
    spectra = next(run["spectra"] for run in content["closer"] if run["spectra"])
    curves = [values for name, values in spectra.items() if name != "energy"]
    assert max(curves[0]) > curves[0][-1]  # that of the single atom falls towards 1 eV
    for values in curves:
        assert np.abs(np.diff(values)).max() < 0.2  # no steps
    for values in curves[1:]:
        assert values[0] < values[len(values) // 2] < values[-1]


def test_the_narrow_cell_agrees_with_the_wide_one_as_long_as_the_bridge_is_thin(content):
    (cuts,) = content["cuts"]
    time, narrow, wide = (np.array(cuts[name]) for name in ("time", "paper", "terrace"))
    run = next(run for run in content["paper"] if run["name"] == cuts["name"])
    known = dict(zip(run["time"], run["transmission"], strict=True))
    assert [known[one] for one in cuts["time"]] == cuts["paper"]
    assert np.abs(narrow - wide)[time < 700.0].max() < 0.11
    plateau = (time >= 1000.0) & (time < 2000.0)
    assert np.std(wide[plateau]) < 0.5 * np.std(narrow[plateau])
    assert wide[time > 2400.0].min() > 7.0
    assert narrow.max() < 6.1


def test_transmissions_of_other_snapshots_are_refused(tmp_path, content):
    run = content["paper"][0]
    wide = xr.Dataset(
        {
            "transmission_average": (("snapshot", "energy"), np.ones((3, 1))),
            "open_channels": (("snapshot", "lead"), np.full((3, 2), 29.0)),
        }
    )
    write_dataset(wide, tmp_path / "wide.nc")
    found = paper_cuts.compared(run, tmp_path / "wide.nc", "70:94:8")
    assert found["paper"] == run["transmission"][70:94:8]
    assert (found["terrace"], found["channels"]) == ([1.0] * 3, 29.0)
    with pytest.raises(DataFormatError, match=r"has 3 snapshots, and 70:102:8 of the run 4"):
        paper_cuts.compared(run, tmp_path / "wide.nc", "70:102:8")


def test_a_run_is_described(tmp_path):
    path = whole_run(tmp_path / "run", transport={"hamiltonian": "none"}).path
    (one,) = open_trajectories([path])
    found = paper_runs.described(replace(one, spectra=None))
    assert found["transmission"] == [0.002, 0.03, 0.94, 2.1, 0.01, 0.88]
    assert [structure["atoms"] for structure in found["structures"][:3]] == [0, 0, 1]
    assert found["contacts"] == [0.94, 0.88]
    assert found["first_contact"] == 1.0
    assert found["stages"][0] == ["drift", 0.0, 0.0]
    assert "| 1i |" in paper_page.numbers_of({"paper": [found], "closer": []})
