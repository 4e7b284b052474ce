"""Costs and outcomes of finished members, read from their results without the rest of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from nanogap.campaign.kinds import Kind
from nanogap.errors import DataFormatError
from nanogap.io.results import read_some_attributes


@dataclass(frozen=True)
class ResultAttributes:
    """Cost and outcome of the result of a member, as the attributes of its file say.

    A device has neither dynamics nor a first contact.

    Attributes
    ----------
    core_seconds : float
        Processor time of the member.
    dynamics_seconds : float
        Wall time of its dynamics; 0 of a device.
    peak_memory, run_directory_bytes : float
        Memory of its process and size of its run directory, bytes.
    points : int
        Snapshots whose conductance is known, or readings of a device.
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


#: Attributes that results of devices do not have.
_OF_RUNS = {"dynamics_seconds": 0.0, "first_contact": float("nan")}


def result_outcome(path: Path, kind: Kind = "run") -> Outcome:
    """Read the outcome of a member, in half of the time of `result_attributes`.

    Raises
    ------
    DataFormatError
        If it cannot be read.
    """
    found = _numbers(path, [field.name for field in fields(Outcome)], kind)
    return Outcome(found["core_seconds"], int(found["points"]), found["first_contact"])


def result_attributes(path: Path, kind: Kind = "run") -> ResultAttributes:
    """Read the cost and outcome of the result of a member.

    Raises
    ------
    DataFormatError
        If it cannot be read.
    """
    numbers = _numbers(path, [field.name for field in fields(ResultAttributes)], kind)
    return ResultAttributes(**{**numbers, "points": int(numbers["points"])})  # type: ignore[arg-type]


def _numbers(path: Path, names: list[str], kind: Kind) -> dict[str, float]:
    """Read numbers of the result of a member; what its kind does not have stands for none."""
    absent = _OF_RUNS if kind == "device" else {}
    found = needed_attributes(path, numbers=[name for name in names if name not in absent])
    wanted = {name: value for name, value in absent.items() if name in names}
    return {name: float(value) for name, value in found.items()} | wanted


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
