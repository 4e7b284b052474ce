"""What the live page's server answers: knobs, refusals, files, and whom it does not serve."""

import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from tests.live.conftest import SMALLEST, served, smallest

import nanogap as ng
from nanogap.errors import SettingsError
from nanogap.live import HandDriven, PageServer, replay
from nanogap.units import CONDUCTANCE_QUANTUM


def state(client, readings=0, run=0, page="one"):
    return client.get(f"api/state?run={run}&scene=-1&readings={readings}&page={page}")[1]


def wait(client, met, seconds=20.0):
    end = time.monotonic() + seconds
    while not met(found := state(client)):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def test_knobs_playing_pausing_and_what_is_saved(live, tmp_path):
    player, client = live
    assert client.get("readings.csv")[0] == 400
    status, knobs = client.post("api/knobs", {"voltage": 1.0, "ramp": 0.0, "speed": 10.0})
    assert (status, knobs["voltage"], knobs["speed"]) == (200, 1.0, 10.0)
    assert state(client)["readings"] == 0
    client.post("api/play", {"playing": True})
    wait(client, lambda found: found["readings"] >= 3)
    client.post("api/play", {"playing": False})
    wait(client, lambda found: found["busy"] == 0)
    found = state(client)
    time.sleep(0.3)
    assert state(client)["readings"] == found["readings"]
    assert found["playing"] is False
    assert found["latest"]["voltage"] == pytest.approx(1.0, abs=0.01)
    assert [row[0] for row in found["rows"]] == pytest.approx(
        0.5 * np.arange(1, found["readings"] + 1)
    )
    # only what is new is sent
    assert state(client, readings=found["readings"])["rows"] == []
    # the files: one that every analysis reads, one that makes the readings again
    path = tmp_path / "readings.csv"
    path.write_text(client.get("readings.csv")[1])
    read = ng.read_measurement(path)
    assert read["voltage"].to_numpy() == pytest.approx([row[1] for row in found["rows"]], rel=1e-5)
    # each reading counts once, in the decade of its conductance behind the circuit
    series = player.driven.device.settings.circuit.series.parasitic
    counted = ng.histogram([path], scale="logarithmic", minimum=1e-12, series_resistance=series)
    gaps = [1.0 / (row[1] / row[2] - series) / CONDUCTANCE_QUANTUM for row in found["rows"]]
    expected, _ = np.histogram(gaps, counted.edges)
    assert counted.counts.tolist() == expected.tolist()
    assert counted.counts.sum() == found["readings"]
    again = replay(client.get("record.json")[1])
    assert again.points == player.driven.points


def test_a_reset_is_a_fresh_device_at_rest(live):
    _, client = live
    client.post("api/knobs", {"voltage": 1.0, "temperature": 350.0})
    client.post("api/play", {"playing": True})
    wait(client, lambda found: found["readings"] >= 1)
    assert client.post("api/reset", {"seed": 7}) == (200, {"run": 1})
    found = state(client)
    assert (found["run"], found["readings"], found["seed"]) == (1, 0, 7)
    assert found["playing"] is False
    assert found["knobs"]["voltage"] == 0.0
    assert found["knobs"]["temperature"] == 350.0
    client.post("api/play", {"playing": True})
    wait(client, lambda found: found["readings"] >= 1)
    assert replay(client.get("record.json")[1]).device.temperature == 350.0


@pytest.mark.parametrize(
    ("path", "content", "sentence"),
    [
        ("api/knobs", {"voltage": 50}, "voltage = 50: give a number from -10 to 10 V"),
        ("api/knobs", {"temperature": 0}, "temperature = 0: give a number from 200 to 600 K"),
        ("api/play", {"playing": 1}, "playing = 1: give true or false"),
        ("api/reset", {"seed": -1}, "seed = -1: give a whole number from 0"),
        ("api/reset", {"seed": "x"}, "seed = 'x': give a whole number from 0 on"),
        ("api/knobs", b"[1]", "the body is no JSON object"),
        ("api/knobs", b"\xff{", "the body is no JSON"),
    ],
)
def test_bad_values_are_answered_with_a_sentence(live, path, content, sentence):
    _, client = live
    status, found = client.post(path, content)
    assert status == 400
    assert found["error"].startswith(sentence)
    assert state(client)["knobs"]["voltage"] == 0.0


def test_other_sites_and_odd_requests_change_nothing(live):
    _, client = live
    turn = {"voltage": 1.0}
    assert client.get("", Host="evil.example")[0] == 421
    assert client.get("api/state", Host="evil.example:80")[0] == 421
    assert client.post("api/knobs", turn, Host="evil.example")[0] == 421
    assert client.post("api/knobs", turn, Origin="http://evil.example")[0] == 403
    assert client.post("api/knobs", turn, **{"Content-Type": "text/plain"})[0] == 415
    assert client.post("api/knobs", b" " * 5000)[0] == 413
    assert client.get("api/knobs?voltage=1")[0] == 404
    assert client.get("api/play?playing=true")[0] == 404
    assert client.get("../settings/load.py")[0] == 404
    assert client.get("api/state?readings=x")[0] == 400
    found = state(client)
    assert found["knobs"]["voltage"] == 0.0
    assert found["playing"] is False
    own = client.address.rstrip("/")
    assert client.post("api/knobs", turn, Origin=own)[0] == 200


def test_half_a_request_holds_up_nobody(live):
    player, client = live
    port = int(client.address.rsplit(":", 1)[1].strip("/"))
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"POST /api/knobs HTTP/1.1\r\nHost: 127.0.0.1")
        assert state(client)["readings"] == 0
    assert not player.driven.points


def test_two_pages_share_the_knobs_and_are_told(live):
    _, client = live
    state(client, page="one")
    client.post("api/knobs", {"voltage": 0.5})
    found = state(client, page="two")
    assert found["pages"] == 2
    assert found["knobs"]["voltage"] == 0.5


def test_a_device_that_fails_says_so_and_can_be_reset(monkeypatch):
    def fail(_):
        raise SettingsError("the neck is gone")

    with served(smallest()) as (_, client), monkeypatch.context() as patched:
        patched.setattr(HandDriven, "read", fail)
        client.post("api/play", {"playing": True})
        assert wait(client, lambda found: found["error"])["error"] == "the neck is gone"
        assert state(client)["playing"] is False
        client.post("api/reset", {})
        assert state(client)["error"] == ""


def test_ctrl_c_ends_the_command_in_order():
    small = [word for change in SMALLEST for word in ("--set", change)]
    with subprocess.Popen(
        [sys.executable, "-m", "nanogap", "device", "live", "--no-browser", "--port", "0", *small],
        stderr=subprocess.PIPE,
        text=True,
        # a suite in the background of a shell has Ctrl-C ignored, and its children too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 no threads
    ) as process:
        while "live page of device-quick: http://" not in process.stderr.readline():
            assert process.poll() is None
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, told = process.communicate(timeout=60.0)
    assert process.returncode == 0
    # a line cut off between writing and forgetting it is written once more
    assert told.splitlines()[-1:] == ["ended after 0 s of the device and 0 readings"]
    assert "Traceback" not in told


def test_a_port_in_use_is_told_in_a_sentence():
    with PageServer(0) as taken:
        port = taken.server_address[1]
        with pytest.raises(SettingsError, match=rf"port {port} of 127.0.0.1 cannot be served"):
            PageServer(port)
