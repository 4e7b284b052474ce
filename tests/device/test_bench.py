"""A device in the hands of a program: levels one by one, protocols of one's own, feedback."""

from functools import cache

import numpy as np
import pytest

import nanogap as ng
from nanogap.device.measurement import Measurement
from nanogap.electrical import ConstantRead, Segment, SegmentList, VoltageSweep, Waveform

#: The smallest needles that switch; one point of the zone, nothing relaxed.
SMALL = {
    "geometry.base_width": 16.0,
    "geometry.height": 7.0,
    "geometry.upper_apex_width": "same",
    "geometry.fixed_layers": 1,
    "geometry.margin": 4.0,
    "conductance.kpoints": 1,
    "conductance.cell_widths": [3],
    "conductance.relaxation_steps": 0,
    "conductance.cache": "none",
    "protocol.rate": 10.0,
}
QUIET = {"source.noise": 0.0, "source.gain_error": 0.0, "source.resolution": 0.0}


def device(**changes):
    keys = {name.replace("__", "."): value for name, value in changes.items()}
    return ng.Device(ng.load_device_settings("device-quick", SMALL | keys))


@cache
def swept():
    """A device after its whole loop, and the readings."""
    made = device()
    seen = []
    data = made.measure(progress=lambda done, planned: seen.append((done, planned)))
    return made, data, seen


def test_the_protocol_of_the_settings_gives_the_readings_of_a_measurement():
    made, data, seen = swept()
    points = list(Measurement(device()))
    assert data["current"].to_numpy().tolist() == [point.current for point in points]
    assert data["events"].to_numpy().tolist() == [list(point.events) for point in points]
    assert seen == [(done + 1, len(points)) for done in range(len(points))]
    assert data["time"][-1].item() == pytest.approx(made.settings.total_duration)
    assert made.dataset().identical(data)


def test_analyses_take_the_readings_as_they_are():
    _, data, _ = swept()
    kinds = {event.kind for event in ng.switching(data).events}
    assert "set" in kinds
    counted = ng.histogram(data, bin_width=0.5, series_resistance="circuit")
    assert counted.subtracted == {"device-quick": 500.0}


def test_levels_one_by_one_go_on_in_time_and_are_recorded():
    made = device(**{key.replace(".", "__"): value for key, value in QUIET.items()})
    first = made.apply(0.2, 0.1)
    second = made.apply(0.1, 0.05, read=True, cycle=3)
    third = made.apply(2e-9, 0.1, quantity="current", compliance=0.5)
    assert first.voltage == pytest.approx(0.2)
    assert (first.read, second.read, second.cycle, third.cycle) == (False, True, 3, 3)
    assert second.time == pytest.approx(0.15)
    assert third.time == pytest.approx(0.25) == made.time
    assert third.current == pytest.approx(2e-9, rel=1e-3)
    data = made.dataset()
    assert data["time"].to_numpy().tolist() == [first.time, second.time, third.time]
    assert data["read"].to_numpy().tolist() == [False, True, False]


def test_the_noise_of_one_reading_is_not_that_of_the_next():
    made = device(medium__name="vacuum", source__noise=0.01)
    readings = [made.apply(0.2, 0.05).voltage for _ in range(5)]
    assert len(set(readings)) == 5


def test_cycles_of_one_measurement_follow_those_of_the_one_before():
    made = device(medium__name="vacuum")
    loop = VoltageSweep(turning_points=(0.0, 0.2, 0.0), rate=4.0, interval=0.05, cycles=2)
    first, second = made.measure(loop), made.measure(loop)
    assert np.array_equal(first["time"], second["time"])
    assert np.array_equal(first["cycle"], second["cycle"])
    whole = made.dataset()
    assert np.array_equal(whole["cycle"], np.concatenate([first["cycle"], second["cycle"] + 2]))
    assert np.diff(whole["time"]) == pytest.approx(0.05)


def test_a_state_is_as_old_as_its_read():
    """A read is timed from its own beginning, whatever was done to the device before."""
    made = device(medium__name="vacuum")
    made.apply(0.1, 5.0)
    read = made.measure(ConstantRead(duration=1.0, interval=0.1))
    assert ng.retention(read).time[-1] == pytest.approx(1.0)


def test_a_function_of_time_and_segments_of_ones_own_drive_the_source():
    made = device(**{key.replace(".", "__"): value for key, value in QUIET.items()})
    tone = Waveform.from_function(lambda time: 0.1 * np.sin(20.0 * time), 0.4, interval=0.05)
    data = made.measure(tone)
    # the mean over the averaging time of 20 ms before the corner
    expected = 0.1 * np.sin(20.0 * (data["time"] - 0.01))
    assert np.abs(data["voltage"] - expected).max() < 0.01
    segments = SegmentList((Segment("voltage", 0.3, 0.1, 0.2, samples=2),))
    assert made.measure(segments).sizes["point"] == 2


def test_feedback_decides_upon_what_was_read():
    class UntilSome:
        """Ever higher pulses, until a microampere flows."""

        def next_segment(self, readings):
            if readings and abs(readings[-1].current) > 1e-6:
                return None
            return Segment("voltage", level := 0.5 * (len(readings) + 1), level, 0.02, samples=1)

    data = device().measure(UntilSome())
    assert abs(data["current"][-1].item()) > 1e-6
    assert (np.abs(data["current"][:-1]) <= 1e-6).all()


def test_what_was_read_before_an_interruption_is_kept():
    made = device(medium__name="vacuum")

    def stop(done, _):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.measure(ConstantRead(duration=1.0), progress=stop)
    assert made.dataset().sizes["point"] == 3


def test_atoms_of_the_moment_say_time_conductance_and_where_they_belong():
    made, _, _ = swept()
    atoms = made.atoms
    assert atoms.info["time"] == made.time
    assert atoms.info["conductance"] == made.conductance.value
    assert atoms.info["bridged"] == made.conductance.bridged
    metal = atoms.arrays["kind"] < 3
    assert len(atoms) - int(metal.sum()) == atoms.info["n_ions"]
    assert {0, 1} <= set(atoms.arrays["kind"].tolist())


def test_a_device_prints_what_it_is():
    made, _, _ = swept()
    text = repr(made)
    assert text.splitlines()[0] == "Device 'device-quick'"
    assert "80 readings" not in text  # 0.8 s at 50 per second
    assert "40 readings" in text
    assert "of Ag and" in text


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: ng.Device("nowhere"),
            "no preset or file named 'nowhere': the presets are device-quick, ",
        ),
        (lambda: ng.Device(5), "load_device_settings: source = 5: give the name of a preset"),
        (
            lambda: ng.Device("wire-statistics"),
            "the settings are of 5 devices, and a Device is one: give one of settings.members()",
        ),
        (lambda: ng.Device("device-quick", necks="few"), "Device: necks = 'few': give a Neck"),
        (
            lambda: swept()[0].apply(0.1, 0.0),
            "duration is 0.0 s from a level of 0.1 to 0.1;",
        ),
        (lambda: swept()[0].apply(0.1, 5e-324), "duration is 5e-324 s from a level of 0.1 to 0.1;"),
        (lambda: swept()[0].apply(0.1, 1e308), "duration is 1e+308 s from a level of 0.1 to 0.1;"),
        (
            lambda: swept()[0].apply(0.1, 0.1, compliance=[1e-3, 1e-3, 1e-3]),
            "Device.apply: compliance = [0.001, 0.001, 0.001]: give one number, two of them, or",
        ),
        (lambda: swept()[0].apply("high", 1.0), "Device.apply: level = 'high': give a number"),
        (lambda: swept()[0].apply(50.0, 1.0), "50 V is beyond source.voltage_limit = 20 V"),
        (
            lambda: swept()[0].apply(1.0, 1.0, quantity="current"),
            "1 A is beyond source.current_limit = 0.1 A",
        ),
        (
            lambda: swept()[0].apply(0.1, 1.0, compliance="high"),
            "compliance = 'high': give a number, two of them or 'none'",
        ),
        (lambda: swept()[0].apply(0.1, 1.0, compliance=0.0), "compliance is (0.0, 0.0)"),
        (lambda: swept()[0].apply(0.1, 1.0, cycle=-1), "samples and cycle must be zero or above"),
        (lambda: swept()[0].measure("sweep"), "Device.measure: protocol = 'sweep': give a prot"),
        (lambda: swept()[0].measure(VoltageSweep), "Device.measure: protocol = <class "),
        (
            lambda: swept()[0].measure(Waveform(times=(0.0, 1.0), levels=(0.0, 60.0))),
            "60 V is beyond source.voltage_limit = 20 V",
        ),
        (lambda: device().dataset(), "the device has no reading: measure() and apply() take some"),
    ],
)
def test_what_cannot_be_is_one_sentence(call, sentence):
    with pytest.raises(ng.NanogapError) as caught:
        call()
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value).splitlines()) == 1


def test_a_protocol_that_gives_no_segment_says_so():
    class Numbers:
        def next_segment(self, _):
            return 0.5

    with pytest.raises(ng.SettingsError, match=r"the protocol gives 0\.5: next_segment must"):
        device(medium__name="vacuum").measure(Numbers())


def test_a_protocol_that_takes_no_readings_says_so():
    class Deaf:
        def next_segment(self):
            return None

    with pytest.raises(ng.SettingsError, match=r"define next_segment\(self, readings\)$"):
        swept()[0].measure(Deaf())


def test_a_protocol_with_a_memory_is_asked_once_for_every_segment():
    class Counting:
        asked = 0

        def next_segment(self, _):
            self.asked += 1
            levels = {1: 0.1, 2: 0.2}
            level = levels.get(self.asked)
            return level and Segment("voltage", level, level, 0.02, samples=1)

    keys = {key.replace(".", "__"): value for key, value in QUIET.items()}
    data = device(medium__name="vacuum", **keys).measure(Counting())
    assert data["voltage"].to_numpy() == pytest.approx([0.1, 0.2], rel=1e-3)


def test_a_refused_call_leaves_no_trace_in_the_readings():
    made = device(medium__name="vacuum")
    made.apply(1e-9, 0.02, quantity="current", compliance=[0.5, 0.5])
    before = made.dataset()
    assert before.attrs["driven"] == "current"
    with pytest.raises(ng.SettingsError):
        made.apply(1000.0, 0.1)
    with pytest.raises(ng.SettingsError):
        made.measure(SegmentList((Segment("voltage", 50.0, 50.0, 0.1, samples=1),)))
    assert made.dataset().identical(before)


def test_numbers_of_a_dataset_are_levels_and_times():
    made = device(medium__name="vacuum")
    made.apply(0.1, 0.02)
    times = made.dataset()["time"]
    assert made.apply(times[0], times[0], compliance=times[0]).time == pytest.approx(0.04)
