"""Costs and outcomes of finished members, read from their results without the rest of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from nanogap.errors import DataFormatError
from nanogap.io.results import read_some_attributes


@dataclass(frozen=True)
class ResultAttributes:
    """Cost and outcome of the result of a member, as the attributes of its file say.

    Attributes
    ----------
    core_seconds : float
        Processor time of the member.
    dynamics_seconds : float
        Wall time of its dynamics.
    peak_memory, run_directory_bytes : float
        Memory of its process and size of its run directory, bytes.
    points : int
        Snapshots whose conductance is known.
    first_contact : float
        Conductance of the first contact, G0; NaN if there is none or it is not known.
    """

    core_seconds: float
    dynamics_seconds: float
    peak_memory: float
    run_directory_bytes: float
    points: int
    first_contact: float


@dataclass(frozen=True)
class Outcome:
    """Numbers of the result of a member that the state of a campaign tells.

    Attributes
    ----------
    core_seconds : float
    points : int
    first_contact : float
        As in `ResultAttributes`.
    """

    core_seconds: float
    points: int
    first_contact: float


def result_outcome(path: Path) -> Outcome:
    """Read the outcome of a member, in half of the time of `result_attributes`.

    Raises
    ------
    DataFormatError
        If it cannot be read.
    """
    found = needed_attributes(path, numbers=[field.name for field in fields(Outcome)])
    return Outcome(
        float(found["core_seconds"]), int(found["points"]), float(found["first_contact"])
    )


def result_attributes(path: Path) -> ResultAttributes:
    """Read the cost and outcome of the result of a member.

    Raises
    ------
    DataFormatError
        If it cannot be read.
    """
    found = needed_attributes(path, numbers=[field.name for field in fields(ResultAttributes)])
    numbers = {name: float(value) for name, value in found.items()}
    return ResultAttributes(**{**numbers, "points": int(numbers["points"])})  # type: ignore[arg-type]


def needed_attributes(
    path: Path, texts: Sequence[str] = (), numbers: Sequence[str] = ()
) -> dict[str, str | float]:
    """Read attributes of the result of a member, all of which must be there.

    Raises
    ------
    DataFormatError
        If it cannot be read, or one is missing.
    """
    try:
        found = read_some_attributes(path, texts, numbers)
    except DataFormatError as error:
        raise DataFormatError(f"{error}: remove it and resume the campaign") from None
    missing = {*texts, *numbers} - found.keys()
    if missing:
        raise DataFormatError(f"{path} is no result of a member: {min(missing)} is missing")
    return found
