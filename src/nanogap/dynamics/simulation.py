"""Bias-driven dynamics of two tips: equilibrate at 0 V, apply the voltage, sample snapshots.

The run is cut into chunks, one per sampling interval. Every chunk begins by loading the
checkpoint that the last one wrote, also when nothing was interrupted; so a resumed run follows
the trajectory of an uninterrupted one to the bit.
"""

import tempfile
from collections import deque
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from nanogap.arguments import checked
from nanogap.dynamics.biased_engine import BiasedEngine
from nanogap.dynamics.checkpoint import Progress, read_checkpoint, write_checkpoint
from nanogap.dynamics.engines import open_engine
from nanogap.dynamics.frame import describe_geometry, frame_of
from nanogap.dynamics.interaction import Interaction, load_interaction
from nanogap.dynamics.schedule import Schedule
from nanogap.errors import DataFormatError, EngineError, SettingsError
from nanogap.frames import freed_when_dropped
from nanogap.observables import OBSERVABLES
from nanogap.printing import Printed, Rows, counted
from nanogap.settings import SettingsSource, load_settings
from nanogap.structure.connectivity import are_bonded
from nanogap.structure.tips import check_tips

_LARGEST_ENGINE_SEED = 2**31 - 2


def velocity_seed(seed: int) -> int:
    """Derive the seed of the starting velocities from that of the settings.

    Parameters
    ----------
    seed : int

    Returns
    -------
    int
        From 1 to 2**31 - 2, as LAMMPS takes it.
    """
    stream = np.random.SeedSequence(seed).spawn(1)[0]
    return int(stream.generate_state(1)[0]) % _LARGEST_ENGINE_SEED + 1


class Simulation(Printed):
    """Bias-driven dynamics of two tips, by LAMMPS or the native kernel.

    Parameters
    ----------
    tips : ase.Atoms
        The starting structure, from `nanogap.dynamics.start.build_tips`.
    settings : str, Path, mapping, Settings or None
        A preset, a file, a table or settings; see `nanogap.settings.load_settings`. The structure
        is that of `tips`, whatever the settings say of it.
    folder : str or Path, optional
        An existing folder where the engine writes its input and log; default: a temporary one.
    seed : int, optional
        Seed of the starting velocities, from 1 to 2**31 - 1; default: `velocity_seed` of that of
        the settings.
    schedule : Schedule, optional
        When what happens; default: that of the settings.
    interaction : Interaction, optional
        Default: the one that the settings name.

    Raises
    ------
    StructureError
        If `tips` is no structure of two tips.
    SettingsError
        If a setting is wrong, or there is no interaction for the element.
    EngineError
        If the engine does not start.

    Examples
    --------
    Twenty steps of small tips, the voltage on from the start:

    >>> from nanogap.dynamics.start import build_tips
    >>> from nanogap.settings import load_settings
    >>> settings = load_settings("quick", {"dynamics.equilibration_time": 0.0})
    >>> tips = build_tips(settings, lattice_constant=4.216)
    >>> with Simulation(tips, settings) as simulation:
    ...     snapshots = simulation.run(20)
    ...     atoms, observables = simulation.atoms, simulation.observables
    >>> atoms.info["time"]
    80.0
    >>> bool(atoms.get_charges()[atoms.arrays["electrode"] == "top"].sum() > 0.0)
    True
    >>> observables["connected"]
    False
    >>> simulation
    Simulation
      tips  486 atoms at 800 K
      time  step 20 of 15000, 8 V for 0.08 ps
      next  .run(steps), .atoms, .observables, .close()
    """

    @checked
    def __init__(
        self,
        tips: Atoms,
        settings: SettingsSource = None,
        *,
        folder: str | Path | None = None,
        seed: int | None = None,
        schedule: Schedule | None = None,
        interaction: Interaction | None = None,
    ) -> None:
        loaded = load_settings(settings)
        dynamics, voltage = loaded.dynamics, loaded.voltage
        self._tips = check_tips(tips, "tips")
        self._dynamics = dynamics
        self._voltage = voltage
        interaction = interaction or load_interaction(dynamics, str(tips.symbols[0]))
        self._own_folder: tempfile.TemporaryDirectory[str] | None = None
        if folder is not None and not Path(folder).is_dir():
            raise SettingsError(f"folder = {str(folder)!r}: no such folder: make it first")
        if folder is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix="nanogap-")
            folder = Path(self._own_folder.name)
        engine_seed = velocity_seed(loaded.seed) if seed is None else seed
        try:
            self._engine = open_engine(
                tips,
                dynamics,
                interaction,
                Path(folder),
                engine_seed,
                constant_potential=voltage.mode == "constant-potential",
            )
        except BaseException:
            self._remove_own_folder()
            raise
        self._biased = BiasedEngine(
            self._engine, tips.arrays["electrode"], voltage, dynamics.time_step
        )
        self.schedule = schedule or Schedule(dynamics, voltage)
        self._prepared_at: int | None = None
        self._candidates: deque[Atoms] = deque()
        self._latest: Atoms | None = None
        self.progress = Progress()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rows(self) -> Rows:
        schedule, dynamics, step = self.schedule, self._dynamics, self.progress.step
        time = (step - schedule.equilibration) * dynamics.time_step / 1000.0
        bias = f"{self._voltage.applied:g} V for {time:.4g} ps" if time > 0.0 else "0 V"
        yield "tips", f"{counted(len(self._tips), 'atom')} at {dynamics.temperature:g} K"
        yield "time", f"step {step} of {schedule.last(self.progress.first_contact_step)}, {bias}"
        yield "next", ".run(steps), .atoms, .observables, .close()"

    @property
    def finished(self) -> bool:
        """Whether the last snapshot has been sampled."""
        return self.progress.step >= self.schedule.last(self.progress.first_contact_step)

    @property
    def engine_version(self) -> str:
        """Version of LAMMPS or of the native kernel."""
        return self._engine.version

    @property
    def at_checkpoint(self) -> bool:
        """Whether a checkpoint must be written before the simulation goes on."""
        return self.finished or self.schedule.begins_chunk(self.progress.step)

    @property
    def atoms(self) -> Atoms:
        """The present snapshot.

        Charges (e) by ``get_charges()``, the potential energy (eV) by ``get_potential_energy()``,
        velocities by ``get_velocities()`` in ASE's unit, so that ``get_kinetic_energy()`` is in
        eV; arrays ``electrode`` and ``potential`` (the electrochemical one, V); ``info``: every
        scalar of `nanogap.observables.OBSERVABLES`, ``axis`` (in-plane position of the
        constriction, angstrom), and what the tips had.
        """
        latest = self._latest
        if latest is not None and latest.info["step"] == self.progress.step:
            frame = latest.copy()
            frame.calc = SinglePointCalculator(frame, **latest.calc.results)
            return freed_when_dropped(frame)
        if not self._engine.prepared:
            self._prepare()
        return self._snapshot()

    @property
    def observables(self) -> dict[str, float]:
        """The scalars of the present snapshot; `nanogap.observables.OBSERVABLES` says of what."""
        info = self.atoms.info
        return {name: info[name] for name in OBSERVABLES}

    @checked
    def run(self, steps: int | None = None, *, checkpoints: Path | None = None) -> list[Atoms]:
        """Run some time steps, at the most to the end that the settings set.

        The trajectory is that of a run directory with these settings to the bit, wherever it is
        stopped; the run directory commits to disk what comes on the way.

        Parameters
        ----------
        steps : int, optional
            Default: all that are left.
        checkpoints : Path, optional
            Gets a new folder ``step-N`` with each checkpoint; default: none is kept.

        Returns
        -------
        list of ase.Atoms
            The snapshots that the settings ask for on the way, in order of time; see `atoms`.

        Raises
        ------
        SettingsError
            If `steps` is below 1.
        EngineError
            If the simulation is at its end, the engine stops or atoms leave the box.
        """
        if steps is not None and steps < 1:
            raise SettingsError(f"steps = {steps!r}: give at least 1")
        if self.finished:
            raise EngineError(
                f"the simulation is at its end, step {self.progress.step}: raise "
                "dynamics.production_time"
            )
        until = None if steps is None else self.progress.step + steps
        frames: list[Atoms] = []
        while not self.finished and (until is None or self.progress.step < until):
            frames += self.advance(until)
            if self.at_checkpoint:
                self._keep_checkpoint(checkpoints)
        return frames

    def advance(self, until: int | None = None) -> list[Atoms]:
        """Run one chunk, or up to the next pause in it.

        Parameters
        ----------
        until : int, optional
            Step to stop at if it comes earlier.

        Returns
        -------
        list of ase.Atoms
            The snapshots that the schedule asks for on the way, in order of time; see `atoms`.

        Raises
        ------
        EngineError
            If the engine stops or atoms leave the box.
        """
        schedule, step = self.schedule, self.progress.step
        pause, biased = schedule.pause(step), step >= schedule.equilibration
        end = pause if until is None else min(pause, until)
        begins = schedule.begins_chunk(step)
        if begins:
            self._candidates.clear()
        if (begins and self._prepared_at != step) or not self._engine.prepared:
            self._prepare()
        written: list[Atoms] = []
        while step < end:
            event = schedule.next_event(step, pause)
            following = min(event, end)
            self._biased.advance(following - step)
            # a stop of the caller's is no event of the trajectory
            if following == event and schedule.updates(event):
                self._biased.update(biased)
            step = following
            self.progress = replace(self.progress, step=step)
            if biased and schedule.is_candidate(step):
                self._sample(written)
        if not biased and schedule.is_candidate(step):
            written.append(self._snapshot())
        if written and written[-1].info["step"] == step:
            self._latest = written[-1]
        self.progress = replace(self.progress, snapshots=self.progress.snapshots + len(written))
        return written

    def _prepare(self) -> None:
        """Bring potential, charges and forces up to date, as at the beginning of a chunk."""
        step = self.progress.step
        self._biased.update(step >= self.schedule.equilibration)
        self._biased.prepare()
        self._prepared_at = step

    def _keep_checkpoint(self, checkpoints: Path | None) -> None:
        """Write a checkpoint and go on from it; leave it where the caller wants it."""
        if checkpoints is None:
            with tempfile.TemporaryDirectory(prefix="nanogap-") as name:
                self.save(Path(name))
        else:
            folder = checkpoints / f"step-{self.progress.step}"
            folder.mkdir()
            self.save(folder)

    def _snapshot(self) -> Atoms:
        """Describe the present moment as `atoms` says; the engine must be prepared."""
        return describe_geometry(self._frame(), self._voltage.cutoff)

    def _frame(self) -> Atoms:
        """Read the present moment, without what follows from the positions."""
        step = self.progress.step
        return frame_of(
            self._tips,
            self._engine,
            electrochemical=self._biased.potential,
            work=self._biased.work,
            voltage=self._voltage,
            step=step,
            time=(step - self.schedule.equilibration) * self._dynamics.time_step,
        )

    def save(self, folder: Path) -> None:
        """Write a checkpoint into an empty folder, flushed to disk, and go on from it."""
        restart, potential = folder / self._engine.restart, self._biased.potential
        work = self._biased.work
        self._engine.save(restart)
        self.progress = replace(self.progress, bias_work=work.total)
        write_checkpoint(folder, restart.name, potential, work.charged_at, self.progress)
        # every chunk begins with a restart file, also when nothing was interrupted
        self._biased.load(restart, potential, work.charged_at, work.total)

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises
        ------
        DataFormatError
            If the checkpoint cannot be read; the simulation is as it was.
        """
        potential, charged_at, progress = read_checkpoint(folder)
        count = (len(self._tips),)
        restart = folder / self._engine.restart
        if not restart.is_file():
            raise DataFormatError(f"checkpoint {folder.name} is of another dynamics.engine")
        if potential.shape != count or charged_at.shape != count:
            raise DataFormatError(f"checkpoint {folder.name} is of other tips")
        self._biased.load(restart, potential, charged_at, progress.bias_work)
        self.progress, self._latest = progress, None

    def close(self) -> None:
        """Free the engine."""
        self._engine.close()
        self._remove_own_folder()

    def _remove_own_folder(self) -> None:
        if self._own_folder is not None:
            self._own_folder.cleanup()

    def _sample(self, written: list[Atoms]) -> None:
        """Write the present frame if the schedule, or the first contact, asks for it."""
        step, contact = self.progress.step, self.progress.first_contact_step
        if contact is not None and not self.schedule.is_recorded(step, contact):
            return
        frame, cutoff = self._frame(), self._voltage.cutoff
        if contact is None and are_bonded(frame):
            bottleneck = describe_geometry(frame, cutoff).info["bottleneck_atoms"]
            contact = step if bottleneck else None
        if contact is not None and self.progress.first_contact_step is None:
            self.progress = replace(self.progress, first_contact_step=contact)
            begin = step - self.schedule.history_duration
            recent = (one for one in self._candidates if one.info["step"] >= begin)
            written += [describe_geometry(one, cutoff) for one in recent]
        if self.schedule.is_recorded(step, contact):
            written.append(describe_geometry(frame, cutoff))
        else:
            self._candidates.append(frame)
            # a frame is large, and the first contact asks for the last ones alone
            begin = step + 1 - self.schedule.history_duration
            while self._candidates and self._candidates[0].info["step"] < begin:
                self._candidates.popleft()
