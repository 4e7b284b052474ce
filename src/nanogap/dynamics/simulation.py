"""Bias-driven dynamics of two tips: equilibrate at 0 V, apply the voltage, sample snapshots.

The run is cut into chunks, one per sampling interval. Every chunk begins by loading the
checkpoint that the last one wrote, also when nothing was interrupted; so a resumed run follows
the trajectory of an uninterrupted one to the bit.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator

from nanogap.dynamics.electrochemistry import MetalNetwork, reference_bond
from nanogap.dynamics.engine import Engine
from nanogap.dynamics.interaction import Interaction, load_interaction
from nanogap.dynamics.laplace import NeighbourList
from nanogap.dynamics.schedule import Schedule
from nanogap.dynamics.work import BiasWork
from nanogap.errors import DataFormatError
from nanogap.settings import DynamicsSettings, VoltageSettings
from nanogap.structure import analyse_connection, analyse_gap
from nanogap.typing import FloatArray


@dataclass(frozen=True)
class Progress:
    """Where a simulation stands.

    Attributes
    ----------
    step : int
        Time steps done, equilibration included.
    snapshots : int
        Snapshots sampled.
    first_contact_step : int or None
        Step at which bonds were first seen to lead from tip to tip under bias.
    bias_work : float
        Work of the voltage source, eV.
    """

    step: int = 0
    snapshots: int = 0
    first_contact_step: int | None = None
    bias_work: float = 0.0


class Simulation:
    """One bias-driven run of two tips.

    Parameters
    ----------
    tips : ase.Atoms
        The starting structure, from `nanogap.structure.build_tips`.
    dynamics : DynamicsSettings
    voltage : VoltageSettings
    seed : int
        Of the starting velocities, below 2**31.
    folder : Path
        Where the engine writes its input and log.
    schedule : Schedule, optional
        When what happens; default: that of the settings.
    interaction : Interaction, optional
        Default: the one that the settings name.
    """

    def __init__(
        self,
        tips: Atoms,
        dynamics: DynamicsSettings,
        voltage: VoltageSettings,
        seed: int,
        folder: Path,
        *,
        schedule: Schedule | None = None,
        interaction: Interaction | None = None,
    ) -> None:
        self._tips = tips
        self._dynamics = dynamics
        self._voltage = voltage
        self._electrode = tips.arrays["electrode"]
        interaction = interaction or load_interaction(dynamics, str(tips.symbols[0]))
        self._engine = Engine(tips, dynamics, interaction, folder, seed)
        self._potential: FloatArray = np.zeros(len(tips))
        self._work = BiasWork(self._engine.charges, self._potential, self._potential, 0.0)
        self.schedule = schedule or Schedule(dynamics, voltage)
        self._neighbours = NeighbourList(voltage.cutoff)
        self._since_update = 0
        self.progress = Progress()

    @property
    def finished(self) -> bool:
        """Whether the last snapshot has been sampled."""
        return self.progress.step >= self.schedule.last(self.progress.first_contact_step)

    @property
    def engine_version(self) -> str:
        """LAMMPS version."""
        return self._engine.version

    @property
    def at_checkpoint(self) -> bool:
        """Whether a checkpoint must be written before the simulation goes on."""
        return self.finished or self.schedule.begins_chunk(self.progress.step)

    def advance(self) -> list[Atoms]:
        """Run one chunk, or up to the next pause in it.

        Returns
        -------
        list of ase.Atoms
            The snapshots on the way in order of time; see `snapshot` for what they hold.

        Raises
        ------
        EngineError
            If the engine stops or atoms leave the box.
        """
        schedule, step = self.schedule, self.progress.step
        end, biased = schedule.pause(step), step >= schedule.equilibration
        if schedule.begins_chunk(step):
            self._update_potential(biased)
        candidates: list[Atoms] = []
        written: list[Atoms] = []
        while step < end:
            following = schedule.next_event(step, end)
            self._run(following - step)
            self._since_update += following - step
            if schedule.updates(following):
                self._update_potential(biased)
            step = following
            self.progress = replace(self.progress, step=step)
            if biased and schedule.looks(step):
                self._sample(self.snapshot(), candidates, written)
        if not biased and schedule.looks(step):
            written.append(self.snapshot())
        self.progress = replace(self.progress, snapshots=self.progress.snapshots + len(written))
        return written

    def run_to_end(self, checkpoints: Path) -> list[Atoms]:
        """Run to the end in one go; a run directory commits what comes on the way instead.

        Parameters
        ----------
        checkpoints : Path
            Gets a new folder ``step-N`` with each checkpoint.

        Returns
        -------
        list of ase.Atoms
            All snapshots from here on in order of time.

        Raises
        ------
        EngineError
            If the engine stops or atoms leave the box.
        """
        frames: list[Atoms] = []
        while not self.finished:
            frames += self.advance()
            if self.at_checkpoint:
                checkpoint = checkpoints / f"step-{self.progress.step}"
                checkpoint.mkdir()
                self.save(checkpoint)
        return frames

    def _run(self, steps: int) -> None:
        """Run some time steps, and add up the work of the source."""
        if self._work.switched:
            # the charges right after a change tell its work; the first setup finds them unmoved
            first = 1 if self._engine.prepared else 0
            self._engine.advance(first)
            self._work.follow(self._engine.charges)
            steps -= first
        if steps:
            self._engine.advance(steps)
            self._work.follow(self._engine.charges)

    def snapshot(self) -> Atoms:
        """Describe the present moment.

        Returns
        -------
        ase.Atoms
            Charges (e) by ``get_charges()``, the potential energy (eV) by
            ``get_potential_energy()``, velocities by ``get_velocities()`` in ASE's unit, so that
            ``get_kinetic_energy()`` is in eV; arrays ``electrode`` and ``potential`` (V);
            ``info``: every scalar of `nanogap.observables.OBSERVABLES`, ``axis`` (in-plane
            position of the constriction, angstrom), and what `build_tips` gave.
        """
        engine, atoms = self._engine, self._tips.copy()
        atoms.positions = engine.positions
        charges = engine.charges
        atoms.set_velocities(engine.velocities / units.fs)
        atoms.new_array("potential", self._potential.copy())
        cutoff, height = self._voltage.cutoff, atoms.positions[:, 2]
        connection = analyse_connection(atoms, cutoff)
        network = MetalNetwork.from_positions(atoms.positions, self._electrode, cutoff)
        upper = height > atoms.cell[2, 2] / 2.0
        lattice_constant = atoms.info["lattice_constant"]
        step = self.progress.step
        bond = reference_bond(lattice_constant, cutoff)
        flux_top, flux_bottom = network.base_fluxes(self._potential)
        kinetic, potential = engine.kinetic_energy, engine.potential_energy
        atoms.info.update(
            time=(step - self.schedule.equilibration) * self._dynamics.time_step,
            step=step,
            applied_voltage=self._voltage.applied,
            temperature=engine.temperature,
            potential_energy=potential,
            kinetic_energy=kinetic,
            bias_work=self._work.total,
            energy_balance=kinetic + potential - self._work.total,
            thermostat_energy=engine.thermostat_energy,
            connected=connection.connected,
            minimax_gap=connection.minimax_gap,
            network_conductance=network.conductance() / bond,
            flux_top=flux_top / bond,
            flux_bottom=flux_bottom / bond,
            bottleneck_atoms=len(connection.bottleneck),
            axis=connection.axis,
            constriction_x=float(connection.axis[0]),
            constriction_y=float(connection.axis[1]),
            charge_bottom=float(charges[~upper].sum()),
            charge_top=float(charges[upper].sum()),
            **analyse_gap(atoms, connection).observables,
        )
        atoms.calc = SinglePointCalculator(atoms, energy=potential, charges=charges)
        return atoms

    def save(self, folder: Path) -> None:
        """Write a checkpoint into an empty folder, flushed to disk, and go on from it."""
        restart = folder / "restart.lammps"
        self._engine.save(restart)
        self.progress = replace(self.progress, bias_work=self._work.total)
        np.save(folder / "potential.npy", self._potential)
        np.save(folder / "charged_at.npy", self._work.charged_at)
        (folder / "progress.json").write_text(json.dumps(asdict(self.progress)))
        for path in folder.iterdir():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
        self._go_on(restart, self._work.charged_at)

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises
        ------
        DataFormatError
            If the checkpoint cannot be read.
        """
        try:
            self.progress = Progress(**json.loads((folder / "progress.json").read_text()))
            self._potential = np.load(folder / "potential.npy")
            path = folder / "charged_at.npy"
            # a checkpoint of an older version lacks it; its work begins anew
            charged_at = np.load(path) if path.is_file() else self._potential
        except (OSError, ValueError, TypeError) as error:
            raise DataFormatError(f"checkpoint {folder} cannot be read: {error}") from None
        self._go_on(folder / "restart.lammps", charged_at)

    def _go_on(self, restart: Path, charged_at: FloatArray) -> None:
        """Load a restart file, with which every chunk begins."""
        self._engine.load(restart)
        self._work = BiasWork(
            self._engine.charges, charged_at, self._potential, self.progress.bias_work
        )

    def close(self) -> None:
        """Free the engine."""
        self._engine.close()

    def _update_potential(self, biased: bool) -> None:
        """Let the potential follow the geometry over the time since it last did."""
        steps, self._since_update = self._since_update, 0
        settings = self._voltage
        network = MetalNetwork.from_pairs(
            *self._neighbours.pairs(self._engine.positions), self._electrode, settings.cutoff
        )
        voltage = settings.applied if biased else 0.0
        if settings.mode == "steady":
            self._potential = network.steady(self._potential, voltage)
        else:
            self._potential = network.relax(
                self._potential,
                voltage,
                time=steps * self._dynamics.time_step,
                steps=max(1, steps * settings.relaxation_steps),
                mobility=settings.diffusion / settings.normalisation,
            )
        self._engine.set_potential(self._potential)
        self._work.switch(self._potential)

    def _sample(self, frame: Atoms, candidates: list[Atoms], written: list[Atoms]) -> None:
        """Keep a frame that the schedule, or the first contact, asks for."""
        step, contact = frame.info["step"], self.progress.first_contact_step
        if contact is None and frame.info["bottleneck_atoms"]:
            contact = step
            self.progress = replace(self.progress, first_contact_step=step)
            begin = step - self.schedule.history_duration
            written += [f for f in candidates if f.info["step"] >= begin]
        if self.schedule.keeps(step, contact):
            written.append(frame)
        else:
            candidates.append(frame)
