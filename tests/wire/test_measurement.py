"""Wires broken by a protocol: where, at what current density, and what is left."""

import json

import numpy as np
import pytest
import xarray as xr

from nanogap.errors import SettingsError
from nanogap.io.dataset import joined_files
from nanogap.settings import preset_names, preset_text, settings_document
from nanogap.settings.wire import WireSettings, load_wire_settings
from nanogap.wire import break_wire, breakdown_dataset, result_of
from nanogap.wire.gap import cap_height
from nanogap.wire.result import readings_only, stored_moments, stored_result
from nanogap.wire.wire import make_wire

#: A short wire that breaks in about two seconds of a core.
SHORT = {
    "wire.length": 1500.0,
    "wire.roughness": 0.0,
    "surroundings.contact_resistance": 20.0,
    "protocol.interval": 0.5,
    "readings_after": 5,
}


SHORT_OF_STAIRS = {key: value for key, value in SHORT.items() if "protocol" not in key}


@pytest.fixture(scope="module")
def broken():
    """Wires of both signs of Z*, a longer and a thicker one."""
    changes = {
        "plain": {},
        "positive": {"surface.effective_valence": 10.0},
        "long": {"wire.length": 5000.0},
        "thick": {"wire.diameter": 120.0},
    }
    return {
        name: break_wire(load_wire_settings("wire-breakdown", SHORT | change))
        for name, change in changes.items()
    }


def test_wires_break_at_current_densities_that_were_measured(broken):
    """9.7e11 +- 3.0e11 A/m^2 of 93 wires of 53 to 173 nm (Nanotechnology 33, 305706 (2022)), and
    up to 1e12 (doi:10.1088/0957-4484/19/8/085711); short wires bear more."""
    for done in broken.values():
        assert done.gap is not None
        assert 1e11 < done.density < 5e12
    assert broken["long"].density == pytest.approx(9.7e11, abs=3.0e11)


def test_longer_wires_break_at_smaller_current_densities_and_thicker_ones_too(broken):
    """A suspended wire is as hot as its voltage says, so j rho L is nearly the same."""
    plain, longer, thick = (broken[name].density for name in ("plain", "long", "thick"))
    assert longer / plain == pytest.approx(0.3, abs=0.08)
    # the larger current of a thicker wire heats the contacts more
    assert 0.5 * plain < thick < plain


def test_the_neck_is_on_the_side_that_the_atoms_leave(broken):
    """Z* < 0 drives atoms to the anode, x = L, so that the cathode side thins; Z* > 0 otherwise."""
    length = 1500e-9
    for name, side in (("plain", -1.0), ("positive", 1.0)):
        assert side * (broken[name].gap.position - length / 2.0) > 0.05 * length
        last = broken[name].moments[-1]
        heavy = last.radii**2 * np.gradient(last.positions)
        centre = float((heavy * last.positions).sum() / heavy.sum())
        assert side * (centre - length / 2.0) < 0.0


def test_it_thins_and_then_the_current_drops_at_once(broken):
    for done in broken.values():
        radius = np.array([one.radii.min() for one in done.moments])
        assert len(radius) >= 5
        assert (np.diff(radius) < 0.0).all()
        assert radius[-1] == pytest.approx(0.5e-9, rel=1e-3)
        whole = [one for one in done.readings if not one.parted]
        after = [one for one in done.readings if one.parted]
        assert len(after) == 6
        assert whole[-1].current > 0.85 * done.current
        # the reading in whose averaging time it parts may still have some
        assert all(abs(one.current) < 1e-9 for one in after[1:])
        assert after[-1].wire_voltage == pytest.approx(after[-1].voltage, rel=1e-3)


def test_volume_and_circuit_are_conserved(broken):
    for done in broken.values():
        assert abs(done.volume_change) < 1e-10
        for one in done.readings:
            if not one.parted:
                ohms = one.resistance + 40.0
                assert one.current * ohms == pytest.approx(one.voltage, rel=5e-3, abs=1e-4)


def test_a_dataset_keeps_everything(broken):
    done = broken["plain"]
    made = breakdown_dataset(done)
    assert made["series_resistance"].item() == 40.0
    assert stored_result(made) == result_of(done)
    for told, kept in zip(stored_moments(made), done.moments, strict=True):
        np.testing.assert_array_equal(told.radii, kept.radii)
        np.testing.assert_array_equal(told.temperature, kept.temperature)
    several = joined_files([readings_only(made), readings_only(breakdown_dataset(done, 1))])
    assert set(several["device"].to_numpy()) == {1, 2}
    assert isinstance(several, xr.Dataset)


def test_a_limited_current_spares_the_wire():
    limited = SHORT | {"protocol.compliance": 1e-3, "protocol.interval": 10.0}
    done = break_wire(load_wire_settings("wire-breakdown", limited))
    assert done.gap is None
    assert done.readings[-1].compliance
    assert done.readings[-1].current == pytest.approx(1e-3, rel=1e-3)
    told = result_of(done)
    assert (told.parted, told.gap, told.tip_radii) == (False, None, [])


def test_stairs_that_end_at_the_drop_end_there():
    stairs = {"kind": "breakdown-sweep", "stop": 1.0, "steps": 10, "dwell": 4.0}
    done = break_wire(load_wire_settings(None, {**SHORT_OF_STAIRS, "protocol": stairs}))
    assert done.gap is not None
    # the level at which it parts, and the read
    assert sum(one.parted for one in done.readings) <= 3
    assert done.readings[-1].voltage == pytest.approx(0.1, rel=1e-2)


def test_roughness_and_grains_are_as_they_are_asked_for():
    settings = load_wire_settings(
        None,
        {"wire.length": 18_000.0, "wire.roughness": 0.05, "wire.grain_length": 300.0,
         "wire.mobility_spread": 0.7},
    )  # fmt: skip
    shape = make_wire(settings).shape
    spread = shape.radii.std() / shape.radii.mean()
    assert spread == pytest.approx(0.05, rel=0.25)
    assert shape.volume == pytest.approx(np.pi * 30e-9**2 * 18e-6, rel=1e-9)
    factors = np.unique(shape.grains)
    assert 40 < len(factors) < 80
    assert np.log(factors).std() == pytest.approx(0.7, rel=0.3)
    assert (make_wire(settings).shape.squares == shape.squares).all()


def test_wires_of_an_ensemble_differ_as_they_are_asked_to():
    members = load_wire_settings("wire-breakdown-ensemble").members()
    assert len(members) == 11
    assert len({one.seed for one in members}) == 11
    diameters = np.array([one.wire.diameter for one in members])
    assert 5.0 < diameters.std() < 30.0
    assert load_wire_settings("wire-breakdown-ensemble").members() == members


def test_a_cap_holds_its_volume():
    for base, height in ((1.0, 0.1), (2.0, 2.0), (1.0, 5.0)):
        volume = np.pi * height * (3.0 * base**2 + height**2) / 6.0
        assert cap_height(volume, base) == pytest.approx(height)


@pytest.mark.parametrize("name", preset_names("wire"))
def test_every_preset_explains_itself_and_its_document_loads_to_it(name, tmp_path):
    settings = load_wire_settings(name)
    assert settings.name == name
    assert preset_text(name, "wire").startswith("# ")
    path = tmp_path / "mine.toml"
    path.write_text(settings_document(settings, "A head."))
    assert load_wire_settings(path) == settings
    assert WireSettings.model_validate(json.loads(settings.model_dump_json())) == settings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("wire.length=-5", "wire.length = -5: must be a number from 100 to 100000"),
        ("wire.length=200", "must be from 300 to 21000 nm with wire.diameter = 60 nm"),
        ("wire.diameter=10", "must be from 50 to 3500 nm with wire.diameter = 10 nm"),
        ("wire.correlation_length=10", "must not be below the radius, 30 nm"),
        ("wire.mobility_spread=0.5", "would change nothing in a single crystal"),
        ("surface.parting_radius=0.1", "surface.parting_radius = 0.1: must be a number from 0.2"),
        ("conduction.melting_point=250", "must be below conduction.melting_point = 250 K"),
        ("source.voltage_limit=1", "must not be below the 4 to which the protocol sets"),
        ("protocol.interval=1e-4", "are more than 100000"),
        ("surface.colour=1", "colour"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(change, words):
    with pytest.raises(SettingsError) as refused:
        load_wire_settings("wire-breakdown", [change])
    assert words in str(refused.value)
    assert str(refused.value).startswith("wire-breakdown: ")
    assert "\n" not in str(refused.value)


def test_an_impossible_wire_of_an_ensemble_is_named():
    settings = load_wire_settings(
        "wire-breakdown", {"wires.number": 40, "wires.length_spread": 0.4, "wire.length": 450.0}
    )
    with pytest.raises(SettingsError, match=r"wire \d+ of wire-breakdown: .*wire.length"):
        settings.members()
