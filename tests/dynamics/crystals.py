"""Energies of periodic crystals and slabs, and the properties of a metal that follow from them."""

import tempfile
from pathlib import Path

import numpy as np
from ase.build import bulk, fcc111
from ase.lattice.cubic import FaceCenteredCubic

from nanogap.dynamics.lammps import open_lammps, run_command
from nanogap.units import KCAL_PER_MOL

#: One eV/angstrom^3 in GPa, one eV/angstrom^2 in J/m^2.
GIGAPASCAL, JOULE_PER_SQUARE_METRE = 160.21766, 16.021766
_STRAIN = 0.005


def energy(interaction, atoms):
    """Potential energy of an orthorhombic periodic structure of neutral atoms, eV."""
    with tempfile.TemporaryDirectory() as name:
        lammps = open_lammps(None)
        bounds = " ".join(f"0.0 {length!r}" for length in atoms.cell.lengths().tolist())
        lammps.commands_string(
            f"units real\natom_style charge\nboundary p p p\n"
            f"region box block {bounds} units box\ncreate_box 1 box\nmass 1 {interaction.mass}"
        )
        positions = atoms.get_positions(wrap=True).ravel().tolist()
        created = lammps.create_atoms(len(atoms), None, [1] * len(atoms), positions)
        assert created == len(atoms)
        for command in interaction.pair_commands(Path(name), fast=True, charges=False):
            run_command(lammps, command, Path(name))
        lammps.command("run 0 post no")
        value = lammps.get_thermo("pe") * KCAL_PER_MOL
        lammps.close()
    return value


def cohesive_energy(interaction, lattice_constant):
    """Energy of an atom of the crystal below that of a free one, eV."""
    crystal = bulk(interaction.element, "fcc", a=lattice_constant, cubic=True) * (3, 3, 3)
    return -energy(interaction, crystal) / len(crystal)


def stiffness(interaction, crystal, *strain):
    """Second derivative of the energy by a strain of the three axes, per volume, GPa."""
    values = []
    for size in (-_STRAIN, 0.0, _STRAIN):
        strained = crystal.copy()
        scale = 1.0 + size * np.array(strain)
        strained.set_cell(crystal.cell.lengths() * scale, scale_atoms=True)
        values.append(energy(interaction, strained))
    second = (values[0] - 2.0 * values[1] + values[2]) / _STRAIN**2
    return second / crystal.get_volume() * GIGAPASCAL


def bulk_modulus(interaction, lattice_constant):
    """B = (C11 + 2 C12)/3 from an even strain, GPa."""
    crystal = bulk(interaction.element, "fcc", a=lattice_constant, cubic=True) * (3, 3, 3)
    return stiffness(interaction, crystal, 1.0, 1.0, 1.0) / 9.0


def elastic_constants(interaction, lattice_constant):
    """C11, C12 and C44, GPa; C44 from a strain of the axes of a crystal turned by 45 degrees."""
    crystal = bulk(interaction.element, "fcc", a=lattice_constant, cubic=True) * (3, 3, 3)
    turned = FaceCenteredCubic(
        symbol=interaction.element,
        latticeconstant=lattice_constant,
        directions=[[1, 1, 0], [-1, 1, 0], [0, 0, 1]],
        size=(4, 4, 3),
    )
    even = stiffness(interaction, crystal, 1.0, 1.0, 1.0) / 3.0  # C11 + 2 C12
    first = stiffness(interaction, crystal, 1.0, 0.0, 0.0)
    shear = stiffness(interaction, turned, 1.0, -1.0, 0.0) / 4.0
    return first, (even - first) / 2.0, shear


def surface_energy(interaction, lattice_constant, layers=8):
    """Energy of an unrelaxed (111) surface, J/m^2."""
    size = (4, 4, layers)
    slab = fcc111(interaction.element, size, a=lattice_constant, vacuum=12.0, orthogonal=True)
    area = float(np.prod(slab.cell.lengths()[:2]))
    bulk_energy = -len(slab) * cohesive_energy(interaction, lattice_constant)
    return (energy(interaction, slab) - bulk_energy) / (2.0 * area) * JOULE_PER_SQUARE_METRE
