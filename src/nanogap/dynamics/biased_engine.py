"""An engine under the applied voltage: its potential follows the atoms, its source does work."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.dynamics.engines import DynamicsEngine
from nanogap.dynamics.neighbours import NeighbourList
from nanogap.dynamics.work import BiasWork
from nanogap.settings import VoltageSettings
from nanogap.structure.tips import MOBILE
from nanogap.typing import FloatArray


class BiasedEngine:
    """An engine of dynamics whose atoms are at the electrochemical potential of the metal.

    Parameters
    ----------
    engine : DynamicsEngine
    electrode : ndarray of str, shape (n_atoms,)
        ``bottom``, ``top`` or ``mobile``.
    voltage : VoltageSettings
    time_step : float
        fs.

    Attributes
    ----------
    potential : ndarray, shape (n_atoms,)
        Electrochemical, V.
    work : BiasWork
        Of the source so far.
    """

    def __init__(
        self,
        engine: DynamicsEngine,
        electrode: NDArray[np.str_],
        voltage: VoltageSettings,
        time_step: float,
    ) -> None:
        self._engine = engine
        self._electrode = electrode
        self._voltage = voltage
        self._time_step = time_step
        self.potential: FloatArray = np.zeros(len(electrode))
        self.work = BiasWork(engine.charges, self.potential, self.potential, 0.0)
        # atoms of the bases are at the applied potential: nothing flows among them
        self._neighbours = NeighbourList(voltage.cutoff, held=electrode != MOBILE)
        self._since_update = 0

    def load(
        self, restart: Path, potential: FloatArray, charged_at: FloatArray, total: float
    ) -> None:
        """Go on from a restart file of the engine.

        Parameters
        ----------
        restart : Path
        potential, charged_at : ndarray, shape (n_atoms,)
            Electrochemical potential, and the one that the charges are in equilibrium with, V.
        total : float
            Work up to then, eV.
        """
        self._engine.load(restart)
        self._since_update = 0
        self.potential = potential
        self.work = BiasWork(self._engine.charges, charged_at, potential, total)

    def prepare(self) -> None:
        """Bring charges and forces up to date."""
        if not self._engine.prepared:
            self._engine.advance(0)
            self.work.follow(self._engine.charges)

    def advance(self, steps: int) -> None:
        """Run some time steps, and add up the work of the source."""
        self._since_update += steps
        if self.work.switched:
            # the charges right after a change tell its work
            self._engine.advance(1)
            self.work.follow(self._engine.charges)
            steps -= 1
        if steps:
            self._engine.advance(steps)
            self.work.follow(self._engine.charges)

    def update(self, biased: bool) -> None:
        """Let the potential follow the geometry over the time since it last did.

        Parameters
        ----------
        biased : bool
            Whether the voltage is on.
        """
        steps, self._since_update = self._since_update, 0
        settings = self._voltage
        network = MetalNetwork.from_pairs(
            *self._neighbours.pairs(self._engine.positions), self._electrode, settings.cutoff
        )
        voltage = settings.applied if biased else 0.0
        if settings.mode == "constant-potential":
            shift = self._engine.potential_shift
            if shift.any():
                self.potential = self.potential + shift
                self.work.settle(self.potential)
        if settings.mode in {"steady", "constant-potential"}:
            self.potential = network.steady(self.potential, voltage)
        else:
            self.potential = network.relax(
                self.potential,
                voltage,
                time=steps * self._time_step,
                steps=max(1, steps * settings.relaxation_steps),
                mobility=settings.diffusion / settings.normalisation,
            )
        # elsewhere charge flows to pieces that float, too: none has to be told
        told = network.pieces if settings.mode == "constant-potential" else None
        self._engine.set_potential(self.potential, told)
        self.work.switch(self.potential)
