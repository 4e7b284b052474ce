"""Frames of atoms that are freed as soon as nobody uses them."""

from ase import Atoms


def freed_when_dropped(atoms: Atoms) -> Atoms:
    """Break the ring of references in which the results of a frame hold themselves.

    A calculator of ASE holds a method of itself, so that a frame with an energy, and the copy of
    its atoms, stay in memory until Python looks for rings. It does when many objects are new; a
    frame is few objects and some hundred kilobytes, so that gigabytes come together before.

    Parameters
    ----------
    atoms : ase.Atoms
        With known results or without.

    Returns
    -------
    ase.Atoms
        The same.

    Examples
    --------
    >>> import weakref
    >>> from ase.calculators.singlepoint import SinglePointCalculator
    >>> atoms = Atoms("Ag")
    >>> atoms.calc = SinglePointCalculator(atoms, energy=-2.0)
    >>> atoms = freed_when_dropped(atoms)
    >>> atoms.get_potential_energy()
    -2.0
    >>> results = weakref.ref(atoms.calc)
    >>> del atoms
    >>> results() is None
    True
    """
    if atoms.calc is not None:
        vars(atoms.calc).pop("get_spin_polarized", None)
    return atoms
