"""Wrong inputs: one clear sentence, exit status 2, no traceback, and nothing left behind."""

import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from nanogap.cli.stopping import Stopped
from nanogap.io import Commit
from nanogap.runs import RunDirectory
from nanogap.runs.directory import DynamicsState
from nanogap.settings import load_settings, preset_text

JUNCTION = "junction.extxyz"


def chain(n=5, distance=2.9):
    atoms = Atoms(f"Ag{n}", positions=[(0, 0, distance * i) for i in range(n)], cell=[9, 9, 50])
    atoms.new_array("region", np.array(["left"] + ["channel"] * (n - 2) + ["right"]))
    atoms.info.update(left_period=distance, right_period=distance)
    return atoms


def wrong_label(atoms):
    atoms.arrays["region"][2] = "middle"


def no_left_lead(atoms):
    atoms.arrays["region"][0] = "channel"


def overlapping(atoms):
    atoms.positions[2, 2] = atoms.positions[1, 2] + 0.8


def out_of_order(atoms):
    atoms.arrays["region"] = atoms.arrays["region"][::-1].copy()


def short_period(atoms):
    atoms.info["left_period"] = 0.5


def not_finite(atoms):
    atoms.positions[2, 0] = np.nan


def no_period(atoms):
    del atoms.info["right_period"]


def no_region(atoms):
    del atoms.arrays["region"]


SPOILED = {
    change.__name__: change
    for change in (
        wrong_label,
        no_left_lead,
        overlapping,
        out_of_order,
        short_period,
        not_finite,
        no_period,
        no_region,
    )
}


@pytest.fixture
def inputs(workplace):
    """Fill the folder with good and bad files; return it."""
    write(JUNCTION, chain())
    text = (workplace / JUNCTION).read_text()
    for name, content in {
        "syntax.toml": "[structure\ngap = 8.3\n",
        "unknown.toml": preset_text("quick") + "\n[electrolyte]\nph = 7\n",
        "empty.toml": "",
        "quoted.toml": re.sub("gap = .*", 'gap = "six"', preset_text("quick")),
        "truncated.extxyz": text[: int(0.7 * len(text))],
        "cut-line.extxyz": text.rstrip().rsplit(maxsplit=1)[0] + "\n",
        "words.extxyz": text.replace("2.90000000", "two"),
        "none.extxyz": "0\nProperties=species:S:1:pos:R:3\n",
        "empty.extxyz": "",
        "prose.extxyz": "Dear all,\nplease find attached\n",
        "file.txt": "not a folder",
    }.items():
        (workplace / name).write_text(content)
    (workplace / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (workplace / "binary.extxyz").write_bytes(bytes(range(256)))
    for name, spoil in SPOILED.items():
        atoms = chain()
        spoil(atoms)
        write(f"{name}.extxyz", atoms)
    mixed = chain()
    mixed.symbols[:1] = "Pt"
    write("mixed.extxyz", mixed)
    write("crystal.extxyz", bulk("Ag", cubic=True))
    for folder in ("no-run", "full", "damaged-run", "other-run"):
        (workplace / folder).mkdir()
    (workplace / "full" / "thesis.tex").write_text("years of work")
    (workplace / "damaged-run" / "run.json").write_text('{"source": "quick", "sett')
    (workplace / "other-run" / "run.json").write_text('{"name": "of another program"}')
    settings = load_settings("quick")
    RunDirectory.create(workplace / "young-run", settings, "quick", {})
    stale = RunDirectory.create(workplace / "stale-run", settings, "quick", {})
    (stale.path / "dynamics.json").write_text('{"step": 10, "commit"')
    for name, index in {"short-run": "", "garbled-run": '{"time": 0.0}\n'}.items():
        run = RunDirectory.create(workplace / name, settings, "quick", {})
        run.dynamics = DynamicsState(step=500, end_step=8000, commit=Commit(snapshots=1))
        (run.path / "snapshots.jsonl").write_text(index)
    return workplace


def listing(folder):
    """Every file of a folder with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


BUILD = ("build", "quick", "-o", "tips.extxyz")
RUN = ("run", "quick", "-o", "new")


def build(setting):
    return (*BUILD, "--set", setting)


def transmission(*arguments):
    return ("transmission", JUNCTION, *arguments)


MALFORMED = [
    # settings files
    (("build", "syntax.toml", "-o", "tips.extxyz"), ["syntax.toml", "TOML"]),
    (("build", "binary.toml", "-o", "tips.extxyz"), ["binary.toml", "UTF-8"]),
    (("build", "missing.toml", "-o", "tips.extxyz"), ["missing.toml", "No such file"]),
    (("build", "no-run", "-o", "tips.extxyz"), ["'no-run'", "quick"]),
    (("build", "slow", "-o", "tips.extxyz"), ["'slow'", "paper-2v, paper-8v, quick"]),
    (("run", "unknown.toml", "-o", "new"), ["unknown.toml", "'electrolyte'", "voltage"]),
    (("run", "quoted.toml", "-o", "new"), ["structure.gap = 'six'", "number above 0"]),
    (("init", "slow"), ["'slow'", "quick"]),
    # settings on the command line
    (build("structure.gap"), ["'structure.gap'", "key=value"]),
    (build("structure.gap=wide"), ["structure.gap = 'wide'", "number"]),
    (build("structure.gpa=8"), ["unknown key 'structure.gpa'", "gap"]),
    (build("structure.gap.min=8"), ["'gap' is a value, not a section"]),
    (build("structure=8"), ["structure = 8", "section"]),
    (build("voltage.applied=true"), ["voltage.applied = True", "number from -100 to 100"]),
    (build("dynamics.temperature=nan"), ["dynamics.temperature = nan", "0 to 5000"]),
    (build("transport.kpoints=[4, 0]"), ["transport.kpoints = [4, 0]", "1 to 64"]),
    (build("transport.kpoints=dense"), ["transport.kpoints = 'dense'", "two whole numbers"]),
    (build("transport.energies=-1:1"), ["transport.energies = '-1:1'", "start:stop:step"]),
    (build("seed=-4"), ["seed = -4", "whole number from 0"]),
    ((*RUN, "--set", "dynamics.production_time=-5"), ["dynamics.production_time = -5"]),
    ((*RUN, "--set", "dynamics.time_step=0"), ["dynamics.time_step = 0", "0.05 to 10"]),
    ((*RUN, "--set", "dynamics.sampling_interval=1e6"), ["sampling_interval", "production_time"]),
    ((*RUN, "--set", "junction.cut=diagonal"), ["junction.cut = 'diagonal'", "'paper' or 'full'"]),
    # geometries that cannot be, and metals without a force field
    (build("structure.apex_width=25"), ["apex_width = 25 Å", "base_width = 20 Å"]),
    (build("structure.gap=2"), ["structure.gap = 2 Å", "bond"]),
    (build("structure.height=1"), ["structure.height = 1 Å", "mobile layer"]),
    (build("structure.element=Pt"), ["'Pt'", "Ag"]),
    (build("dynamics.force_field=none.ff"), ["none.ff", "cannot be read"]),
    (build("structure.element=AgPt"), ["structure.element = 'AgPt'", "one metal", "pwcond"]),
    ((*RUN, "--set", "structure.element=Ag-Au"), ["structure.element = 'Ag-Au'", "one metal"]),
    (build("structure.element=../Ag"), ["'../Ag'", "Ag"]),
    ((*RUN, "--set", "structure.gap=2"), ["structure.gap = 2 Å", "bond"]),
    # outputs
    (("build", "quick", "-o", "nowhere/tips.extxyz"), ["nowhere", "no folder"]),
    (("build", "quick", "-o", "tips.txt"), ["tips.txt", ".extxyz"]),
    (("build", "quick"), ["-o", "nanogap build --help"]),
    (("init", "quick", "-o", "empty.toml"), ["empty.toml", "exists"]),
    (("init", "quick", "-o", "nowhere/mine.toml"), ["nowhere", "no folder"]),
    (("run", "quick", "-o", "full"), ["full", "not empty", "choose another"]),
    (("run", "quick", "-o", "file.txt"), ["file.txt", "exists"]),
    (("run", "quick", "-o", "file.txt/new"), ["file.txt/new", "Not a directory"]),
    # run directories
    (("status", "nowhere"), ["nowhere", "nanogap run"]),
    (("status", "no-run"), ["no-run", "run.json"]),
    (("status", "damaged-run"), ["damaged-run", "damaged"]),
    (("status", "other-run"), ["other-run", "damaged"]),
    (("status", "short-run"), ["snapshots.jsonl", "0 of 1 snapshots"]),
    (("status", "garbled-run"), ["snapshots.jsonl", "damaged at line 1"]),
    (("status", "file.txt"), ["file.txt"]),
    (("resume", "nowhere"), ["nowhere"]),
    (("resume", "no-run"), ["no-run", "run.json"]),
    (("resume", "damaged-run"), ["damaged-run", "damaged"]),
    (("report", "nowhere"), ["nowhere"]),
    (("report", "no-run"), ["no-run", "run.json"]),
    (("report", "garbled-run"), ["snapshots.jsonl", "damaged"]),
    (("report", "young-run"), ["young-run", "no snapshot"]),
    # the command itself
    (("simulate", "quick"), ["'simulate'", "nanogap --help"]),
    (("status",), ["directory", "nanogap status --help"]),
    (("build", "quick", "-o", "tips.extxyz", "--seed", "4"), ["--seed", "nanogap build --help"]),
]

MALFORMED_TRANSMISSION = [
    (("transmission", "mixed.extxyz"), ["has Ag and Pt atoms", "one element", "pwcond"]),
    (transmission("--energies", "low"), ["'low'", "start:stop:step"]),
    (transmission("--energies", "1:-1:0.1"), ["'1:-1:0.1'", "start <= stop"]),
    (transmission("--energies", "0,nan"), ["'0,nan'", "finite"]),
    (transmission("--kpoints", "0", "4"), ["--kpoints 0 4", "1 to 64"]),
    (transmission("--kpoints", "4"), ["--kpoints", "2 arguments"]),
    (transmission("--kpoints", "a", "b"), ["--kpoints", "integer"]),
    (transmission("--index", "7"), [JUNCTION, "no frame 7"]),
    (transmission("--index", "last"), ["'last'", "0:10"]),
    (transmission("--index", "::0"), ["::0"]),
    (transmission("--cut", "diagonal"), ["'diagonal'", "terrace, paper, full"]),
    (transmission("-o", "nowhere/T.nc"), ["nowhere", "no folder"]),
    (transmission("-o", "T.csv"), ["T.csv", ".nc"]),
    (transmission("--figure", "T.doc"), ["--figure T.doc", ".png"]),
    (transmission("--figure", "nowhere/T.png"), ["nowhere", "no folder"]),
    (transmission("--mesh", "dense"), ["--mesh 'dense'", "auto or paper"]),
    (transmission("--backend", "magic"), ["'magic'", "tight-binding"]),
    (transmission("--iv", "1:0:0.1"), ["--iv", "voltages", "start <= stop"]),
    (transmission("--temperature", "-3"), ["--temperature -3", "kelvins above 0"]),
    (transmission("--temperature", "300", "--energies", "0"), ["T(E) is known", "0.362"]),
    (("transmission", "missing.extxyz"), ["no file missing.extxyz"]),
    (("transmission", "no-run"), ["no file no-run"]),
    (("transmission", "truncated.extxyz"), ["truncated.extxyz"]),
    (("transmission", "cut-line.extxyz"), ["cut-line.extxyz"]),
    (("transmission", "words.extxyz"), ["words.extxyz"]),
    (("transmission", "none.extxyz"), ["none.extxyz", "no atoms"]),
    (("transmission", "empty.extxyz"), ["empty.extxyz"]),
    (("transmission", "prose.extxyz"), ["prose.extxyz"]),
    (("transmission", "binary.extxyz"), ["binary.extxyz"]),
    (("transmission", "syntax.toml"), ["syntax.toml"]),
    (("transmission", "crystal.extxyz"), ["crystal.extxyz", "'region'"]),
    (("transmission", "no_region.extxyz"), ["no_region.extxyz", "'region'"]),
    (("transmission", "no_period.extxyz"), ["no_period.extxyz", "right_period"]),
    (("transmission", "short_period.extxyz"), ["short_period.extxyz", "left_period"]),
    (("transmission", "wrong_label.extxyz"), ["wrong_label.extxyz", "'middle'"]),
    (("transmission", "no_left_lead.extxyz"), ["no_left_lead.extxyz", "'left'"]),
    (("transmission", "out_of_order.extxyz"), ["out_of_order.extxyz", "along z"]),
    (("transmission", "overlapping.extxyz"), ["overlapping.extxyz", "overlap"]),
    (("transmission", "not_finite.extxyz"), ["not_finite.extxyz", "finite"]),
]


def named(cases):
    return [pytest.param(*case, id=" ".join(case[0])) for case in cases]


@pytest.mark.parametrize(("arguments", "words"), named(MALFORMED + MALFORMED_TRANSMISSION))
def test_a_wrong_input_is_one_sentence(inputs, nanogap, arguments, words):
    before = listing(inputs)
    outcome = nanogap(*arguments)
    assert outcome.err.startswith("nanogap: ")
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith("\n")
    assert "Traceback" not in outcome.err
    assert "internal error" not in outcome.err
    for word in words:
        assert word in outcome.err
    assert outcome.out == ""
    assert outcome.status == 2
    assert listing(inputs) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "syntax.toml", "-o", "tips.extxyz", "--json"),
        ("status", "damaged-run", "--json"),
        ("resume", "no-run", "--json"),
    ],
    ids=" ".join,
)
def test_the_program_itself_says_it_so(inputs, arguments):
    before = listing(inputs)
    done = subprocess.run(
        [sys.executable, "-m", "nanogap", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("nanogap: ")
    assert done.stderr.count("\n") == 1
    assert listing(inputs) == before


@pytest.mark.engine
def test_a_melting_crystal_is_said_to_melt(inputs, nanogap):
    before = listing(inputs)
    outcome = nanogap(*build("dynamics.temperature=3000"))
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert "3000 K" in outcome.err
    assert "structure.lattice_constant" in outcome.err
    assert listing(inputs) == before


@pytest.mark.parametrize(
    ("behind", "status", "sentence"),
    [
        (Stopped(signal.SIGTERM), 143, "stopped by SIGTERM"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_signal_is_said_to_be_one_also_behind_a_fault_of_compiled_code(
    nanogap, monkeypatch, behind, status, sentence
):
    def broken(*_):
        raise SystemError("a result with an exception set") from behind

    monkeypatch.setattr("nanogap.settings.load_settings", broken)
    outcome = nanogap(*BUILD)
    assert outcome.status == status
    assert outcome.err.startswith(f"nanogap: {sentence}")


def test_a_fault_of_ours_is_said_to_be_one(nanogap, monkeypatch):
    def broken(*_):
        raise RuntimeError("a fault\nof ours")

    monkeypatch.setattr("nanogap.settings.load_settings", broken)
    outcome = nanogap(*BUILD)
    assert outcome.status == 1
    assert outcome.err.startswith(
        "nanogap: internal error, please report it: RuntimeError: a fault"
    )
    assert outcome.err.count("\n") == 1
    monkeypatch.setenv("NANOGAP_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        nanogap(*BUILD)
