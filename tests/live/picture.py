"""Picture of the live page: a device driven by hand until its gap has conducted on plateaus.

    python -m tests.live.picture

The device is driven before the page is opened, so that the picture is that of one seed and one turn
of a knob, whatever the speed of the machine; the page then shows it at rest. Two minutes, once.
"""

import tempfile
from pathlib import Path

from tests.chromium import CHROMIUM, Browser

from nanogap.instruments.loads import prepared_device
from nanogap.io import write_atomically
from nanogap.live import HandDriven, LivePage, PageServer, Player
from nanogap.settings.device import load_device_settings

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "live.png"
#: What is driven: preset, turns of the knobs, and readings after them.
PRESET, TURNS, READINGS = "device-quick", {"voltage": 1.0}, 560
#: Of the page, pixels.
SIZE = (1400, 876)


def driven():
    """Return the device after its readings."""
    device = HandDriven(prepared_device(load_device_settings(PRESET)))
    device.turn(TURNS)
    for _ in range(READINGS):
        device.read()
    return device


def main():
    """Drive the device, open the page, and write what the browser shows."""
    if CHROMIUM is None:
        raise SystemExit("no chromium: apt-get install chromium")
    device = driven()
    with (
        Player(device) as player,
        LivePage(player, PageServer(0)) as page,
        tempfile.TemporaryDirectory() as profile,
        Browser(Path(profile), *SIZE) as browser,
    ):
        browser.open(page.address)
        browser.wait("document.documentElement.dataset.live === 'ready'")
        browser.wait(f"Number(document.documentElement.dataset.readings) >= {READINGS}")
        browser.value("document.getElementById('turning').click()")
        write_atomically(PICTURE, browser.picture)


if __name__ == "__main__":
    main()
