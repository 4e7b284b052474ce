"""Dark-field images of few atoms by multislice, with abTEM.

Multislice takes the wave of the probe through the potential of the atoms, slice by slice (J. M.
Cowley and A. F. Moodie, Acta Crystallographica 10, 609 (1957), doi:10.1107/S0365110X57002194).
abTEM does it (J. Madsen and T. Susi, Open Research Europe 1, 24 (2021),
doi:10.12688/openreseurope.13015.2). It is under the GPL-3, so a work that combines it with this
package is under the GPL-3. It is an extra, loaded when it is first asked for.
"""

import importlib
from typing import Any

import numpy as np
from ase import Atoms

from nanogap.errors import NanogapError, SettingsError
from nanogap.imaging.grid import PixelGrid
from nanogap.imaging.microscope import Microscope
from nanogap.typing import FloatArray

#: Spacing of the wave, angstrom. abTEM divides an atom among four points of the grid: at 0.05
#: angstrom that took 8 % of what an atom between the points scatters to 60 to 150 mrad, at 0.025
#: angstrom 0.2 %.
SAMPLING = 0.025
#: Thickness of a slice, and vacuum beside the atoms and the field of view, angstrom.
_SLICE, _VACUUM = 1.0, 3.0
#: Points of the wave, times slices, times places of the probe: at most; about ten minutes.
_MOST = 6e9


def multislice_haadf(
    atoms: Atoms, seen: FloatArray, grid: PixelGrid, microscope: Microscope
) -> FloatArray:
    """Return the image of atoms by multislice, with the probe in the middle of each pixel.

    Parameters
    ----------
    atoms : ase.Atoms
        Their atomic numbers.
    seen : ndarray, shape (n_atoms, 3)
        Their positions as `nanogap.imaging.view.seen_along` gives them, angstrom.
    grid : PixelGrid
    microscope : Microscope
        The probe is that of its aperture, without aberrations and of a point source; atoms rest.

    Returns
    -------
    ndarray, shape (rows, columns)
        Share of the electrons that reach the detector.

    Raises
    ------
    NanogapError
        If abTEM is not installed.
    SettingsError
        If that would take too long, or the detector collects beyond the angles that are sampled.

    Examples
    --------
    >>> from nanogap.imaging.view import seen_along
    >>> atom = Atoms("Ag")
    >>> grid = PixelGrid.around((0.0, 0.0), (2.0, 2.0), 0.5)
    >>> scope = Microscope()
    >>> multislice_haadf(atom, seen_along(atom), grid, scope).shape  # doctest: +SKIP
    (4, 4)
    """
    abtem = _abtem()
    left, right, bottom, top = grid.extent
    low = np.minimum(seen[:, :2].min(axis=0), [left, bottom]) - _VACUUM
    high = np.maximum(seen[:, :2].max(axis=0), [right, top]) + _VACUUM
    deep = float(np.ptp(seen[:, 2])) + 2.0 * _VACUUM
    size = np.append(high - low, deep)
    sampling = min(SAMPLING, microscope.wavelength / (3e-3 * microscope.outer) * 0.97)
    work = float(np.prod(size[:2])) / sampling**2 * (deep / _SLICE) * grid.columns * grid.rows
    if work > _MOST:
        raise SettingsError(
            f"multislice of a cell of {size[0]:.0f} x {size[1]:.0f} x {size[2]:.0f} Å with "
            f"{grid.columns * grid.rows} places of the probe would take {work / _MOST:.0f} times "
            "what is allowed: choose fewer atoms, a smaller field of view or larger pixels, or the "
            "engine linear"
        )
    # the beam goes along +z, from the side that is seen
    placed = np.column_stack([seen[:, :2] - low, seen[:, 2].max() + _VACUUM - seen[:, 2]])
    cell = Atoms(atoms.numbers, positions=placed, cell=size)
    potential = abtem.Potential(cell, sampling=sampling, slice_thickness=_SLICE)
    probe = abtem.Probe(energy=microscope.energy, semiangle_cutoff=microscope.aperture)
    probe.grid.match(potential)
    places = np.stack(np.meshgrid(grid.x - low[0], grid.y - low[1]), axis=-1)
    scan = abtem.CustomScan(places.reshape(-1, 2))
    detector = abtem.AnnularDetector(inner=microscope.inner, outer=microscope.outer)
    measured = probe.scan(potential, scan=scan, detectors=detector)
    found = np.asarray(measured.compute(progress_bar=False).array, dtype=np.float64)
    return found.reshape(grid.shape)


def _abtem() -> Any:
    """Load abTEM.

    Raises
    ------
    NanogapError
        If it is not installed.
    """
    try:
        abtem = importlib.import_module("abtem")
    except ImportError:
        raise NanogapError(
            "the engine abtem needs the package abTEM, which is not installed: "
            "pip install 'nanogap[tem]'"
        ) from None
    # processes and bars of its own are not asked for
    abtem.config.set({"diagnostics.progress_bar": False, "dask.lazy": True})
    return abtem
