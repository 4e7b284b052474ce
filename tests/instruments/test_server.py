"""The server: one client at a time, whatever it sends, and the output off at the end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from nanogap.errors import SettingsError
from nanogap.instruments import LOOPBACK, Server, make_unit


@pytest.fixture
def server():
    with Server(make_unit("keithley-2614b", "resistor:1000", seed=1), 0).in_background() as made:
        yield made


def connected(server):
    client = socket.create_connection((LOOPBACK, server.port), timeout=10.0)
    client.settimeout(10.0)
    return client


def ask(client, text):
    client.sendall(text.encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        part = client.recv(65536)
        if not part:
            break
        answer += part
    return answer.decode()


def served(server, count):
    """Wait until the server is done with so many clients."""
    for _ in range(500):
        if server.served.clients >= count and not server._occupied.locked():  # noqa: SLF001
            return
        time.sleep(0.01)
    raise AssertionError(server.served)


def retried(server):
    """Connect as soon as the client before has gone."""
    for _ in range(200):
        client = connected(server)
        client.sendall(b"print(localnode.model)\n")
        answer = client.recv(100)
        if answer == b"2614B\n":
            return client
        client.close()
        time.sleep(0.02)
    raise AssertionError("the server never became free")


def test_a_second_client_gets_a_sentence_and_the_first_goes_on(server):
    with connected(server) as first:
        assert ask(first, "print(localnode.model)") == "2614B\n"
        with connected(server) as second:
            assert second.recv(200) == b"busy: this unit serves one client at a time\n"
            assert second.recv(200) == b""
        assert ask(first, "print(localnode.model)") == "2614B\n"
    assert server.served.refused == 1


def test_a_thousand_malformed_commands_leave_errors_and_a_living_server(server):
    random = np.random.default_rng(5)
    with connected(server) as client:
        for number in range(1000):
            junk = random.integers(0, 256, random.integers(1, 80), dtype=np.uint8).tobytes()
            client.sendall(b"@" + junk.replace(b"\n", b"!") + b"\n")
            if number % 100 == 99:
                assert ask(client, "print(localnode.model)") == "2614B\n"
        assert ask(client, "print(errorqueue.count)") == "1.00000e+02\n"
        last = [ask(client, "print(errorqueue.next())") for _ in range(101)]
    assert last[0].startswith("-2.85000e+02\tTSP Syntax error")
    assert last[99].startswith("-3.50000e+02\tQueue overflow")
    assert last[100].startswith("0.00000e+00\tQueue Is Empty")
    assert server.unit.errors.total >= 1000


def test_fifty_abrupt_disconnects(server):
    lost = [b"", b"smua.source.levelv = 1", b"loadandrunscript\nx = 1\n", b"\x00\xff" * 1000]
    for number in range(50):
        client = connected(server)
        client.sendall(lost[number % 4])
        if number % 2:  # a reset instead of an end
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.close()
    with retried(server) as client:
        # the half of a script is forgotten: the line is carried out, not collected
        assert ask(client, "print(smua.source.levelv)") == "0.00000e+00\n"


def test_a_line_without_end_is_cut_and_complained_of(server):
    with connected(server) as client:
        client.sendall(b"x" * 200_000 + b"\n")
        assert ask(client, "print(errorqueue.next())").startswith("-3.63000e+02\tInput buffer")
        assert ask(client, "print(errorqueue.count)") == "0.00000e+00\n"


def test_a_fault_of_the_unit_itself_is_an_error_in_its_queue(server, monkeypatch, caplog):
    with connected(server) as client:
        with monkeypatch.context() as patch:
            patch.setattr(server.unit, "handle", lambda _: 1 // 0)
            client.sendall(b"print(1)\n")
            for _ in range(200):
                if len(server.unit.errors):
                    break
                time.sleep(0.01)
        assert "-2.00000e+02\tExecution error" in ask(client, "print(errorqueue.next())")
    assert "internal error" in caplog.text


def test_half_a_line_is_waited_for(server):
    with connected(server) as client:
        client.sendall(b"print(localnode.")
        time.sleep(0.5)
        assert ask(client, "model)") == "2614B\n"


def test_what_a_client_set_stays_until_the_server_ends():
    unit = make_unit("keithley-2614b", "resistor:1000", seed=1)
    with Server(unit, 0).in_background() as server:
        with connected(server) as client:
            ask(client, "smua.source.levelv = 1 smua.source.output = 1 print(1)")
        served(server, 1)
        assert unit.bench.record.is_on  # as on the real one
        assert unit.bench.record.latest("smua").level == 1.0
    assert not unit.bench.record.is_on


def test_with_a_speed_the_pauses_of_the_client_count():
    with (
        Server(
            make_unit("keithley-2614b", "resistor", seed=1), 0, speed=100.0
        ).in_background() as server,
        connected(server) as client,
    ):
        begin = time.monotonic()
        first = float(ask(client, "print(timer.measure.t())"))
        time.sleep(0.2)
        second = float(ask(client, "print(timer.measure.t())"))
        assert 20.0 <= second - first <= 100.0 * (time.monotonic() - begin)
        begin = time.monotonic()
        ask(client, "delay(30) print(1)")  # 0.3 s on the wall
        assert time.monotonic() - begin >= 0.29


def test_a_port_that_is_taken_is_one_sentence(server):
    with pytest.raises(SettingsError, match=f"port {server.port} .* cannot be served"):
        Server(make_unit("keithley-2614b", "resistor"), server.port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_the_output_off(tmp_path, number):
    record = tmp_path / "record.jsonl"
    words = ["instrument", "serve", "--as", "keithley-2614b", "--device", "resistor:1000"]
    words += ["--port", "0", "--json", "--record", str(record)]
    with subprocess.Popen(
        [sys.executable, "-m", "nanogap", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        # a suite in the background of a shell has Ctrl-C ignored, and its children too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 no threads
    ) as process:
        try:
            place = json.loads(process.stdout.readline())
            assert place["address"] == f"TCPIP::127.0.0.1::{place['port']}::SOCKET"
            with socket.create_connection((LOOPBACK, place["port"]), timeout=10.0) as client:
                assert ask(client, "smua.source.levelv=1 smua.source.output=1 print(2)").strip()
                process.send_signal(number)
                _, said = process.communicate(timeout=60.0)
        finally:
            process.kill()
    assert process.returncode == (0 if number == signal.SIGINT else 143)
    assert "outputs off" in said
    assert "Traceback" not in said
    settings = [json.loads(line) for line in record.read_text().splitlines()]
    mine = [one for one in settings if one["channel"] == "smua"]
    assert any(one["output"] and one["level"] == 1.0 for one in mine)
    assert not mine[-1]["output"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--as", "keithley-2400"], "keithley-2614b and keithley-4200"),
        (["--as", "keithley-4200", "--device", "resistor:x"], "resistance in ohm"),
        (["--as", "keithley-4200", "--device", "nothing.toml"], "nothing.toml"),
        (["--as", "keithley-4200", "--speed", "0"], "above 0"),
        (["--as", "keithley-4200", "--set", "seed=3"], "would change nothing"),
    ],
)
def test_wrong_options_are_one_sentence(call, words, part):
    said = call("instrument", "serve", *words, status=2).err
    assert part in " ".join(said.split())
