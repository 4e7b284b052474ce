"""Virtual units without a socket: what they answer, and what they refuse."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.instruments import make_unit
from nanogap.instruments.datasheet import data_sheet


def ask(unit, text):
    return unit.handle(text.encode("latin-1")).decode("latin-1").rstrip("\n\0")


def numbers(unit, text):
    return [float(one) for one in ask(unit, text).replace(",", "\t").split("\t")]


@pytest.fixture
def smu():
    return make_unit("keithley-2614b", "resistor:1000", seed=1)


@pytest.fixture
def analyser():
    return make_unit("keithley-4200", "resistor:1000", seed=1)


def error_of(unit):
    code, message, *_ = ask(unit, "print(errorqueue.next())").split("\t")
    return int(float(code)), message


def test_a_resistor_reads_as_the_data_sheet_says(smu):
    ask(smu, "smua.source.levelv = 0.5 smua.source.output = 1 delay(0.01)")
    current, voltage = numbers(smu, "print(smua.measure.iv())")
    assert voltage == pytest.approx(0.5, abs=2e-4 * 0.5 + 3.5e-4)
    assert current == pytest.approx(5e-4, abs=2e-4 * 5e-4 + 2e-7)
    assert smu.bench.time == pytest.approx(0.03)  # the delay, and one period of the mains


def test_a_limit_holds_and_is_said_as_a_status(smu):
    ask(smu, "smua.source.limiti = 1e-4 smua.source.levelv = 1 smua.source.output = 1 delay(0.01)")
    current, status = numbers(
        smu, "print(smua.measure.i(), status.measurement.instrument.smua.condition)"
    )
    assert current == pytest.approx(1e-4, rel=1e-3)
    assert status == 2.0
    assert ask(smu, "print(smua.source.compliance)") == "true"
    ask(smu, "smua.source.func = 0 smua.source.leveli = 0.01 smua.source.limitv = 2 delay(0.01)")
    voltage, status = numbers(
        smu, "print(smua.measure.v(), status.measurement.instrument.smua.condition)"
    )
    assert voltage == pytest.approx(2.0, rel=1e-3)
    assert status == 1.0


def test_a_reading_beyond_a_fixed_range_is_the_overflow(smu):
    ask(smu, "smua.measure.rangei = 1e-5 smua.source.levelv = 1 smua.source.output = 1 delay(0.01)")
    assert numbers(smu, "print(smua.measure.i(), smua.measure.r())") == [9.9e37, 9.9e37]
    assert numbers(smu, "print(smua.measure.rangei, smua.measure.autorangei)") == [1e-5, 0.0]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("smua.source.levelv = 203", 1101),
        ("smua.source.limiti = 1e-9", 1102),
        ("smua.source.limitv = 0.01", 1102),
        ("smua.measure.nplc = 26", 1101),
        ("smua.source.func = 2", 1401),
        ("smua.source.output = 'yes'", 1401),
        ("smua.source.nothing = 1", -286),
        ("smub.measure.rel.enablei = 1", -286),
        ("smua.measure.x()", -286),
        ("os.execute('touch x')", -286),
        ("x = function() end", -285),
        ("while true do end", -285),
        ("smua.source.levelv = ", -285),
        ("*NONSENSE?", -285),
        ("printbuffer(1, 2, 3)", 1401),
        ("beeper.beep().x = 1", -286),
        ("for i = 1, 1e308, 1e-308 do end", -286),
        ("smua.source.levelv = 1/0", -286),
        ("smua = 1", -286),
        ("\x1f", -285),
    ],
)
def test_what_cannot_be_done_is_an_error_and_changes_nothing(smu, command, code):
    before = smu.bench.channels["smua"].set
    kept = (before.level, before.limit, before.quantity, before.output, before.nplc)
    assert ask(smu, command) == ""
    assert numbers(smu, "print(errorqueue.count)") == [1.0]
    assert error_of(smu)[0] == code
    after = smu.bench.channels["smua"].set
    assert kept == (after.level, after.limit, after.quantity, after.output, after.nplc)


def test_the_power_of_the_unit_has_an_end(smu):
    ask(smu, "smua.source.levelv = 100 smua.source.limiti = 1 smua.source.output = 1")
    assert error_of(smu)[0] == 5007
    assert not smu.bench.record.is_on


def test_a_script_is_parsed_and_done_at_once(smu):
    program = """loadandrunscript
smua.nvbuffer1.clear()
smua.nvbuffer1.appendmode = 1
smua.source.output = 1
for index = 1, 5 do
  level = 0.1 + (index - 1)*0.1
  smua.source.levelv = level
  delay(0.01)
  smua.measure.i(smua.nvbuffer1)
end
printbuffer(1, 5, smua.nvbuffer1.readings, smua.nvbuffer1.sourcevalues)
endscript"""
    answers = [ask(smu, line) for line in program.splitlines()]
    assert not any(answers[:-1])
    read = np.array(answers[-1].split(", "), dtype=float).reshape(5, 2)
    assert read[:, 1] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert read[:, 0] == pytest.approx(read[:, 1] / 1000.0, abs=3e-7)


def test_a_script_of_empty_lines_has_an_end(smu):
    smu.handle(b"loadandrunscript")
    for _ in range(1_000_000):
        smu.handle(b"")
    assert len(smu.errors) == 0
    smu.handle(b"")
    assert smu.errors.next().code == -363
    assert smu.handle(b"print(1)") == b"1.00000e+00\n"


def test_a_long_answer_is_given_or_refused(smu):
    answer = smu.handle(b"for n = 1, 20000 do print(1) end")
    assert answer == 20_000 * b"1.00000e+00\n"
    answer = smu.handle(b"for n = 1, 200 do print('" + 50_000 * b"x" + b"') end")
    assert len(answer) == 8_000_000 // 50_001 * 50_001
    assert smu.errors.next().code == -286


def test_a_script_that_would_never_end_is_ended(smu):
    ask(smu, "for i = 1, 1e9 do for k = 1, 1e9 do x = i end end")
    assert error_of(smu)[0] == -286


@pytest.mark.parametrize(
    ("sweep", "levels"),
    [
        ("SweepVLinMeasureI(smua, 0, 1, 0.01, 5)", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("SweepVLogMeasureI(smua, 0.01, 1, 0.01, 3)", [0.01, 0.1, 1.0]),
        ("SweepVListMeasureI(smua, {0.5, -0.5}, 0.01, 2)", [0.5, -0.5]),
    ],
)
def test_the_factory_sweeps_fill_the_buffer_and_leave_the_output_off(smu, sweep, levels):
    ask(smu, sweep)
    read = numbers(smu, "printbuffer(1, smua.nvbuffer1.n, smua.nvbuffer1.readings)")
    assert read == pytest.approx(np.array(levels) / 1000.0, abs=5e-7)
    assert not smu.bench.record.is_on
    highest = max(abs(one.level) for one in smu.bench.record.settings)
    assert highest == pytest.approx(max(map(abs, levels)))


def test_the_trigger_model_waits_for_its_event(smu):
    for line in (
        "smua.trigger.source.listv({0.1, 0.2, 0.3}) smua.trigger.source.action = smua.ENABLE",
        "smua.trigger.measure.iv(smua.nvbuffer1, smua.nvbuffer2)",
        "smua.trigger.measure.action = smua.ENABLE smua.trigger.count = 3",
        "smua.trigger.arm.stimulus = trigger.EVENT_ID",
        "smua.source.output = 1 smua.trigger.initiate()",
    ):
        assert ask(smu, line) == ""
    assert numbers(smu, "print(status.operation.sweeping.condition, smua.nvbuffer1.n)") == [0, 0]
    ask(smu, "*trg")
    assert numbers(smu, "print(status.operation.sweeping.condition)") == [2.0]
    assert numbers(smu, "print(status.operation.sweeping.condition)") == [0.0]
    assert numbers(smu, "printbuffer(1, 3, smua.nvbuffer2)") == pytest.approx(
        [0.1, 0.2, 0.3], abs=3e-4
    )
    assert error_of(smu)[0] == 0


def test_a_filter_takes_the_time_of_its_readings(smu):
    ask(smu, "smua.measure.filter.type = 1 smua.measure.filter.count = 5 smua.source.output = 1")
    ask(smu, "smua.measure.filter.enable = 1 smua.measure.v()")
    assert smu.bench.time == pytest.approx(0.1)


def test_noise_grows_where_the_integration_is_short():
    sheet = data_sheet("keithley-2614b")
    used = sheet.range_for("current", 5e-6)
    noise = [sheet.noise_of(used, nplc) for nplc in (0.001, 0.01, 0.1, 1.0, 25.0)]
    assert noise == sorted(noise, reverse=True)
    assert noise[0] == pytest.approx(6e-3 * 1e-5 / 3.0, rel=1e-3)
    assert noise[3] == pytest.approx(6e-11 / 6.6)


def test_a_diode_follows_its_law():
    unit = make_unit("keithley-2614b", "diode", seed=1)
    ask(unit, "smua.source.func = 0 smua.source.limitv = 5 smua.source.output = 1")
    volts = []
    for amperes in (1e-5, 1e-4):
        ask(unit, f"smua.source.leveli = {amperes}")
        volts += numbers(unit, "print(smua.measure.v())")
    assert volts[1] - volts[0] == pytest.approx(0.02585 * math.log(10.0), abs=5e-4)
    ask(unit, "smua.source.leveli = -1e-4")
    assert numbers(unit, "print(smua.measure.v())") == pytest.approx([-5.0], rel=2e-3)
    assert ask(unit, "print(smua.source.compliance)") == "true"


def test_user_mode_of_the_4200(analyser):
    assert ask(analyser, "US;DV1,0,0.5,0.01") == "ACK"
    assert ask(analyser, "US;TV1")[:3] == "NAV"
    reading = ask(analyser, "US;TI1")
    assert reading[:3] == "NAI"
    assert float(reading[3:]) == pytest.approx(5e-4, rel=2e-3)
    assert ask(analyser, "US;DV1,0,5,0.001") == "ACK"
    assert ask(analyser, "US;TI1")[0] == "C"
    assert ask(analyser, "US;TI2")[0] == "T"  # the other channel is at its limit
    assert ask(analyser, "US;DV1") == "ACK"
    assert not analyser.bench.record.is_on


@pytest.mark.parametrize(
    "command",
    [
        "US;DV1,0,500,0.001",
        "US;DV1,4,0.1,0.001",
        "US;DV9,0,1,0.001",
        "US;DV1,0,100,0.1",
        "US;DI1,0,0.2,1",
        "US;TI nan",
        "DV1,0,1,0.001",
        "XX1",
        "*NO?",
        "SS;VR1,0,10,1e-3,0.1",
        "SS;VR2,0,1,0.1",
        "MD;ME1",
        "MD;ME2",
        "DO 'nothing'",
        "RS 9",
    ],
)
def test_what_the_4200_cannot_do_is_an_error(analyser, command):
    assert "ERROR" in ask(analyser, command)
    assert int(ask(analyser, "SP")) & 2
    assert ask(analyser, "SP") == "0"
    assert "ERROR" in ask(analyser, ":ERROR:LAST:GET")
    assert not analyser.bench.record.is_on


def test_a_4145_sweep(analyser):
    for line in (
        "DE;CH1,'V1','I1',1,1",
        "SS;VR1,0,1,0.25,0.01;HT 0;DT 0.01",
        "RS 6;IT2",
        "MD;ME1",
    ):
        assert ask(analyser, line) == "ACK"
    assert int(ask(analyser, "SP")) & 1
    read = ask(analyser, "DO 'I1'").split(",")
    assert {one[0] for one in read} == {"N"}
    assert [float(one[1:]) for one in read] == pytest.approx(
        [0.0, 2.5e-4, 5e-4, 7.5e-4, 1e-3], abs=3e-6
    )
    times = [float(one) for one in ask(analyser, "DO 'CH1T'").split(",")]
    assert np.diff(times) == pytest.approx(0.03)  # delay and one period of the mains
    assert float(ask(analyser, "RD 'I1', 5")) == pytest.approx(1e-3, rel=2e-3)
    assert ask(analyser, "RD 'I1', 6") == "0"
    assert not analyser.bench.record.is_on


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_no_text_breaks_a_unit(text):
    for name in ("keithley-2614b", "keithley-4200"):
        unit = make_unit(name, "resistor")
        unit.handle(text.encode("latin-1"))
        unit.handle(b"print(" + text.encode("latin-1") + b")")


def test_same_commands_same_readings():
    def read():
        unit = make_unit("keithley-2614b", "levels", seed=3)
        ask(unit, "smua.source.func = 0 smua.source.limitv = 2 smua.source.output = 1")
        return [
            ask(unit, f"smua.source.leveli = {n}e-6 print(smua.measure.iv())") for n in range(20)
        ]

    assert read() == read()
