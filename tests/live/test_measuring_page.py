"""The page of a measurement: what it tells, that it changes nothing, and its end."""

import math
import os
import warnings

import pytest
from tests.chromium import CHROMIUM, Browser
from tests.live.conftest import Client
from tests.live.test_live_browser import DRAWN, readings

from nanogap.instruments import Server, make_unit, parse_address
from nanogap.instruments.measuring import MeasurementRun, Progress
from nanogap.instruments.source_meter import Taken
from nanogap.instruments.stepping import Point
from nanogap.live.loopback import PageServer
from nanogap.live.measuring import MeasuringPage, gap_conductance
from nanogap.settings.device import load_device_settings
from nanogap.units import CONDUCTANCE_QUANTUM

#: 10 kohm in all: half of it is said to be the circuit's.
READ = {
    "protocol.kind": "constant-read",
    "protocol.voltage": 0.5,
    "protocol.duration": 0.8,
    "protocol.interval": 0.04,
    "circuit.interface": 2000.0,
    "circuit.wire": 1000.0,
}


@pytest.fixture
def run(tmp_path):
    unit = make_unit("keithley-2614b", "resistor:10000", seed=1)
    with warnings.catch_warnings(), Server(unit, 0).in_background() as server:
        warnings.simplefilter("ignore")  # the drivers and their VISA warn about themselves

        def measurement():
            address = parse_address(f"keithley-2614b@127.0.0.1:{server.port}")
            settings = load_device_settings({}, READ)
            return MeasurementRun(tmp_path / "run", settings, "test", address)

        yield measurement


class StopError(Exception):
    """An end in the middle."""


def test_the_page_shows_what_is_on_disk_and_what_comes(run):
    def stop(progress):
        if progress.points == 8:
            raise StopError

    with pytest.raises(StopError):
        run().run(stop)
    going_on, seen = run(), []
    with MeasuringPage(going_on, PageServer(0)) as page:
        client = Client(page.address)

        def watch(progress):
            page(progress)
            seen.append(client.get(f"api/state?readings={progress.points - 1}&page=one")[1])

        assert client.get("api/state")[1]["readings"] == 8
        assert going_on.series_resistance == pytest.approx(5000.0, rel=0.3)
        going_on.run(watch)
        assert [one["readings"] for one in seen] == list(range(9, 21))
        series = going_on.series_resistance
        for one in seen:
            ((time, voltage, current, conductance, limited),) = one["rows"]
            assert (voltage, current) == pytest.approx((0.5, 5e-5), rel=5e-3)
            expected = 1.0 / ((10000.0 - series) * CONDUCTANCE_QUANTUM)
            assert conductance == pytest.approx(expected, rel=2e-2)
            assert limited == 0
            assert time > 0.0
        page.finish("Finished.")
        found = client.get("api/state?readings=0&page=one")[1]
        assert (found["end"], len(found["rows"])) == ("Finished.", 20)


def test_the_page_changes_nothing_and_refuses_others(run):
    with MeasuringPage(run(), PageServer(0)) as page:
        client = Client(page.address)
        assert client.post("api/play", {"playing": True})[0] == 404
        assert client.get("api/state", Host="evil.example")[0] == 421
        status, found = client.get("api/state?readings=-7")
        assert (status, found["error"][:15]) == (400, "readings = '-7'")
        assert client.get("measure.json")[0] == 404
        assert client.get("api/state?readings=99")[1]["rows"] == []
        page.finish("Interrupted.")  # nobody is waited for


def test_the_conductance_of_a_reading_without_one_is_none(run):
    assert math.isnan(gap_conductance(0.0, 0.0, 500.0))
    assert math.isnan(gap_conductance(0.1, math.nan, 500.0))
    with MeasuringPage(run(), PageServer(0)) as page:
        point = Point(Taken(math.nan, math.nan, math.nan, compliance=True), 0, 0, 1, True, False)
        page(Progress(point, 1, 20))
        rows = Client(page.address).get("api/state")[1]["rows"]
    assert rows == [[None, None, None, None, 1]]


def test_a_browser_draws_the_measurement_and_tells_its_end(run, tmp_path):
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs chromium: apt-get install chromium")
        pytest.skip("no chromium: apt-get install chromium")
    going = run()
    with MeasuringPage(going, PageServer(0)) as page, Browser(tmp_path / "profile") as browser:
        browser.open(page.address)
        browser.wait("document.documentElement.dataset.live === 'ready'")
        going.run(page)
        browser.wait(readings(20))
        conductance = "parseFloat(document.getElementById('s-conductance').textContent)"
        expected = 1.0 / ((10000.0 - going.series_resistance) * CONDUCTANCE_QUANTUM)
        assert browser.value(conductance) == pytest.approx(expected, rel=2e-2)
        assert "20 of 20" in browser.value("document.getElementById('s-readings').textContent")
        # all readings stand in one bin, whose bar is long
        assert browser.value(DRAWN % "plot-histogram") > 2000
        page.finish("Finished. The readings are in a folder.")
        browser.wait("document.getElementById('notice').textContent.startsWith('Finished.')")
        assert browser.console == []
