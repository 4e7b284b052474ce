"""Cost of a simulation beforehand, and caps on fast reversible events that make it affordable.

Nearly all events at room temperature are atoms that hop to and fro along an edge. A cap on the
slower rate of each such pair leaves every equilibrium as it is, and kinetics too as long as what
is capped is much faster than what matters. The same idea for catalysis, with earlier schemes
compared: Prats, Li & Stamatakis, J. Chem. Theory Comput. 21, 12262 (2025),
doi:10.1021/acs.jctc.5c01394; for transport, J. Chem. Phys. 152, 174106 (2020).
"""

import math
import time
from dataclasses import dataclass, replace

from nanogap.device.engine import LatticeKMC
from nanogap.device.state import Caps
from nanogap.errors import SettingsError

#: A cap falls by this factor at a time.
_STEP = math.sqrt(10.0)
_KINDS = {
    "metal": ("metal hop",),
    "ion": ("ion hop",),
    "redox": ("oxidation", "reduction"),
}


@dataclass(frozen=True)
class Cost:
    """Cost of a simulation, from a short trial.

    Attributes
    ----------
    caps : Caps
        Caps of the trial.
    events_per_second : float
        Events per simulated second.
    metal, ion, redox : float
        The same of each kind that has a cap.
    cpu_per_event : float
        Processor seconds.
    """

    caps: Caps
    events_per_second: float
    metal: float
    ion: float
    redox: float
    cpu_per_event: float

    @property
    def cpu_per_second(self) -> float:
        """Processor seconds per simulated second."""
        return self.events_per_second * self.cpu_per_event


def measure_cost(engine: LatticeKMC, *, events: int = 50_000, caps: Caps | None = None) -> Cost:
    """Run a short trial on a copy, which leaves the engine as it is.

    Parameters
    ----------
    engine : LatticeKMC
    events : int
        Length of the trial.
    caps : Caps, optional
        Other caps than the engine's.

    Returns
    -------
    Cost
        Of the present state; another state, as a bridge, can cost more.
    """
    trial = engine.copy()
    if caps is not None:
        trial.set_caps(caps)
    before = trial.state.events
    trial.advance(0.0)  # compiles
    clock = time.process_time()
    # no window: until the events are done, or nothing can happen any more
    found = trial.advance(1e30, max_events=events, stop_on_contact=False)
    clock = time.process_time() - clock
    after = trial.state.events
    shares = {
        kind: sum(after[name] - before[name] for name in names) / found.time
        for kind, names in _KINDS.items()
    }
    return Cost(
        caps=trial.caps,
        events_per_second=found.events / found.time,
        cpu_per_event=clock / max(found.events, 1),
        **shares,
    )


def adapt_caps(
    engine: LatticeKMC,
    *,
    most_events_per_second: float,
    slow_rate: float,
    margin: float = 100.0,
    events: int = 50_000,
) -> Cost:
    """Choose caps with which a simulated second costs no more than wanted.

    The cap of the kind that has the most events falls until the cost is met or all caps are at
    their floor: the margin times the rate of the slow processes of interest, so that what is
    capped has long equilibrated before these happen.

    Parameters
    ----------
    engine : LatticeKMC
        Is left as it is; give the caps to its `set_caps`.
    most_events_per_second : float
        Wanted events per simulated second.
    slow_rate : float
        Rate of the processes of interest, 1/s: as one over the time of a step of a sweep.
    margin : float
        At least 1.
    events : int
        Length of each trial.

    Returns
    -------
    Cost
        With the caps; its cost is above what is wanted if the floors do not allow that.

    Raises
    ------
    SettingsError
        If a number is not above zero, or the margin is below 1.
    """
    if not (most_events_per_second > 0.0 and slow_rate > 0.0 and margin >= 1.0):
        raise SettingsError(
            f"caps for {most_events_per_second:g} events per second, a slow rate of "
            f"{slow_rate:g}/s and a margin of {margin:g} cannot be: choose above 0, above 0, "
            "and at least 1"
        )
    floor = margin * slow_rate
    cost = measure_cost(engine, events=events)
    while cost.events_per_second > most_events_per_second:
        free = [kind for kind in _KINDS if getattr(cost.caps, kind) > floor]
        if not free:
            break
        kind = max(free, key=lambda name: getattr(cost, name))
        if getattr(cost, kind) == 0.0:
            break
        cap = min(getattr(cost.caps, kind), float(engine.energies.prefactor)) / _STEP
        cost = measure_cost(
            engine, events=events, caps=replace(cost.caps, **{kind: max(cap, floor)})
        )
    return cost
