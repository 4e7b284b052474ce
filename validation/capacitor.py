"""EChemDID against theory: the plate capacitor of its authors.

Judges the potential of the applied voltage, and the charges, fields and forces under it. Two bcc
blocks of 5 x 5 x 40 cells (a = 3 angstrom) face each other across 5 cells; the outer 4 angstrom of
each hold -4 and +4 V (Onofrio & Strachan, doi:10.1063/1.4927562). The blocks repeat in the plane.
It compares

- the relaxing potential with the Fourier series of the diffusion equation, at ten times;
- charges, field and force of charge equilibration (chi = 1 and 2 eV, eta = 20 eV) under that
  potential with those of a plate capacitor.

It takes a minute, and writes docs/data/capacitor.json, which tests/validation/test_capacitor.py
re-checks, and docs/images/capacitor.png:

    python -m validation.capacitor
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase.build import bulk
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import erf, erfc, erfcx

from nanogap.cli.programs import run_main
from nanogap.dynamics.electrochemistry import MetalNetwork
from nanogap.io import write_bytes, write_text
from nanogap.report.style import BLUE, INK, ORANGE, WIDTH, house_style, png
from nanogap.typing import FloatArray
from nanogap.units import COULOMB

DOCS = Path(__file__).resolve().parent.parent / "docs"
A, CELLS, GAP_CELLS = 3.0, (5, 5, 40), 5
BOUNDARY, VOLTAGE = 4.0, 8.0
CUTOFF, DIFFUSION, NORMALISATION, SUBSTEPS = 4.0, 6.0, 0.629967, 10
#: Times in units of L^2/D: from the first change near the boundaries to near the end.
TIMES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
HARDNESS = 20.0
#: Width of Gaussian charges whose own energy is the hardness: 2 alpha/sqrt(pi) COULOMB = eta.
ALPHA = HARDNESS * np.sqrt(np.pi) / 2.0 / COULOMB


@dataclass(frozen=True)
class Moment:
    """Potential at one time of the relaxation.

    Attributes
    ----------
    time : float
        fs.
    mean_squared_error, largest_error : float
        Against the Fourier series, V^2 and V.
    potential : list of float
        Mean of every plane, V.
    """

    time: float
    mean_squared_error: float
    largest_error: float
    potential: list[float]


@dataclass(frozen=True)
class Relaxation:
    """Relaxing potential of both blocks.

    Attributes
    ----------
    length : float
        Of the metal between a held layer and the gap, angstrom.
    height : list of float
        Of every plane, angstrom.
    times : list of Moment
    """

    length: float
    height: list[float]
    times: list[Moment]


@dataclass(frozen=True)
class Plates:
    """Equipotential blocks at several distances.

    Attributes
    ----------
    rows : list of dict
        For every gap (angstrom): charges (e per cell), fields (V/angstrom) and forces (eV/angstrom
        per cell) of the charges and of plates, and the gap that plates would have.
    slope, intercept : float
        Of that gap against the real one, 1 and angstrom.
    """

    rows: list[dict[str, float]]
    slope: float
    intercept: float


def blocks(cells: tuple[int, int, int] = CELLS) -> tuple[FloatArray, NDArray[np.str_]]:
    """Positions of both blocks and the labels of their boundary layers."""
    lower = (bulk("Fe", "bcc", a=A, cubic=True) * cells).positions
    upper = lower + np.array([0.0, 0.0, (cells[2] + GAP_CELLS) * A])
    positions = np.concatenate([lower, upper])
    height = positions[:, 2]
    labels = np.full(len(positions), "mobile")
    labels[height < BOUNDARY] = "bottom"
    labels[height > height.max() - BOUNDARY] = "top"
    return positions, labels


def network(positions: FloatArray, labels: NDArray[np.str_], width: float | None) -> MetalNetwork:
    """Neighbours within the cut-off, across the sides of a cell of some width, or free ones."""
    if width is None:
        return MetalNetwork.from_positions(positions, labels, CUTOFF)
    wrapped = positions + 0.1  # off the edges of the cell, where rounding decides
    box = [width, width, 1e6]
    pairs = cKDTree(wrapped, boxsize=box).query_pairs(CUTOFF, output_type="ndarray")
    step = positions[pairs[:, 0]] - positions[pairs[:, 1]]
    step -= np.round(step / box) * box
    return MetalNetwork.from_pairs(
        pairs.astype(np.int64), np.linalg.norm(step, axis=1), labels, CUTOFF
    )


def fourier(distance: FloatArray, length: float, time: float, value: float) -> FloatArray:
    """Diffusion from 0 into a slab held at a value on one side, closed on the other.

    Carslaw & Jaeger, Conduction of Heat in Solids (1959), section 3.3.
    """
    result = np.full_like(distance, value)
    for term in range(200):
        wave = (2 * term + 1) * np.pi / (2.0 * length)
        amplitude = 4.0 * value / ((2 * term + 1) * np.pi)
        result -= amplitude * np.sin(wave * distance) * np.exp(-DIFFUSION * wave**2 * time)
    return result


def relaxation(cells: tuple[int, int, int] = CELLS, *, periodic: bool = True) -> Relaxation:
    """Potential at the ten times: errors against the series, and profiles over the height."""
    positions, labels = blocks(cells)
    metal = network(positions, labels, cells[0] * A if periodic else None)
    height, free = positions[:, 2], labels == "mobile"
    held = (height[labels == "bottom"].max(), height[labels == "top"].min())
    lower = height < np.mean(held)
    length = height[lower].max() - held[0]
    distance = np.where(lower, height - held[0], held[1] - height)[free]
    sign = np.where(lower, -1.0, 1.0)[free]
    planes = np.unique(height.round(6))
    plane = np.searchsorted(planes, height.round(6))
    moments = []
    potential, before = np.zeros(len(positions)), 0.0
    for fraction in TIMES:
        time = fraction * length**2 / DIFFUSION
        potential = metal.relax(
            potential,
            VOLTAGE,
            time=time - before,
            steps=round(SUBSTEPS * (time - before)),
            mobility=DIFFUSION / NORMALISATION,
        )
        before = time
        error = potential[free] - sign * fourier(distance, length, time, VOLTAGE / 2.0)
        moments.append(
            Moment(
                time=time,
                mean_squared_error=float(np.mean(error**2)),
                largest_error=float(np.abs(error).max()),
                potential=(np.bincount(plane, potential) / np.bincount(plane)).tolist(),
            )
        )
    return Relaxation(length, planes.tolist(), moments)


def layer_potential(height: FloatArray, shift: FloatArray, area: float) -> FloatArray:
    """Energy of two unit Gaussian charges that repeat in the plane, eV.

    The lattice sum of erf(alpha r)/r as a sum over reciprocal vectors, exact for Gaussian charges
    (Parry, Surf. Sci. 49, 433 (1975), doi:10.1016/0039-6028(75)90362-3); neutral sums only.

    Parameters
    ----------
    height : ndarray, shape (n,)
        Distance along the axis, angstrom.
    shift : ndarray, shape (n, 2)
        In the plane, angstrom.
    area : float
        Of the square cell, angstrom^2.
    """
    z = np.abs(height)
    total = (
        -2.0
        * np.sqrt(np.pi)
        / area
        * (np.exp(-((ALPHA * z) ** 2)) / ALPHA + np.sqrt(np.pi) * z * erf(ALPHA * z))
    )
    side, reach = np.sqrt(area), range(-7, 8)
    for first in reach:
        for second in reach:
            if first or second:
                wave = 2.0 * np.pi / side * np.array([first, second])
                length = float(np.linalg.norm(wave))
                half = length / (2.0 * ALPHA)
                outer = np.exp(-(half**2) - (ALPHA * z) ** 2) * erfcx(half + ALPHA * z)
                inner = np.exp(-length * z) * erfc(half - ALPHA * z)
                total += np.pi / (area * length) * np.cos(shift @ wave) * (outer + inner)
    return np.asarray(COULOMB * total, dtype=np.float64)


class Capacitor:
    """Charge equilibration of both blocks, one charge per atomic plane and cell.

    Atoms of a plane are equivalent, so E = sum (chi - phi) q + 1/2 sum J q q has one unknown per
    plane; J of a charge with itself is eta.

    Parameters
    ----------
    gap : float
        Distance of the facing planes, angstrom.
    """

    def __init__(self, gap: float) -> None:
        count = 2 * CELLS[2]
        height = np.arange(count) * A / 2.0
        self.height = np.concatenate([height, height + height[-1] + gap])
        self.upper = np.arange(2 * count) >= count
        offset = np.tile(np.arange(count) % 2 * A / 2.0, 2)
        self._shift = offset[:, None] - offset[None, :]
        self._distance = self.height[:, None] - self.height[None, :]
        self.interaction = self._interaction(self._distance)

    def _interaction(self, distance: FloatArray) -> FloatArray:
        # few distances differ, as the planes are equally spaced
        pairs = np.column_stack([np.abs(distance).ravel().round(9), self._shift.ravel()])
        found, place = np.unique(pairs, axis=0, return_inverse=True)
        values = layer_potential(found[:, 0], found[:, [1, 1]], A**2)
        return np.asarray(values[place.ravel()].reshape(distance.shape), dtype=np.float64)

    def charges(self, potential: FloatArray, electronegativity: FloatArray) -> FloatArray:
        """Charges of the planes per cell, e, at zero total charge."""
        n = len(self.height)
        matrix = np.ones((n + 1, n + 1))
        matrix[:n, :n], matrix[n, n] = self.interaction, 0.0
        right = np.append(potential - electronegativity, 0.0)
        return np.asarray(np.linalg.solve(matrix, right)[:n], dtype=np.float64)

    def force(self, charges: FloatArray) -> float:
        """Force per cell that pulls the upper block down, eV/angstrom."""
        step = 1e-4
        moved = np.where(self.upper[:, None] != self.upper[None, :], 1.0, 0.0)
        sign = np.where(self.upper[:, None], 1.0, -1.0) * moved
        change = self._interaction(self._distance + step * sign)
        change -= self._interaction(self._distance - step * sign)
        return float(charges @ change @ charges) / 2.0 / (2.0 * step)

    def electrostatic(self, charges: FloatArray, height: FloatArray) -> FloatArray:
        """Potential at heights, above the middle of a cell's edge, V."""
        probe = np.array([A / 4.0, A / 4.0])
        offset = np.tile(np.arange(len(self.height) // 2) % 2 * A / 2.0, 2)
        return np.array(
            [
                charges @ layer_potential(z - self.height, probe - offset[:, None], A**2)
                for z in height
            ]
        )


def plates(gaps: tuple[int, ...] = (3, 5, 8, 12)) -> Plates:
    """Charges, field and force of equipotential blocks against a plate capacitor."""
    permittivity = 1.0 / (4.0 * np.pi * COULOMB)  # epsilon_0, e/(V angstrom)
    area, rows = A**2, list[dict[str, float]]()
    for cells in gaps:
        gap = cells * A + A / 2.0
        device = Capacitor(gap)
        potential = np.where(device.upper, VOLTAGE / 2.0, -VOLTAGE / 2.0)
        lone = np.full(len(potential), 1.0)
        charges = device.charges(potential, lone)
        charge = float(charges[device.upper].sum())
        middle = float(device.height[device.upper].min()) - gap / 2.0
        low, high = device.electrostatic(charges, np.array([middle - 0.5, middle + 0.5]))
        field = charge / area / permittivity
        different = np.where(device.upper, 2.0, 1.0)
        rows.append(
            {
                "gap": gap,
                "charge": charge,
                "charge_with_chi_2": float(
                    device.charges(potential, 2.0 * lone)[device.upper].sum()
                ),
                "charge_of_different_metals": float(
                    device.charges(potential, different)[device.upper].sum()
                ),
                "field": float(high - low),
                "plate_field": field,
                "force": device.force(charges),
                "plate_force": charge**2 / (2.0 * permittivity * area),
                "effective_gap": VOLTAGE / field,
            }
        )
    slope, intercept = np.polyfit(
        [row["gap"] for row in rows], [row["effective_gap"] for row in rows], 1
    )
    return Plates(rows, float(slope), float(intercept))


def charging(profiles: Relaxation) -> list[dict[str, float]]:
    """Charge and field while the potential relaxes, against the potential of the facing planes."""
    device = Capacitor(GAP_CELLS * A + A / 2.0)
    permittivity = 1.0 / (4.0 * np.pi * COULOMB)
    unit = device.charges(np.where(device.upper, 0.5, -0.5), np.ones(len(device.height)))
    capacitance = float(unit[device.upper].sum())
    rows = []
    for entry in profiles.times:
        potential = np.array(entry.potential)
        charges = device.charges(potential, np.ones(len(potential)))
        facing = potential[device.upper][0] - potential[~device.upper][-1]
        near = device.height[device.upper].min()
        # the field in the gap is set by all charge above it
        field = float(charges[device.height >= near].sum()) / A**2 / permittivity
        rows.append(
            {
                "time": entry.time,
                "facing_potential": float(facing),
                "field": field,
                "plate_field": capacitance * float(facing) / A**2 / permittivity,
            }
        )
    return rows


def main() -> None:
    """Compute everything, write the data and the figure, print what matters."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    repeated, free = relaxation(), relaxation(periodic=False)
    capacitor = plates()
    rows = charging(repeated)
    content = {
        "relaxation": asdict(repeated),
        "free_sides_mean_squared_error": [moment.mean_squared_error for moment in free.times],
        "plates": asdict(capacitor),
        "charging": rows,
    }
    (DOCS / "data").mkdir(exist_ok=True)
    rounded = json.loads(json.dumps(content), parse_float=lambda text: float(f"{float(text):.7g}"))
    write_text(DOCS / "data" / "capacitor.json", json.dumps(rounded) + "\n")
    draw(repeated, capacitor, rows)
    for entry, other in zip(repeated.times, free.times, strict=True):
        print(
            f"t = {entry.time:8.1f} fs: mean squared error "
            f"{entry.mean_squared_error:.2e} V², with free sides "
            f"{other.mean_squared_error:.2e} V²"
        )
    for row in capacitor.rows:
        print({name: float(f"{value:.6g}") for name, value in row.items()})
    print(f"d = {capacitor.slope:.5f} gap {capacitor.intercept:+.4f} Å")
    for line in rows:
        print({name: float(f"{value:.5g}") for name, value in line.items()})


def draw(profiles: Relaxation, capacitor: Plates, charged: list[dict[str, float]]) -> None:
    """Draw the potential at the ten times, and charge, field and force."""
    with house_style():
        figure = Figure(figsize=(WIDTH, 7.0))
        panels = figure.subplot_mosaic([["potential", "potential"], ["plates", "charging"]])
        height, axes = np.array(profiles.height), panels["potential"]
        length, held = profiles.length, profiles.height[2]
        inner = height[-1] - held
        for place, entry in enumerate(profiles.times):
            axes.plot(
                height, entry.potential, ".", color=BLUE, markersize=3,
                label="atoms" if not place else None,
            )  # fmt: skip
            for x, value, far in ((height, -4.0, held), (height, 4.0, inner)):
                distance = np.abs(x - far)
                part = (distance <= length) & ((x >= far) if value < 0 else (x <= far))
                series = fourier(distance[part], length, entry.time, value)
                axes.plot(
                    x[part], series, color=ORANGE, linewidth=1.0,
                    label="Fourier series" if not place and value < 0 else None,
                )  # fmt: skip
        worst = max(entry.mean_squared_error for entry in profiles.times)
        axes.set_title(f"Potential at ten times; mean squared error at most {worst:.1e} V²")
        axes.set_xlabel("height (Å)")
        axes.set_ylabel("potential (V)")
        axes.legend(loc="upper left")
        rows = capacitor.rows
        gap = [row["gap"] for row in rows]
        axes = panels["plates"]
        axes.plot(
            gap, [row["force"] for row in rows], "o", color=BLUE, label="force of the charges"
        )
        axes.plot(gap, [row["plate_force"] for row in rows], color=BLUE, label="Q²/2ε₀A")
        axes.set_xlabel("distance of the facing planes (Å)")
        axes.set_ylabel("force per cell (eV/Å)")
        right = axes.twinx()
        right.plot(gap, [row["field"] for row in rows], "s", color=ORANGE, label="field in the gap")
        right.plot(gap, [row["plate_field"] for row in rows], color=ORANGE, label="Q/ε₀A")
        right.set_ylabel("field (V/Å)")
        right.spines["right"].set_visible(True)
        handles = [*axes.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]]
        axes.legend(handles=handles, loc="upper right")
        axes.set_title("8 V across plates")
        axes, rows = panels["charging"], charged
        time = [row["time"] for row in rows]
        axes.plot(time, [row["field"] for row in rows], "o", color=BLUE, label="of the charges")
        axes.plot(
            time, [row["plate_field"] for row in rows], color=INK,
            label="of plates at the facing potentials",
        )  # fmt: skip
        axes.set_xlabel("time (fs)")
        axes.set_ylabel("field in the gap (V/Å)")
        axes.set_title("While the potential relaxes")
        axes.legend(loc="lower right")
        write_bytes(DOCS / "images" / "capacitor.png", png(figure, 100))


if __name__ == "__main__":
    run_main(main)
