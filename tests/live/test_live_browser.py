"""The live page in a real browser: what is turned shows, and nothing is fetched from elsewhere."""

import os

import pytest
from tests.chromium import CHROMIUM, Browser
from tests.live.conftest import served, smallest

#: Pixels of a canvas that are not the background.
DRAWN = """(() => {
  const canvas = document.getElementById("%s");
  const raw = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let drawn = 0;
  for (let i = 3; i < raw.length; i += 4) if (raw[i]) drawn++;
  return drawn;
})()"""
#: All pixels of a canvas, as text.
PICTURE = "document.getElementById('%s').toDataURL()"
CANVASES = ("scene", "plot-iv", "plot-trace", "plot-histogram")


def turn(page, knob, value):
    """Write a number beside a knob, as a user does."""
    page.value(
        f"(() => {{ const number = document.getElementById('number-{knob}');"
        f"number.value = '{value}'; number.dispatchEvent(new Event('change')); }})()"
    )


def text(page, name):
    return page.value(f"document.getElementById('{name}').textContent")


def readings(number):
    return f"Number(document.documentElement.dataset.readings) >= {number}"


def test_the_page_shows_what_is_turned(tmp_path):
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs chromium: apt-get install chromium")
        pytest.skip("no chromium: apt-get install chromium")
    with served(smallest("medium.name=vacuum")) as (player, client), Browser(tmp_path) as page:
        page.open(client.address)
        page.wait("document.documentElement.dataset.live === 'ready'")
        page.value("document.getElementById('turning').click()")  # or its picture always changes
        before = {name: page.value(PICTURE % name) for name in CANVASES}
        assert page.value(DRAWN % "scene") > 5000
        assert text(page, "s-voltage") == "\u2013"
        turn(page, "ramp", 0)
        turn(page, "voltage", 0.5)
        page.value("document.getElementById('play').click()")
        page.wait(readings(3))
        page.wait("document.getElementById('s-voltage').textContent === '0.500 V'")
        assert "G₀" in text(page, "s-conductance")
        for name in ("plot-iv", "plot-trace"):
            assert page.value(PICTURE % name) != before[name]
        assert page.value(DRAWN % "plot-histogram") > 500
        # what cannot be is told beside the knobs
        turn(page, "voltage", 99)
        page.wait("document.getElementById('error').textContent.startsWith('voltage = 99: give')")
        page.value("document.getElementById('play').click()")
        page.wait("document.documentElement.dataset.playing === 'false'")
        resting = len(player.driven.points)
        page.value("new Promise((done) => setTimeout(done, 400))")
        assert len(player.driven.points) <= resting + 1
        # a refused request is noted by the browser itself
        assert [one for one in page.console if "400 (Bad Request)" not in one] == []
        addresses = "performance.getEntriesByType('resource').map((one) => one.name)"
        assert all(one.startswith(client.address) for one in page.value(addresses))
