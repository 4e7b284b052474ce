"""Stages of a run as data and as a figure."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from nanogap.analysis.filament.stages import (
    Stage,
    bridge_events,
    classify_stages,
    stage_spans,
    typical_snapshots,
)
from nanogap.errors import SettingsError
from nanogap.observables import STAGE_OBSERVABLES
from nanogap.report.result import RunResult
from nanogap.report.stages import stages_figure
from nanogap.runs.directory import RunDirectory
from nanogap.runs.summary import planned_end


@dataclass(frozen=True)
class StageSpan:
    """Snapshots in a row that are in one stage.

    Attributes
    ----------
    stage : Stage
    first, last : int
        Snapshot numbers.
    begin, end : float
        Their times, fs.
    """

    stage: Stage
    first: int
    last: int
    begin: float
    end: float


@dataclass(frozen=True)
class StageEvent:
    """Moment at which a bridge was first seen formed or broken.

    Attributes
    ----------
    event : str
        First contact, rupture or re-contact.
    snapshot : int
    time : float
        fs.
    """

    event: str
    snapshot: int
    time: float


@dataclass(frozen=True)
class RunStages:
    """Stages of a filament in the course of a run.

    Attributes
    ----------
    stage : list of Stage
        Of every snapshot.
    time : list of float
        Of every snapshot, fs.
    spans : list of StageSpan
    events : list of StageEvent
    geometry : dict
        `nanogap.observables.STAGE_OBSERVABLES`: name to values of every snapshot.
    """

    stage: list[Stage]
    time: list[float]
    spans: list[StageSpan]
    events: list[StageEvent]
    geometry: dict[str, list[float]]


def stages_of_run(run: RunDirectory) -> RunStages:
    """Tell the stage of every snapshot of a run.

    Raises
    ------
    SettingsError
        If there is no snapshot yet.
    """
    observables = run.observables()
    if not observables.sizes["snapshot"]:
        raise SettingsError(f"{run.path} has no snapshot yet: wait for the first, or resume it")
    stages, time = classify_stages(observables), observables["time"].to_numpy().tolist()
    return RunStages(
        stage=stages,
        time=time,
        spans=[
            StageSpan(stage, first, last, time[first], time[last])
            for stage, first, last in stage_spans(stages)
        ],
        events=[
            StageEvent(event.kind, event.snapshot, event.time)
            for event in bridge_events(observables)
        ],
        geometry={name: observables[name].to_numpy().tolist() for name in STAGE_OBSERVABLES},
    )


def draw_stages(run: RunDirectory) -> Figure | None:
    """Draw the stages of a run: `nanogap.report.stages.stages_figure`."""
    observables = run.observables()
    typical = typical_snapshots(classify_stages(observables)).values()
    result = RunResult.gather(
        settings=run.settings,
        observables=observables,
        transmission=None,
        spectra=None,
        frames=[(number, run.frame(number)) for number in sorted({0, *typical})],
        failures={},
        planned_end=planned_end(run),
    )
    return stages_figure(result)
