import base64
import gzip
import json
import re
from dataclasses import asdict
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from tests.report.synthetic_run import CONNECTED, TIME, T, observables, transmission

from nanogap.report import write_report
from nanogap.report.atoms import tip_colours as stage_colours
from nanogap.report.figures import conductance_trace, geometry_and_charge, shade_stages
from nanogap.report.result import RunResult
from nanogap.report.style import BLUE, ORANGE
from nanogap.report.viewer import view
from nanogap.report.words import (
    happened,
    known_transmissions,
    metal_name,
    number,
    settings_sentences,
    title,
    transmission_text,
)
from nanogap.settings import Settings, load_settings


def gathered(content):
    return RunResult.gather(**{key: content[key] for key in content if key != "provenance"})


class _Page(HTMLParser):
    """Collects what a page would load, and its text and tags."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.tags, self.ids, self.links, self.text = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        self.loads += [values[name] for name in ("src", "srcset", "data") if values.get(name)]
        self.loads += [values["href"]] if tag == "link" else []
        if tag == "a":
            self.links.append(values["href"])
        if "id" in values:
            self.ids.append(values["id"])

    def handle_data(self, data):
        self.text.append(data)


def written(tmp_path, content):
    path = tmp_path / "report.html"
    write_report(path, **content)
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]
    return path.read_text(encoding="utf-8")


def test_page_loads_nothing_from_elsewhere(tmp_path, content):
    text = written(tmp_path, content)
    page = _Page(text)
    assert page.loads
    assert all(target.startswith("data:image/") for target in page.loads)
    assert all(link.removeprefix("#") in page.ids for link in page.links)
    assert "@import" not in text
    assert not re.search(r"""(src|href)\s*=\s*["'`]?\s*https?:""", text)
    assert "url(" not in text


def test_page_shows_every_part(tmp_path, content):
    page = _Page(written(tmp_path, content))
    parts = {"summary", "snapshots", "stages", "trace", "view", "histogram", "spectra", "geometry"}
    assert parts | {"settings", "provenance"} <= set(page.ids)
    assert page.tags.count("img") == 7
    text = " ".join(page.text)
    assert "first touched at 1.04 ps" in text
    assert "22 Jul 2025" in text
    assert "dynamics.contact_sampling_interval" in text


def test_same_run_gives_same_page(tmp_path, content):
    assert written(tmp_path, content) == written(tmp_path, content)


def test_plotly_is_there_once_and_whole(tmp_path, content):
    text = written(tmp_path, content)
    found = re.findall(r'<script type="text/plain" id="plotly-gz">([^<]+)</script>', text)
    assert len(found) == 1
    assert b"Plotly" in gzip.decompress(base64.b64decode(found[0]))


def test_name_cannot_inject(tmp_path, content):
    name = "</title><script>alert(1)</script>"
    content["settings"] = content["settings"].model_copy(update={"name": name})
    content["provenance"] = {name: name}
    content["failures"] = {2: name}
    text = written(tmp_path, content)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_failures_are_listed(tmp_path, content):
    content["failures"] = {2: "no bulk-like layers at the top", 99: "overlapping atoms"}
    page = _Page(written(tmp_path, content))
    assert "failures" in page.ids
    text = " ".join(page.text)
    assert "no bulk-like layers at the top" in text
    assert "overlapping atoms" in text


@pytest.mark.parametrize(
    ("change", "absent", "sentence"),
    [
        ({"transmission": None, "spectra": None}, {"spectra", "histogram"}, "No transmission"),
        ({"transmission": transmission(T * np.nan), "spectra": None}, {"histogram"}, "No trans"),
        ({"transmission": transmission(T[:4])}, set(), "T not known"),
        ({"observables": observables(CONNECTED & False)}, set(), "have not touched"),
        ({"observables": observables(CONNECTED | True)}, set(), "touched from the start"),
        ({"observables": observables(count=1)}, {"geometry"}, "The gap was open at the start"),
        (
            {"observables": observables(count=0), "transmission": None, "frames": []},
            {"trace", "view", "snapshots", "geometry"},
            "No snapshot has been taken yet",
        ),
        (
            {
                "observables": observables()
                .map(lambda values: values * np.nan)
                .assign(time=("snapshot", TIME), connected=("snapshot", CONNECTED))
            },
            set(),
            "stretched",
        ),
        ({"frames": []}, {"view", "snapshots"}, "first touched"),
        ({"provenance": {}}, set(), "Nothing was recorded"),
    ],
)
def test_incomplete_runs_have_a_report(tmp_path, content, change, absent, sentence):
    content.update(change)
    if change.get("provenance") == {}:
        content["transmission"] = None
    page = _Page(written(tmp_path, content))
    assert not absent & set(page.ids)
    assert sentence in " ".join(page.text)


def test_a_broken_bridge_is_told(content):
    connected = CONNECTED.copy()
    connected[[5, 9]] = False
    content["observables"] = observables(connected)
    text = happened(gathered(content))
    assert "broken twice" in text
    assert "the gap was open by 5.4 Å" in text


def test_transmission_is_aligned_by_snapshot_number(content):
    content["transmission"] = transmission([2.0, 1.0], numbers=[9, 3])
    result = gathered(content)
    assert result.transmission[[3, 9]].tolist() == [1.0, 2.0]
    assert np.isnan(np.delete(result.transmission, [3, 9])).all()


def test_value_at_the_fermi_energy_is_shown(content):
    dataset = transmission(T, [-0.5, 0.0, 0.5])
    dataset["transmission_average"] = dataset["transmission_average"] + dataset["energy"]
    content["transmission"] = dataset
    np.testing.assert_allclose(gathered(content).transmission, T)


def test_view_restores_atoms_and_colours(content):
    shown = asdict(view(gathered(content)))
    json.dumps(shown, allow_nan=False)
    frames = [atoms for _, atoms in content["frames"]]

    def unpacked(packed):
        raw = base64.b64decode(packed["data"])
        return np.frombuffer(raw, "<i2").astype(float) * packed["unit"]

    positions = unpacked(shown["positions"]).reshape(len(frames), -1, 3)
    for one, frame in zip(positions, frames, strict=True):
        moved = frame.positions - frames[0].positions.mean(axis=0)
        np.testing.assert_allclose(np.ptp(one - moved, axis=0), 0.0, atol=2e-3)
    charges = unpacked(shown["colourings"][0]["values"]).reshape(len(frames), -1)
    np.testing.assert_allclose(charges[-1], frames[-1].get_charges(), atol=1e-4)
    assert shown["start"] == 1
    assert [frame["time"] for frame in shown["frames"]] == [0.0, 1.04, 3.0]


def test_charges_are_found_where_ase_puts_them_on_reading(content, tmp_path):
    from ase.io import read, write

    number_, frame = content["frames"][-1]
    write(tmp_path / "frame.extxyz", frame)
    content["frames"] = [(number_, read(tmp_path / "frame.extxyz"))]
    assert view(gathered(content)).colourings[0].limit == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3000.0, "3000"), (0.36, "0.36"), (12.345, "12.3"), (-4.0, "\N{MINUS SIGN}4")],
)
def test_numbers_read_well(value, text):
    assert number(value) == text


def test_tunnelling_is_called_small():
    assert transmission_text(1e-7) == "T < 0.001"
    assert transmission_text(float("nan")) == "T not known"
    assert transmission_text(0.944) == "T = 0.944"


@pytest.mark.parametrize("preset", ["quick", "paper-2v", "paper-8v"])
def test_settings_are_put_into_words(preset):
    text = " ".join(sentence for _, sentence in settings_sentences(load_settings(preset)))
    assert "800 K" in text
    assert "nan" not in text
    assert settings_sentences(Settings())[0][0] == "Tips"


def test_a_fine_sample_says_so_and_shows_its_fluctuation(tmp_path, content):
    page = _Page(written(tmp_path, content))
    assert "fluctuation" not in page.ids
    page = _Page(written(tmp_path, content | {"sampled": "This is a fine sampling of x."}))
    assert "fluctuation" in page.ids
    assert "This is a fine sampling of x." in " ".join(page.text)


def test_the_energy_balance_is_drawn_where_it_is_known(content):
    assert len(geometry_and_charge(gathered(content)).axes) == 5
    n = len(TIME)
    content["observables"] = observables().assign(
        bias_work=("snapshot", np.linspace(0.0, 16.0, n)),
        thermostat_energy=("snapshot", np.linspace(0.0, 3.0, n)),
        energy_balance=("snapshot", np.linspace(-1200.0, -1203.0, n)),
    )
    *_, last = geometry_and_charge(gathered(content)).axes
    lines = {line.get_label(): line.get_ydata() for line in last.lines}
    assert lines["conserved sum, change"] == pytest.approx(np.zeros(n - 1))
    # from the second snapshot on: the first is the moment before the voltage came on
    assert lines["work of the source"][-1] == pytest.approx(16.0 * (n - 2) / (n - 1))


def test_contacts_and_ruptures_are_listed(tmp_path, content):
    connected = CONNECTED.copy()
    connected[5] = False
    content["observables"] = observables(connected)
    text = " ".join(" ".join(_Page(written(tmp_path, content)).text).split())
    assert "first contact 1.04 ps 3 rupture 1.12 ps 5 re-contact 1.5 ps 6" in text


def test_moves_of_the_cell_are_marked(tmp_path, content):
    n = len(TIME)
    content["transmission"] = transmission(T).assign(
        cell_x=("snapshot", [0.0, 1.0, 1.0, 1.0] + [2.5] * (n - 4)), cell_y=("snapshot", [0.0] * n)
    )
    result = gathered(content)
    assert np.flatnonzero(result.cell_moved).tolist() == [4]
    assert any(
        text.get_text() == "the cell moved" for text in conductance_trace(result).legends[0].texts
    )
    assert "the cell that the junction is cut in moved" in " ".join(
        _Page(written(tmp_path, content)).text
    )


def test_what_a_move_of_the_cell_alone_changed_is_shown_beside_it(tmp_path, content):
    n = len(TIME)
    content["transmission"] = transmission(T).assign(
        cell_x=("snapshot", [0.0] * 4 + [2.5] * (n - 4)), cell_y=("snapshot", [0.0] * n)
    )
    content["moved"] = transmission([0.5], numbers=[4])
    result = gathered(content)
    assert np.isnan(np.delete(result.in_cell_before, 4)).all()
    assert result.in_cell_before[4] == 0.5
    told = " ".join(_Page(written(tmp_path, content)).text)
    assert "T in G₀ before and after the move: 1.08 ps, 0.5 to 0.94." in " ".join(told.split())
    axes = conductance_trace(result).axes[0]
    circles = [line for line in axes.lines if line.get_fillstyle() == "none"]
    assert [line.get_ydata().tolist() for line in circles] == [[0.5]]


def test_a_changed_run_does_not_carry_the_name_of_its_preset_alone():
    assert title(load_settings("quick")) == "quick"
    assert title(load_settings("quick", ["name=mine", "seed=2"])) == "mine"
    changed = title(load_settings("quick", ["voltage.applied=2", "seed=2"]))
    assert changed == "quick, changed: seed = 2, voltage.applied = 2.0"


def test_adatoms_keep_the_colour_of_the_tip_that_they_came_from(small_tips):
    first = small_tips.copy()
    middle = (first.info["bottom_terrace"] + first.info["top_terrace"]) / 2
    bottom, top = (
        int(np.argmin(np.abs(first.positions[:, 2] - first.info[name])))
        for name in ("bottom_terrace", "top_terrace")
    )
    for height in (-0.3, 0.3):
        frame = first.copy()
        frame.positions[[bottom, top], 2] = middle + height
        colours = stage_colours(frame, first)
        assert to_hex(colours[bottom]).lower() == BLUE.lower()
        assert to_hex(colours[top]).lower() == ORANGE.lower()


def test_the_switch_on_does_not_squash_the_energies(content):
    n = len(TIME)
    energy = np.r_[-1300.0, np.linspace(-1200.0, -1199.0, n - 1)]
    content["observables"] = observables().assign(potential_energy=("snapshot", energy))
    axes = next(
        a for a in geometry_and_charge(gathered(content)).axes if "potential" in a.get_ylabel()
    )
    assert axes.get_ylim()[0] > -1201.0


def test_a_long_run_is_drawn_in_pixels_with_one_patch_for_each_stage(content):
    figure = Figure()
    axes = figure.subplots()
    shade_stages(axes, gathered(content))
    assert len(axes.collections) == len(set(gathered(content).stages))


def test_what_an_atom_conducts_is_said_of_metals_of_which_it_is_known():
    assert known_transmissions("Au").endswith("a contact through one atom of gold T near 1.")
    assert "one atom" not in known_transmissions("Pt")
    assert [metal_name(element) for element in ("Ag", "Cu", "Pt")] == [
        "silver",
        "copper",
        "platinum",
    ]
