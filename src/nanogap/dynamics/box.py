"""The box that the atoms of a simulation must not leave."""

from nanogap.errors import EngineError

#: Time steps after which atoms outside the box are looked for; they have vacuum to cross first.
CHECK_INTERVAL = 20


def refuse_lost_atoms(lost: int, count: int, time: float) -> None:
    """Refuse to go on when atoms have left the box.

    Parameters
    ----------
    lost, count : int
        Atoms that have left it, and all of them.
    time : float
        fs.

    Raises
    ------
    EngineError
        If any has.
    """
    if lost:
        raise EngineError(
            f"{lost} of {count} atoms left the box by {time / 1000:.2f} ps: "
            "lower dynamics.temperature or dynamics.time_step, or raise structure.vacuum"
        )
