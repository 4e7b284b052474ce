"""Files and names that pages, docstrings and comments mention are there."""

import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("", "src/nanogap", "docs")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")]
CODE = [
    path
    for folder in ("src", "docs/build", "validation", "parametrisation", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]
#: A module with its folder, or another file with its path in the project, in code type; what a run
#: makes is named without one.
FILE = re.compile(
    r"`((?:[\w.-]+/)+[\w*-]+\.py"
    r"|(?:src|tests|docs|validation|parametrisation|benchmarks)/[\w./*-]+)`"
)
DOTTED = re.compile(r"`(nanogap(?:\.\w+)+)[`(]")


def relative(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_a_page_names_exist(page):
    for name in FILE.findall(page.read_text(encoding="utf-8")):
        assert any(list((ROOT / folder).glob(name)) for folder in FOLDERS), name


@pytest.mark.parametrize("path", [*PAGES, *CODE], ids=relative)
def test_dotted_names_lead_to_something(path):
    for name in DOTTED.findall(path.read_text(encoding="utf-8")):
        try:
            pkgutil.resolve_name(name)
        except (ImportError, AttributeError):
            pytest.fail(f"{relative(path)} names {name}, which does not exist")
