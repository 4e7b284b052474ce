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

from nanogap.device.measurement import point_columns
from nanogap.electrical import level_displacement
from nanogap.errors import DataFormatError
from nanogap.io import measurement_dataset, read_measurement
from nanogap.observables import LOWER, UPPER
from nanogap.report.device_comparison import comparison_rows
from nanogap.report.device_content import OneDevice
from nanogap.report.device_figures import comparison_figure, loop_figure
from nanogap.report.device_switching import device_switching
from nanogap.runs.device_frames import DeviceFrames
from nanogap.runs.device_report import _parameters, report_device
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
    assert "metal first joined the electrodes (contact) at 0.62 s" in words
    assert "contact formed 1 time and broke 1 time" in words
    assert "device-quick: 3 steps." in words
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
    device = SimpleNamespace(data=data)
    figure = loop_figure(device, device_switching(device, limits))
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
    assert device["steps"][0]["labels"][1].startswith("0.62 s, G = 1 G₀, contact, ")
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
    words = " ".join(" ".join(page.text).split())
    assert "nothing is subtracted" in words
    # one ramp up and none with a sudden change: what is missing is said, not left out
    assert "SET voltage, median 0.517 V (1 SET: too few for an interval) none nothing to" in words


def test_numbers_of_both_have_intervals_or_say_that_there_are_too_few():
    rows = {row.quantity: row for row in comparison_rows([loops(2, 1.0)], [loops(12, 1.5)])}
    found = rows["SET voltage, median"]
    assert found.simulated == "0.99 V (2 SETs: too few for an interval)"
    assert re.fullmatch(r"1.5 V \(1.4\d to 1.5\d; 12 SETs\)", found.measured)
    assert found.verdict == "too few to say"
    both = {row.quantity: row for row in comparison_rows([loops(12, 1.0)], [loops(12, 1.5)])}
    assert both["SET voltage, median"].verdict == "differ"
    assert both["conductance after the SET, at 0.4 V, median"].verdict == "not told apart"
    assert both["conductance after the SET, at 0.4 V, median"].measured.startswith("1 G₀")
    assert both["histogram: highest peak above 0.3 G₀"].measured.startswith("1 G₀ (0.")


def test_current_sweeps_have_no_set():
    ramp = loops(6, 1.0).assign_attrs(driven="current")
    rows = {row.quantity: row for row in comparison_rows([ramp], [loops(12, 1.5)])}
    assert rows["SET voltage, median"].simulated == "none"
    assert rows["SET voltage, median"].verdict == "nothing to compare"


@pytest.mark.parametrize(
    "protocol",
    [
        {"kind": "waveform", "times": [0.0, 1.2, 2.4], "levels": [0.0, 1e-4, 0.0]},
        {"kind": "staircase", "stop": 1e-4},
    ],
)
def test_a_driven_current_is_a_current_sweep_whatever_its_shape(tmp_path, protocol):
    """The compliance is one of the voltage, 2 V, and there is neither SET nor RESET."""
    given = {"protocol": protocol | {"quantity": "current", "compliance": 2.0}}
    run = make(tmp_path / "dev", settings=load_device_settings("device-quick", given))
    words = " ".join(" ".join(Page(report_device(run).read_text("utf-8")).text).split())
    assert "The source limits the current" not in words
    assert "SET (readings)" not in words
    assert "SET (readings)" in " ".join(
        " ".join(Page(report_device(make(tmp_path / "volts")).read_text("utf-8")).text).split()
    )


def loops(cycles, switch):
    """Loops that close at a voltage, to one quantum, and open at its negative."""
    leg = np.linspace(0.0, 2.0, 101)
    one = np.concatenate([leg, leg[::-1], -leg, -leg[::-1]])
    volts, number = np.tile(one, cycles), np.repeat(np.arange(cycles), len(one))
    place = np.tile(np.arange(len(one)), cycles)
    at = switch + 0.02 * (number % 3 - 1)
    closed = (volts > 0.0) & ((place >= 101) | (volts >= at - 1e-9))
    closed |= (volts < 0.0) & (place < 303) & (volts > -at)
    noise = 1.0 + 1e-3 * np.sin(np.arange(len(volts)) ** 2)
    return measurement_dataset(
        time=0.01 * np.arange(len(volts)),
        voltage=volts,
        current=volts * np.where(closed, 1.0, 1e-3) * 7.748091729e-5 * noise,
        cycle=number,
        compliance=np.zeros(len(volts), dtype=bool),
        name="loops",
    )


def test_contact_and_set_stand_side_by_side(tmp_path):
    """They are two moments with two names, and both are on the page."""
    page = Page(report_device(make(tmp_path / "dev")).read_text("utf-8"))
    words = " ".join(" ".join(page.text).split())
    assert "Contact first forms (atoms) SET (readings)" in words
    assert "1 0.517 V, 0.62 s 0.517 V, 0.62 s 0.567 V, 1.72 s none" in words


def test_steps_without_frames_are_counted(tmp_path):
    run = make(tmp_path / "dev")
    (cost,) = run.files.part(0).folder.glob("after-*/cost.json")
    content = json.loads(cost.read_text("utf-8"))
    cost.write_text(json.dumps({**content, "steps_left_out": 4}), "utf-8")
    words = " ".join(" ".join(Page(report_device(run).read_text("utf-8")).text).split())
    assert "device-quick: 7 steps; the atoms of 4 were not kept" in words


def test_currents_against_the_voltage_are_explained(tmp_path):
    """As the voltage of an open gap falls, the capacitance gives its charge back."""
    run = make(tmp_path / "dev", 120)
    folder = run.files.part(0)
    rows = np.fromfile(folder.points).reshape(120, -1)
    rows[100:110, point_columns().index("current")] = -1e-10  # C dV/dt of 100 pF at -0.83 V/s
    rows[112, point_columns().index("current")] = -1e-6
    rows.tofile(folder.points)
    words = " ".join(" ".join(Page(report_device(run).read_text("utf-8")).text).split())
    assert (
        "conductance below 0 11 of 120 (9.17 %) the current is against the voltage: in 10" in words
    )


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
    assert "never joined the electrodes (no contact) within 0.4 s" in words
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


def test_numbers_that_were_chosen_for_silver_are_told_for_another_metal():
    silver, copper = (
        _parameters(load_device_settings("device-quick", {"geometry.element": element}))
        for element in ("Ag", "Cu")
    )
    added = [row for row in copper if "taken over" in row.source]
    assert [row.source for row in added] == ["chosen for Ag and its ions, and taken over for Cu"]
    assert len(copper) == len(silver) + 1


def test_no_line_joins_the_end_of_a_cycle_to_the_next():
    points = {
        "voltage": [0.0, 1.0, 0.0, 1.0],
        "current": [0.0, 2.0, 0.0, 1.0],
        "cycle": [0, 0, 1, 1],
    }
    data = xr.Dataset({name: ("point", values) for name, values in points.items()})
    named = data.assign(file_name=("source", ["m.csv"]))
    figure = comparison_figure([OneDevice("d", 0.0, data, [])], [named])
    (line,) = [one for one in figure.axes[0].get_lines() if one.get_label() == "simulated: d"]
    assert list(np.isnan(line.get_xdata())) == [False, False, True, False, False]
