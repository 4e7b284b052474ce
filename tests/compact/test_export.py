"""Exported models are the model: as text, as a module, in ngspice, in VACASK, in MemNNetSim."""

import json
import os

import numpy as np
import pytest
from validation.circuit_simulators import Drive, SimulatorError
from validation.compact_circuits import fitted
from validation.compact_recovery import DEVICES

from nanogap.compact import FittedModel, Fluctuations, PotentiationDepression, kernels
from nanogap.compact.equations import equations_of
from nanogap.compact.export import FORMS, exported
from validation import compact_circuits as circuits

ALL = pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
SIMULATED = pytest.mark.parametrize("simulator", circuits.SIMULATORS)


def wave(drive, points=241):
    time = np.linspace(0.0, drive.end, points)
    return time, drive.volts(time)


def module_of(device, spread=0.0):
    names = {}
    exec(compile(exported(fitted(device, spread), "python"), "device.py", "exec"), names)  # noqa: S102
    return names


@ALL
def test_the_module_is_the_compiled_model(device):
    states, volts = np.linspace(0.0, 1.0, 9)[:, None], np.linspace(-1.5, 1.5, 11)[None]
    module = module_of(device)
    rates = [[device.rate(x, v) for v in volts[0]] for x in states[:, 0]]
    through = [[device.current(x, v) for v in volts[0]] for x in states[:, 0]]
    alone = module["Device"]()
    np.testing.assert_allclose(alone.rate(states, volts), rates, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(alone.current(states, volts), through, rtol=1e-9)


@ALL
def test_deviates_move_the_places_by_the_root_of_the_covariance(device):
    names = module_of(device, spread=0.1)
    deviates = np.linspace(-1.0, 1.0, len(device.coordinates))
    moved = device.moved(device.places() + 0.1 * deviates)
    one = names["Device"](deviates)
    assert one.current(0.7, 0.3) == pytest.approx(moved.current(0.7, 0.3), rel=1e-7)
    assert one.rate(0.3, 0.9) == pytest.approx(moved.rate(0.3, 0.9), rel=1e-6)
    far = names["Device"](np.full(len(deviates), -300.0))
    bound = device.moved(device.places() - 30.0)
    assert far.current(0.7, 0.3) == pytest.approx(bound.current(0.7, 0.3), rel=1e-6)
    assert far.rate(0.3, 0.9) == pytest.approx(bound.rate(0.3, 0.9), rel=1e-6)
    many = names["draw"](np.random.default_rng(0), 200)
    spread = np.log(many.current(1.0, 0.05)).std()
    assert spread == pytest.approx(0.1, rel=0.35)


def in_circuit(device, simulator, drive, step, folder):
    """Differences of the current from our own integration, in the last cycle."""
    try:
        run = circuits.driven(simulator, device, drive, step, folder)
    except SimulatorError as error:
        if "is not installed" in str(error) and not os.environ.get("CI"):
            pytest.skip(str(error))
        raise
    return circuits.differences(device, drive, run)


@ALL
@SIMULATED
def test_circuit_simulators_give_our_current_whatever_the_step(device, simulator, tmp_path):
    """Within 1 % at all readings of a loop with SET and RESET."""
    for step in circuits.STEPS:
        assert in_circuit(device, simulator, Drive(), step, tmp_path).max() < 0.01, step
    loop = device.simulate(*wave(Drive()), resistance=500.0)
    assert loop.state.max() > 0.5 > loop.state[-1]


@ALL
@SIMULATED
def test_many_cycles_end_as_our_own(device, simulator, tmp_path):
    """Each simulator converges throughout; a gap once stopped it after ten cycles."""
    apart = in_circuit(device, simulator, Drive(25), circuits.LONG_STEP, tmp_path)
    assert np.median(apart) < 1e-3
    assert apart.max() < 0.05


@pytest.mark.validation
def test_stored_runs_are_within_a_percent_and_went_through_a_thousand_cycles():
    rows = json.loads(circuits.DATA.read_text(encoding="utf-8"))["rows"]
    runs = {(row["simulator"], row["model"], row["cycles"], row["step"]) for row in rows}
    cases = [(s, m) for s in circuits.SIMULATORS for m in DEVICES]
    assert runs == {
        (*case, *how)
        for case in cases
        for how in [*((1, step) for step in circuits.STEPS), (1000, circuits.LONG_STEP)]
    }
    for row in rows:
        if row["cycles"] == 1:
            assert row["largest"] < 0.01
        else:
            assert row["median"] < 1e-4
            assert row["above_one_percent"] <= 0.1 * row["readings"]
            assert row["largest"] < 0.03


def test_a_network_of_one_junction_gives_our_state():
    if not os.environ.get("CI"):
        pytest.importorskip("mnns")
    import mnns

    device = DEVICES["potentiation"]
    module = module_of(device)
    wires = mnns.create_NWN(shape=(3.0, 3.0), density=3.0, seed=4)
    junction = wires.wire_junctions[0]
    wires.remove_edges_from([edge for edge in list(wires.edges) if set(edge) != set(junction)])
    del wires.wire_junctions
    module["attach"](wires)
    unit = wires.units["t0"] * 1e-6
    times = np.linspace(0.0, 12.0, 25)
    volts = 1.2 * times / 12.0
    found = wires.evolve(
        module["derivative"],
        times / unit,
        args=(wires, junction[0], junction[1], lambda t: 1.2 * t * unit / 12.0),
    )
    ours = device.simulate(times, volts, tolerance=1e-6)
    np.testing.assert_allclose(found.y[0], ours.state, atol=2e-4)
    assert ours.state[-1] > 0.9


def test_the_network_group_gets_its_six_numbers(call, tmp_path):
    path = tmp_path / "m.json"
    noise = Fluctuations(noise=1e-3)
    plain = FittedModel.of(PotentiationDepression())
    FittedModel(plain.model, plain.mean, plain.covariance, fluctuations=noise).write(path)
    said = call(
        "compact", "export", path, "--format", "network", "-o", tmp_path / "n.json", "--json"
    )
    assert json.loads(said.out)["name"] == "nanogap_potentiation"
    content = json.loads((tmp_path / "n.json").read_text())
    assert content["kp0"] == 2.555e-6
    assert content["eta_d"] == 5.591
    assert content["g_max"] == 2.7235e-3
    assert content["fluctuations"]["noise"] == 1e-3
    call("compact", "export", path, "--format", "json", "-o", tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(path.read_text())


def test_what_cannot_be_exported_is_one_sentence(call, tmp_path):
    path = tmp_path / "m.json"
    FittedModel.of(DEVICES["threshold"]).write(path)
    for words, sentence in (
        (["--format", "hspice", "-o", "a.sp"], "--format hspice: give one of"),
        (["--format", "network", "-o", "a.json"], "the six numbers are those of the model"),
        (["--format", "spice", "-o", "a.txt"], "the name must end in .cir"),
    ):
        assert sentence in call("compact", "export", path, *words, status=2).err
    said = call("compact", "export", tmp_path / "no.json", "--format", "json", "-o", "b", status=2)
    assert "'nanogap compact fit' writes one" in said.err


@ALL
def test_nothing_is_remembered_but_the_state(device):
    model = fitted(device, spread=0.1)
    module = exported(model, "verilog-a")
    assert module.count("ddt(") == 1
    assert "$abstime" not in module
    assert "exp(" in equations_of(device).rate
    assert kernels.HIGHEST_EXPONENT == 80.0
    assert set(FORMS) == {"verilog-a", "spice", "python", "network", "json"}
