"""The dynamics of a run, in a process of its own: an engine abort takes nothing else down."""

import sys
import time
from dataclasses import replace
from pathlib import Path

from nanogap.dynamics.interaction import load_interaction
from nanogap.dynamics.schedule import FineSchedule
from nanogap.dynamics.simulation import Simulation
from nanogap.errors import DataFormatError
from nanogap.runs.child import child_main
from nanogap.runs.directory import DynamicsState, RunDirectory


def simulate(run: RunDirectory) -> None:
    """Go on with the dynamics of a run from its last checkpoint to its end."""
    settings, tips, state = run.settings, run.tips, run.dynamics
    if tips is None:
        raise DataFormatError(f"{run.path} has no starting structure: start the run anew")
    schedule = None
    if run.window is not None:
        schedule = FineSchedule(settings.dynamics, settings.voltage, run.window)
    simulation = Simulation(
        tips,
        settings,
        folder=run.logs,
        schedule=schedule,
        interaction=load_interaction(
            settings.dynamics, settings.structure.element, run.force_field
        ),
    )
    if state.checkpoint is not None:
        simulation.load(run.files.checkpoints / state.checkpoint)
    while not simulation.finished:
        state = _advance(run, simulation, state)
    simulation.close()


def _advance(run: RunDirectory, simulation: Simulation, state: DynamicsState) -> DynamicsState:
    """Run up to the next pause and commit: snapshots, checkpoint if due, then their record."""
    started = time.monotonic()
    # after an interruption between two checkpoints, the same snapshots come once more
    frames = [frame for frame in simulation.advance() if frame.info["step"] > state.step]
    commit = run.trajectory.append(frames, state.commit)
    checkpoint = state.checkpoint
    if simulation.at_checkpoint:
        folder = run.new_checkpoint(simulation.progress.step)
        simulation.save(folder)
        checkpoint = folder.name
    schedule, contact = simulation.schedule, simulation.progress.first_contact_step
    state = replace(
        state,
        step=max(state.step, simulation.progress.step),
        end_step=schedule.last(contact),
        snapshots_planned=schedule.planned(contact),
        checkpoint=checkpoint,
        commit=commit,
        seconds=state.seconds + time.monotonic() - started,
        engine_version=simulation.engine_version,
    )
    run.dynamics = state
    if simulation.at_checkpoint:
        run.drop_checkpoints(schedule.kept_checkpoints(run.checkpoints(), contact))
    return state


if __name__ == "__main__":
    child_main(simulate, Path(sys.argv[1]))
