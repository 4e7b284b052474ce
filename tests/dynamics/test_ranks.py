"""LAMMPS in several processes, and LAMMPS of a user's own."""

import os
import runpy
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from tests.dynamics.engines import prepared

from nanogap.errors import EngineError, SettingsError
from nanogap.settings import settings_from_table

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]


def state(engine):
    return (
        engine.positions,
        engine.velocities,
        engine.forces,
        engine.charges,
        engine.potential_energy,
        engine.kinetic_energy,
        engine.thermostat_energy,
        engine.temperature,
        engine.step,
    )


def test_two_processes_follow_the_trajectory_of_one(small_tips, force_field, tmp_path):
    """Within rounding, and also when the number changes at a checkpoint."""
    found = {}
    for first, second in ((1, 1), (2, 1), (1, 2)):
        engine, potential = prepared(small_tips, force_field, tmp_path, processes=first)
        engine.advance(4)
        engine.save(tmp_path / "restart")
        engine.close()
        engine, _ = prepared(small_tips, force_field, tmp_path, processes=second)
        engine.load(tmp_path / "restart")
        engine.set_potential(potential)
        engine.advance(4)
        found[first, second] = state(engine)
        engine.close()
    assert np.abs(found[1, 1][3]).max() > 0.01
    for other in ((2, 1), (1, 2)):
        for ours, theirs in zip(found[other], found[1, 1], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_a_process_that_dies_ends_the_run_with_a_reason(small_tips, force_field, tmp_path):
    engine, _ = prepared(small_tips, force_field, tmp_path, processes=2)
    parent = engine._ranks._program.pid  # noqa: SLF001 the test kills what it made
    children = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and b"nanogap.dynamics.ranks" in _command_line(entry)
    ]
    ours = [pid for pid in children if parent in _ancestors(pid)]
    assert len(ours) >= 2
    os.kill(ours[-1], signal.SIGKILL)
    with pytest.raises(EngineError, match=r"a process of LAMMPS died.*processes\.log"):
        engine.advance(1)
    engine.close()
    # the other one would wait for it for ever, on a core of its own
    until = time.monotonic() + 15.0
    while any(b"nanogap.dynamics.ranks" in _command_line(Path(f"/proc/{pid}")) for pid in ours):
        assert time.monotonic() < until
        time.sleep(0.1)


def _command_line(entry):
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def _ancestors(pid):
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            return
        yield pid


def test_a_refused_command_is_told_by_every_process(small_tips, force_field, tmp_path):
    engine, _ = prepared(small_tips, force_field, tmp_path, processes=2)
    with pytest.raises(EngineError, match="LAMMPS stopped at 'pair_style'"):
        engine._command("pair_style nothing")  # noqa: SLF001 no public way makes it fail
    engine.close()


def test_the_styles_of_another_build_are_used_by_settings_alone(small_tips, force_field, tmp_path):
    forces = []
    small_tips.positions += np.random.default_rng(1).normal(0, 0.1, small_tips.positions.shape)
    for options in ("", "-sf omp -pk omp 1"):
        engine, _ = prepared(small_tips, force_field, tmp_path, lammps_options=options)
        engine.advance(0)
        forces.append(engine.forces)
        engine.close()
    log = (tmp_path / "engine.log").read_text()
    assert "reaxff/omp" in log
    np.testing.assert_allclose(forces[1], forces[0], atol=1e-8)


def test_styles_that_this_build_lacks_are_refused(small_tips, force_field, tmp_path):
    with pytest.raises(EngineError, match=r"lammps_options.*suffix 'opt'.*no reaxff/opt"):
        prepared(small_tips, force_field, tmp_path, lammps_options="-sf opt")
    with pytest.raises(EngineError, match=r"LAMMPS does not start with dynamics.lammps_options"):
        prepared(small_tips, force_field, tmp_path, lammps_options="-k on g 1")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("processes", 0, "a whole number from 1 to 256"),
        ("processes", 257, "a whole number from 1 to 256"),
        ("lammps_options", "-sf 'omp", "No closing quotation"),
        ("lammps_options", "-in other.in", "must not contain '-in'"),
        ("lammps_options", "-h", "must not contain '-h'"),
        ("lammps_options", "-cite x.bib", "must not contain '-cite'"),
        ("lammps_options", "-sf omp -r2data a b", "must not contain '-r2data'"),
        ("lammps_options", "-pk omp 1 -restart2dump", "must not contain '-restart2dump'"),
        ("lammps_options", "x", "must not contain 'x'"),
        ("lammps_options", "-pk /etc/passwd", "must not contain '/etc/passwd'"),
        ("thermostat_time", 10.0, r"must not be below 5 time steps \(20 fs\)"),
    ],
)
def test_bad_values_are_refused(key, value, words):
    with pytest.raises(SettingsError, match=words):
        settings_from_table({}, "file", {f"dynamics.{key}": value})


@pytest.mark.validation
def test_forces_are_those_of_the_published_recipe(small_tips, tmp_path):
    """Against a LAMMPS input with plain settings and nothing of our engine in it."""
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "dynamics.py"))
    rng = np.random.default_rng(5)
    small_tips.positions += rng.normal(0, 0.1, small_tips.positions.shape)
    small_tips.new_array("velocities", np.zeros((len(small_tips), 3)))
    potential = np.where(small_tips.positions[:, 2] > small_tips.cell[2, 2] / 2.0, 4.0, -4.0)
    plain = benchmark["Plain"](small_tips, potential, tmp_path, tolerance=1e-12)
    forces = plain.forces()
    plain.close()
    assert np.abs(forces).max() > 1.0
    difference = benchmark["force_difference"](small_tips, potential, tmp_path, forces)
    assert 0.0 < difference < 1e-6


@pytest.mark.parametrize(
    "options",
    [
        "",
        "-k on g 1 -sf kk -pk kokkos neigh half newton on",
        "-sf omp -pk omp 1",
        "-pk gpu 1 split -1",
    ],
)
def test_accelerators_are_allowed(options):
    table = settings_from_table({}, "file", {"dynamics.lammps_options": options})
    assert table.dynamics.lammps_options == options
