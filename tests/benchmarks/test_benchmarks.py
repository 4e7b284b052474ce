"""Each benchmark can be imported, and its smallest case runs."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))


@pytest.fixture
def benchmark(monkeypatch):
    """Return a function that imports a benchmark; they set the numbers of threads."""
    for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_these_are_the_benchmarks():
    assert NAMES == [
        "device",
        "device_fields",
        "dynamics",
        "measured_data",
        "native_threads",
        "transport",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_says_what_it_measures(benchmark, name, capsys, monkeypatch):
    module = benchmark(name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 0
    assert f"python -m benchmarks.{name}" in module.__doc__
    assert module.__doc__.splitlines()[0].split()[0] in capsys.readouterr().out


def test_points_are_streamed_and_read(benchmark, tmp_path):
    module = benchmark("measured_data")
    assert module.stream(1_000_000)["points"] == 1_000_000
    rows = module.rows_of_text(tmp_path, 1000)
    assert rows["rows"] == 1000
    assert rows["ratio_to_numpy"] > 0.0
    assert module.plateaus([2000])["microseconds_per_point_2000"] > 0.0


def test_fields_of_a_small_device_are_timed(benchmark):
    module = benchmark("device_fields")
    times = module.measure(module.needles(base_width=28.0), repeats=1)
    assert times.sites > times.atoms > 0
    assert min(times.warm_open, times.warm_bridged, times.labels, times.screened) > 0.0


def test_a_device_is_timed_beside_one_with_all_rates_anew(benchmark):
    found = benchmark("device").measured(20_000, base_width=30.0)
    assert min(row["ratio_to_all_anew"] for row in found.values()) > 0.0
    fast, slow = (found[name]["events_per_simulated_second"] for name in ("no_cap", "cap_1e4"))
    assert slow < fast / 10.0


def test_a_current_sweep_is_timed_with_its_necks_new_and_known(benchmark):
    found = benchmark("device").current_sweep(
        protocol__turning_points=[0.0, 5e-8], conductance__kpoints=1
    )
    assert found["readings"] == 10
    assert found["necks"] > 0
    assert min(found["cpu_seconds_necks_known"], found["cpu_seconds_necks_new"]) > 0.0


def without_overlap(module):
    model = module.load_model()
    return replace(model, overlap=np.zeros_like(model.overlap))


def test_block_elimination_and_one_dense_inversion_agree(benchmark, tmp_path):
    module = benchmark("transport")
    atoms, model = module.junction(0), without_overlap(module)
    ours, device = module.ours(atoms, model, repeats=1)
    assert device.operations > 0.0
    module.export(atoms, model, tmp_path)
    dense = module.dense(tmp_path, module.ENERGY)
    assert dense.transmission == pytest.approx(ours.transmission, abs=1e-5)
    assert min(ours.seconds, dense.seconds) > 0.0


def test_a_program_that_is_not_there_is_left_out(benchmark, tmp_path):
    assert benchmark("transport").other(None, "with_kwant.py", tmp_path) is None


@pytest.mark.parametrize("name", ["with_kwant.py", "with_sisl.py"])
def test_the_programs_of_others_are_whole(name):
    source = (ROOT / "benchmarks" / "others" / name).read_text(encoding="utf-8")
    compile(source, name, "exec")


def test_parts_of_a_native_step_are_timed(benchmark, small_tips, tmp_path):
    ours, module = benchmark("dynamics").ours, benchmark("native_threads")
    simulation, other = (ours(small_tips, tmp_path, 4, engine="native") for _ in range(2))
    one, two = module.measure(simulation, other, turns=2)
    assert one.often == two.often
    assert one.often["sum_forces"] == pytest.approx(1.0, abs=0.3)
    assert one.often["multiply"] > 3.0
    assert one.often[module.UPDATE] == pytest.approx(0.5, abs=0.3)
    assert min(one.fastest.values()) > 0.0
    assert module.speed_up(one, two) > 0.0


@pytest.mark.engine
def test_the_published_recipe_and_our_engine_give_the_same_forces(benchmark, small_tips, tmp_path):
    module = benchmark("dynamics")
    upper = small_tips.positions[:, 2] > small_tips.positions[:, 2].mean()
    potential = np.where(upper, 8.0, 0.0)
    frame = small_tips.copy()
    frame.new_array("velocities", np.zeros((len(frame), 3)))
    plain = module.Plain(frame, potential, tmp_path, tolerance=1e-12)
    forces = plain.forces()
    plain.close()
    assert np.abs(forces).max() > 0.1
    found = module.force_difference(frame, potential, tmp_path, forces)
    assert found < module.WANTED["force"]
