"""A protocol on a simulated device: circuit and atoms together, and resumption to the bit."""

from dataclasses import astuple

import numpy as np
import pytest

from nanogap.device.advance import Advance, Reason
from nanogap.device.device import Device
from nanogap.device.measurement import Measurement
from nanogap.device.neck import cut_necks
from nanogap.device.state import load_arrays
from nanogap.errors import DataFormatError, SettingsError
from nanogap.settings.device import load_device_settings
from nanogap.units import CONDUCTANCE_QUANTUM

#: The smallest needles, quick sweeps, an instrument without noise.
CHANGES = {
    "geometry.base_width": 12.0,
    "geometry.height": 5.0,
    "geometry.apex_width": 6.0,
    "geometry.upper_apex_width": "same",
    "geometry.fixed_layers": 1,
    "geometry.margin": 4.0,
    "geometry.gap": 7.1,
    "conductance.cache": "none",
    "conductance.kpoints": 1,
    "source.noise": 0.0,
    "source.gain_error": 0.0,
    "source.resolution": 0.0,
    "protocol.turning_points": [0.0, 1.0, 0.0],
    "protocol.rate": 20.0,
    "protocol.interval": 0.01,
}
NO_CHARGE = {"lower": 0, "upper": 0}


def device(**changes):
    keys = {name.replace("__", "."): value for name, value in changes.items()}
    return Device(load_device_settings("device-quick", CHANGES | keys))


def test_ohms_law_holds_behind_the_series_resistance():
    made = device(medium__name="vacuum", circuit__capacitance=0.0)
    points = list(Measurement(made))
    assert len(points) == made.settings.total_samples
    resistance = made.settings.circuit.series.parasitic
    for point in points:
        assert point.voltage == pytest.approx(
            point.gap_voltage + resistance * point.current, abs=1e-9
        )
        siemens = point.conductance * CONDUCTANCE_QUANTUM
        assert point.electronic_current == pytest.approx(siemens * point.gap_voltage)
        assert point.ionic_current == 0.0
    times = [point.time for point in points]
    assert times[-1] == pytest.approx(made.settings.total_duration)
    assert np.diff(times) == pytest.approx(0.01)
    assert made.time == pytest.approx(made.settings.total_duration)


def test_the_compliance_holds_the_current_of_a_narrow_gap():
    made = device(medium__name="vacuum", geometry__gap=4.8, protocol__compliance=1e-7)
    points = list(Measurement(made))
    limited = [point for point in points if point.compliance]
    assert limited
    for point in limited:
        assert abs(point.current) == pytest.approx(1e-7, rel=0.02)


def test_atoms_and_ions_are_conserved_and_their_charge_is_a_current():
    made = device(medium__concentration=0.5)
    before = made.engine.state
    points = list(Measurement(made))
    after = made.engine.state
    assert before.n_atoms + before.n_ions == after.n_atoms + after.n_ions
    assert any(point.ionic_current for point in points)


def test_only_atoms_that_moved_ask_for_the_potential_and_the_neck(monkeypatch):
    made = device(medium__concentration=0.5, medium__exchange_rate=1.0)
    updates = []
    update = made.field.update
    monkeypatch.setattr(made.field, "update", lambda states: updates.append(1) or update(states))
    assert list(Measurement(made))
    assert 0 < made.updates == len(updates) <= made.engine.metal_events
    assert made.updates < made.necks.count.asked - 1
    # what was skipped would have changed nothing
    metal, medium = made.field.metal.copy(), made.field.medium.copy()
    assert not update(made.engine.state.occupation).solved
    np.testing.assert_array_equal(made.field.metal, metal)
    np.testing.assert_array_equal(made.field.medium, medium)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "geometry__roughness": 0.05,
            "conductance__relaxation_steps": 3,
            "conductance__curve": "transmission",
        },
    ],
)
def test_an_interrupted_measurement_goes_on_to_the_same_bits(tmp_path, changes):
    whole, first, second = (
        Measurement(device(medium__concentration=0.5, **changes)) for _ in range(3)
    )
    points = [astuple(point) for point in whole]
    head = [astuple(point) for _, point in zip(range(4), first, strict=False)]
    first.save(tmp_path)
    second.load(tmp_path)
    assert head + [astuple(point) for point in second] == points
    # every setting counts
    if changes:
        assert points != [
            astuple(point) for point in Measurement(device(medium__concentration=0.5))
        ]


def test_a_resumed_measurement_watches_the_sites_that_it_watched(tmp_path):
    first, second = Measurement(device()), Measurement(device())
    next(iter(first))
    # as after atoms that moved too little for a new solution
    first.device.engine.watch(first.device.lattice.layer > 4)
    folders = [tmp_path / name for name in ("before", "after")]
    for folder, measurement in zip(folders, (first, second), strict=True):
        folder.mkdir()
        if measurement is second:
            second.load(folders[0])
        measurement.save(folder)
    before, after = (load_arrays(folder / "atoms.npz")["watched"] for folder in folders)
    np.testing.assert_array_equal(after, before)


def test_a_state_of_another_device_or_a_damaged_one_is_refused(tmp_path):
    measurement = Measurement(device())
    next(iter(measurement))
    measurement.save(tmp_path)
    with pytest.raises(DataFormatError, match="another device"):
        Measurement(device(geometry__gap=11.8)).load(tmp_path)
    (tmp_path / "measurement.json").write_text("{")
    with pytest.raises(DataFormatError, match="cannot be read"):
        Measurement(device()).load(tmp_path)


def test_a_vacuum_with_ions_is_refused():
    with pytest.raises(SettingsError, match="holds no ions"):
        device(medium__name="vacuum", medium__concentration=1.0)


def test_the_conductance_follows_the_voltage_if_the_curve_is_that_of_the_transmission():
    changes = {
        "medium__name": "vacuum",
        "circuit__capacitance": 0.0,
        "conductance__curve": "transmission",
        "protocol__turning_points": [0.0, 0.6, -0.6],
    }
    made = device(**changes)
    made.engine.advance = lambda duration, **_: Advance(duration, 0, Reason.DURATION, NO_CHARGE)
    points = list(Measurement(made))
    reference = made.necks
    (neck,) = cut_necks(
        made.lattice,
        made.field.clusters.labels,
        (1, made.lattice.shape[2] - 2),
        reference.cut,
    )
    for point in points:
        chord = reference.of_neck(neck, point.gap_voltage)
        assert point.conductance == pytest.approx(chord, rel=5e-4)
    ends = [point.conductance for point in points]
    assert max(ends) / min(ends) > 1.004
