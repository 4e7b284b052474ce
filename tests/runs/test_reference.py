import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import chain

from nanogap import cli
from nanogap.analysis.filament.stages import Stage
from nanogap.cli.common import emit, finite
from nanogap.errors import SettingsError
from nanogap.runs import reference
from nanogap.runs.reference import (
    ReferenceOfRun,
    SnapshotReference,
    choose_snapshots,
    describe,
)
from nanogap.settings import load_accuracy
from nanogap.transport.backends import get_backend
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.model_file import model_to_toml


@given(
    stages=st.lists(st.sampled_from(list(Stage)), min_size=1, max_size=40), count=st.integers(1, 9)
)
@settings(deadline=None)
def test_every_stage_is_shown_before_one_is_shown_twice(stages, count):
    chosen = choose_snapshots(stages, count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, len(stages))
    shown = {stages[number] for number in chosen}
    assert len(shown) >= min(count, len(set(stages)))


def test_the_middle_of_the_longest_span_is_chosen():
    stages = [Stage.DRIFT] * 5 + [Stage.CONTACT] + [Stage.LATERAL_GROWTH] * 3 + [Stage.CONTACT] * 3
    assert choose_snapshots(stages, 3) == [2, 7, 10]
    assert choose_snapshots(stages, 4) == [0, 2, 7, 10]


def test_results_are_told_with_what_is_not_known():
    text = describe(
        ReferenceOfRun(
            energies=[0.0],
            file="run/reference.nc",
            snapshots=[
                SnapshotReference(3, 300.0, "contact", 40, [float("nan")], [0.9]),
                SnapshotReference(5, 500.0, "contact", 41, [1.1], [1.0]),
            ],
        )
    )
    assert "unreliable" in text
    assert "1.1000" in text
    assert "file: run/reference.nc" in text


def test_results_are_one_json_object_with_null_for_what_is_not_known(capsys):
    snapshot = SnapshotReference(3, 300.0, "contact", 40, [float("nan"), 1.5], [0.9, 1.0])
    emit(ReferenceOfRun(energies=[-0.5, 0.0], file="run/reference.nc", snapshots=[snapshot]))
    assert json.loads(capsys.readouterr().out) == {
        "energies": [-0.5, 0.0],
        "file": "run/reference.nc",
        "snapshots": [
            {
                "snapshot": 3,
                "time": 300.0,
                "stage": "contact",
                "atoms": 40,
                "transmission": [None, 1.5],
                "tight_binding": [0.9, 1.0],
            }
        ],
    }


def reference_of(element, hamiltonian, monkeypatch, tmp_path):
    """A run of one snapshot, a wire, whose PWCOND numbers are at hand."""

    def computed(junctions, values, **_):
        return fast.compute_transmission(junctions, values, model=load_model())

    wire = chain(2.7)
    run = SimpleNamespace(
        settings=SimpleNamespace(
            transport=SimpleNamespace(hamiltonian=hamiltonian),
            structure=SimpleNamespace(element=element),
        ),
        hamiltonian=None,
        records=lambda: [SimpleNamespace(observables={"time": 5.0})],
        observables=lambda: None,
    )
    fast = get_backend()
    monkeypatch.setattr(reference, "RunDirectory", lambda _: run)
    monkeypatch.setattr(reference, "classify_stages", lambda _: [Stage.CONTACT])
    monkeypatch.setattr(reference, "junction_of", lambda *_: wire)
    monkeypatch.setattr(reference.pwcond, "compute_transmission", computed)
    return reference.reference_of_run(
        tmp_path, snapshots=1, energies="0", repeats=2, settings=load_accuracy("coarse")
    )


@pytest.mark.usefixtures("only_silver")
def test_another_metal_shows_the_numbers_of_pwcond_alone(monkeypatch, tmp_path):
    """Found with copper: minutes of PWCOND, and then a refusal that showed none of its numbers."""
    found = reference_of("Cu", "packaged", monkeypatch, tmp_path)
    assert found.snapshots[0].transmission == [pytest.approx(1.0, abs=1e-6)]
    assert np.isnan(found.snapshots[0].tight_binding).all()
    assert describe(found).splitlines()[1].split()[-2:] == ["1.0000", "none"]
    assert json.loads(json.dumps(finite(found)))["snapshots"][0]["tight_binding"] == [None]


def test_silver_shows_both(monkeypatch, tmp_path):
    for choice in ("packaged", "none"):
        found = reference_of("Ag", choice, monkeypatch, tmp_path)
        assert found.snapshots[0].tight_binding == [pytest.approx(1.0, abs=1e-6)]


def test_a_wrong_hamiltonian_is_refused_before_the_work(monkeypatch, tmp_path):
    (tmp_path / "ag.toml").write_text(model_to_toml(load_model(), ""))
    with pytest.raises(SettingsError, match="is one of Ag, the tips are of Cu"):
        reference_of("Cu", str(tmp_path / "ag.toml"), monkeypatch, tmp_path)
    assert not (tmp_path / "reference.nc").exists()


def test_a_folder_without_run_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["nanogap", "reference", str(tmp_path / "absent"), "--json"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "absent" in shown.err


def test_a_choice_is_plain_data():
    json.dumps(choose_snapshots([Stage.DRIFT] * 4, 2))
    assert np.all(np.diff(choose_snapshots([Stage.DRIFT] * 9, 5)) > 0)
