"""Whole runs of tiny tips of other metals, without charges, and with files of the user's own."""

import json
from importlib.resources import files

import numpy as np
import pytest
from ase.io import read

from nanogap.dynamics.forcefield import load_force_field
from nanogap.errors import DataFormatError, SettingsError
from nanogap.runs import RunDirectory, make_report, status
from nanogap.runs.alone import run_alone
from nanogap.runs.driver import start_run
from nanogap.runs.sample import SampleRequest, _create, _window
from nanogap.settings import Settings

pytestmark = pytest.mark.engine


def settings_of(**sections):
    table = {
        "name": "tiny",
        "seed": 3,
        "structure": {
            "base_width": 9.0, "height": 2.6, "apex_width": 6.0, "gap": 5.0, "fixed_layers": 1,
            "lattice_constant": 4.2, "vacuum": 12.0,
        },
        "dynamics": {
            "time_step": 2.0, "equilibration_time": 20.0, "production_time": 80.0,
            "sampling_interval": 40.0,
        },
        "junction": {"cut": "paper", "lead_repeats": 2},
        "transport": {"kpoints": [1, 1], "spectrum_energies": ""},
    }  # fmt: skip
    for section, values in sections.items():
        table[section] = table.get(section, {}) | values
    return Settings.model_validate(table)


def run_of(folder, **sections):
    run = RunDirectory.create(folder, settings_of(**sections), "here", {"lammps": "any"})
    run_alone(run)
    make_report(run)
    return run


@pytest.fixture(scope="module")
def silver(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("silver") / "run")


@pytest.mark.usefixtures("only_silver")
def test_copper_moves_under_voltage_and_says_that_it_has_no_transmission(tmp_path):
    run = run_of(tmp_path / "run", structure={"element": "Cu", "lattice_constant": 3.68})
    frames = read(run.trajectory.path, ":")
    assert set(frames[0].symbols) == {"Cu"}
    assert [frame.info["time"] for frame in frames] == [0.0, 40.0, 80.0]
    assert frames[0].info["charge_top"] == pytest.approx(0.0, abs=1e-6)
    assert frames[-1].info["charge_top"] > 0.1
    content = status(run)
    assert content.state == "finished"
    assert content.known == []
    assert np.isnan(content.transmission).tolist() == [True, True, True]
    (reason,) = set(content.failures.values())
    assert "nanogap has no Hamiltonian of Cu (only of Ag)" in reason
    page = run.report.read_text(encoding="utf-8")
    assert "Two copper tips" in page
    assert "a contact through one atom of copper T near 1" in page
    assert "silver" not in page
    assert "All 3: no transmission is computed" in page


def test_embedded_atoms_have_transmission_and_no_charges(tmp_path):
    run = run_of(tmp_path / "run", dynamics={"engine": "eam"}, voltage={"applied": 0.0},
                 structure={"lattice_constant": 4.09})  # fmt: skip
    frames = [run.trajectory.frame(record) for record in run.records()]
    assert all(not frame.get_charges().any() for frame in frames)
    assert all(frame.info["charge_top"] == 0.0 for frame in frames)
    assert np.abs(frames[-1].positions - frames[0].positions).max() > 0.1
    assert np.isfinite(status(run).transmission).all()
    page = run.report.read_text(encoding="utf-8")
    assert "uncharged embedded atoms" in page
    for words in ("Upper row: charge", "Charge: of each half", "work of the"):
        assert words not in page


def test_a_run_goes_on_with_its_copy_of_the_users_force_field(silver, tmp_path):
    own = tmp_path / "ffield"
    own.write_text(load_force_field("Ag").text())
    run = run_of(tmp_path / "run", dynamics={"force_field": str(own)},
                 transport={"hamiltonian": "none"})  # fmt: skip
    assert run.trajectory.path.read_bytes() == silver.trajectory.path.read_bytes()
    own.unlink()
    request = SampleRequest(begin=40.0, every=4.0, duration=40.0)
    _create(run, _window(run, request), tmp_path / "sample", replay=False)
    sample = RunDirectory(tmp_path / "sample")
    run_alone(sample)
    ours = sample.trajectory.frame(sample.records()[-1])
    theirs = run.trajectory.frame(run.records()[-1])
    assert ours.info["time"] == theirs.info["time"] == 80.0
    np.testing.assert_array_equal(ours.positions, theirs.positions)


def test_a_users_own_hamiltonian_is_used_and_kept(silver, tmp_path):
    own = tmp_path / "mine.toml"
    text = (files("nanogap.transport") / "data" / "hamiltonian_ag.toml").read_text(encoding="utf-8")
    own.write_text(text)
    run = run_of(tmp_path / "run", transport={"hamiltonian": str(own)})
    assert run.hamiltonian.read_text(encoding="utf-8") == text
    assert status(run).transmission == pytest.approx(status(silver).transmission, abs=1e-9)
    own.write_text(text.replace('element = "Ag"', 'element = "Cu"'))
    with pytest.raises(SettingsError, match="is one of Cu, the tips are of Ag"):
        start_run(tmp_path / "other", settings_of(transport={"hamiltonian": str(own)}), "", print)
    own.write_text(json.dumps({"element": "Ag"}))
    with pytest.raises(DataFormatError, match=r"mine\.toml is no Hamiltonian"):
        start_run(tmp_path / "other", settings_of(transport={"hamiltonian": str(own)}), "", print)
    assert not (tmp_path / "other").exists()


def test_the_cell_of_every_snapshot_is_told(silver):
    dataset, records = silver.transmission(), silver.records()
    assert dataset["cell_x"].dims == ("snapshot",)
    # the gap is open, so each is cut where it is narrowest
    observed = [record.observables for record in records]
    assert not any(one["bottleneck_atoms"] for one in observed)
    assert dataset["cell_x"].to_numpy().tolist() == [one["constriction_x"] for one in observed]
    assert dataset["cell_y"].to_numpy().tolist() == [one["constriction_y"] for one in observed]
