r"""Compute first-principles bands of silver structures, for the tight-binding fit.

Makes ``dft_bands_ag_ultrasoft.json``, in the layout that
`nanogap.transport.fitting.reference_bands.read_band_file` reads, by pw.x and pp.x from the
pseudopotential of ``nanogap pseudopotential -o Ag.UPF``:

    python -m parametrisation.compute_bands OUTPUT.json --work FOLDER --pseudopotential Ag.UPF \
        [--only NAME]

The output is rewritten after every structure; structures that it holds already, and what was added
to it by hand (``importance``, ``gapped``, ``work_function``), are left alone. Seconds for a chain,
minutes to an hour for the films, on one core.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, fcc111
from ase.io.cube import read_cube
from ase.neighborlist import neighbor_list
from scipy.spatial import cKDTree

from nanogap.io import write_json
from nanogap.transport.espresso.programs import Programs, run_program
from nanogap.transport.espresso.pw import (
    RYDBERG,
    STATE,
    PlaneWaveSettings,
    pw_input,
    self_consistent,
)

ABOUT = (
    "Silver band energies for fitting a tight-binding Hamiltonian. Quantum ESPRESSO 6.7, PBE, "
    "plane waves 28/280 Ry, ultrasoft 11-electron pseudopotential of nanogap (5s 5p 4d): no "
    "semicore bands. Positions and cell in angstrom, kpoints in units of the reciprocal cell "
    "vectors, energies in eV on the calculation's own scale (subtract fermi_energy). "
    "vacuum_level: electrostatic potential farthest from the atoms, from fermi_energy (the work "
    "function), null without vacuum. Bands above the vacuum level are box states."
)
ELEMENT, ELECTRONS = "Ag", 11
#: Sides of the boxes around a wire and around a neck, angstrom.
BOX, NECK_BOX = 10.0, 8.0
#: Lattice constant of the pseudopotential, angstrom.
A = 4.16
#: Bands are kept up to so far above the Fermi energy, eV.
HIGHEST = 7.0


def slab(layers: int, width: int = 1, vacuum: float = 6.0) -> Atoms:
    """Return a (111) film."""
    atoms = fcc111("Ag", (width, width, layers), a=A, vacuum=vacuum)
    atoms.pbc = True
    return atoms


def slab_with_adatom() -> Atoms:
    """Return a film with an atom in a hollow that continues the crystal."""
    atoms = slab(3, 2, 6.0)
    add_adsorbate(atoms, "Ag", 2.25, "fcc")
    atoms.center(vacuum=6.0, axis=2)
    return atoms


def chain(distances: Sequence[float]) -> Atoms:
    """Return a chain along z whose bonds repeat."""
    heights = np.concatenate([[0.0], np.cumsum(distances)])
    positions = np.column_stack([np.full((len(distances), 2), BOX / 2), heights[:-1]])
    return Atoms(f"Ag{len(distances)}", positions, cell=[BOX, BOX, heights[-1]], pbc=True)


def square_monolayer(distance: float) -> Atoms:
    """Return a square lattice in the xy plane."""
    return Atoms("Ag", [(0, 0, 6)], cell=[distance, distance, 12.0], pbc=True)


def facing_films(gap: float) -> Atoms:
    """Return two films whose facing planes are `gap` apart."""
    lower, upper = slab(2), slab(2)
    atoms = lower.copy()
    top = lower.positions[:, 2].max()
    upper.positions[:, 2] += top + gap - upper.positions[:, 2].min()
    atoms += upper
    atoms.center(vacuum=6.0, axis=2)
    return atoms


def disordered_crystal(seed: int = 1) -> Atoms:
    """Return eight atoms of the crystal, displaced at random."""
    rng = np.random.default_rng(seed)
    cell = 2 * A / 2 * (np.ones((3, 3)) - np.eye(3))
    grid = np.stack(np.meshgrid(*3 * [np.arange(2)], indexing="ij"), axis=-1).reshape(-1, 3)
    atoms = Atoms("Ag8", scaled_positions=grid / 2.0, cell=cell, pbc=True)
    atoms.positions += rng.normal(0.0, 0.25, (8, 3))
    return atoms


def neck(seed: int = 3, least: float = 2.5) -> Atoms:
    """Return four atoms along z, sideways at random, as a wire in a box of 8 angstrom."""
    rng = np.random.default_rng(seed)
    while True:
        heights = np.arange(4) * 2.1 + rng.normal(0.0, 0.3, 4)
        points = np.column_stack([NECK_BOX / 2 + rng.uniform(-1.7, 1.7, (4, 2)), heights])
        atoms = Atoms("Ag4", points, cell=[NECK_BOX, NECK_BOX, 8.4], pbc=True)
        if neighbor_list("d", atoms, least).size == 0 and neighbor_list("d", atoms, 3.1).size >= 8:
            return atoms


def structures() -> Iterator[tuple[str, Atoms, tuple[int, int, int], int]]:
    """Give name, atoms, mesh and number of bands of every structure."""
    fcc = Atoms("Ag", cell=4.09 / 2 * (np.ones((3, 3)) - np.eye(3)), pbc=True)
    yield "fcc, a=4.09, ultrasoft", fcc, (9, 9, 9), 14
    yield "five-layer (111) slab", slab(5), (12, 12, 1), 48
    yield "three-layer (111) slab with adatom", slab_with_adatom(), (4, 4, 1), 100
    for pair in ((2.5, 3.2), (2.7, 4.0)):
        name = f"chain of pairs, {pair[0]} and {pair[1]} Å"
        yield name, chain(pair), (1, 1, 20), 22
    for d in (3.6, 4.2, 5.0):
        yield f"monatomic chain, d={d}", chain([d]), (1, 1, 24), 14
    yield "square monolayer, d=3.3", square_monolayer(3.3), (10, 10, 1), 14
    for gap in (4.0, 4.8, 5.6):
        yield f"two two-layer (111) films, gap {gap} Å", facing_films(gap), (10, 10, 1), 36
    yield "disordered eight-atom cell", disordered_crystal(), (3, 3, 3), 70
    yield "random neck of four atoms", neck(), (1, 1, 12), 40


def vacuum_level(
    programs: Programs, folder: Path, atoms: Atoms
) -> tuple[float, float] | tuple[None, None]:
    """Return the electrostatic potential farthest from the atoms and its spread, eV."""
    text = (
        f"&inputpp prefix='pw', outdir='./{STATE}', plot_num=11, filplot='potential' /\n"
        "&plot iflag=3, output_format=6, fileout='potential.cube', nfile=1 /\n"
    )
    run_program(programs, "pp.x", text, folder, "pp")
    with (folder / "potential.cube").open() as handle:
        potential = read_cube(handle)["data"]
    shape = potential.shape
    fractions = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)
    points = fractions.reshape(-1, 3) @ atoms.cell.array
    shifts = np.stack(np.meshgrid(*3 * [np.arange(-2, 3)], indexing="ij"), axis=-1).reshape(-1, 3)
    images = (atoms.positions[None] + (shifts @ atoms.cell.array)[:, None]).reshape(-1, 3)
    distance = cKDTree(images).query(points)[0]
    if distance.max() < 4.5:
        return None, None
    far = potential.reshape(-1)[distance > distance.max() - 0.3] * RYDBERG
    return float(far.mean()), float(far.std())


def main() -> None:
    """Compute the structures that are not there yet."""
    parser = argparse.ArgumentParser(
        prog="python -m parametrisation.compute_bands", description=__doc__.splitlines()[0]
    )
    parser.add_argument("output", type=Path, help="JSON file of bands; an old one is added to")
    parser.add_argument("--work", type=Path, required=True, help="folder of the calculations")
    parser.add_argument("--pseudopotential", type=Path, required=True, help="UPF file")
    parser.add_argument("--only", help="structures with this in their names")
    arguments = parser.parse_args()
    content: dict[str, Any] = {
        "about": ABOUT,
        "element": ELEMENT,
        "electrons_per_atom": ELECTRONS,
        "semicore": 0,
        "structures": {},
    }
    if arguments.output.is_file():
        content |= json.loads(arguments.output.read_text(encoding="utf-8"))
    known = content["structures"]
    programs = Programs()
    for name, atoms, mesh, n_bands in structures():
        if name in known or (arguments.only and arguments.only not in name):
            continue
        folder = arguments.work / name.replace(" ", "_").replace(",", "").replace("Å", "A")
        text = pw_input(
            atoms, arguments.pseudopotential.absolute(), PlaneWaveSettings(), mesh, n_bands=n_bands
        )
        result, seconds = self_consistent(text, programs, folder)
        level, spread = vacuum_level(programs, folder, atoms)
        kept = (result.bands - result.fermi_energy).min(axis=0) < HIGHEST
        kept[n_bands - max(2, n_bands // 20) :] = False  # the last bands converge least
        known[name] = {
            "positions": atoms.positions.tolist(),
            "cell": atoms.cell.array.tolist(),
            "kpoints": result.kpoints.round(8).tolist(),
            "weights": result.weights.tolist(),
            "fermi_energy": result.fermi_energy,
            "bands": result.bands[:, kept].round(5).tolist(),
            "vacuum_level": None if level is None else level - result.fermi_energy,
            "vacuum_level_spread": spread,
        }
        write_json(arguments.output, content)
        print(
            name,
            f"{seconds:.0f} s, {len(result.kpoints)} k, E_F {result.fermi_energy:.3f}",
            f"vacuum {known[name]['vacuum_level']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
