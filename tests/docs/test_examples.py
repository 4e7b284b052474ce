"""The Python examples of the documentation run as they stand."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def examples(page):
    """All Python blocks of a page, in order, as one program."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def test_the_example_junction_conducts_through_one_atom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(examples("junction-format.md"), "junction-format.md", "exec"), {})  # noqa: S102
    assert (tmp_path / "contact.extxyz").is_file()
    # one atom of an s metal: one channel, nearly open; more tunnels past it
    assert float(capsys.readouterr().out) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_to_pages_that_exist(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith("https://"):
            assert (DOCS / target).exists(), target
