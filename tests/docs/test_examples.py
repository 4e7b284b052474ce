"""The Python examples of the documentation run as they stand."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.glob("**/*.md"))


def examples(page):
    """All Python blocks of a page, in order, as one program."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


@pytest.mark.engine
def test_the_notebook_runs_and_draws_what_it_computes(tmp_path, monkeypatch):
    """Its ten cells, as a program; the site runs it as a notebook."""
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "tutorials" / "notebook.md").read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(cells) == 10
    plt.switch_backend("agg")
    names = {}
    exec(compile("\n".join(cells), "notebook.md", "exec"), names)  # noqa: S102
    transmission = names["transmission"].to_numpy()
    # less than the channels of its leads, cells of 6 x 6 atoms
    assert np.all((transmission > 0.0) & (transmission < 36 * 7.45 / 9))
    assert {round(peak.position) for peak in names["histogram"].peaks} >= {1, 2, 3, 4, 5}
    plt.close("all")


def test_the_example_junction_conducts_through_one_atom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(examples("junction-format.md"), "junction-format.md", "exec"), {})  # noqa: S102
    assert (tmp_path / "contact.extxyz").is_file()
    # one atom of an s metal: one channel, nearly open; more tunnels past it
    assert float(capsys.readouterr().out) == pytest.approx(1.0, abs=0.3)


def test_a_device_is_driven_as_its_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(examples("device-python.md"), "device-python.md", "exec"), names)  # noqa: S102
    assert {"histogram.png", "programmed.extxyz", "my-device"} <= {
        path.name for path in tmp_path.iterdir()
    }
    # what the page tells of them
    assert any(event.kind == "set" for event in names["ng"].switching(names["loop"]).events)
    assert names["read"].bridged
    assert 0.7 < names["read"].conductance < 1.3
    assert 5 < names["pulse"] < 29
    assert not names["device"].conductance.bridged
    assert names["run"].status.state == "finished"
    assert "opened at -" in capsys.readouterr().out
    plt.close("all")


@pytest.mark.parametrize(
    "page", sorted(path.relative_to(DOCS).as_posix() for path in DOCS.glob("**/*.md"))
)
def test_links_lead_to_pages_that_exist(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    folder = (DOCS / page).parent
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith("https://"):
            # the reference is written when the site is built, which checks links to it
            assert (folder / target).exists() or "api/" in target, target
