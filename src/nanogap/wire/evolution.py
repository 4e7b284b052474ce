"""Shape of a wire in time: an implicit integration by scipy between refinements of the mesh."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from nanogap.errors import EngineError
from nanogap.typing import FloatArray
from nanogap.wire.bands import band_derivative, dense
from nanogap.wire.conduction import Conduction
from nanogap.wire.heat import (
    Circuit,
    HeatBalance,
    Surroundings,
    Thermal,
    flux_sensitivity,
)
from nanogap.wire.mesh import Mesh, graded
from nanogap.wire.surface import Surface, shape_rates

#: Unit of the squares of radii in the integration, m^2.
_SQUARE = 1e-18
#: Tolerances of the integration: relative, and absolute as a share of the square at parting.
_RELATIVE, _ABSOLUTE = 1e-4, 1e-3
#: Cells to the radius at least; where there are fewer, cells are halved.
_RESOLUTION = 1.5
#: Share of the largest width that no cell is beyond after a refinement.
_REFINED = 0.8
#: Neighbours that are halved together with a cell.
_REACH = 6
#: Steps of the integration at least: a cold wire changes nothing, and a first step would be long.
_LEAST_STEPS = 50
#: Cells at most.
_MOST_CELLS = 3000
#: Smallest share of the square at parting that has rates.
_LEAST = 0.25
#: First step of an integration, as a share of the time in which the fastest cell would be gone.
_FIRST = 1e-3

#: Circuit at a time, s.
CircuitAt = Callable[[float], Circuit]


@dataclass(frozen=True, eq=False)
class Shape:
    """A wire at a moment.

    Attributes
    ----------
    mesh : Mesh
    squares : ndarray, shape (n_cells,)
        q = R^2, m^2.
    grains : ndarray, shape (n_cells,)
        Factor of the mobility.
    thermal : Thermal
        Temperature and current.
    """

    mesh: Mesh
    squares: FloatArray
    grains: FloatArray
    thermal: Thermal

    @property
    def volume(self) -> float:
        """Volume, m^3."""
        return float(np.pi * (self.squares * self.mesh.widths).sum())

    @property
    def radii(self) -> FloatArray:
        """Radii, shape (n_cells,), m."""
        return np.sqrt(self.squares)


@dataclass(frozen=True)
class Matter:
    """Matter of a wire, and its surroundings.

    Attributes
    ----------
    conduction : Conduction
    surface : Surface
    surroundings : Surroundings
    parting_radius : float
        Radius at which a neck parts, m.
    """

    conduction: Conduction
    surface: Surface
    surroundings: Surroundings
    parting_radius: float


@dataclass(eq=False)
class Evolution:
    """A wire that changes its shape.

    Attributes
    ----------
    matter : Matter
    shape : Shape
        At the latest time.
    parted : bool
        Whether the thinnest cell has reached the radius of parting.
    steps : int
        Of the integrator.
    """

    matter: Matter
    shape: Shape
    parted: bool = False
    steps: int = 0
    _heat: HeatBalance = field(init=False)

    def __post_init__(self) -> None:
        self._heat = self._heat_of(self.shape.mesh)
        self._refine()

    def advance(
        self,
        begin: float,
        times: Sequence[float],
        circuit: CircuitAt,
        watch: Callable[[float, Shape], object],
    ) -> float:
        """Integrate until the last of some times, or until the wire parts.

        Parameters
        ----------
        begin : float
            s.
        times : sequence of float
            Rising, after the beginning, s.
        circuit : callable
            Must be continuous between the beginning and the last time.
        watch : callable
            Called with the shape at every one of the times that is reached, and at others between
            them when the mesh becomes finer.

        Returns
        -------
        float
            Time at the end, s.

        Raises
        ------
        EngineError
            If the integrator fails.
        """
        now, last = begin, times[-1]
        while now < last and not self.parted:
            now = self._stretch(now, [one for one in times if one > now], circuit, watch)
        return now

    def _stretch(
        self,
        begin: float,
        times: Sequence[float],
        circuit: CircuitAt,
        watch: Callable[[float, Shape], object],
    ) -> float:
        """Integrate on one mesh."""
        state = self.settle(circuit(begin)).squares / _SQUARE
        longest = (times[-1] - begin) / _LEAST_STEPS
        fastest = float(np.max(np.abs(self._rates(begin, state, circuit)) / state)) + 1e-300
        done = solve_ivp(
            self._rates,
            (begin, times[-1]),
            state,
            method="BDF",
            t_eval=times,
            args=(circuit,),
            jac=self._jacobian,
            events=_events(self.shape.mesh, self._parting),
            first_step=min(longest, _FIRST / fastest),
            max_step=longest,
            rtol=_RELATIVE,
            atol=_ABSOLUTE * self._parting,
        )
        if done.status < 0:
            raise EngineError(f"the shape of the wire cannot be followed further: {done.message}")
        self.steps += int(done.nfev)
        for time, state in zip(done.t, np.transpose(done.y), strict=True):
            self.shape = self._settled(state, circuit(float(time)))
            watch(float(time), self.shape)
        if done.status == 0:
            return times[-1]
        parted, coarse = done.t_events
        time = float((parted if len(parted) else coarse)[0])
        state = (done.y_events[0] if len(parted) else done.y_events[1])[0]
        self.shape = self._settled(state, circuit(time))
        if len(parted):
            self.parted = True
        else:
            watch(time, self.shape)
            self._refine()
        return time

    @property
    def _parting(self) -> float:
        """Square of the radius of parting, in the unit of the integration."""
        return self.matter.parting_radius**2 / _SQUARE

    def settle(self, circuit: Circuit) -> Shape:
        """Give the shape the temperature and current of a circuit."""
        self.shape = self._settled(self.shape.squares / _SQUARE, circuit)
        return self.shape

    def _settled(self, state: FloatArray, circuit: Circuit) -> Shape:
        squares = state * _SQUARE
        return replace(
            self.shape,
            squares=squares,
            thermal=self._heat.solve(squares, circuit, self.shape.thermal),
        )

    def _rates(self, time: float, state: FloatArray, circuit: CircuitAt) -> FloatArray:
        # a step that was tried and is too long: not a number makes the integrator shorten it
        none = np.full(len(state), np.nan)
        if state.min() < _LEAST * self._parting:
            return none
        squares = state * _SQUARE
        found = self._heat.iterated(squares, circuit(time), self.shape.thermal)
        if found is None:
            return none
        # the next solution begins at this one
        self.shape = replace(self.shape, thermal=found)
        return self._given(squares, found.temperature, found.current) / _SQUARE

    def _given(self, squares: FloatArray, temperature: FloatArray, current: float) -> FloatArray:
        """Return the rates of a shape at a temperature and a current, m^2/s."""
        heat = self._heat
        # the current of a positive voltage flows from x = L, the anode, to x = 0
        fields = -current * heat.resistances(temperature, squares) / heat.mesh.widths
        return shape_rates(
            heat.mesh,
            self.matter.surface,
            squares,
            temperature=temperature,
            field=fields,
            grains=self.shape.grains,
        )

    def _jacobian(self, time: float, state: FloatArray, circuit: CircuitAt) -> FloatArray:
        squares, now = np.maximum(state, _LEAST * self._parting) * _SQUARE, circuit(time)
        found = self._heat.solve(squares, now, self.shape.thermal)
        current, temperature = found.current, found.temperature
        own = band_derivative(lambda one: self._given(one, temperature, current), squares, 2)
        by_temperature = band_derivative(
            lambda one: self._given(squares, one, current), temperature, 1
        )
        # the only force in proportion to the current is that of the field
        with_current = self._given(squares, temperature, 2.0 * current)
        by_current = with_current - self._given(squares, temperature, current)
        by_current /= current or 1.0
        following = self._heat.sensitivity(found, squares, now)
        return dense(own) + flux_sensitivity(by_temperature, by_current, following)

    def _heat_of(self, mesh: Mesh) -> HeatBalance:
        return HeatBalance(mesh, self.matter.conduction, self.matter.surroundings)

    def _refine(self) -> None:
        """Halve cells until all are narrow enough for the radius there."""
        shape = self.shape
        while (wide := _coarseness(shape.mesh, shape.squares) > _REFINED).any():
            halved = graded(shape.mesh.widths, wide, _REACH)
            mesh, squares, origin = shape.mesh.refined(shape.squares, halved)
            if len(squares) > _MOST_CELLS:
                raise EngineError(
                    f"the shape of the wire needs more than {_MOST_CELLS} cells: choose a larger "
                    "surface.parting_radius, or a shorter or thicker wire"
                )
            thermal = replace(shape.thermal, temperature=shape.thermal.temperature[origin])
            shape = Shape(mesh, squares, shape.grains[origin], thermal)
        self.shape, self._heat = shape, self._heat_of(shape.mesh)


def _coarseness(mesh: Mesh, squares: FloatArray) -> FloatArray:
    """Return the widths of the cells over the largest that is allowed."""
    return np.asarray(_RESOLUTION * mesh.widths / np.sqrt(squares))


def _events(mesh: Mesh, parting: float) -> list[Any]:
    """Return what ends an integration: a neck that parts, a cell too wide for its radius."""

    def parted(_time: float, state: FloatArray, _circuit: CircuitAt) -> float:
        return float(state.min() / parting - 1.0)

    def coarse(_time: float, state: FloatArray, _circuit: CircuitAt) -> float:
        squares = np.maximum(state, parting) * _SQUARE
        return float(1.0 - _coarseness(mesh, squares).max())

    for event in (parted, coarse):
        event.terminal = True  # type: ignore[attr-defined]
    return [parted, coarse]
