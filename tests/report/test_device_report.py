"""The report of a simulated device: what it says and carries, and that steps can be clicked."""

import base64
import gzip
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from tests.report.test_browser import browse
from tests.report.test_report import _Page as Page
from tests.runs.hand_made_device import LEVELS, READINGS, SERIES, make

from nanogap.electrical import level_displacement
from nanogap.errors import DataFormatError
from nanogap.io import read_measurement
from nanogap.observables import LOWER, UPPER
from nanogap.report.device_figures import loop_figure
from nanogap.runs.device_frames import DeviceFrames
from nanogap.runs.device_report import report_device
from nanogap.settings.device import load_device_settings

REAL = "Time (s),Voltage (V),Current (A)\n" + "\n".join(
    f"{k / 10},{0.01 * k},{1e-6 * k}" for k in range(60)
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make(tmp_path_factory.mktemp("device") / "loop")


@pytest.fixture(scope="module")
def text(run):
    return report_device(run).read_text(encoding="utf-8")


def carried(text):
    found = re.search(r'id="view-data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


def test_the_page_is_complete_in_itself(text):
    page = Page(text)
    assert page.loads
    assert all(target.startswith("data:image/") for target in page.loads)
    assert all(link.removeprefix("#") in page.ids for link in page.links)
    assert "url(" not in text
    assert not re.search(r"""(src|href)\s*=\s*["'`]?\s*https?:""", text)


def test_the_page_says_what_happened(text):
    page = Page(text)
    words = " ".join(" ".join(page.text).split())
    assert {"view", "device1", "parameters", "making", "settings"} <= set(page.ids)
    # filament, sweep, over time, events
    assert page.tags.count("img") == 4
    assert "first bridged the gap at 0.62 s" in words
    assert "the bridge formed 1 time and broke 1 time" in words
    assert "65 of 120 (54.2 %)" in words  # continued
    assert "228 of 240 (95 %); computed: 12" in words
    assert "not relaxed to the end (conductance.relaxation_steps) 30 of 240 (12.5 %)" in words
    assert "4 s (32 %)" in words
    assert "Series resistance 500 Ω" in words
    assert "polymer (PVP): exchange rate" in words
    assert "fitted" in words
    assert "protocol.rate" in words


@pytest.mark.parametrize(
    ("limits", "label"), [((2e-5, 0.1), "compliance 20 µA"), ((np.inf, np.inf), None)]
)
def test_limits_of_both_signs_are_drawn_where_they_were_met(limits, label):
    volts = np.concatenate([np.linspace(0.0, 1.0, 40), np.linspace(1.0, -1.0, 80)])
    current = np.minimum(1e-4 * volts, 2e-5)
    data = xr.Dataset(
        {
            "voltage": ("point", volts, {"units": "V"}),
            "current": ("point", current, {"units": "A"}),
            "cycle": ("point", np.zeros(120, dtype=int)),
            "read": ("point", np.zeros(120, dtype=bool)),
            "compliance": ("point", (current >= 2e-5).astype(int)),
        }
    )
    figure = loop_figure(SimpleNamespace(data=data), limits)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert (label in texts) is (label is not None)


def test_a_changed_parameter_is_told_from_the_named_one(tmp_path):
    settings = load_device_settings("device-quick", ["medium.exchange_rate=123"])
    page = Page(report_device(make(tmp_path / "set", 40, settings=settings)).read_text("utf-8"))
    words = " ".join(" ".join(page.text).split())
    assert re.search(r"exchange rate 123 1/s; allowed .*? set ", words)
    assert "(the named medium: " in words


def test_steps_carry_the_atoms_before_and_after(run, text):
    (device,) = carried(text)["devices"]
    begins = [begin for begin in LEVELS if begin]
    assert [step["time"] for step in device["steps"]] == [(begin + 1) / 50 for begin in begins]
    assert [step["conductance"] for step in device["steps"]] == pytest.approx([1.0, 2.0, 1e-3])
    assert device["steps"][0]["labels"][0] == "0.6 s, G = 0.001 G₀, open"
    assert device["steps"][0]["labels"][1].startswith("0.62 s, G = 1 G₀, bridged, ")
    frames = np.frombuffer(gzip.decompress(base64.b64decode(device["frames"])), np.uint8)
    frames = np.bitwise_xor.accumulate(frames.reshape(6, -1), axis=0)
    kept = DeviceFrames(run.files.part(0), run.members[0])
    expected = [np.count_nonzero(one.states) for one in kept.frames[1:]]
    assert np.count_nonzero(frames, axis=1).tolist() == expected
    assert len(device["time"]) == READINGS


def test_what_the_instrument_sees_is_the_true_conductance(text):
    """Without noise and capacitance, subtracting the series resistance gives the truth."""
    (device,) = carried(text)["devices"]
    # the last reading is at 0 V and says nothing
    assert device["seen"][-1] is None
    assert device["seen"][:-1] == pytest.approx(device["conductance"][:-1], rel=1e-4)
    # 1 G0 behind 500 ohm
    shown = level_displacement([SERIES], [1.0])["measured"].to_numpy().item()
    at = next(i for i, value in enumerate(device["conductance"]) if value == 1.0)
    siemens = device["current"][at] / device["voltage"][at]
    assert siemens / 7.748091729e-5 == pytest.approx(shown, rel=1e-4)


def test_atoms_of_a_bridge_belong_to_the_nearer_electrode(run):
    kept = DeviceFrames(run.files.part(0), run.members[0])
    first, before, after = (kept.atoms(frame) for frame in kept.frames[:3])
    assert not before.info["bridged"]
    assert after.info["bridged"]
    assert after.info["constriction"] > 0
    assert before.info["constriction"] == 0
    heights = after.positions[:, 2]
    lower, upper = (heights[after.arrays["kind"] == kind] for kind in (LOWER, UPPER))
    assert lower.max() < upper.min() + 3.0
    assert len(first) < len(after)


def test_measured_curves_stand_beside(run, tmp_path):
    (tmp_path / "real_nw1.csv").write_text(REAL)
    beside = [read_measurement(tmp_path / "real_nw1.csv")]
    page = Page(report_device(run, tmp_path / "both.html", beside).read_text("utf-8"))
    assert "measured" in page.ids
    assert page.tags.count("img") == 5
    assert "nothing is subtracted" in " ".join(" ".join(page.text).split())


def test_several_devices_share_a_page(tmp_path):
    settings = load_device_settings("device-quick", ["devices.number=2"])
    text = report_device(make(tmp_path / "two", settings=settings)).read_text("utf-8")
    assert [one["name"] for one in carried(text)["devices"]] == ["device-quick-1", "device-quick-2"]
    assert Page(text).tags.count("img") == 8


def test_there_is_no_report_without_a_reading(tmp_path):
    run = make(tmp_path / "empty", 0, finished=False)
    with pytest.raises(DataFormatError, match="has no reading yet: wait for the first ones, or"):
        report_device(run)
    assert not run.files.report.exists()


def test_an_open_gap_has_a_report(tmp_path):
    text = report_device(make(tmp_path / "open", 20, finished=False)).read_text("utf-8")
    page = Page(text)
    words = " ".join(page.text)
    assert "never bridged the gap within 0.4 s" in words
    assert "interrupted" in words
    assert "view" not in page.ids
    assert "<script" not in text


def test_a_click_shows_the_atoms_of_a_step(run, text, tmp_path):
    page = tmp_path / "report.html"
    # the page as the browser has it after a click on "later" and on a point of the curve
    click = (
        "<script>addEventListener('load', () => { const wait = setInterval(() => {"
        "if (document.documentElement.dataset.view !== 'ready') return; clearInterval(wait);"
        "document.getElementById('view-next').click();"
        "document.body.dataset.later = document.getElementById('view').dataset.step;"
        "const graph = document.getElementById('device-trace');"
        "graph.emit('plotly_click', { points: [{ customdata: 1.8 }] });"
        "document.body.dataset.clicked = document.getElementById('view').dataset.step;"
        "const pen = document.getElementById('atoms-before');"
        "const raw = pen.getContext('2d').getImageData(0, 0, pen.width, pen.height).data;"
        "document.body.dataset.drawn = raw.some((value) => value > 0);"
        "}, 50); });</script>"
    )
    page.write_text(text.replace("</body>", f"{click}</body>"), encoding="utf-8")
    html, console = browse(page, tmp_path / "profile", "--dump-dom")
    assert console == []
    assert 'data-later="1"' in html
    assert 'data-clicked="2"' in html
    assert 'data-drawn="true"' in html
    assert re.search(r'id="label-after">1.72 s, G = 0.001', html)
    assert re.search(r'id="device-trace".*?class="js-line"', html, re.DOTALL)
    assert run.points == READINGS
