"""The report in a real browser: its scripts run, and it fetches nothing."""

import os
import re
import shutil
import subprocess

import pytest

from nanogap.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL on a machine without a graphics card
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--window-size=1200,6000",
    "--virtual-time-budget=20000",
)

#: What the browser remarks on the speed of drawing without a graphics card.
HINTS = ("GPU stall due to ReadPixels", "willReadFrequently")


def browse(page, profile, *arguments):
    """Open a page; return its final HTML and what it wrote to the console."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs chromium: apt-get install chromium")
        pytest.skip("no chromium: apt-get install chromium")
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *arguments, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    console = re.findall(r":CONSOLE.*", done.stderr)
    return done.stdout, [line for line in console if not any(hint in line for hint in HINTS)]


@pytest.fixture
def page(tmp_path, content):
    path = tmp_path / "report.html"
    write_report(path, **content)
    return path


def test_the_page_works_in_a_browser(page, tmp_path):
    html, console = browse(page, tmp_path / "profile", "--dump-dom")
    assert console == []
    assert 'data-view="ready"' in html
    # the atoms are drawn by WebGL, and the trace beside them has its line
    assert re.search(r'id="view-scene".*?<canvas', html, re.DOTALL)
    assert re.search(r'id="view-trace".*?class="js-line"', html, re.DOTALL)
    # plotly 7 offers to upload a chart unless told not to
    assert not re.search(r'data-title="[^"]*([Ss]hare|[Cc]loud)', html)


def test_a_foreign_request_would_be_noticed(page, tmp_path):
    """The page forbids itself every fetch, and the browser says so on the console."""
    text = page.read_text(encoding="utf-8")
    intruder = '<img src="https://example.org/track.png">'
    page.write_text(text.replace("</main>", f"{intruder}</main>"), encoding="utf-8")
    _, console = browse(page, tmp_path / "profile", "--dump-dom")
    assert any("Content Security Policy" in line for line in console)
