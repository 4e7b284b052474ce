"""Stretches of a kinetic Monte Carlo simulation, and the reasons why they end."""

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Reason why a simulation returned."""

    DURATION = "duration"
    EVENTS = "events"
    CONTACT = "contact"
    OPENED = "opened"
    SURFACE = "surface"


@dataclass(frozen=True)
class Advance:
    """Stretch of a simulation.

    Attributes
    ----------
    time : float
        Simulated time, s.
    events : int
    reason : Reason
        Why it ended: the duration is over; so many events were done; metal came to join the
        electrodes, or they came apart; so many redox events happened in the watched region.
    charge : dict of str to int
        Elementary charges that went from metal into the medium, by electrode.
    """

    time: float
    events: int
    reason: Reason
    charge: dict[str, int]
