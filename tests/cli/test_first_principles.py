"""The first-principles commands as a user types them."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms

NANOGAP = [sys.executable, "-m", "nanogap"]


@pytest.fixture
def wire(workplace):
    atoms = Atoms("Ag3", [(0.0, 0.0, 2.65 * n) for n in range(3)])
    atoms.new_array("region", np.array(["left", "channel", "right"]))
    atoms.info.update(left_period=2.65, right_period=2.65)
    atoms.write("wire.extxyz", format="extxyz")
    return workplace


@pytest.fixture(autouse=True)
def programs():
    from os import environ

    for name in ("ld1.x", "pw.x", "pwcond.x"):
        if shutil.which(name) is None:
            (pytest.fail if environ.get("CI") else pytest.skip)(f"{name} is not installed")


@pytest.mark.engine
def test_the_pseudopotential_is_made_checked_and_drawn(nanogap, workplace):
    outcome = nanogap(
        "pseudopotential", "-o", "Ag.UPF", "--figure", "phases.png", "--no-crystal", "--json"
    )
    assert outcome.status == 0
    report = json.loads(outcome.out)
    assert report["file"] == "Ag.UPF"
    assert report["worst_error"] < 3.0
    assert report["ghosts"] == []
    assert (workplace / "Ag.UPF").read_text().rstrip().endswith("</UPF>")
    assert (workplace / "phases.png").read_bytes().startswith(b"\x89PNG")
    shown = nanogap("pseudopotential", "--no-crystal").out
    assert "4d10 5s0 5p0" in shown
    assert "ghost states         none" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "magic"], "choose tight-binding, dense, pwcond or sisl"),
        (["--backend", "magic", "--work", "here"], "choose tight-binding, dense, pwcond or sisl"),
        (["--accuracy", "coarse"], "--accuracy is of --backend pwcond, not of tight-binding"),
        (["--backend", "dense", "--work", "here"], "--work is of --backend pwcond, not of dense"),
        (["--processes", "2"], "--processes is of --backend pwcond"),
        (["--pseudopotential", "Ag.UPF"], "--pseudopotential is of --backend pwcond"),
        (["--backend", "pwcond", "--bond-currents"], "--bond-currents: backend 'pwcond' has none"),
        (["--backend", "pwcond", "--mesh", "dense"], "--mesh 'dense': choose auto or paper"),
        (["--backend", "pwcond", "--accuracy", "best"], "choose coarse, paper, validation"),
        (["--backend", "pwcond", "--pseudopotential", "absent.UPF"], "no pseudopotential file"),
        (["--backend", "pwcond", "--processes", "0"], "processes = 0: must be a whole number from"),
        (["--backend", "pwcond", "--energies", "5"], "PWCOND is trusted from -3 to 3 eV"),
    ],
)
def test_wrong_options_are_one_sentence(nanogap, wire, arguments, message):
    outcome = nanogap("transmission", wire / "wire.extxyz", *arguments, "--json")
    assert outcome.status == 2
    assert message in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err
    assert outcome.out == ""


def test_a_broken_pseudopotential_is_one_sentence(nanogap, wire, workplace):
    assert nanogap("pseudopotential", "-o", "Ag.UPF", "--no-crystal").status == 0
    text = (workplace / "Ag.UPF").read_text()
    (workplace / "broken.UPF").write_text(text[: len(text) // 2])
    outcome = nanogap(
        "transmission", wire / "wire.extxyz", "--backend", "pwcond",
        "--pseudopotential", "broken.UPF",
    )  # fmt: skip
    assert outcome.status == 2
    assert "broken.UPF is truncated" in " ".join(outcome.err.split())
    assert not (workplace / "pwcond").exists()


def test_an_element_without_pseudopotential_is_one_sentence(nanogap, wire):
    atoms = (wire / "wire.extxyz").read_text().replace("Ag", "W")
    (wire / "tungsten.extxyz").write_text(atoms)
    outcome = nanogap("transmission", wire / "tungsten.extxyz", "--backend", "pwcond")
    assert outcome.status == 2
    assert "nanogap makes no pseudopotential of W" in " ".join(outcome.err.split())


@pytest.mark.engine
def test_a_full_disk_is_told_and_mended(wire, cache, monkeypatch):
    """A disk of our own, in a mount namespace of our own: 4 MB, then as much as needed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    command = (
        f"{' '.join(NANOGAP)} transmission wire.extxyz --backend pwcond --accuracy coarse "
        "--work disk/work --json"
    )
    script = f"""
        set -eu
        mkdir disk
        mount -t tmpfs -o size=4m tmpfs disk
        set +e
        {command} > full.json 2> full.err
        echo $? > full.code
        set -e
        mount -o remount,size=200m disk
        {command} > good.json 2> good.err
    """
    done = subprocess.run(
        [shutil.which("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=wire, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + (wire / "good.err").read_text()
    assert (wire / "full.code").read_text() == "2\n"
    message = " ".join((wire / "full.err").read_text().split())
    assert "the disk is full: free space and start again" in message
    assert "Traceback" not in message
    assert (wire / "full.json").read_text() == ""
    result = json.loads((wire / "good.json").read_text())
    assert result["backend"] == "pwcond"
    assert result["transmission"][0][0] == pytest.approx(1.0, abs=0.01)
    assert result["n_kpoints"] == 1
