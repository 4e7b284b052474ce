"""The smallest device, on a live page."""

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from nanogap.instruments.loads import prepared_device
from nanogap.live import HandDriven, LivePage, PageServer, Player
from nanogap.settings.device import load_device_settings

SMALLEST = (
    "geometry.base_width=12", "geometry.height=7", "geometry.gap=5", "geometry.margin=3",
    "geometry.upper_apex_width=same", "geometry.fixed_layers=1", "conductance.cell_widths=[4]",
    "conductance.kpoints=1", "conductance.cache=none",
)  # fmt: skip


def smallest(*changes):
    settings = load_device_settings("device-quick", (*SMALLEST, *changes))
    return HandDriven(prepared_device(settings))


class Client:
    """Asks a live page as a browser does."""

    def __init__(self, address):
        self.address = address

    def get(self, path, **headers):
        request = urllib.request.Request(self.address + path, headers=headers)  # noqa: S310
        return self._answer(request)

    def post(self, path, content, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        known = {"Content-Type": "application/json"} | headers
        request = urllib.request.Request(self.address + path, body, known)  # noqa: S310
        return self._answer(request)

    @staticmethod
    def _answer(request):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text


@contextmanager
def served(driven):
    with Player(driven) as player, LivePage(player, PageServer(0)) as page:
        yield player, Client(page.address)


@pytest.fixture
def live():
    with served(smallest()) as found:
        yield found
