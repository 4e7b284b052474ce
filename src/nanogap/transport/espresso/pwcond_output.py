"""Input and output of pwcond.x: one block of output per wave vector and energy.

PWCOND computes one spin of a spin-unpolarised system and prints, and writes to its transmission
file, twice the transmission in G0: ``T(x2 spins)``. Without an open channel it prints no such line.
"""

import itertools
import re
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from nanogap.errors import EngineError
from nanogap.typing import FloatArray

_BLOCK = re.compile(r"^---\s+E-Ef =\s+(\S+)\s+k =\s+(\S+)\s+(\S+)\s*$", re.MULTILINE)
_PLACE = re.compile(r"^---\s+ie =\s+(\d+)\s+ik =\s+(\d+)", re.MULTILINE)
_CHANNELS = re.compile(r"Nchannels of the left tip =\s+(\d+)")
_TOTAL = re.compile(r"E-Ef\(ev\), T\(x2 spins\) =\s+(\S+)\s+(\S+)")
_BAND = re.compile(r"Total T_j, R_j =\s*(\d+\.\d{5}|\*+)\s*(\d+\.\d{5}|\*+)")
_EIGEN = re.compile(r"^#\s+\d+\s+-?[\d.]+\s+(\S+)\s*$", re.MULTILINE)
_WAVES = re.compile(r"^\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s+-?\d+\.\d+\s*$", re.MULTILINE)
_KPOINT = re.compile(r"k\(\s*(\d+)\) = \(\s*(\S+)\s+(\S+)\), wk")
_GRID = re.compile(r"^\s+nr([12])s\s+=\s+(\d+)\s*$", re.MULTILINE)
_ORBITAL = re.compile(r"taunew\(\s*\d+\)=\(\s*(\S+)\s+(\S+)\s+\S+\s*\)")
_CROSSING = re.compile(r"nocros\s+=\s+(\d+)")

#: Printed positions of one atom agree to this, in units of the cell's side.
_SAME_PLACE = 0.01
#: Follows the last block; a block that nothing follows may be cut off.
_FINISHED = "PWCOND  "
#: Flux that a channel may lose or gain before its transmission is not to be believed.
UNITARITY = 0.02
#: Energies from the Fermi energy for which this backend answers, eV.
ENERGY_WINDOW = (-3.0, 3.0)

OK, CLOSED = "ok", "no open channel"
UNBALANCED, LEAKING = "matched bands missing", "flux not conserved"


@dataclass(frozen=True)
class Point:
    """Transmission at one wave vector and energy.

    Attributes
    ----------
    energy : float
        From the Fermi energy, eV.
    channels : int
        Open channels of the lead.
    transmission : float
        Sum over the channels, G0; not a number if pwcond.x printed none.
    by_channel : list of float
        Transmission of each incoming channel, G0.
    eigenchannels : list of float
        Largest first, G0.
    flux_error : float
        Largest abs(T_j + R_j - 1) of the channels.
    state : str
        ``ok``; ``no open channel`` (the transmission is 0); ``matched bands missing`` (the waves
        that come and go differ in number) or ``flux not conserved``: not to be believed.
    """

    energy: float
    channels: int
    transmission: float
    by_channel: list[float]
    eigenchannels: list[float]
    flux_error: float
    state: str

    @property
    def believed(self) -> bool:
        """Whether the transmission is to be believed."""
        return self.state in {OK, CLOSED}


def pwcond_input(
    lead: Atoms,
    scattering: Atoms | None,
    kpoints: FloatArray,
    energies: list[float],
    *,
    projection: float,
    subslabs: int,
    window: float,
    state: str,
) -> str:
    """Write the input of pwcond.x.

    Parameters
    ----------
    lead : ase.Atoms
        Its saved state is called ``lead``.
    scattering : ase.Atoms or None
        Its saved state is called ``scattering``; None: the complex bands of the lead only.
    kpoints : ndarray, shape (n_k, 2)
        Fractions of the reciprocal cell, which is what pwcond.x takes, although its documentation
        says 2 pi / alat: in those, equivalent wave vectors of a hexagonal cell have other waves.
    energies : list of float
        From the Fermi energy, eV.
    projection : float
        ``epsproj``: the basis of the plane is reduced until this is lost.
    subslabs : int
        ``nz1``: parts of a slab of the grid along z.
    window : float
        ``ewind``: energy, above the largest energy, that the reduced basis spans, Ry.
    state : str
        Folder of the saved states.

    Returns
    -------
    str
        The whole input file.
    """
    alat = float(np.linalg.norm(lead.cell.array[0]))
    lines = [
        "&inputcond",
        f" outdir='{state}', prefixl='lead', ikind={0 if scattering is None else 1},",
    ]
    if scattering is not None:
        lines += [
            " prefixs='scattering', tran_file='transmission.dat',",
            f" bds={scattering.cell.array[2, 2] / alat:.12f},",
        ]
    lines += [
        f" bdl={lead.cell.array[2, 2] / alat:.12f}, energy0=0.0, denergy=0.0,",
        f" ewind={window:.3f}, epsproj={projection:.3e}, nz1={subslabs}",
        "/",
        str(len(kpoints)),
        *(f"{x:.12f} {y:.12f} 1.0" for x, y in kpoints),
        str(len(energies)),
        *(f"{energy:.9f}" for energy in energies),
    ]
    return "\n".join(lines) + "\n"


def check_grids(printed: str) -> None:
    """Refuse an output whose two calculations have different grids in the plane.

    PWCOND goes on without a complaint and returns wrong numbers.

    Raises
    ------
    EngineError
        If they differ.
    """
    found = [int(points) for _, points in _GRID.findall(printed)]
    if len(found) == 4 and found[:2] != found[2:]:
        raise EngineError(
            f"the lead's grid in the plane is {found[0]} x {found[1]}, the scattering region's "
            f"{found[2]} x {found[3]}: PWCOND would return wrong numbers without saying so"
        )


def check_boundaries(printed: str) -> None:
    """Refuse an output whose two calculations list the atoms at the boundaries differently.

    PWCOND joins the projectors that cross a boundary by their numbers.

    Raises
    ------
    EngineError
        If they are not the same ones.
    """
    _, found, rest = printed.partition("Information about left/right lead")
    lead_text, both, region_text = rest.partition("Information about scattering region")
    if not found or not both:
        return  # a run on the lead alone
    lead, region = (
        np.array(_ORBITAL.findall(text), dtype=float).reshape(-1, 2)
        for text in (lead_text, region_text)
    )
    crossing = int(_CROSSING.findall(lead_text)[0])
    for side, part in (("lower", slice(None, crossing)), ("upper", slice(-crossing, None))):
        if len(lead) and np.abs(lead[part] - region[part]).max() > _SAME_PLACE:
            raise EngineError(
                f"at the {side} boundary the lead and the scattering region list their atoms in "
                "different orders: PWCOND would return wrong numbers without saying so"
            )


def parse_points(printed: str, kpoints: FloatArray) -> dict[int, list[Point]]:
    """Read all finished blocks of an output, also of a run that was cut off.

    Parameters
    ----------
    printed : str
    kpoints : ndarray, shape (n_k, 2)
        Those of the input, fractions of the reciprocal cell.

    Returns
    -------
    dict of int to list of Point
        Points of every wave vector that has some, by its row in `kpoints`, in printed order.

    Raises
    ------
    EngineError
        If PWCOND ran other wave vectors than asked for.
    """
    echoed = {int(n) - 1: (float(x), float(y)) for n, x, y in _KPOINT.findall(printed)}
    for number, echo in echoed.items():
        if number >= len(kpoints) or np.abs(np.array(echo) - kpoints[number]).max() > 1e-5:
            raise EngineError(f"pwcond.x computed k = {echo}, which was not asked for")
    heads = list(_BLOCK.finditer(printed))
    result: dict[int, list[Point]] = {}
    for head, following in itertools.zip_longest(heads, heads[1:]):
        block = printed[head.end() : following.start() if following else len(printed)]
        place, channels = _PLACE.search(block), _CHANNELS.search(block)
        if place is None or channels is None:
            continue
        if following is None and _FINISHED not in block:
            continue
        point = _point(float(head.group(1)), int(channels.group(1)), block)
        result.setdefault(int(place.group(2)) - 1, []).append(point)
    return result


def _point(energy: float, channels: int, block: str) -> Point:
    total = _TOTAL.search(block)
    bands = _BAND.findall(block)
    eigen = sorted((_number(value) for value in _EIGEN.findall(block)), reverse=True)
    by_channel = [_number(transmitted) for transmitted, _ in bands]
    losses = [abs(_number(t) + _number(r) - 1.0) for t, r in bands]
    flux_error = max(losses, default=0.0)
    waves = _WAVES.findall(block.partition("to transmit")[0])
    right, left = _count_waves(block)
    if channels == 0 and total is None and right == left == 0:
        return Point(energy, 0, 0.0, [], [], 0.0, CLOSED)
    value = _number(total.group(2)) / 2.0 if total else float("nan")
    if (
        right != channels
        or left != channels
        or len(waves) != 2 * channels
        or len(by_channel) != channels
        or not np.isfinite([value, flux_error]).all()
    ):
        state = UNBALANCED
    elif flux_error > UNITARITY or abs(sum(by_channel) - value) > UNITARITY * channels:
        state = LEAKING
    else:
        state = OK
    return Point(energy, channels, value, by_channel, eigen, flux_error, state)


def _count_waves(block: str) -> tuple[int, int]:
    """Waves that move to the right and to the left in the lead."""
    _, _, rest = block.partition("Right moving states:")
    right, _, left = rest.partition("Left moving states:")
    return len(_WAVES.findall(right)), len(_WAVES.findall(left.partition("to transmit")[0]))


def _number(text: str) -> float:
    """Read a Fortran number; one too long for its field, printed as stars, is not a number."""
    return float("nan") if "*" in text else float(text.replace("D", "E"))
