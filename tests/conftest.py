"""Fixtures that many tests share."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

from nanogap import cli
from nanogap.device import conductance
from nanogap.dynamics.forcefield import load_force_field
from nanogap.structure import build_pyramids
from nanogap.transport.tight_binding import files

#: The force field's own lattice constant at 0 K, angstrom; no test needs the thermal one.
LATTICE_CONSTANT = 4.216

#: ``pytest --hypothesis-profile validation``: as many examples as the project promises.
settings.register_profile("validation", max_examples=200, deadline=None)
#: A busy machine is no fault of the code.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


@pytest.fixture(scope="session", autouse=True)
def own_cache_folder(tmp_path_factory):
    """A cache that no earlier version of the code has filled, and that no user misses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user-cache")))
        yield


@pytest.fixture
def call(monkeypatch, capsys):
    """Return a function that runs a command in this process and gives what it wrote."""

    def run(*words, status=0):
        monkeypatch.setattr(sys, "argv", ["nanogap", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        assert code == status, captured.err
        return captured

    return run


@pytest.fixture
def only_silver(monkeypatch):
    """Hide the packaged Hamiltonians of all metals but silver: what is said where there is none."""
    monkeypatch.setattr(files, "packaged_elements", lambda: ("Ag",))
    monkeypatch.setattr(conductance, "packaged_elements", lambda: ("Ag",))


@pytest.fixture(scope="session")
def force_field():
    return load_force_field("Ag")


@pytest.fixture(scope="session")
def small_tips_of():
    """Return a function that builds tips of about a hundred atoms with a given gap."""

    def build(gap):
        return build_pyramids(
            lattice_constant=LATTICE_CONSTANT,
            base_width=12.0,
            height=5.0,
            apex_width=6.0,
            gap=gap,
            fixed_layers=1,
            vacuum=12.0,
        )

    return build


@pytest.fixture
def small_tips(small_tips_of):
    return small_tips_of(gap=6.0)


#: Files that take longest, engines of the first rank: begun first, so that two processes end
#: together (with --no-loadscope-reorder, a file at a time).
_LONGEST = (
    "transport/espresso/test_pwcond.py",
    "runs/test_run.py",
    "campaign/test_campaign_runs.py",
    "cli/test_first_principles.py",
    "docs/test_ensemble_page.py",
    "transport/test_mesh.py",
    "transport/backends/test_backends.py",
    "runs/test_metals.py",
    "dynamics/test_forcefield.py",
    "cli/test_commands.py",
    "validation/test_fuzz.py",
    "docs/test_kinetics_page.py",
)


def pytest_collection_modifyitems(items):
    """Begin with the longest files; the order within a file stays."""
    names = {Path(__file__).parent / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: names.get(item.path, len(names)))
