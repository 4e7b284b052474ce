"""The junction format: left lead, channel, right lead, in one ASE structure.

A junction is an `ase.Atoms` (an extxyz file) with a per-atom array ``region`` (``left``,
``channel`` or ``right``) and ``info["left_period"]`` and ``info["right_period"]`` in angstrom
along z. The atoms of ``left`` are one principal layer that repeats towards -z, those of ``right``
towards +z. The cell and pbc give the periodicity in the plane. The first repeat of a lead stands
where the channel goes on (`nanogap.structure.lead_period`).

The optional array ``coupling`` is the part of its couplings that an atom of the channel has, from
0, an atom that is not there, to 1: with it, atoms come and go without a jump.
"""

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.io import read
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from nanogap.errors import DataFormatError, StructureError
from nanogap.frames import freed_when_dropped
from nanogap.structure.lead_period import lead_note
from nanogap.typing import FloatArray

LEFT, CHANNEL, RIGHT = "left", "channel", "right"
#: Optional per-atom array: the part of its couplings that an atom has, 0 to 1.
COUPLING = "coupling"

#: Two atoms overlap below this part of the sum of their covalent radii (Cordero et al., Dalton
#: Trans. 2832 (2008), doi:10.1039/b801115j): 1.9 angstrom for silver.
_OVERLAP = 1.9 / 2.9
#: An atom with less of its couplings is not there for programs that know no parts.
_HALF = 0.5
#: Periods beyond this are mistakes, angstrom.
_LONGEST = 1e4
#: The shortest line of an atom in a file, bytes.
_LINE = 8


def overlap_radii(junction: Atoms) -> FloatArray:
    """Return a radius for every atom; two atoms nearer than the sum of theirs overlap.

    Parameters
    ----------
    junction : ase.Atoms

    Returns
    -------
    ndarray, shape (n_atoms,)
        Angstrom; 0.95 for silver, 0.86 for copper.
    """
    radii: FloatArray = _OVERLAP * covalent_radii[junction.numbers]
    return radii


def validate_junction(junction: Atoms, name: str = "junction") -> None:
    """Check that a structure is a junction that transport can be computed for.

    Parameters
    ----------
    junction : ase.Atoms
    name : str
        What the messages call it, for example ``snapshot 12``.

    Raises
    ------
    StructureError
        If an array or a period is missing or impossible, a region is empty or out of order along
        z, atoms overlap, or the channel goes on as a lead does, but not with its period.
    """
    junction_notes(junction, name)


def junction_notes(junction: Atoms, name: str = "junction") -> tuple[str, ...]:
    """Check a junction as `validate_junction` does, and say what may be wrong with it.

    Parameters
    ----------
    junction : ase.Atoms
    name : str
        What the sentences call it.

    Returns
    -------
    tuple of str
        One sentence for each lead that the channel does not continue.

    Raises
    ------
    StructureError
        As `validate_junction`.
    """
    if "region" not in junction.arrays:
        raise StructureError(
            f"{name} has no per-atom array 'region': label every atom {LEFT}, {CHANNEL} or {RIGHT}"
        )
    regions = junction.arrays["region"]
    unknown = sorted(set(regions.tolist()) - {LEFT, CHANNEL, RIGHT})
    if unknown:
        raise StructureError(
            f"{name}: region {unknown[0]!r} is not one of {LEFT}, {CHANNEL}, {RIGHT}"
        )
    heights = junction.positions[:, 2]
    if not np.isfinite(junction.positions).all():
        raise StructureError(f"{name}: positions are not all finite numbers")
    if not np.isfinite(junction.cell.array).all():
        raise StructureError(f"{name}: the cell is not all finite numbers")
    for side in (LEFT, RIGHT):
        _check_lead(junction, side, name)
    middle = heights[regions == CHANNEL]
    left, right = heights[regions == LEFT], heights[regions == RIGHT]
    if left.max() >= right.min() or (
        len(middle) and not (left.min() < middle.min() and middle.max() < right.max())
    ):
        raise StructureError(
            f"{name}: regions must follow each other along z as {LEFT}, {CHANNEL}, {RIGHT}"
        )
    least = float(2.0 * overlap_radii(junction).min())
    if any(junction.pbc[:2]) and abs(np.linalg.det(junction.cell.array[:2, :2])) < least**2:
        raise StructureError(f"{name}: periodic in the plane, but the cell has no area there")
    _check_overlap(junction, name)
    _check_couplings(junction, name)
    notes = (lead_note(junction, side, name) for side in (LEFT, RIGHT))
    return tuple(note for note in notes if note is not None)


def couplings(junction: Atoms) -> FloatArray | None:
    """Return the array ``coupling``, shape (n_atoms,); None where all atoms have all of theirs."""
    parts = junction.arrays.get(COUPLING)
    if parts is None or np.all(np.asarray(parts) == 1.0):
        return None
    return np.asarray(parts, dtype=np.float64)


def without_faded(junction: Atoms) -> Atoms:
    """Leave out the atoms that have less than half of their couplings, for programs without them.

    Returns
    -------
    ase.Atoms
        Without the array ``coupling``.
    """
    parts = couplings(junction)
    kept: Atoms = junction.copy() if parts is None else junction[parts >= _HALF]
    if COUPLING in kept.arrays:
        del kept.arrays[COUPLING]
    return kept


def _check_couplings(junction: Atoms, name: str) -> None:
    """Refuse couplings that are no parts of the whole, or of atoms of the leads."""
    parts = np.asarray(junction.arrays.get(COUPLING, np.ones(len(junction))))
    numbers = parts.shape == (len(junction),) and parts.dtype.kind in "fiu"
    if not numbers or not np.all((parts >= 0.0) & (parts <= 1.0)):
        raise StructureError(f"{name}: '{COUPLING}' must hold one number from 0 to 1 for each atom")
    if np.any(parts[junction.arrays["region"] != CHANNEL] != 1.0):
        raise StructureError(f"{name}: '{COUPLING}' must be 1 for atoms of the leads")


def _check_lead(junction: Atoms, side: str, name: str) -> None:
    lead = junction[junction.arrays["region"] == side]
    heights = lead.positions[:, 2]
    if not len(heights):
        raise StructureError(f"{name} has no atoms of region '{side}': a lead needs at least one")
    key = f"{side}_period"
    period: Any = junction.info.get(key)
    if not isinstance(period, int | float | np.number) or isinstance(period, bool):
        raise StructureError(f"{name} has no number {key}= in its info line: give it in Å along z")
    period = np.inf if isinstance(period, int) and abs(period) > _LONGEST else float(period)
    thickness, least = float(np.ptp(heights)), float(2.0 * overlap_radii(lead).min())
    if not least <= period < _LONGEST or thickness >= period:
        raise StructureError(
            f"{name}: {key} = {period:g} Å must exceed {least:.2f} Å and the thickness of the "
            f"'{side}' atoms, {thickness:.3f} Å, and be a finite number without a sign, in Å"
        )


def _check_overlap(junction: Atoms, name: str) -> None:
    """Refuse overlapping atoms, the leads' next repeats included."""
    extended = junction.copy()
    for side, sign in ((LEFT, -1.0), (RIGHT, 1.0)):
        repeat = junction[junction.arrays["region"] == side]
        repeat.positions[:, 2] += sign * junction.info[f"{side}_period"]
        extended += repeat
    extended.pbc = (*junction.pbc[:2], False)
    radii = overlap_radii(extended)
    first, second, distance = neighbor_list("ijd", extended, radii)
    if len(distance):
        least = radii[first] + radii[second]
        worst = int(np.argmin(distance / least))
        kinds = "-".join(extended.symbols[[first[worst], second[worst]]])
        raise StructureError(
            f"{name}: atoms {first[worst]} and {second[worst]} overlap "
            f"({distance[worst]:.2f} Å apart, the least of {kinds} is {least[worst]:.2f} Å)"
        )


def read_frames(path: Path, index: str = ":") -> list[Atoms]:
    """Read structures from a file that ASE knows (extxyz for junctions and trajectories).

    Parameters
    ----------
    path : Path
    index : str
        ASE index or slice: ``-1``, ``3``, ``0:10:2``.

    Returns
    -------
    list of ase.Atoms
        At least one.

    Raises
    ------
    DataFormatError
        If the file is missing, truncated or not a structure file, or has no such index.
    """
    if not path.is_file():
        raise DataFormatError(f"no file {path}")
    _refuse_announced(path)
    where = "" if index == ":" else f" at index {index}"
    try:
        # in a bare name ASE takes "-" for stdin, and what follows "@" for an index
        frames = read(str(path.absolute()), index=index, do_not_split_by_at_sign=True)
    except (IndexError, StopIteration):
        raise DataFormatError(f"{path} has no frame {index}, or is empty or truncated") from None
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        raise DataFormatError(
            f"{path} cannot be read as a structure{where} (truncated, or not extxyz?): {reason}"
        ) from None
    frames = frames if isinstance(frames, list) else [frames]
    if not frames or any(len(frame) == 0 for frame in frames):
        raise DataFormatError(f"{path} holds no atoms{where}")
    return [freed_when_dropped(frame) for frame in frames]


def _refuse_announced(path: Path) -> None:
    """Refuse an xyz file whose first line announces more atoms than it has bytes for.

    The reader of ASE would count as many lines beyond its end.
    """
    if path.suffix.casefold() not in {".xyz", ".extxyz"}:
        return
    with path.open("rb") as file:
        first = file.readline(100).strip()
    size = path.stat().st_size
    if first.isdigit() and (len(first) > 18 or int(first) * _LINE > size):
        raise DataFormatError(
            f"{path} cannot be read as a structure: it announces {first[:20].decode()} atoms, and "
            f"its {size} bytes hold fewer: is it truncated?"
        )


def region_mask(junction: Atoms, region: str) -> NDArray[np.bool_]:
    """Select the atoms of a region; shape (n_atoms,)."""
    mask: NDArray[np.bool_] = junction.arrays["region"] == region
    return mask
