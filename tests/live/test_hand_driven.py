"""A device driven by hand: what the knobs do, and the same turns give the same bits."""

import json

import pytest
from tests.live.conftest import SMALLEST, smallest

from nanogap.device import Device
from nanogap.errors import DataFormatError, SettingsError
from nanogap.live import Knobs, load_record, replay
from nanogap.live.knobs import Range, turned
from nanogap.settings.device import load_device_settings


def drive(driven):
    """Turn every knob once, with readings in between."""
    for changes in (
        {"voltage": 2.0, "ramp": 0.2},
        {"temperature": 340.0, "speed": 0.5},
        {"current_compliance": 1e-6, "voltage": -1.0},
        {"quantity": "current", "current": 1e-7, "voltage_compliance": 0.5},
        {"ramp": 0.0, "current": -1e-7},
    ):
        driven.turn(changes)
        for _ in range(4):
            driven.read()


def test_the_record_makes_the_same_readings_again(tmp_path):
    driven = smallest()
    drive(driven)
    path = tmp_path / "record.json"
    path.write_text(json.dumps(driven.record()))
    again = replay(load_record(path))
    assert again.points == driven.points
    assert len(again.points) == 20
    assert sum(again.points[-1].events) > 0
    assert again.record() == driven.record()
    # and a turn after another reading makes other ones
    other = load_record(path)
    other["turns"][0]["reading"] = 2
    assert replay(other).points != driven.points


def test_the_source_goes_to_a_new_value_in_the_time_of_the_ramp():
    driven = smallest("source.noise=0", "source.gain_error=0", "source.resolution=0")
    driven.turn({"voltage": 1.0, "ramp": 0.2})
    read = [driven.read().voltage for _ in range(5)]
    assert read == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0], abs=1e-3)
    driven.turn({"voltage": 0.0, "ramp": 0.0})
    assert driven.read().voltage == pytest.approx(0.0, abs=1e-3)


def test_the_interval_between_readings_follows_the_speed():
    driven = smallest()
    driven.turn({"speed": 2.0})
    assert driven.read().time == pytest.approx(0.1)
    driven.turn({"speed": 0.2})
    assert driven.read().time == pytest.approx(0.11)


def test_a_new_temperature_is_that_of_a_device_made_so():
    """A device that is heated before anything happened is one that was hot from the start."""
    settings = load_device_settings("device-quick", (*SMALLEST, "atoms.temperature=420"))
    hot, heated = Device(settings), smallest().device
    heated.set_temperature(420.0)
    assert hot.engine.total_rate == pytest.approx(heated.engine.total_rate)
    assert hot.apply(1.5, 0.2) == heated.apply(1.5, 0.2)
    cold = smallest().device
    assert cold.apply(1.5, 0.2).events != heated.engine.state.events
    assert heated.temperature == 420.0
    with pytest.raises(SettingsError, match=r"atoms.temperature = 20"):
        heated.set_temperature(20.0)


RANGES = {"voltage": Range(-10.0, 10.0, "V"), "speed": Range(0.01, 100.0, "s/s")}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"voltage": 11}, "voltage = 11: give a number from -10 to 10 V"),
        ({"voltage": float("nan")}, "voltage = nan: give a number from -10 to 10 V"),
        ({"voltage": True}, "voltage = True: give a number from -10 to 10 V"),
        ({"voltage": "1"}, "voltage = '1': give a number from -10 to 10 V"),
        ({"speed": 0}, "speed = 0: give a number from 0.01 to 100"),
        ({"quantity": "charge"}, "quantity = 'charge': give 'voltage' or 'current'"),
        ({"quantity": []}, r"quantity = []: give 'voltage' or 'current'"),
        ({"volts": 1.0}, "'volts' is no knob: the knobs are quantity, voltage, speed"),
    ],
)
def test_a_bad_turn_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(SettingsError) as error:
        turned(Knobs(), changes, RANGES)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"kind": "other"}', '{"kind": "nanogap live record", "turns": [1]}']
)
def test_what_is_no_record_is_refused(content, tmp_path):
    path = tmp_path / "record.json"
    path.write_text(content)
    with pytest.raises(DataFormatError, match=r"record.json"):
        load_record(path)
