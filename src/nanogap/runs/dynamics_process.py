"""The dynamics of a run, in a process of its own: an engine abort takes nothing else down."""

import sys
import time
from dataclasses import replace
from pathlib import Path

from ase import Atoms

from nanogap.dynamics.interaction import load_interaction
from nanogap.dynamics.simulation import Simulation
from nanogap.errors import DataFormatError
from nanogap.runs.child import child_main
from nanogap.runs.directory import RunDirectory, joined_versions
from nanogap.runs.recovery import schedule_of
from nanogap.runs.state import DynamicsState

#: Relative difference of an energy that rounding cannot make, when a part of a run is repeated.
_SAME = 1e-6


def simulate(run: RunDirectory) -> None:
    """Go on with the dynamics of a run from its last checkpoint that is whole to its end."""
    settings, tips, state = run.settings, run.tips, run.dynamics
    if tips is None:
        raise DataFormatError(f"{run.path} has no starting structure: start the run anew")
    simulation = Simulation(
        tips,
        settings,
        folder=run.logs,
        schedule=schedule_of(settings, run.window),
        interaction=load_interaction(
            settings.dynamics, settings.structure.element, run.force_field
        ),
    )
    state = _load(run, simulation, state)
    if simulation.finished:  # perhaps by settings that end it earlier than planned before
        state = _with_end(state, simulation)
        run.dynamics = state
    while not simulation.finished:
        state = _advance(run, simulation, state)
    simulation.close()


def _load(run: RunDirectory, simulation: Simulation, state: DynamicsState) -> DynamicsState:
    """Load the last checkpoint that is whole; without one the dynamics begins at the start.

    What is repeated comes to the same snapshots, and these are not written a second time.

    Raises
    ------
    DataFormatError
        If a fine sampling has none: it began from one.
    """
    there = run.checkpoints() if state.checkpoint is not None else {}
    notes = []
    if state.checkpoint is not None and state.checkpoint not in {p.name for p in there.values()}:
        notes.append(f"checkpoint {state.checkpoint} is missing")
    for step in sorted(there, reverse=True):
        try:
            simulation.load(there[step])
        except DataFormatError as error:
            notes.append(str(error))
            continue
        return _noted(state, notes, f"the dynamics was repeated from step {step}")
    if run.window is not None and state.checkpoint is not None:
        raise DataFormatError(f"{'; '.join(notes)}: delete {run.path} and sample again")
    return _noted(state, notes, "the dynamics was repeated from the start")


def _noted(state: DynamicsState, notes: list[str], what: str) -> DynamicsState:
    if not notes:
        return state
    note = f"{'; '.join(notes)}: {what}"
    print(note)  # noqa: T201 into the log of this process
    return replace(state, notes=(*state.notes, note))


def _advance(run: RunDirectory, simulation: Simulation, state: DynamicsState) -> DynamicsState:
    """Run up to the next pause and commit: snapshots, checkpoint if due, then their record."""
    started = time.monotonic()
    frames = simulation.advance()
    # after an interruption between two checkpoints, the same snapshots come once more
    state = _compare(run, [frame for frame in frames if frame.info["step"] <= state.step], state)
    frames = [frame for frame in frames if frame.info["step"] > state.step]
    commit = run.trajectory.append(frames, state.commit)
    checkpoint = state.checkpoint
    if simulation.at_checkpoint:
        folder = run.new_checkpoint(simulation.progress.step)
        simulation.save(folder)
        checkpoint = folder.name
    schedule, contact = simulation.schedule, simulation.progress.first_contact_step
    state = replace(
        _with_end(state, simulation),
        step=max(state.step, simulation.progress.step),
        checkpoint=checkpoint,
        commit=commit,
        seconds=state.seconds + time.monotonic() - started,
        engine_version=joined_versions(state.engine_version, simulation.engine_version),
    )
    run.dynamics = state
    if simulation.at_checkpoint:
        run.drop_checkpoints(schedule.kept_checkpoints(run.checkpoints(), contact))
    return state


def _with_end(state: DynamicsState, simulation: Simulation) -> DynamicsState:
    """Take the end of the run, as far as it is known, into its state."""
    schedule, contact = simulation.schedule, simulation.progress.first_contact_step
    planned = schedule.planned(contact)
    return replace(state, end_step=schedule.last(contact), snapshots_planned=planned)


def _compare(run: RunDirectory, frames: list[Atoms], state: DynamicsState) -> DynamicsState:
    """Take note if repeated snapshots are not those that are there."""
    known = {
        int(one.observables["step"]): one for one in run.trajectory.records(state.commit.snapshots)
    }
    for frame in frames:
        stored = known.get(frame.info["step"])
        if stored is None:
            continue
        energy = stored.observables["potential_energy"]
        if abs(frame.info["potential_energy"] - energy) > _SAME * abs(energy):
            note = (
                f"repeated from a checkpoint, the dynamics differs from snapshot {stored.number} "
                "on: this machine or this LAMMPS rounds otherwise, and later snapshots are of "
                "another trajectory with the same settings"
            )
            if any("rounds otherwise" in one for one in state.notes):
                return state
            return _noted(state, [note], "see both parts as samples of one ensemble")
    return state


if __name__ == "__main__":
    child_main(simulate, Path(sys.argv[1]))
