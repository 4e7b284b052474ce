"""A wire that was broken, as a folder."""

import pytest

from nanogap.runs.wire_run import start_wires
from nanogap.settings.wire import load_wire_settings

SMALL = {
    "wire.length": 400.0,
    "wire.correlation_length": 60.0,
    "surroundings.contact_resistance": 5.0,
    "protocol.interval": 0.1,
    "protocol.rate": 0.1,
    "readings_after": 10,
}


@pytest.fixture(scope="session")
def wires(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wires") / "broken"
    settings = load_wire_settings("wire-breakdown", SMALL)
    return start_wires(folder, settings, "wire-breakdown", lambda *_: None)
