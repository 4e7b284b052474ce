import json
import tomllib

import numpy as np
import pytest
import xarray as xr
from ase import Atoms
from ase.io import read, write

from nanogap.runs import RunDirectory
from nanogap.settings import load_settings, preset_names
from nanogap.structure.connectivity import neighbour_pairs
from nanogap.structure.tips import BOTTOM, MOBILE, TOP, nearest_neighbour_distance
from nanogap.transport.negf import cost
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.model_file import model_to_toml

COMMANDS = (
    "init",
    "build",
    "run",
    "resume",
    "status",
    "transmission",
    "report",
    "reference",
    "pseudopotential",
)
#: The status contract; "error" and "failures" go beyond it.
STATUS_KEYS = {
    "state",
    "snapshots",
    "snapshots_planned",
    "time",
    "transmission",
    "connected",
    "report",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(nanogap, command):
    outcome = nanogap(command, "--help")
    assert outcome.status == 0
    assert command in outcome.out
    assert "--json" in outcome.out
    assert outcome.err == ""


def test_help_lists_every_command(nanogap):
    outcome = nanogap("--help")
    assert outcome.status == 0
    for command in COMMANDS:
        assert command in outcome.out


def test_version_is_printed(nanogap):
    assert nanogap("--version").out.startswith("nanogap 0.")


@pytest.mark.parametrize("preset", preset_names())
def test_init_writes_the_preset(nanogap, workplace, preset):
    outcome = nanogap("init", preset, "-o", "mine.toml", "--json")
    assert outcome.status == 0
    assert json.loads(outcome.out) == {"settings": "mine.toml", "preset": preset}
    assert "# Voltage of the top electrode" in (workplace / "mine.toml").read_text()
    assert load_settings("mine.toml") == load_settings(preset)


def test_init_has_a_default_name(nanogap, workplace):
    assert nanogap("init").status == 0
    assert tomllib.loads((workplace / "nanogap.toml").read_text())["name"] == "quick"


def test_build_tells_what_it_built(nanogap, workplace):
    setting = "structure.lattice_constant=4.2"
    outcome = nanogap("build", "quick", "-o", "tips.extxyz", "--set", setting, "--json")
    atoms = read("tips.extxyz")
    assert json.loads(outcome.out) == {
        "file": "tips.extxyz",
        "atoms": len(atoms),
        "lattice_constant": 4.2,
    }
    assert set(atoms.arrays["electrode"]) == {BOTTOM, TOP, MOBILE}
    assert [path.name for path in workplace.iterdir()] == ["tips.extxyz"]


@pytest.mark.validation
@pytest.mark.engine
@pytest.mark.parametrize("preset", ["paper-2v", "paper-8v"])
def test_the_papers_tips_are_built(nanogap, preset):
    """Base 4.2 x 4.2 nm, 8.3 Å apart: doi:10.1039/d3nh00476g, at the computed lattice constant."""
    outcome = nanogap("build", preset, "-o", "tips.extxyz", "--json")
    assert outcome.status == 0
    atoms = read("tips.extxyz")
    lattice_constant = json.loads(outcome.out)["lattice_constant"]
    # silver measures 4.09 Å at room temperature and about 1% more at 800 K; this force field is
    # up to 4% larger
    assert 4.1 < lattice_constant < 4.35
    spacing = nearest_neighbour_distance(lattice_constant)
    for base in (BOTTOM, TOP):
        widths = np.ptp(atoms.positions[atoms.arrays["electrode"] == base], axis=0)[:2]
        np.testing.assert_allclose(widths, 42.0, atol=spacing / 2)
    heights = np.sort(atoms.positions[:, 2])
    assert np.diff(heights).max() == pytest.approx(8.3, abs=1e-6)
    assert neighbour_pairs(atoms.positions, 4.0)[1].min() > 2.6


def test_status_keeps_its_contract(nanogap, workplace):
    RunDirectory.create(workplace / "young", load_settings("quick"), "quick", {})
    outcome = nanogap("status", "young", "--json")
    assert outcome.status == 0
    content = json.loads(outcome.out)
    assert content.keys() >= STATUS_KEYS
    assert content["state"] == "interrupted"
    assert content["snapshots"] == 0
    assert content["time"] == content["transmission"] == content["connected"] == []
    assert content["report"] is None
    assert "interrupted" in nanogap("status", "young").out


def wire(path):
    atoms = Atoms("Ag7", positions=[(0, 0, 2.9 * i) for i in range(7)], cell=[9, 9, 50])
    atoms.new_array("region", np.array(["left"] + ["channel"] * 5 + ["right"]))
    atoms.info.update(left_period=2.9, right_period=2.9)
    write(path, atoms)


CONTRACT = {
    "backend",
    "fermi_energy",
    "energies",
    "n_kpoints",
    "transmission",
    "eigenchannels",
    "open_channels",
}


def test_transmission_keeps_its_contract(nanogap):
    wire("wire.extxyz")
    outcome = nanogap("transmission", "wire.extxyz", "--json", "--kpoints", "2", "2")
    content = json.loads(outcome.out)
    assert set(content) == CONTRACT
    assert content["transmission"] == [[pytest.approx(1.0)]]


def test_transmission_gives_currents_and_local_properties_where_asked(nanogap, workplace):
    wire("wire.extxyz")
    outcome = nanogap(
        "transmission", "wire.extxyz", "--json", "--temperature", "300", "--iv", "0:0.2:0.1",
        "--local-density", "--bond-currents", "--figure", "T.png", "-o", "T.nc",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    content = json.loads(outcome.out)
    added = {"temperature", "conductance", "thermopower", "voltages", "current"}
    assert set(content) == CONTRACT | added | {"local_density", "bond_currents"}
    assert content["conductance"] == [pytest.approx(1.0, abs=1e-5)]
    assert content["current"][0] == pytest.approx([0.0, 7.748e-6, 15.496e-6], rel=1e-3)
    assert content["local_density"][0]["atom"] == [1, 2, 3, 4, 5]
    assert sorted(content["bond_currents"][0]) == ["current", "first", "second"]
    assert (workplace / "T.png").stat().st_size > 10_000
    with xr.open_dataset("T.nc", engine="h5netcdf") as dataset:
        assert {"current", "thermopower", "kpoint_error", "fano_factor"} <= set(dataset)


@pytest.mark.usefixtures("workplace")
def test_neutral_atoms_are_asked_for_by_name(nanogap):
    wire("wire.extxyz")
    told = ("transmission", "wire.extxyz", "--json", "--neutrality")
    outcome = nanogap(*told, "self-consistent")
    assert outcome.status == 0, outcome.err
    assert json.loads(outcome.out)["transmission"][0][0] == pytest.approx(1.0, abs=1e-3)
    for options, fault in (
        (("magic",), "choose none, coordination, self-consistent"),
        (("coordination", "--backend", "pwcond"), "pwcond is self-consistent already"),
    ):
        outcome = nanogap(*told, *options)
        assert outcome.status != 0
        assert fault in outcome.err


def test_transmission_is_printed_for_people(nanogap):
    wire("wire.extxyz")
    outcome = nanogap("transmission", "wire.extxyz", "--temperature", "300", "--bond-currents")
    assert outcome.status == 0, outcome.err
    assert "thermopower" in outcome.out
    assert "from atom" in outcome.out


def test_long_transmissions_are_told_and_not_begun_unasked(nanogap, monkeypatch):
    wire("wire.extxyz")
    monkeypatch.setattr(cost, "machine_speed", lambda: 1.0)
    outcome = nanogap("transmission", "wire.extxyz", "--json")
    assert outcome.status == 2
    assert "GB of memory: 7 atoms, 1 k-point, 1 energy" in outcome.err
    assert outcome.err.splitlines()[-1].endswith("give --yes")
    outcome = nanogap("transmission", "wire.extxyz", "--json", "--yes")
    assert json.loads(outcome.out)["transmission"] == [[pytest.approx(1.0)]]
    assert "This will take about" in outcome.err


def test_transmission_takes_a_fitted_hamiltonian(nanogap, workplace):
    wire("wire.extxyz")
    (workplace / "ag.toml").write_text(model_to_toml(load_model("Ag"), ""), encoding="utf-8")
    found = [
        json.loads(nanogap("transmission", "wire.extxyz", "--json", *given).out)["transmission"]
        for given in ((), ("--hamiltonian", "ag.toml"))
    ]
    assert found[0] == found[1]
    outcome = nanogap("transmission", "wire.extxyz", "--hamiltonian", "none.toml")
    assert outcome.status == 2
    assert "none.toml" in outcome.err
