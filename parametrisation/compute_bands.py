r"""Compute first-principles bands of a metal's structures, for its tight-binding fit.

Makes a file in the layout that `nanogap.transport.fitting.reference_bands.read_band_file` reads
(``dft_bands_au.json`` and ``dft_bands_cu.json`` of the package), by pw.x and pp.x:

    python -m parametrisation.compute_bands ELEMENT OUTPUT.json --work FOLDER \
        [--pseudopotential FILE.UPF] [--lattice-constant A] [--only NAME]

Without a UPF file the pseudopotential is that of ``nanogap pseudopotential ELEMENT``. The output is
rewritten after every structure; structures that it holds already, and what was added to it by hand,
are left alone. Seconds for a chain, minutes to half an hour for the films, on one core.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.cube import read_cube
from scipy.spatial import cKDTree

from nanogap.cli.programs import run_main
from nanogap.io import write_json
from nanogap.transport.espresso.programs import Programs, run_program
from nanogap.transport.espresso.pseudopotential import Pseudopotential, find_pseudopotential
from nanogap.transport.espresso.pw import (
    RYDBERG,
    STATE,
    PlaneWaveResult,
    PlaneWaveSettings,
    pw_input,
    self_consistent,
)
from nanogap.transport.fitting.metal_size import lattice_constant
from parametrisation.earlier import read_earlier
from parametrisation.structures import Builder, Structure

#: Bands are kept up to so far above the Fermi energy, eV.
HIGHEST = 7.0
#: The slab whose vacuum level is the metal's work function.
SLAB = "five-layer (111) slab"


def about(pseudopotential: Pseudopotential, lattice_constant: float) -> str:
    """Say what the file holds."""
    found = pseudopotential
    return (
        f"Band energies of {found.element} for fitting a tight-binding Hamiltonian, made by "
        f"parametrisation.compute_bands: Quantum ESPRESSO, PBE, plane waves {found.wave_cutoff:g}/"
        f"{found.density_cutoff:g} Ry, {found.kind} pseudopotential of {found.valence:g} electrons "
        f"(checksum {found.checksum}), lattice constant {lattice_constant:g} angstrom. Positions "
        "and cell in angstrom, kpoints in units of the reciprocal cell vectors, energies in eV on "
        "the calculation's own scale (subtract fermi_energy). vacuum_level: electrostatic "
        "potential farthest from the atoms, from fermi_energy (the work function), null without "
        "vacuum. Bands above the vacuum level are box states."
    )


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


def has_gap(result: PlaneWaveResult) -> bool:
    """Whether no band crosses the Fermi energy, which is then anywhere in a gap."""
    energies = result.bands - result.fermi_energy
    return not np.any((energies.min(axis=0) < 0.0) & (energies.max(axis=0) > 0.0))


def record(
    structure: Structure, result: PlaneWaveResult, levels: tuple[Any, Any]
) -> dict[str, Any]:
    """Put a result into plain data."""
    kept = (result.bands - result.fermi_energy).min(axis=0) < HIGHEST
    # the last bands converge least
    kept[structure.n_bands - max(2, structure.n_bands // 20) :] = False
    level, spread = levels
    return {
        "positions": structure.atoms.positions.round(8).tolist(),
        "cell": structure.atoms.cell.array.round(8).tolist(),
        "kpoints": result.kpoints.round(8).tolist(),
        "weights": result.weights.tolist(),
        "fermi_energy": result.fermi_energy,
        "bands": result.bands[:, kept].round(5).tolist(),
        "vacuum_level": None if level is None else level - result.fermi_energy,
        "vacuum_level_spread": spread,
    }


def main() -> None:
    """Compute the structures that are not there yet."""
    parser = argparse.ArgumentParser(
        prog="python -m parametrisation.compute_bands", description=__doc__.splitlines()[0]
    )
    parser.add_argument("element", help="chemical symbol of an fcc metal")
    parser.add_argument("output", type=Path, help="JSON file of bands; an old one is added to")
    parser.add_argument("--work", type=Path, required=True, help="folder of the calculations")
    parser.add_argument("--pseudopotential", type=Path, help="UPF file (default: nanogap's own)")
    parser.add_argument(
        "--lattice-constant",
        type=float,
        help="of the crystal, angstrom (default: all-electron PBE, doi:10.1126/science.aad3000)",
    )
    parser.add_argument("--only", help="structures with this in their names")
    arguments = parser.parse_args()
    earlier = read_earlier(arguments.output, arguments.element)
    if arguments.lattice_constant is None:
        edge = lattice_constant(arguments.element)
    elif 2.0 <= arguments.lattice_constant <= 8.0:
        edge = arguments.lattice_constant
    else:
        parser.error("--lattice-constant must lie between 2 and 8 angstrom")
    programs = Programs()
    found = find_pseudopotential(arguments.element, programs, arguments.pseudopotential)
    content: dict[str, Any] = {
        "about": about(found, edge),
        "element": found.element,
        "electrons_per_atom": found.valence,
        "semicore": 0,
        "importance": {},
        "gapped": [],
        "held_out": [],
        "structures": {},
    }
    content |= earlier
    known = content["structures"]
    settings = PlaneWaveSettings(found.wave_cutoff, found.density_cutoff)
    structures = list(Builder(found.element, edge).structures())
    if arguments.only and not any(arguments.only in one.name for one in structures):
        names = ", ".join(repr(one.name) for one in structures)
        parser.error(f"--only {arguments.only!r} is in no name; there are {names}")
    for structure in structures:
        name = structure.name
        if name in known or (arguments.only and arguments.only not in name):
            continue
        folder = arguments.work / name.replace(" ", "_").replace(",", "").replace("Å", "A")
        text = pw_input(
            structure.atoms,
            found.path.absolute(),
            settings,
            structure.mesh,
            n_bands=structure.n_bands,
        )
        result, seconds = self_consistent(text, programs, folder)
        known[name] = record(structure, result, vacuum_level(programs, folder, structure.atoms))
        if structure.importance != 1.0:
            content["importance"].setdefault(name, structure.importance)
        if has_gap(result):
            content["gapped"].append(name)
        if structure.held_out and name not in content["held_out"]:
            content["held_out"].append(name)
        if name == SLAB:
            content["work_function"] = known[name]["vacuum_level"]
        write_json(arguments.output, content)
        print(
            name,
            f"{seconds:.0f} s, {len(result.kpoints)} k, E_F {result.fermi_energy:.3f}",
            f"vacuum {known[name]['vacuum_level']}",
            flush=True,
        )


if __name__ == "__main__":
    run_main(main)
