r"""Source with compliance: operating points, and the response in time behind a capacitance.

The source drives the gap of conductance G through the series resistance R_s; a capacitance C lies
beside the gap (cables, contact pads):

    V_out = R_s I + V,    I = C dV/dt + G V + I_ion

A source-measure unit has two control loops, one for the voltage and one for the current. That of
the quantity which is set steers the output, until the other quantity would exceed its limit (the
compliance); then the loop of the limit takes over. With the error of the voltage
e_V = V_set - V_out and that of the current e_I = R_l (I_set - I),

    tau dV_out/dt = min(max(e, e_lower), e_upper),    tau = 1/(2 pi bandwidth)

e being the error of what is set, and e_upper, e_lower those of the limits of either sign. The
loop resistance R_l says what current error counts like one volt; behind a load R_s + 1/G = R_l both
loops are equally fast. Each regime is a linear system of two equations with real, not positive
eigenvalues, which is solved in closed form, and so is the moment at which one loop gives way to
another. A jump of G at a SET therefore shows both overshoots: the charge on C flows through the
gap, and the source exceeds its compliance until its limiter reacts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from nanogap.electrical.linear import Forced, TwoModes
from nanogap.electrical.operating import OperatingPoint, SeriesLoad
from nanogap.electrical.segments import Segment
from nanogap.errors import EngineError, SettingsError
from nanogap.units import CONDUCTANCE_QUANTUM

#: Stand for no capacitance (F) and for infinite bandwidth (s): far below any time that counts.
_LEAST_CAPACITANCE, _LEAST_TIME = 1e-18, 1e-12
#: Errors of two loops that differ by less, relative to the voltages, count as equal.
_TOLERANCE = 1e-10
#: Changes of the loop in one step: with constant conductance there are a few at most.
_MOST_CHANGES = 100
#: Regimes: who steers the output.
_SET, _UPPER, _LOWER = 0, 1, -1


@dataclass(frozen=True)
class SourceState:
    """State of the circuit between two steps.

    Attributes
    ----------
    output : float
        V_out, the voltage of the source, V.
    gap_voltage : float
        Voltage across the gap and its capacitance, V.
    """

    output: float = 0.0
    gap_voltage: float = 0.0


@dataclass(frozen=True)
class SourceStep:
    """Course of a step in which the conductance was constant.

    Attributes
    ----------
    state : SourceState
        At the end.
    duration : float
        s.
    charge : float
        Through the source, C.
    electronic_charge, ionic_charge : float
        Through the gap as electrons and as ions, C.
    displaced_charge : float
        Onto the capacitance, C; the charge through the source is the sum of the three.
    output_integral, gap_integral : float
        Integrals of the voltages of the source and of the gap, V s.
    limited_time : float
        Time at a limit, s.
    """

    state: SourceState
    duration: float
    charge: float
    electronic_charge: float
    ionic_charge: float
    displaced_charge: float
    output_integral: float
    gap_integral: float
    limited_time: float


@dataclass(frozen=True)
class _Loop:
    """A control loop: its target is a straight line in time."""

    of_voltage: bool
    level: float
    slope: float = 0.0


@dataclass(frozen=True)
class Source:
    """A source-measure unit and the circuit between it and the gap.

    Attributes
    ----------
    series_resistance : float
        R_s, ohm.
    capacitance : float
        C beside the gap, F.
    bandwidth : float
        Of the control loops, Hz.
    loop_resistance : float
        R_l, ohm. Default: 1/G0.
    voltage_limit, current_limit : float
        The source's own limits, V and A, where a segment states none or more.

    Examples
    --------
    >>> source = Source(series_resistance=500.0)
    >>> segment = Segment("voltage", 1.0, 1.0, 1.0, compliance=(5e-5, 5e-5))
    >>> point = source.operating_point(segment, 1.0, conductance=1.0)
    >>> point.in_compliance, point.current, round(point.gap_voltage, 4)
    (True, 5e-05, 0.6453)
    """

    series_resistance: float
    capacitance: float = 0.0
    bandwidth: float = math.inf
    loop_resistance: float = 1.0 / CONDUCTANCE_QUANTUM
    voltage_limit: float = math.inf
    current_limit: float = math.inf

    def __post_init__(self) -> None:
        for name, unit in (("series_resistance", "ohm"), ("loop_resistance", "ohm")):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise SettingsError(f"{name} is {value} {unit}; it must be above 0 and finite")
        if not (math.isfinite(self.capacitance) and self.capacitance >= 0.0):
            raise SettingsError(f"capacitance is {self.capacitance} F; it must be zero or above")
        for name, unit in (("bandwidth", "Hz"), ("voltage_limit", "V"), ("current_limit", "A")):
            value = getattr(self, name)
            if not value > 0.0:
                raise SettingsError(f"{name} is {value} {unit}; it must be above 0")

    @property
    def response_time(self) -> float:
        """Time constant of the control loops tau = 1/(2 pi bandwidth), s."""
        return 1.0 / (2.0 * math.pi * self.bandwidth)

    def operating_point(
        self,
        segment: Segment,
        level: float,
        conductance: float | Callable[[float], float],
        ionic_current: float = 0.0,
    ) -> OperatingPoint:
        """Return the stationary state for a level.

        Parameters
        ----------
        segment : Segment
            Says what is set, and the compliance.
        level : float
            V or A.
        conductance : float or callable
            Of the gap, G0; or its current (A) as a function of its voltage (V), which must not
            fall and pass through zero.
        ionic_current : float
            Beside the electronic one, A.

        Raises
        ------
        SettingsError
            If the conductance is negative, or the function is no such curve.
        """
        load = SeriesLoad(self.series_resistance, ionic_current, self._limits(segment))
        if callable(conductance):
            find = load.curve_at_voltage if segment.quantity == "voltage" else load.curve_at_current
            return find(level, conductance)
        siemens = _siemens(conductance)
        if segment.quantity == "voltage":
            return load.at_voltage(level, siemens)
        return load.at_current(level, siemens)

    def advance(
        self,
        state: SourceState,
        segment: Segment,
        elapsed: float,
        duration: float,
        *,
        conductance: float,
        ionic_current: float = 0.0,
    ) -> SourceStep:
        """Advance the circuit over a time in which the conductance is constant, exactly.

        Parameters
        ----------
        state : SourceState
        segment : Segment
        elapsed : float
            Time of the segment at the beginning of the step, s.
        duration : float
            s.
        conductance : float
            Of the gap, G0.
        ionic_current : float
            Beside the electronic one, A.

        Returns
        -------
        SourceStep

        Raises
        ------
        SettingsError
            If the duration or the conductance is negative.
        """
        siemens = _siemens(conductance)
        if not (math.isfinite(duration) and duration >= 0.0):
            raise SettingsError(f"duration is {duration} s; it must be zero or above")
        start = (state.output, state.gap_voltage)
        output_integral = gap_integral = limited = passed = 0.0
        regime: int | None = None
        for _ in range(_MOST_CHANGES):
            remaining = duration - passed
            loops = self._loops(segment, elapsed + passed)
            if regime is None:
                regime = self._regime(start, loops)
            modes = self._modes(start, loops[regime], siemens, ionic_current)
            length, following = self._until_change(modes, start, loops, regime, remaining)
            *ends, output_part, gap_part = modes.at(length)
            start = (ends[0], ends[1])
            output_integral += output_part
            gap_integral += gap_part
            limited += length if regime != _SET else 0.0
            passed += length
            if following is None:
                break
            regime = following
        else:
            raise EngineError(f"the source changed its loop over {_MOST_CHANGES} times in a step")
        # the current is the sum of its parts: the difference of the voltages over R_s is the same,
        # but has no digits left where the gap conducts little
        parts = (
            siemens * gap_integral,
            ionic_current * duration,
            self.capacitance * (start[1] - state.gap_voltage),
        )
        return SourceStep(
            state=SourceState(*start),
            duration=duration,
            charge=sum(parts),
            electronic_charge=parts[0],
            ionic_charge=parts[1],
            displaced_charge=parts[2],
            output_integral=output_integral,
            gap_integral=gap_integral,
            limited_time=limited,
        )

    def current(self, state: SourceState) -> float:
        """Return the current of the source at a moment, A."""
        return (state.output - state.gap_voltage) / self.series_resistance

    def _limits(self, segment: Segment) -> tuple[float, float]:
        """Return the largest size of the other quantity in either polarity."""
        own = self.current_limit if segment.quantity == "voltage" else self.voltage_limit
        return min(own, segment.compliance[0]), min(own, segment.compliance[1])

    def _loops(self, segment: Segment, elapsed: float) -> dict[int, _Loop]:
        """Return the loops that may steer the output, their targets from now on."""
        voltage = segment.quantity == "voltage"
        loops = {_SET: _Loop(voltage, segment.level(elapsed), segment.slope)}
        upper, lower = self._limits(segment)
        if math.isfinite(upper):
            loops[_UPPER] = _Loop(not voltage, upper)
        if math.isfinite(lower):
            loops[_LOWER] = _Loop(not voltage, -lower)
        return loops

    def _error(self, loop: _Loop) -> tuple[float, float, float, float]:
        """Return the error as coefficients of V_out, V, 1 and t, V."""
        if loop.of_voltage:
            return -1.0, 0.0, loop.level, loop.slope
        ratio, scale = self.loop_resistance / self.series_resistance, self.loop_resistance
        return -ratio, ratio, scale * loop.level, scale * loop.slope

    def _difference(
        self, loops: dict[int, _Loop], regime: int
    ) -> tuple[float, float, float, float]:
        """Return the error of what is set less that of a limit, as coefficients."""
        chosen, limit = self._error(loops[_SET]), self._error(loops[regime])
        first, second, third, fourth = (
            one - other for one, other in zip(chosen, limit, strict=True)
        )
        return first, second, third, fourth

    def _regime(self, start: tuple[float, float], loops: dict[int, _Loop]) -> int:
        """Return who steers the output."""
        for regime in (_UPPER, _LOWER):
            if regime in loops:
                first, second, constant, _ = self._difference(loops, regime)
                if regime * (first * start[0] + second * start[1] + constant) > 0.0:
                    return regime
        return _SET

    def _modes(
        self, start: tuple[float, float], loop: _Loop, siemens: float, ionic: float
    ) -> TwoModes:
        """Return the course of V_out and V under a loop."""
        tau = max(self.response_time, _LEAST_TIME)
        capacitance = max(self.capacitance, _LEAST_CAPACITANCE)
        first, second, constant, slope = self._error(loop)
        return TwoModes(
            start,
            loop_row=(first / tau, second / tau),
            charging=1.0 / (self.series_resistance * capacitance),
            leaking=siemens / capacitance,
            forces=((constant / tau, slope / tau), (-ionic / capacitance, 0.0)),
        )

    def _until_change(
        self,
        modes: TwoModes,
        start: tuple[float, float],
        loops: dict[int, _Loop],
        regime: int,
        remaining: float,
    ) -> tuple[float, int | None]:
        """Return the time until another loop takes over, and which; else what remains, None."""
        length, following = remaining, None
        # under a limit only what is set can take over; else either limit can
        watched = [regime] if regime != _SET else [one for one in loops if one != _SET]
        for limit in watched:
            sign = limit if regime == _SET else -limit
            first, second, constant, slope = self._difference(loops, limit)
            scale = (
                abs(first * start[0])
                + abs(second * start[1])
                + abs(constant)
                + abs(slope * remaining)
            )
            excess = Forced(
                modes,
                (sign * first, sign * second),
                sign * constant - _TOLERANCE * scale,
                sign * slope,
            )
            moment = excess.first_positive(length)
            if moment is not None:
                length, following = moment, (limit if regime == _SET else _SET)
        return length, following


def _siemens(conductance: float) -> float:
    if not (math.isfinite(conductance) and conductance >= 0.0):
        raise SettingsError(f"conductance is {conductance} G0; it must be zero or above")
    return conductance * CONDUCTANCE_QUANTUM
