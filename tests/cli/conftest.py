"""The command line in this process, in an empty folder of its own."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nanogap import cli


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Return an empty folder that is the current one."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Return a cache of lattice constants that no earlier version of the code has filled."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def nanogap(workplace, cache, monkeypatch, capfd):
    """Return a function that calls the command line as its entry point does."""

    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))

    def call(*arguments):
        assert Path.cwd() == workplace
        monkeypatch.setattr(sys, "argv", ["nanogap", *map(str, arguments)])
        capfd.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = stop.code or 0
        output = capfd.readouterr()
        return Outcome(status, output.out, output.err)

    return call
