"""First-principles transmissions that the vacuum tail is fitted to and judged by, and their files.

A file is JSON, made by ``parametrisation.compute_pwcond``: ``element``, ``work_function`` (eV),
``fitted`` (names of the junctions that the tail is fitted to; the others judge it), and
``junctions``: name to ``class``, ``positions``, ``cell``, ``pbc``, ``region``, ``left_period`` and
``right_period`` (angstrom), ``kpoints``, ``gamma_centred``, ``energies`` (eV from the Fermi
energy), ``transmission`` (G0, mean over k, per energy) and ``time`` (s, one core).
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from nanogap.errors import DataFormatError, SettingsError
from nanogap.printing import listed
from nanogap.transport.tight_binding.files import elements_of_files

#: Energies that agree to this are equal, eV.
_SAME_ENERGY = 1e-6
#: Names of the packaged files, around the symbol of the element.
_PREFIX, _SUFFIX = "pwcond_calibration_", ".json"


@dataclass(frozen=True)
class ReferenceJunction:
    """A junction with its first-principles transmission.

    Attributes
    ----------
    name : str
    kind : str
        Class of the junction, for example ``gap`` or ``dimer``.
    atoms : ase.Atoms
        In the junction format.
    kpoints : tuple of int
        Points of the mesh in the plane.
    gamma_centred : bool
        Whether the mesh is centred on Gamma, or shifted off it.
    transmission : float
        At the Fermi energy, mean over the mesh, G0.
    time : float
        That its computation took on one core, s.
    """

    name: str
    kind: str
    atoms: Atoms
    kpoints: tuple[int, int]
    gamma_centred: bool
    transmission: float
    time: float


@dataclass(frozen=True)
class ReferenceTransmissions:
    """Content of a file of reference transmissions.

    Attributes
    ----------
    element : str
        Chemical symbol.
    work_function : float
        Of the (111) surface with the same pseudopotential, eV.
    junctions : tuple of ReferenceJunction
    fitted : tuple of str
        Names of the junctions that the vacuum tail is fitted to.
    """

    element: str
    work_function: float
    junctions: tuple[ReferenceJunction, ...]
    fitted: tuple[str, ...]

    @property
    def fitted_junctions(self) -> tuple[ReferenceJunction, ...]:
        """Junctions that the vacuum tail is fitted to, in the order of `fitted`."""
        by_name = {junction.name: junction for junction in self.junctions}
        return tuple(by_name[name] for name in self.fitted)


def read_reference_transmissions(path: Path) -> ReferenceTransmissions:
    """Read a file of reference transmissions.

    Raises
    ------
    DataFormatError
        If it cannot be read, something is missing or of another form, or a junction has no
        transmission at the Fermi energy.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFormatError(f"{path} cannot be read as JSON: {error}") from None
    return _parse(content, str(path))


def elements_with_transmissions() -> tuple[str, ...]:
    """Return the chemical symbols of the elements that have packaged transmissions."""
    return elements_of_files(_PREFIX, _SUFFIX)


def packaged_reference_transmissions(element: str = "Ag") -> ReferenceTransmissions:
    """Read the transmissions of an element's junctions that come with the package.

    Raises
    ------
    SettingsError
        If there are none of the element.
    """
    known = elements_with_transmissions()
    if element not in known:
        raise SettingsError(
            f"nanogap has no first-principles transmissions of {element} (only of "
            f"{listed(known)}): give a file of parametrisation.compute_pwcond"
        )
    resource = files("nanogap.transport") / "data" / f"{_PREFIX}{element.lower()}{_SUFFIX}"
    return _parse(json.loads(resource.read_text("utf-8")), resource.name)


def _parse(content: Any, name: str) -> ReferenceTransmissions:
    """Check the layout of a parsed file; error messages call it by `name`."""
    try:
        element = str(content["element"])
        junctions = tuple(
            _junction(label, entry, element) for label, entry in content["junctions"].items()
        )
        found = ReferenceTransmissions(
            element=element,
            work_function=float(content["work_function"]),
            junctions=junctions,
            fitted=tuple(content["fitted"]),
        )
        _check(found)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataFormatError(
            f"{name} is not in the layout of reference transmissions: {reason} "
            "(parametrisation.compute_pwcond writes it)"
        ) from None
    return found


def _check(found: ReferenceTransmissions) -> None:
    """Refuse numbers and names with which nothing could be fitted or judged."""
    if not found.junctions:
        raise ValueError("junctions is empty")
    for name in set(found.fitted) - {junction.name for junction in found.junctions}:
        raise ValueError(f"fitted names {name!r}, which is no junction")
    if not 0.0 < found.work_function < np.inf:
        raise ValueError(f"work_function must be above 0 eV, not {found.work_function:g}")
    for junction in found.junctions:
        if not 0.0 <= junction.transmission < np.inf:
            raise ValueError(f"the transmission of {junction.name!r} must not be negative")


def _junction(name: str, entry: dict[str, Any], element: str) -> ReferenceJunction:
    atoms = Atoms(
        f"{element}{len(entry['positions'])}",
        entry["positions"],
        cell=entry["cell"],
        pbc=entry["pbc"],
    )
    atoms.new_array("region", np.array(entry["region"]))
    atoms.info.update(left_period=entry["left_period"], right_period=entry["right_period"])
    energies = np.array(entry["energies"], dtype=np.float64)
    nearest = int(np.abs(energies).argmin())
    if abs(energies[nearest]) > _SAME_ENERGY:
        raise ValueError(f"junction {name!r} has no transmission at the Fermi energy")
    first, second = entry["kpoints"]
    return ReferenceJunction(
        name=name,
        kind=str(entry["class"]),
        atoms=atoms,
        kpoints=(int(first), int(second)),
        gamma_centred=bool(entry["gamma_centred"]),
        transmission=float(entry["transmission"][nearest]),
        time=float(entry["time"]),
    )
