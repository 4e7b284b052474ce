"""Members of an ensemble whose settings say how many there are: name, seed and random draws."""

import numpy as np
from numpy.random import SeedSequence

_LONGEST = 70


def member_name(name: str, number: int) -> str:
    """Name a member, of number 0 and up, after its ensemble.

    Examples
    --------
    >>> member_name("wires", 0)
    'wires-1'
    """
    return f"{name[:_LONGEST]}-{number + 1}"


def member_stream(seed: int, number: int) -> SeedSequence:
    """Return what the draws of a member, of number 0 and up, come from."""
    return SeedSequence(seed, spawn_key=(number,))


def seed_of(stream: SeedSequence) -> int:
    """Draw the seed of a member's settings, 0 to 2^63 - 1, as TOML can hold it.

    Examples
    --------
    >>> seed_of(member_stream(1, 0)) != seed_of(member_stream(1, 1))
    True
    """
    return int(stream.generate_state(1, np.uint64)[0] >> np.uint64(1))
