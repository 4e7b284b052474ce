"""Structures of an fcc metal to whose bands its Hamiltonian is fitted.

All lengths within the metal go with its lattice constant; they were chosen for silver, of 4.16 Å.
Empty space does not: work functions of metals differ little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111
from ase.neighborlist import neighbor_list

#: Lattice constant of silver's pseudopotential, for which lengths were chosen, angstrom.
SILVER = 4.16
#: Empty space beside surfaces; sides of the boxes around wires and around necks, angstrom.
VACUUM, BOX, NECK_BOX = 6.0, 10.0, 8.0
#: Left out of a fit, so that they judge it: one of every kind that carries a current, within the
#: range of lengths that the others span. Lengths are those of silver.
HELD_OUT_CHAIN, HELD_OUT_GAP = 3.1, 4.8


@dataclass(frozen=True)
class Structure:
    """A structure and how its bands are computed.

    Attributes
    ----------
    name : str
    atoms : ase.Atoms
        Periodic in all directions.
    mesh : tuple of int
        k-points along the reciprocal vectors, centred on Gamma.
    n_bands : int
    importance : float
        Weight in the fit.
    held_out : bool
        Whether it judges the fit and is left out of it.
    """

    name: str
    atoms: Atoms
    mesh: tuple[int, int, int]
    n_bands: int
    importance: float = 1.0
    held_out: bool = False


class Builder:
    """Structures of one metal.

    Parameters
    ----------
    element : str
        Chemical symbol.
    lattice_constant : float
        Of its crystal, angstrom.
    """

    def __init__(self, element: str, lattice_constant: float) -> None:
        self.element = element
        self.a = lattice_constant
        self.scale = lattice_constant / SILVER

    def structures(self) -> Iterator[Structure]:
        """Give all structures, those that take longest at the end."""
        yield from self.crystals()
        yield from self.planes()
        yield from self.chains()
        yield Structure(
            "disordered four-atom cell",
            self.disordered(bulk(self.element, "fcc", a=self.a, cubic=True)),
            (4, 4, 4),
            44,
            1.5,
        )
        for seed, strain in ((2, 0.97), (3, 1.0), (4, 1.03)):
            crystal = bulk(self.element, "fcc", a=strain * self.a, cubic=True)
            name = f"disordered four-atom cell, a={strain * self.a:.2f}"
            yield Structure(name, self.disordered(crystal, seed), (4, 4, 4), 44, 1.5)
        for gap in (4.0, 4.8, 5.6):
            name = f"two two-layer (111) films, gap {gap * self.scale:.1f} Å"
            films = self.facing_films(gap * self.scale)
            yield Structure(name, films, (10, 10, 1), 36, 2.0, held_out=gap == HELD_OUT_GAP)
        yield Structure("random neck of four atoms", self.neck(), (1, 1, 12), 40)
        yield Structure("five-layer (111) slab", self.slab(5), (12, 12, 1), 48, 1.5)
        yield Structure(
            "disordered eight-atom cell",
            self.disordered(bulk(self.element, "fcc", a=self.a) * 2),
            (3, 3, 3),
            70,
            held_out=True,
        )
        atoms = self.slab_with_adatom()
        yield Structure("three-layer (111) slab with adatom", atoms, (4, 4, 1), 100, 2.0)

    def crystals(self) -> Iterator[Structure]:
        """Give fcc at several volumes, bcc and simple cubic."""
        for strain, importance in (
            (0.95, 1.0),
            (0.983, 3.0),
            (1.0, 3.0),
            (1.022, 3.0),
            (1.07, 1.0),
        ):
            name = f"fcc, a={self.a * strain:.2f}"
            atoms = bulk(self.element, "fcc", a=self.a * strain)
            yield Structure(name, atoms, (8, 8, 8), 14, importance)
        for kind, title, edge in (("bcc", "bcc", 3.27), ("sc", "simple cubic", 2.75)):
            atoms = bulk(self.element, kind, a=edge * self.scale)
            yield Structure(f"{title}, a={edge * self.scale:.2f}", atoms, (8, 8, 8), 14)

    def planes(self) -> Iterator[Structure]:
        """Give monolayers and a film of three layers."""
        for bond in (2.75, 3.3):
            d = bond * self.scale
            atoms = Atoms(self.element, cell=[d, d, 2 * VACUUM], pbc=True)
            yield Structure(f"square monolayer, d={d:.2f}", atoms, (10, 10, 1), 14)
        d = 2.80 * self.scale
        atoms = fcc111(self.element, (1, 1, 1), a=d * 2**0.5, vacuum=VACUUM)
        atoms.pbc = True
        yield Structure(f"hexagonal monolayer, d={d:.2f}", atoms, (10, 10, 1), 14)
        yield Structure("three-layer (111) film", self.slab(3), (10, 10, 1), 32, 1.5)

    def chains(self) -> Iterator[Structure]:
        """Give chains: straight at several stretches, of pairs, and bent."""
        for bond in (2.65, 2.89, 3.1, 3.6, 4.2, 5.0):
            d = bond * self.scale
            importance = 1.5 if bond == 2.89 else 1.0
            atoms = self.chain([d])
            name, held_out = f"monatomic chain, d={d:.2f}", bond == HELD_OUT_CHAIN
            yield Structure(name, atoms, (1, 1, 24), 14, importance, held_out)
        for pair in ((2.5, 3.2), (2.7, 4.0)):
            short, long = (d * self.scale for d in pair)
            name = f"chain of pairs, {short:.2f} and {long:.2f} Å"
            yield Structure(name, self.chain([short, long]), (1, 1, 20), 22)
        side, step = 2.425 * self.scale, 1.4 * self.scale
        zigzag = Atoms(
            f"{self.element}2",
            [(0, 0, 0), (0, side, step)],
            cell=[BOX, BOX + side, 2 * step],
            pbc=True,
        )
        yield Structure("zigzag chain", zigzag, (1, 1, 16), 24)

    def slab(self, layers: int, width: int = 1) -> Atoms:
        """Return a (111) film."""
        atoms = fcc111(self.element, (width, width, layers), a=self.a, vacuum=VACUUM)
        atoms.pbc = True
        return atoms

    def slab_with_adatom(self) -> Atoms:
        """Return a film with an atom in a hollow that continues the crystal."""
        atoms = self.slab(3, 2)
        add_adsorbate(atoms, self.element, 2.25 * self.scale, "fcc")
        atoms.center(vacuum=VACUUM, axis=2)
        return atoms

    def chain(self, distances: Sequence[float]) -> Atoms:
        """Return a chain along z whose bonds repeat."""
        heights = np.concatenate([[0.0], np.cumsum(distances)])
        positions = np.column_stack([np.full((len(distances), 2), BOX / 2), heights[:-1]])
        cell = [BOX, BOX, heights[-1]]
        return Atoms(f"{self.element}{len(distances)}", positions, cell=cell, pbc=True)

    def facing_films(self, gap: float) -> Atoms:
        """Return two films whose facing planes are `gap` apart."""
        lower, upper = self.slab(2), self.slab(2)
        atoms = lower.copy()
        top = lower.positions[:, 2].max()
        upper.positions[:, 2] += top + gap - upper.positions[:, 2].min()
        atoms += upper
        atoms.center(vacuum=VACUUM, axis=2)
        return atoms

    def disordered(self, crystal: Atoms, seed: int = 1) -> Atoms:
        """Return a crystal whose atoms are displaced at random, by 0.25 angstrom in silver."""
        atoms = crystal.copy()
        displacement = 0.25 * self.scale
        atoms.positions += np.random.default_rng(seed).normal(0.0, displacement, (len(atoms), 3))
        return atoms

    def neck(self, seed: int = 3) -> Atoms:
        """Return four atoms along z, sideways at random, as a wire in a box."""
        rng = np.random.default_rng(seed)
        least, bond, step = 2.5 * self.scale, 3.1 * self.scale, 2.1 * self.scale
        while True:
            heights = np.arange(4) * step + rng.normal(0.0, 0.3 * self.scale, 4)
            sides = NECK_BOX / 2 + self.scale * rng.uniform(-1.7, 1.7, (4, 2))
            atoms = Atoms(
                f"{self.element}4",
                np.column_stack([sides, heights]),
                cell=[NECK_BOX, NECK_BOX, 4 * step],
                pbc=True,
            )
            close = neighbor_list("d", atoms, least).size
            if not close and neighbor_list("d", atoms, bond).size >= 8:
                return atoms
