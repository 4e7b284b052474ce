"""The stages of a run as data and as a figure."""

from typing import Any

from matplotlib.figure import Figure

from nanogap.analysis.filament.stages import (
    bridge_events,
    classify_stages,
    stage_spans,
    typical_snapshots,
)
from nanogap.errors import SettingsError
from nanogap.observables import STAGE_OBSERVABLES
from nanogap.report.result import RunResult
from nanogap.report.stages import stages_figure
from nanogap.run.directory import RunDirectory


def stages_of_run(run: RunDirectory) -> dict[str, Any]:
    """Tell the stage of every snapshot of a run.

    Returns
    -------
    dict
        ``stage`` and ``time`` (fs) of every snapshot; ``spans`` with ``stage``, ``first`` and
        ``last`` snapshot, ``begin`` and ``end`` (fs); ``events`` with ``event`` (first contact,
        rupture, re-contact), ``snapshot`` and ``time``; ``geometry``, a list over snapshots of
        each scalar that `nanogap.structure.Gap` describes.

    Raises
    ------
    SettingsError
        If there is no snapshot yet.
    """
    observables = run.observables()
    if not observables.sizes["snapshot"]:
        raise SettingsError(f"{run.path} has no snapshot yet: wait for the first, or resume it")
    stages, time = classify_stages(observables), observables["time"].to_numpy().tolist()
    return {
        "stage": [stage.value for stage in stages],
        "time": time,
        "spans": [
            {
                "stage": stage.value,
                "first": first,
                "last": last,
                "begin": time[first],
                "end": time[last],
            }
            for stage, first, last in stage_spans(stages)
        ],
        "events": [
            {"event": event.kind, "snapshot": event.snapshot, "time": event.time}
            for event in bridge_events(observables)
        ],
        "geometry": {name: observables[name].to_numpy().tolist() for name in STAGE_OBSERVABLES},
    }


def draw_stages(run: RunDirectory) -> Figure | None:
    """Draw the stages of a run: `nanogap.report.stages.stages_figure`."""
    observables, records = run.observables(), run.records()
    typical = typical_snapshots(classify_stages(observables)).values()
    result = RunResult.gather(
        settings=run.settings,
        observables=observables,
        transmission=None,
        spectra=None,
        frames=[(number, run.trajectory.frame(records[number])) for number in typical],
        failures={},
    )
    return stages_figure(result)
