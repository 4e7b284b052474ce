"""Published drivers, unchanged, on the virtual units: PyMeasure's and QCoDeS'."""

import warnings

import numpy as np
import pytest

from nanogap.electrical import Averager, Segment
from nanogap.instruments import Server, make_unit
from nanogap.instruments.datasheet import data_sheet
from nanogap.instruments.loads import Levels, load_named

#: Levels that a current staircase takes, and the limit of the voltage.
CURRENTS = np.arange(1, 21) * 1e-6
LIMIT = 2.0


@pytest.fixture(autouse=True)
def quiet_drivers():
    """The drivers and their VISA warn about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def serving():
    """Return a function that serves a unit and gives its server."""
    servers = []

    def serve(unit, load, seed=1):
        server = Server(make_unit(unit, load, seed=seed), 0).in_background()
        servers.append(server.__enter__())
        return server

    yield serve
    for server in servers:
        server.__exit__(None, None, None)


def address(server):
    return f"TCPIP::127.0.0.1::{server.port}::SOCKET"


@pytest.fixture
def qcodes_of(serving):
    """Return a function that opens QCoDeS' driver on a load."""
    opened = []

    def make(load, seed=1):
        from qcodes.instrument_drivers.Keithley import Keithley2614B

        server = serving("keithley-2614b", load, seed)
        driver = Keithley2614B(f"smu{len(opened)}", address(server), visalib="@py")
        opened.append(driver)
        return driver, server

    yield make
    for driver in opened:
        driver.close()


def test_qcodes_drives_the_2614b(qcodes_of):
    driver, server = qcodes_of("resistor:1000")
    assert driver.get_idn()["model"] == "2614B"
    driver.reset()
    smu = driver.smua
    smu.mode("voltage")
    smu.nplc(0.1)
    smu.limiti(1e-3)
    smu.volt(0.25)
    smu.output(True)
    smu.volt()
    assert smu.curr() == pytest.approx(2.5e-4, rel=5e-3)
    assert smu.curr.measurement_status.name == "NORMAL"
    assert smu.res() == pytest.approx(1000.0, rel=5e-3)
    smu.volt(1.5)
    smu.volt()
    assert smu.curr() == pytest.approx(1e-3, rel=5e-3)
    assert smu.curr.measurement_status.name == "CURRENT_COMPLIANCE_ERROR"
    smu.sourcerange_v(2)
    smu.measurerange_i(1e-4)
    assert smu.curr() == 9.9e37
    assert (smu.sourcerange_v(), smu.measurerange_i()) == (2.0, 1e-4)
    driver.display_settext("hello")
    driver.display_clear()
    driver.display_normal()
    driver.exit_key()
    driver.snapshot(update=True)
    assert driver.ask("errorqueue.count") == "0.00000e+00"
    smu.output(False)
    assert smu.output() is False
    assert not server.unit.bench.record.is_on


def test_qcodes_sweeps_in_the_unit(qcodes_of):
    from qcodes.dataset import LinSweep

    driver, _ = qcodes_of("resistor:1000")
    smu = driver.smua
    smu.setup_fastsweep(LinSweep(smu.volt, 0.0, 1.0, 11, 0.01))
    assert smu.fastsweep() == pytest.approx(np.linspace(0.0, 1e-3, 11), abs=1e-6)
    smu.timetrace_npts(5)
    smu.timetrace_dt(0.05)
    assert smu.timetrace() == pytest.approx(np.full(5, 1e-3), rel=2e-3)


def test_pymeasure_drives_the_2600(serving):
    from pymeasure.instruments.keithley import Keithley2600

    server = serving("keithley-2614b", "resistor:1000")
    driver = Keithley2600(
        address(server), visa_library="@py", read_termination="\n", write_termination="\n"
    )
    smu = driver.ChA
    smu.apply_voltage(compliance_current=1e-3)
    smu.source_voltage = 0.5
    smu.source_output = "ON"
    smu.measure_current(nplc=1)
    assert smu.current == pytest.approx(5e-4, rel=1e-3)
    assert smu.voltage == pytest.approx(0.5, rel=1e-3)
    assert smu.resistance == pytest.approx(1000.0, rel=2e-3)
    smu.apply_current(compliance_voltage=1.0)
    smu.source_current = 1e-4
    smu.measure_voltage()
    assert smu.voltage == pytest.approx(0.1, abs=5e-4)
    smu.source_output = "OFF"
    assert smu.source_output == "OFF"
    assert driver.next_error[0] == 0
    driver.write("smua.source.levelv = 1000")
    assert driver.next_error[0] == 1101
    driver.adapter.close()
    assert not server.unit.bench.record.is_on


def pymeasure_4200(server):
    from pymeasure.instruments.keithley import Keithley4200

    return Keithley4200(address(server), visa_library="@py")


def test_pymeasure_drives_the_4200(serving):
    server = serving("keithley-4200", "resistor:1000")
    driver = pymeasure_4200(server)
    assert "KI4200A" in driver.id
    assert driver.options == ["SMU1", "SMU2"]
    driver.smu1.voltage_setpoint = (0, 0.5, 1e-2)
    assert driver.smu1.current == pytest.approx(5e-4, rel=2e-3)
    assert driver.smu1.voltage == pytest.approx(0.5, rel=2e-3)
    driver.smu1.current_setpoint = (0, 1e-4, 1.0)
    driver.smu1.voltage  # noqa: B018 the first reading has the step in it
    assert driver.smu1.voltage == pytest.approx(0.1, abs=1e-3)
    with pytest.raises(ValueError, match="Parameter too big"):
        driver.smu1.voltage_setpoint = (0, 500.0, 1e-2)
    assert driver.status & 2
    driver.smu1.disable()
    driver.clear()
    driver.adapter.close()
    assert not server.unit.bench.record.is_on


def test_one_protocol_three_ways(serving, qcodes_of):
    """Direct, the virtual 2614B by QCoDeS, the virtual 4200 by PyMeasure: the same plateaus."""
    bandwidth = data_sheet("keithley-2614b").bandwidth
    gap = load_named("levels", bandwidth, seed=7)
    assert isinstance(gap, Levels)
    direct = []
    for level in CURRENTS:
        averager = Averager()
        gap.advance(
            Segment("current", level, level, 0.02, (LIMIT, LIMIT), samples=1), 0.0, 0.02, averager
        )
        direct.append(averager.finish().voltage)
    driver, _ = qcodes_of("levels", seed=7)
    driver.smua.mode("current")
    driver.smua.limitv(LIMIT)
    driver.smua.output(True)
    by_qcodes = []
    for level in CURRENTS:
        driver.smua.curr(level)
        by_qcodes.append(driver.smua.volt())
    driver.smua.output(False)
    analyser = pymeasure_4200(serving("keithley-4200", "levels", seed=7))
    by_pymeasure = []
    for level in CURRENTS:
        analyser.smu1.current_setpoint = (0, level, LIMIT)
        by_pymeasure.append(analyser.smu1.voltage)
    analyser.smu1.disable()
    analyser.adapter.close()
    assert len(gap.switch.taken) >= 2  # the sweep passed through several levels
    for unit, read in (("keithley-2614b", by_qcodes), ("keithley-4200", by_pymeasure)):
        for value, true in zip(read, direct, strict=True):
            used = data_sheet(unit).range_for("voltage", true)
            error = used.gain_error * abs(true) + used.offset_error + used.noise
            assert value == pytest.approx(true, abs=error)
