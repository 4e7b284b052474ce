import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.electrical import InOrder, Pulses, VoltageSweep, Waveform
from nanogap.errors import SettingsError
from nanogap.settings import load_settings, preset_names, preset_text, settings_document
from nanogap.settings.device import DeviceSettings, load_device_settings

PRESETS = preset_names("device")


def test_presets_of_devices_are_apart_from_those_of_runs():
    assert "quick" not in PRESETS
    assert not set(PRESETS) & set(preset_names())
    with pytest.raises(SettingsError, match="wire-voltage-sweep"):
        load_device_settings("quick")
    with pytest.raises(SettingsError, match="paper-2v"):
        load_settings("device-quick")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_and_explains_itself(name):
    settings = load_device_settings(name)
    assert settings.name == name
    assert preset_text(name, "device").startswith("# ")
    assert DeviceSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize("name", PRESETS)
def test_the_document_of_a_preset_loads_to_it(name, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(settings_document(load_device_settings(name), "A head."))
    assert load_device_settings(path) == load_device_settings(name)


def test_presets_are_the_papers_measurements():
    chosen = {name: load_device_settings(name).protocol for name in PRESETS}
    # the paper's limits are those of the SET; the RESET has the source's
    assert chosen["wire-voltage-sweep"].compliance == (4e-4, 0.1)
    assert chosen["wire-program-1g0"].compliance == (1e-4, 0.1)
    assert chosen["wire-slow-set"].rate == 2.6e-3
    assert chosen["wire-slow-reset"].rate == 4.5e-3
    sweep = chosen["wire-current-sweep"]
    assert (sweep.turning_points, sweep.rate) == ((0.0, 20e-6), 90e-9)
    assert sweep.total_duration == pytest.approx(222.2, abs=0.1)
    assert (chosen["wire-endurance"].cycles, chosen["wire-endurance"].read_voltage) == (100, 0.4)
    assert (chosen["wire-retention"].voltage, chosen["wire-retention"].duration) == (0.1, 1e3)
    statistics = load_device_settings("wire-statistics")
    members = statistics.members()
    assert len(members) == 5
    assert [member.protocol.cycles for member in members] == [24, 23, 23, 23, 23]
    assert sum(member.protocol.total_samples for member in members) == 464_000
    assert load_device_settings("device-quick").protocol.total_duration < 10.0


def test_devices_differ_in_seed_and_resistance_within_the_spread():
    settings = load_device_settings("wire-statistics", {"devices.number": 20, "seed": 4})
    members = settings.members()
    assert len({member.seed for member in members}) == 20
    resistances = [member.circuit.series.parasitic for member in members]
    assert len(set(resistances)) == 20
    assert all(400.0 <= resistance <= 600.0 for resistance in resistances)
    assert members == settings.members()
    assert all(member.members() == (member,) for member in members)
    # every member is settings that load
    assert load_device_settings(members[3].model_dump(mode="json")) == members[3]


def test_another_kind_of_protocol_leaves_no_key_of_the_old_one():
    settings = load_device_settings(
        "wire-retention", ["protocol.cycles=7", "preparation.kind=none", "protocol.kind=pulses"]
    )
    assert settings.protocol == Pulses(cycles=7)
    assert settings.make_protocol() is settings.protocol
    kept = load_device_settings("wire-retention", ["preparation.kind=voltage-sweep"])
    assert kept.preparation == load_device_settings("wire-retention").preparation
    assert isinstance(kept.make_protocol(), InOrder)


def test_settings_make_the_circuit_and_the_meters():
    settings = load_device_settings(None, {"circuit.contact": 180.0, "circuit.capacitance": 2e-10})
    source = settings.make_source()
    assert (source.series_resistance, source.capacitance) == (560.0, 2e-10)
    assert load_device_settings().circuit.series.parasitic == 500.0
    assert settings.source.aperture == pytest.approx(0.02)
    reading = settings.source.make_meter("current", 1).read(1e-5, 0.1)
    assert reading == pytest.approx(1e-5, rel=1e-2)


def test_values_of_a_medium_are_the_named_ones_unless_given():
    settings = load_device_settings(None, ["medium.name=vacuum", "medium.ion_barrier=0.4"])
    assert (settings.medium.name, settings.medium.changes) == ("vacuum", {"ion_barrier": 0.4})
    for value, expected in (("none", math.inf), ("9.6", 9.6)):
        settings = load_device_settings(None, [f"medium.screening_length={value}"])
        assert settings.medium.changes == {"screening_length": expected}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("geometry.gap=0", ["geometry.gap = 0", "from 4 to 50"]),
        ("geometry.gap=51", ["geometry.gap = 51"]),
        ("geometry.apex_width=99", ["geometry.apex_width = 99", "base_width"]),
        ("protocol.compliance=0", ["protocol.compliance = 0", "above 0"]),
        ("protocol.compliance=[1e-4]", ["protocol.compliance", "two numbers"]),
        ("protocol.rate=-1", ["protocol.rate = -1", "above 0"]),
        ("protocol.turning_points=[0]", ["turning_points = [0]", "a list of 2 to 100 numbers"]),
        ("protocol.turning_points=[0, 1, 1]", ["protocol: turning_points has 1 twice"]),
        ("protocol.speed=1", ["unknown key 'protocol.speed'", "[protocol] knows kind"]),
        ("protocol.kind=ramp", ["protocol.kind = 'ramp'", "'voltage-sweep' or", "'pulses'"]),
        ("protocol=1", ["protocol = 1", "[protocol]"]),
        ("preparation.rate=2", ["preparation.kind is missing", "'none'"]),
        ("medium.concentration=-1", ["medium.concentration = -1", "0 to 90"]),
        ("medium.screening_length=0", ["medium.screening_length = 0", "above 0", "'none'"]),
        ("kinetics.metal_cap=0", ["kinetics.metal_cap = 0", "'none'"]),
        ("source.noise=1", ["source.noise = 1", "from 0, below 1"]),
        ("circuit.wire=0", ["circuit.wire = 0"]),
        ("circuit.wire=inf", ["circuit.wire"]),
        ("nonsense=1", ["unknown key 'nonsense'", "geometry"]),
        ("devices.number=0", ["devices.number = 0"]),
        ("rate", ["key=value"]),
        ("source.voltage_limit=0.5", ["source.voltage_limit = 0.5", "the 2.5 to which"]),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(override, words):
    with pytest.raises(SettingsError) as caught:
        load_device_settings("device-quick", [override])
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_more_devices_than_cycles_cannot_share_them():
    with pytest.raises(SettingsError, match="5 devices cannot share 3 cycles"):
        load_device_settings("wire-statistics", ["protocol.cycles=3"])


def test_some_keys_of_a_section_change_these_alone():
    """A table for a section once reset all other keys to their defaults, without a word."""
    quick = load_device_settings("device-quick")
    changed = load_device_settings("device-quick", {"geometry": {"gap": 6.0}, "protocol.cycles": 2})
    assert changed.geometry == quick.geometry.model_copy(update={"gap": 6.0})
    assert changed.protocol == quick.protocol.model_copy(update={"cycles": 2})
    other = load_device_settings(quick, {"protocol": {"kind": "pulses", "cycles": 3}})
    assert other.protocol == Pulses(cycles=3)


def test_a_protocol_may_be_given_as_such():
    given = {"protocol": VoltageSweep(rate=2.0), "protocol.cycles": 3}
    assert load_device_settings("device-quick", given).protocol == VoltageSweep(rate=2.0, cycles=3)
    table = {"protocol": Pulses()}
    assert load_device_settings(table, {"protocol": {"cycles": 3}}).protocol == Pulses(cycles=3)
    corners = Waveform(times=np.arange(3.0), levels=np.array([0.0, 1.0, 0.0]))
    loaded = load_device_settings("device-quick", {"protocol": corners})
    assert load_device_settings(loaded.model_dump(mode="json")).protocol == corners


def test_a_preset_of_the_other_family_says_where_it_belongs():
    with pytest.raises(SettingsError, match=r"is a preset of molecular dynamics, which load_set"):
        load_device_settings("quick")
    with pytest.raises(SettingsError, match=r"of devices, which load_device_settings and 'nanogap"):
        load_settings("device-quick")


def test_settings_come_from_names_tables_and_settings():
    quick = load_device_settings("device-quick")
    assert load_device_settings(quick) is quick
    assert load_device_settings(quick, {"seed": 3}).seed == 3
    assert load_device_settings() == DeviceSettings()
    table = {"protocol": {"kind": "voltage-sweep", "rate": 2.0}}
    assert load_device_settings(table).protocol == VoltageSweep(rate=2.0)
    with pytest.raises(SettingsError, match=r"protocol\.kind is missing"):
        load_device_settings({"protocol": {"rate": 2.0}})
    with pytest.raises(SettingsError, match="give the name of a preset"):
        load_device_settings(["device-quick"])


@given(st.floats(4.0, 50.0))
def test_any_gap_of_the_range_loads(gap):
    assert load_device_settings(None, {"geometry.gap": gap}).geometry.gap == gap


@given(st.one_of(st.floats(max_value=4.0, exclude_max=True), st.floats(50.0, exclude_min=True)))
def test_any_other_gap_is_refused_by_name(gap):
    with pytest.raises(SettingsError, match=r"geometry\.gap"):
        load_device_settings(None, {"geometry.gap": gap})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol.interval": 1e-9}, "protocol: .* readings are more than 1e"),
        ({"conductance.cell_widths": [8, 4]}, "conductance.cell_widths = .*above the one before"),
    ],
)
def test_too_many_readings_and_falling_widths_are_refused(changes, words):
    with pytest.raises(SettingsError, match=words):
        load_device_settings("device-quick", changes)
