"""Measure the errors of the potential of a simulated device, for docs/device-fields.md.

On needles whose surfaces are roughened by moving random atoms:

- error of u against the tolerance of the conjugate gradients, from a cold and a warm start;
- error of u that waits for its next solution, against the largest jump allowed;
- error of u with solutions near the changed sites alone, against the error allowed;
- potential that a metal site would have as medium: the site's own equation alone, and with
  `nanogap.device.surface.RELEASE`, against full solutions without the atom, which also give the
  entries of RELEASE;
- the same, the tolerance apart, in a medium that screens, with the overpotential of surface atoms;
- spheres: radius of the equipotential against that of the atoms.

Six minutes; writes docs/data/device-fields.json:

    python -m validation.device_fields
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanogap.cli.programs import run_main
from nanogap.device.laplace import number_unknown, solve_sites
from nanogap.device.lattice import (
    EMPTY,
    LOWER,
    METAL,
    UPPER,
    Lattice,
    SiteStates,
    build_lattice,
)
from nanogap.device.needles import build_needles
from nanogap.device.potential import PotentialField
from nanogap.device.surface import release_factors
from nanogap.io import write_text
from nanogap.typing import BoolArray, FloatArray, IntArray

DATA = Path(__file__).resolve().parent.parent / "docs" / "data" / "device-fields.json"
LATTICE_CONSTANT = 4.09
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5)
LOCAL_ERRORS = (0.0, 0.005, 0.01, 0.02, 0.05)
JUMPS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
SCREENING = 3.0
SCREENING_LENGTHS = (10.0, 5.0, 3.0, 2.0, 1.0)
EXACT = 1e-9


@dataclass(frozen=True)
class Sample:
    """Needles with rough surfaces.

    Attributes
    ----------
    lattice : Lattice
    fixed : ndarray of bool, shape (n_sites,)
    states : ndarray of uint8, shape (n_sites,)
    """

    lattice: Lattice
    fixed: BoolArray
    states: SiteStates


def linked(sample: Sample) -> IntArray:
    """Count the metal neighbours of each site."""
    ends = sample.lattice.neighbours
    metal: IntArray = ((ends >= 0) & (sample.states[ends] == METAL)).sum(axis=1)
    return metal


def near_gap(sample: Sample, sites: IntArray, layers: int = 9) -> IntArray:
    """Choose the sites within some layers of the middle of the box."""
    depth = np.abs(sample.lattice.layer[sites] - (sample.lattice.shape[2] - 1) / 2)
    return np.asarray(sites[depth < layers], dtype=np.intp)


def move_atom(sample: Sample, rng: np.random.Generator) -> None:
    """Move a surface atom near the gap to another place on the surface there."""
    free = (sample.states == METAL) & ~sample.fixed
    sample.states[rng.choice(near_gap(sample, np.flatnonzero(free & (linked(sample) < 10))))] = (
        EMPTY
    )
    edge = np.flatnonzero((sample.states == EMPTY) & (linked(sample) >= 3))
    sample.states[rng.choice(near_gap(sample, edge))] = METAL


def rough_needles(rng: np.random.Generator, gap: float, moves: int = 40) -> Sample:
    """Build needles and move atoms on their surfaces."""
    tips = build_needles(
        lattice_constant=LATTICE_CONSTANT,
        base_width=30.0,
        height=20.0,
        apex_width=8.0,
        gap=gap,
        fixed_layers=3,
        margin=12.0,
    )
    states = np.where(tips.metal, METAL, EMPTY).astype(np.uint8)
    sample = Sample(tips.lattice, tips.fixed, states)
    for _ in range(moves):
        move_atom(sample, rng)
    return sample


def following(
    sample: Sample,
    *,
    tolerance: float = 1e-3,
    largest_jump: float = 0.0,
    local_error: float = 0.0,
    screening_length: float = math.inf,
) -> PotentialField:
    """Make a potential that follows the metal, by default with a solution at every change."""
    return PotentialField(
        sample.lattice,
        sample.fixed,
        tolerance=tolerance,
        largest_jump=largest_jump,
        local_error=local_error,
        screening_length=screening_length,
    )


def solved(
    sample: Sample, tolerance: float = EXACT, screening_length: float = math.inf
) -> PotentialField:
    """Solve for the potential from a cold start."""
    field = following(sample, tolerance=tolerance, screening_length=screening_length)
    field.update(sample.states)
    return field


def errors_of_tolerances(samples: int, moves: int) -> list[dict[str, float]]:
    """Measure the largest error of u, and iterations, by tolerance."""
    rows = []
    for tolerance in TOLERANCES:
        rng = np.random.default_rng(5)
        cold, warm, iterations = [], [], []
        for _ in range(samples):
            sample = rough_needles(rng, gap=rng.uniform(7.0, 20.0))
            field = following(sample, tolerance=tolerance)
            first = field.update(sample.states)
            cold.append(float(np.abs(field.medium - solved(sample).medium).max()))
            for _ in range(moves):
                move_atom(sample, rng)
                iterations.append(field.update(sample.states).iterations)
            warm.append(float(np.abs(field.medium - solved(sample).medium).max()))
        rows.append(
            {
                "tolerance": tolerance,
                "cold_error": max(cold),
                "warm_error": max(warm),
                "cold_iterations": first.iterations,
                "warm_iterations": float(np.mean(iterations)),
            }
        )
    return rows


def bridged(sample: Sample) -> Sample:
    """Fill the gap with a column of atoms on the axis."""
    lattice = sample.lattice
    aside = np.hypot(*(lattice.positions[:, :2] - lattice.cell[:2] / 2.0).T)
    depth = np.abs(lattice.layer - (lattice.shape[2] - 1) / 2)
    sample.states[(aside < 5.0) & (depth < 7)] = METAL
    return sample


def errors_of_jumps(
    samples: int, moves: int, *, closed: bool = False, screening_length: float = math.inf
) -> list[dict[str, float]]:
    """Measure the error of u while it waits, by the largest jump allowed, open or bridged."""
    rows = []
    for jump in JUMPS:
        rng = np.random.default_rng(6)
        largest, squares, surface, solutions = [], [], [], []
        for _ in range(samples):
            sample = rough_needles(rng, gap=rng.uniform(7.0, 20.0))
            sample = bridged(sample) if closed else sample
            field = following(sample, largest_jump=jump, screening_length=screening_length)
            field.update(sample.states)
            for _ in range(moves):
                move_atom(sample, rng)
                solutions.append(field.update(sample.states).solved)
                exact = solved(sample, 1e-6, screening_length)
                error = np.maximum(
                    np.abs(field.medium - exact.medium), np.abs(field.metal - exact.metal)
                )
                rim = (linked(sample) > 0) & (linked(sample) < 12)
                largest.append(float(error.max()))
                squares.append(float(np.mean(error[rim] ** 2)))
                surface.append(
                    float(np.quantile((error[near_gap(sample, np.flatnonzero(rim))]), 0.99))
                )
        rows.append(
            {
                "jump": jump,
                "largest_error": max(largest),
                "mean_largest_error": float(np.mean(largest)),
                "surface_error_99": float(np.mean(surface)),
                "surface_rms": float(np.sqrt(np.mean(squares))),
                "share_solved": float(np.mean(solutions)),
            }
        )
    return rows


def errors_of_local_solutions(
    samples: int, moves: int, screening_length: float = math.inf
) -> list[dict[str, float]]:
    """Measure the error of u with solutions near the changed sites, by the error allowed."""
    rows = []
    for allowed in LOCAL_ERRORS:
        rng = np.random.default_rng(6)
        largest, everywhere = [], []
        for _ in range(samples):
            sample = rough_needles(rng, gap=rng.uniform(7.0, 20.0))
            field = following(sample, local_error=allowed, screening_length=screening_length)
            field.update(sample.states)
            for _ in range(moves):
                move_atom(sample, rng)
                everywhere.append(field.update(sample.states).everywhere)
                exact = solved(sample, 1e-6, screening_length)
                error = field.potential - exact.potential
                largest.append(float(np.abs(error).max()))
        rows.append(
            {
                "local_error": allowed,
                "largest_error": max(largest),
                "mean_largest_error": float(np.mean(largest)),
                "share_everywhere": float(np.mean(everywhere)),
            }
        )
    return rows


def with_one_neighbour(sample: Sample, rng: np.random.Generator) -> list[int]:
    """Add an atom that one other holds, if there is a place; return its site."""
    places = near_gap(sample, np.flatnonzero((sample.states == EMPTY) & (linked(sample) == 1)))
    if not len(places):
        return []
    site = int(rng.choice(places))
    sample.states[site] = METAL
    return [site]


def errors_of_release(
    samples: int, sites: int, screening_length: float = math.inf
) -> list[dict[str, float]]:
    """Measure what a site's potential as medium is, by its number of metal neighbours."""
    strength = (LATTICE_CONSTANT / screening_length) ** 2
    rng = np.random.default_rng(7)
    found = []
    for _ in range(samples):
        sample = rough_needles(rng, gap=rng.uniform(7.0, 20.0))
        single = with_one_neighbour(sample, rng)
        before = solved(sample, screening_length=screening_length)
        counts = linked(sample)
        free = np.flatnonzero((sample.states == METAL) & ~sample.fixed & (counts < 12))
        free = near_gap(sample, free)
        chosen = rng.choice(free, min(sites, len(free)), replace=False)
        for site in np.union1d(chosen, np.array(single, dtype=np.intp)):
            if before.clusters.labels[site] not in {LOWER, UPPER}:
                continue
            without = Sample(sample.lattice, sample.fixed, sample.states.copy())
            without.states[site] = EMPTY
            after = solved(without, screening_length=screening_length)
            if len(after.clusters.sizes) != len(before.clusters.sizes):
                continue
            u = before.potential[site]
            around = before.potential[sample.lattice.neighbours[site]].sum()
            own = (around + strength * before.level) / (12 + strength) - u
            found.append((counts[site], own, after.potential[site] - u))
    table = np.array(found)
    rows = []
    for count in np.unique(table[:, 0]).astype(int):
        own, full = table[table[:, 0] == count][:, 1:].T
        rows.append(
            {
                "neighbours": int(count),
                "sites": len(own),
                "release": float(own @ full / (own @ own)),
                "mean_change": float(np.abs(full).mean()),
                "largest_change": float(np.abs(full).max()),
                "error_of_own_equation": float(np.abs(full - own).max()),
                "error_with_release": float(
                    np.abs(full - release_factors(strength)[count] * own).max()
                ),
            }
        )
    return rows


def releases_of_screening(samples: int, sites: int) -> list[dict[str, float]]:
    """Measure the same in media that screen, by screening length."""
    return [
        {"screening_length": length} | row
        for length in SCREENING_LENGTHS
        for row in errors_of_release(samples, sites, length)
    ]


def radii_of_spheres() -> list[dict[str, float]]:
    """Compare the radius of the equipotential with those of the atoms of a sphere, in bonds."""
    bond = LATTICE_CONSTANT / 2.0**0.5
    lattice = build_lattice(LATTICE_CONSTANT, 34 * bond, 34 * bond, 41)
    middle = lattice.positions[
        np.linalg.norm(lattice.positions - lattice.cell / 2, axis=1).argmin()
    ]
    apart = lattice.positions - middle
    apart[:, :2] -= lattice.cell[:2] * np.round(apart[:, :2] / lattice.cell[:2])
    r = np.linalg.norm(apart, axis=1) / bond
    rows = []
    for edge in (3.2, 4.2, 5.2, 6.2, 7.2, 8.2):
        inner, outer = r < edge, r > 14.3
        free = ~inner & ~outer
        u = np.where(inner, 1.0, 0.0)
        unknown = number_unknown(free, np.full(len(r), -1, dtype=np.int32))
        solve_sites(lattice.neighbours, np.ones(len(r), dtype=np.bool_), unknown, u, 1e-8)
        far = free & (np.abs(r - (edge + 14.3) / 2) < 1.5)
        slope, offset = np.polyfit(1.0 / r[far], u[far], 1)
        radius, shell = mean_radius(lattice, inner, r), mean_radius(lattice, outer, r)
        expected = (1.0 / r[free] - 1.0 / shell) / (1.0 / radius - 1.0 / shell)
        error = np.abs(u[free] - expected)
        rows.append(
            {
                "electrical_radius": float(slope / (1.0 - offset)),
                "radius_of_atoms": radius,
                "error_beyond_two_bonds": float(
                    error[(r[free] > edge + 2) & (r[free] < 12.3)].max()
                ),
                "error_next_to_atoms": float(error.max()),
            }
        )
    return rows


def mean_radius(lattice: Lattice, metal: BoolArray, r: FloatArray) -> float:
    """Mean radius of surface atoms, each as often as it has bonds to the medium."""
    broken = (~metal[lattice.neighbours] & (lattice.neighbours >= 0)).sum(axis=1)
    return float(np.average(r[metal], weights=broken[metal]))


def measure(quick: bool = False, only: str | None = None) -> dict[str, list[dict[str, float]]]:
    """Measure all tables, or one."""

    def size(number: int) -> int:
        return max(1, number // 8) if quick else number

    tables: dict[str, Callable[[], list[dict[str, float]]]] = {
        "tolerance": lambda: errors_of_tolerances(size(6), size(12)),
        "jump": lambda: errors_of_jumps(size(4), size(60)),
        "jump_bridged": lambda: errors_of_jumps(size(4), size(60), closed=True),
        "local": lambda: errors_of_local_solutions(size(4), size(60)),
        "release": lambda: errors_of_release(size(16), size(60)),
        "jump_screened": lambda: errors_of_jumps(size(4), size(60), screening_length=SCREENING),
        "local_screened": lambda: errors_of_local_solutions(size(4), size(60), SCREENING),
        "release_screened": lambda: releases_of_screening(size(8), size(40)),
        "spheres": radii_of_spheres,
    }
    return {name: table() for name, table in tables.items() if only in {None, name}}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help="one table, the others as they are stored")
    parser.add_argument("--quick", action="store_true", help="smaller samples, nothing written")
    options = parser.parse_args()
    quick = options.quick
    tables = measure(quick, options.only)
    if options.only:
        tables = json.loads(DATA.read_text(encoding="utf-8")) | tables
    text = json.dumps(tables, indent=1)
    print(text)
    if not quick:
        write_text(DATA, text + "\n")


if __name__ == "__main__":
    run_main(main)
