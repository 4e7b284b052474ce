"""Files and names that pages, docstrings and comments mention are there."""

import pkgutil
import re
import shlex
from pathlib import Path

import pytest
import typer

from nanogap.cli.app import app
from nanogap.settings import Settings

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
#: A setting in code type, after --set, or quoted in a campaign file.
SETTING = re.compile(
    r"(?:`|--set |^\")(structure|dynamics|voltage|junction|transport)\.(?!json|nc)(\w+)(?![\w./(])",
    re.MULTILINE,
)


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


def commands_of(page):
    """Words of every command of a page, indented or within a line; `nanogap` first."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^ {4,}(nanogap [a-z].*)$", text, re.MULTILINE)
    lines += re.findall(r"`(nanogap [a-z][^`]*)`", text.replace("\n", " "))
    for line in lines:
        for command in re.split(r"\s;\s|\s#", line):
            words = shlex.split(command)
            if words[:1] == ["nanogap"]:
                yield words


def command_of(words):
    """The command that the words name."""
    command = typer.main.get_command(app)
    for word in words[1:]:
        if not hasattr(command, "commands"):
            break
        assert word in command.commands, " ".join(words)
        command = command.commands[word]
    return command


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_and_their_options_exist(page):
    for words in commands_of(page):
        known = {name for one in command_of(words).params for name in one.opts + one.secondary_opts}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= known | {"--help"}, " ".join(words)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_settings_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    for section, key in SETTING.findall(text):
        model = Settings.model_fields[section].annotation
        assert key in model.model_fields, f"{section}.{key}"
