"""Directions of view: atoms as the beam sees them."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from scipy.spatial.transform import Rotation

from nanogap.errors import SettingsError
from nanogap.typing import FloatArray

#: Axes of a picture by the axis along which one sees: to the right, upwards, towards the viewer.
_AXES = {
    "x": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    "y": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "z": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


def seen_along(
    atoms: Atoms, axis: str = "y", rotation: Sequence[float] = (0.0, 0.0, 0.0)
) -> FloatArray:
    """Return the positions of atoms in the axes of a picture.

    Parameters
    ----------
    atoms : ase.Atoms
    axis : str
        x, y or z: along it the beam goes. Along x and y, z is upwards.
    rotation : sequence of float
        About the fixed axes x, y and z, one after the other, before that, degrees.

    Returns
    -------
    ndarray, shape (n_atoms, 3)
        To the right, upwards, and towards the source of the beam, angstrom.

    Raises
    ------
    SettingsError
        If the axis is none of these, there are no three angles, or no atoms.

    Examples
    --------
    >>> from ase import Atoms
    >>> seen_along(Atoms("Ag", [[1.0, 2.0, 3.0]]), "y").tolist()
    [[1.0, 3.0, -2.0]]
    """
    if axis not in _AXES:
        raise SettingsError(f"axis = {axis}: choose x, y or z")
    angles = np.asarray(rotation, dtype=np.float64)
    if angles.shape != (3,) or not np.isfinite(angles).all():
        raise SettingsError("rotation: give three angles, about x, y and z, in degrees")
    positions = np.asarray(atoms.positions, dtype=np.float64)
    if not len(positions):
        raise SettingsError("the structure has no atoms: an image shows at least one")
    if not np.isfinite(positions).all():
        raise SettingsError("the structure has positions that are no numbers: mend the file")
    if angles.any():
        positions = Rotation.from_euler("xyz", angles, degrees=True).apply(positions)
    return np.asarray(positions @ np.array(_AXES[axis], dtype=np.float64).T)
