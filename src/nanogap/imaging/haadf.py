r"""Dark-field images by incoherent Z-contrast: atoms, and wires by their projected thickness.

Electrons that are scattered to large angles carry no phase from one atom to the next, so the image
is the sum of what the atoms scatter, spread by the probe (S. J. Pennycook and D. E. Jesson,
Ultramicroscopy 37, 14 (1991), doi:10.1016/0304-3991(91)90004-P):

    share(r) = sum_i s(Z_i) p(r - r_i)

with the cross-section s of `nanogap.imaging.microscope` and the probe p of `nanogap.imaging.probe`.
In thick metal the electrons that have not been scattered become fewer by Lambert and Beer's law
(L. Reimer and H. Kohl, Transmission Electron Microscopy, doi:10.1007/978-0-387-40093-8, chapter 6):

    share = 1 - exp(-t / L),    L = 1 / (N s)

with the projected thickness t and N atoms per volume. Electrons that are scattered twice, and so
beyond the outer angle, are counted as if they were not.
"""

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from nanogap.errors import SettingsError
from nanogap.imaging.grid import PixelGrid, cropped
from nanogap.imaging.microscope import Microscope
from nanogap.imaging.outline import Outline
from nanogap.imaging.probe import blurred, margin_of, spread
from nanogap.typing import FloatArray

#: Atoms per cubic angstrom at 300 K: four in a cubic cell of that constant (W. M. Haynes, ed., CRC
#: Handbook of Chemistry and Physics, 97th ed., 2016).
_LATTICE_CONSTANTS = {"Ag": 4.0862, "Au": 4.0782, "Cu": 3.6149}
#: Samples along the wire within a pixel.
_SAMPLES = 8


def haadf_of_atoms(
    atoms: Atoms,
    seen: FloatArray,
    grid: PixelGrid,
    *,
    probe: float = 1.0,
    microscope: Microscope | None = None,
) -> FloatArray:
    """Return the image of atoms.

    Parameters
    ----------
    atoms : ase.Atoms
        Their atomic numbers.
    seen : ndarray, shape (n_atoms, 3)
        Their positions as `nanogap.imaging.view.seen_along` gives them, angstrom.
    grid : PixelGrid
    probe : float
        Full width at half maximum, source size included, angstrom.
    microscope : Microscope, optional

    Returns
    -------
    ndarray, shape (rows, columns)
        Share of the electrons of the beam that reach the detector; first order in the thickness.

    Raises
    ------
    SettingsError
        If the probe has no width, or the image is too large.

    Examples
    --------
    >>> from nanogap.imaging.view import seen_along
    >>> atoms = Atoms("Ag", [[0.0, 0.0, 0.0]])
    >>> grid = PixelGrid.around((0.0, 0.0), (12.0, 12.0), 0.2)
    >>> image = haadf_of_atoms(atoms, seen_along(atoms), grid)
    >>> whole = float(image.sum()) * grid.pixel**2
    >>> bool(np.isclose(whole, Microscope().cross_section(47)))
    True
    """
    scope = microscope or Microscope()
    sections = {number: scope.cross_section(number) for number in set(atoms.numbers.tolist())}
    weights = np.array([sections[number] for number in atoms.numbers.tolist()])
    return spread(seen[:, :2], weights, grid, probe)


def projected_thickness(outline: Outline, grid: PixelGrid) -> FloatArray:
    r"""Return the thickness of a body of revolution along the beam, as the mean over each pixel.

    Parameters
    ----------
    outline : Outline
    grid : PixelGrid

    Returns
    -------
    ndarray, shape (rows, columns)
        2 sqrt(R(x)^2 - y^2), angstrom; its integral over y is exact, that over x of 8 samples.

    Examples
    --------
    >>> rod = Outline(np.array([-9.0, 9.0]), np.array([25.0, 25.0]))
    >>> grid = PixelGrid.around((0.0, 0.0), (0.01, 0.01), 0.01)
    >>> round(float(projected_thickness(rod, grid)[0, 0]), 4)
    10.0
    """
    edges = grid.bottom + grid.pixel * np.arange(grid.rows + 1, dtype=np.float64)
    total = np.zeros(grid.shape)
    for place in range(_SAMPLES):
        x = grid.x + grid.pixel * ((place + 0.5) / _SAMPLES - 0.5)
        total += np.diff(_below(outline.radius(x)[None, :], edges[:, None]), axis=0)
    return total / (_SAMPLES * grid.pixel)


def _below(radius: FloatArray, y: FloatArray) -> FloatArray:
    """Return the area of a circle below a line at y, but for a constant."""
    inside = np.clip(y, -radius, radius)
    share = np.divide(inside, radius, out=np.zeros(inside.shape), where=radius > 0.0)
    root = np.sqrt(np.maximum(radius**2 - inside**2, 0.0))
    return np.asarray(inside * root + radius**2 * np.arcsin(share))


def haadf_of_outline(
    outline: Outline,
    grid: PixelGrid,
    element: str = "Ag",
    *,
    probe: float = 10.0,
    microscope: Microscope | None = None,
) -> FloatArray:
    """Return the image of a wire.

    Parameters
    ----------
    outline : Outline
    grid : PixelGrid
    element : str
        Ag, Au or Cu.
    probe : float
        Full width at half maximum, angstrom.
    microscope : Microscope, optional

    Returns
    -------
    ndarray, shape (rows, columns)
        Share of the electrons of the beam that reach the detector, with its saturation.

    Raises
    ------
    SettingsError
        If the density of the element is not known, the probe has no width, or the image is too
        large.

    Examples
    --------
    >>> rod = Outline(np.array([-900.0, 900.0]), np.array([90000.0, 90000.0]))
    >>> grid = PixelGrid.around((0.0, 0.0), (100.0, 100.0), 10.0)
    >>> bool(0.2 < haadf_of_outline(rod, grid)[5, 5] < 0.4)  # 60 nm of silver
    True
    """
    depth = (microscope or Microscope()).depth(atomic_numbers[element], density_of(element))
    margin = margin_of(grid.pixel, probe)
    share = -np.expm1(-projected_thickness(outline, grid.padded(margin)) / depth)
    return cropped(blurred(share, grid.pixel, probe), margin)


def density_of(element: str) -> float:
    """Return the atoms per cubic angstrom of a metal at 300 K.

    Raises
    ------
    SettingsError
        If it is not known.

    Examples
    --------
    >>> round(density_of("Ag"), 4)
    0.0586
    """
    if element not in _LATTICE_CONSTANTS:
        known = ", ".join(_LATTICE_CONSTANTS)
        raise SettingsError(f"element = {element}: wires are drawn of {known}")
    return float(4.0 / _LATTICE_CONSTANTS[element] ** 3)
