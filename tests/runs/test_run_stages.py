"""The stages of a run directory whose frames were made by hand."""

import json
from dataclasses import asdict

import pytest
from tests import hand_made_frames

from nanogap.analysis import Stage
from nanogap.errors import SettingsError
from nanogap.observables import OBSERVABLES, STAGE_OBSERVABLES
from nanogap.runs import RunDirectory
from nanogap.runs.directory import DynamicsState
from nanogap.runs.stages import draw_stages, stages_of_run
from nanogap.settings import Settings
from nanogap.structure import analyse_connection, analyse_gap

STORY = [
    (Stage.DRIFT, hand_made_frames.drift),
    (Stage.ISLANDS, hand_made_frames.islands),
    (Stage.CONTACT, hand_made_frames.contact),
    (Stage.LATERAL_GROWTH, hand_made_frames.lateral_growth),
    (Stage.RUPTURE, hand_made_frames.islands),
    (Stage.CONTACT, hand_made_frames.contact),
]


def snapshot(maker, place):
    atoms = hand_made_frames.frame(*maker(place), jitter=0.03, seed=place)  # no two equal hops
    connection = analyse_connection(atoms, 4.0)
    atoms.info.update(dict.fromkeys(OBSERVABLES, 0.0))
    atoms.info.update(
        step=100 * place,
        time=500.0 * place,
        connected=connection.connected,
        minimax_gap=connection.minimax_gap,
        bottleneck_atoms=len(connection.bottleneck),
        **analyse_gap(atoms, connection).observables,
    )
    return atoms


@pytest.fixture
def run(tmp_path):
    run = RunDirectory.create(tmp_path / "run", Settings(), "made by hand", {})
    frames = [snapshot(maker, place) for place, (_, maker) in enumerate(STORY)]
    commit = run.trajectory.append(frames, run.dynamics.commit)
    run.dynamics = DynamicsState(step=1, end_step=2, commit=commit)
    return run


def test_the_story_is_told(run):
    content = stages_of_run(run)
    assert content.stage == [stage for stage, _ in STORY]
    assert [span.stage for span in content.spans] == content.stage
    assert [event.event for event in content.events] == [
        "first contact",
        "rupture",
        "re-contact",
    ]
    assert [event.time for event in content.events] == [1000.0, 2000.0, 2500.0]
    plain = json.loads(json.dumps(asdict(content)))
    assert plain["stage"] == [stage.value for stage, _ in STORY]
    assert plain["geometry"].keys() == set(STAGE_OBSERVABLES)


def test_the_figure_has_a_picture_of_every_stage(run):
    figure = draw_stages(run)
    titles = [axes.get_title(loc="center") for axes in figure.axes]
    for stage in Stage:
        assert sum(title.startswith(f"{stage.value},") for title in titles) == 1


def test_without_snapshots_the_message_says_so(tmp_path):
    run = RunDirectory.create(tmp_path / "run", Settings(), "made by hand", {})
    with pytest.raises(SettingsError, match="no snapshot yet"):
        stages_of_run(run)
