"""A user's own ReaxFF file: what it says of one element, checked, and handed to LAMMPS as it is.

The format is that of the original program: a title; general parameters, one a line; blocks of
atoms (4 lines each), bonds (2), off-diagonal terms, angles, torsions and hydrogen bonds (1), each
after a line with their number, those of atoms and bonds after three and one lines of comment more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ase.data import atomic_masses, atomic_numbers, reference_states

from nanogap.dynamics.forcefield import ATOM_COLUMNS, BOND_COLUMNS, control_file, reaxff_commands
from nanogap.errors import DataFormatError, SettingsError

_GENERAL = 39
_COLUMNS = 8
_BOND_PARTNERS = 2
_ATOM_LINES, _BOND_LINES = 4, 2
#: Rows that follow the bonds: how many atoms a row is of, and whether angle loops need it.
_ROWS = (
    ("off-diagonal terms", 2, False),
    ("angles", 3, True),
    ("torsions", 4, True),
    ("hydrogen bonds", 3, True),
)


@dataclass(frozen=True)
class UserForceField:
    """A user's own ReaxFF file for one element.

    Attributes
    ----------
    element : str
        Chemical symbol.
    content : str
        The file.
    general : tuple of float
        The general parameters in file order.
    atom, bond : dict
        Parameters of the element and of its bond with itself, by name, in the units of the file.
    has_angles : bool
        Whether it has angle, torsion or hydrogen-bond terms of this element alone.
    has_off_diagonal : bool
        Whether it has off-diagonal terms of this element alone.
    """

    element: str
    content: str
    general: tuple[float, ...]
    atom: dict[str, float]
    bond: dict[str, float]
    has_angles: bool
    has_off_diagonal: bool

    @property
    def mass(self) -> float:
        """Standard atomic weight, u."""
        return float(atomic_masses[atomic_numbers[self.element]])

    @property
    def lattice_constant(self) -> float:
        """Measured fcc lattice constant, angstrom: where the search begins."""
        return float(reference_states[atomic_numbers[self.element]]["a"])

    @property
    def charged(self) -> bool:
        """Whether atoms carry charges."""
        return True

    @property
    def other_terms(self) -> str:
        """Terms of the element alone beside those of atoms and bonds, in words; empty: none."""
        terms = {
            "angle, torsion or hydrogen-bond terms": self.has_angles,
            "off-diagonal terms": self.has_off_diagonal,
        }
        return " and ".join(name for name, there in terms.items() if there)

    def text(self) -> str:
        """Return the file."""
        return self.content

    def pair_commands(self, folder: Path, *, fast: bool, charges: bool = True) -> tuple[str, ...]:
        """Write a copy of the file, and return the LAMMPS commands; see `Interaction`."""
        table = folder / "user.ff"
        table.write_text(self.content, encoding="utf-8")
        control = control_file(folder, fast=fast, angles=self.has_angles)
        return reaxff_commands(table, control, self.element, charges=charges)


def read_force_field(path: Path, element: str) -> UserForceField:
    """Read a ReaxFF file and check what it says of an element.

    Parameters
    ----------
    path : Path
    element : str
        Chemical symbol.

    Returns
    -------
    UserForceField

    Raises
    ------
    DataFormatError
        If the file cannot be read, or a line of it is not what it must be; the message names it.
    SettingsError
        If the element is not in the file, or has no bond or no charge parameters, or is no fcc
        metal.
    """
    if element not in atomic_numbers:
        raise SettingsError(f"structure.element = {element!r} is no chemical symbol, like Ag or Cu")
    state = reference_states[atomic_numbers[element]]
    if not state or state["symmetry"] != "fcc":
        raise SettingsError(
            f"structure.element = {element!r}: tips are fcc crystals, and {element} is none"
        )
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DataFormatError(
            f"dynamics.force_field = {str(path)!r} cannot be read: {reason}: give the path of a "
            "ReaxFF file, or 'packaged'"
        ) from None
    return _Lines(path, content.splitlines()).force_field(element, content)


class _Lines:
    """The lines of a file, read from the top; messages name the line that is wrong."""

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self._path = path
        self._lines = lines
        self._next = 0

    def force_field(self, element: str, content: str) -> UserForceField:
        self._skip(1)
        general = [
            self._numbers(self._take("a general parameter").split()[:1], 1)[0]
            for _ in range(self._count("general parameters", _GENERAL))
        ]
        atoms = self._atoms()
        if element not in atoms:
            raise SettingsError(
                f"{self._path} has no element {element} (structure.element): it has "
                f"{', '.join(atoms)}"
            )
        number = 1 + list(atoms).index(element)
        names = [name for columns in ATOM_COLUMNS for name in columns]
        atom = dict(zip(names, atoms[element], strict=True))
        self._check_charges(element, atom)
        bonds = self._bonds()
        if (number, number) not in bonds:
            raise SettingsError(
                f"{self._path} has no bond {number} {number} ({element}-{element}): give a file "
                f"that was made for the metal"
            )
        names = [name for columns in BOND_COLUMNS for name in columns]
        has_angles, has_off_diagonal = self._other_terms(number)
        return UserForceField(
            element,
            content,
            tuple(general),
            atom,
            dict(zip(names, bonds[number, number], strict=False)),
            has_angles,
            has_off_diagonal,
        )

    def _atoms(self) -> dict[str, list[float]]:
        """Parameters of every element, in the order of the file."""
        count = self._count("atoms", 1)
        self._skip(3)
        found: dict[str, list[float]] = {}
        for _ in range(count):
            symbol, *first = self._take("an atom").split()
            values = self._numbers(first, _COLUMNS)
            for _ in range(_ATOM_LINES - 1):
                values += self._numbers(self._take(f"atom {symbol}").split(), _COLUMNS)
            found[symbol] = values
        return found

    def _check_charges(self, element: str, parameters: dict[str, float]) -> None:
        for name in ("gamma_EEM", "eta_EEM"):
            if parameters[name] <= 0.0:
                raise SettingsError(
                    f"{self._path}: {name} of {element} is {parameters[name]:g}: charges need one "
                    "above 0; give a file with charge equilibration for the metal"
                )

    def _bonds(self) -> dict[tuple[int, int], list[float]]:
        """Parameters of every bond, by the numbers of its atoms."""
        count = self._count("bonds", 1)
        self._skip(1)
        found: dict[tuple[int, int], list[float]] = {}
        for _ in range(count):
            first, second, *values = self._take("a bond").split()
            numbers = self._numbers(values, _COLUMNS)
            # the last column of the second line is not used, and some files leave it out
            numbers += self._numbers(self._take("a bond").split(), _COLUMNS - 1)
            found[self._whole(first), self._whole(second)] = numbers
        return found

    def _other_terms(self, number: int) -> tuple[bool, bool]:
        """Whether there are angle loops, and off-diagonal terms, of an element alone."""
        angles = off_diagonal = False
        for name, partners, matters in _ROWS:
            for _ in range(self._count(name, 0)):
                words = self._take(f"one of the {name}").split()
                atoms = [self._whole(word) for word in words[:partners]]
                # 0 in a torsion stands for any element
                own = set(atoms) <= {0, number}
                angles |= matters and own
                off_diagonal |= own and name == _ROWS[0][0]
        return angles, off_diagonal

    def _take(self, what: str) -> str:
        if self._next >= len(self._lines):
            raise DataFormatError(f"{self._path} ends at line {self._next}: {what} is missing")
        self._next += 1
        return self._lines[self._next - 1]

    def _skip(self, count: int) -> None:
        for _ in range(count):
            self._take("a line")

    def _count(self, what: str, least: int) -> int:
        """Read the number that a block begins with."""
        words = self._take(f"the number of {what}").split()
        if not words or not words[0].isdecimal() or int(words[0]) < least:
            raise self._wrong(f"the number of {what}, at least {least}")
        return int(words[0])

    def _whole(self, word: str) -> int:
        try:
            return int(word)
        except ValueError:
            raise self._wrong("a whole number") from None

    def _numbers(self, words: Sequence[str], count: int) -> list[float]:
        try:
            values = [float(word) for word in words[: max(count, _COLUMNS)]]
        except ValueError:
            values = []
        if len(values) < count:
            raise self._wrong("one number" if count == 1 else f"{count} numbers")
        return values

    def _wrong(self, expected: str) -> DataFormatError:
        return DataFormatError(
            f"{self._path}, line {self._next}: expected {expected}, found "
            f"{self._lines[self._next - 1].strip()!r}"
        )
