"""The computed bands as arrays, and their file."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.dynamics.embedded_functions import Functions
from nanogap.errors import NanogapError
from nanogap.io.atomic import write_bytes
from nanogap.typing import BoolArray, FloatArray, Int64Array
from parametrisation.barriers.environments import Chooser
from parametrisation.barriers.processes import Barrier, hop_barrier
from parametrisation.barriers.sites import HALF, SECOND, Hop

#: Why a hop has no barrier; see `processes.Barrier`.
OUTCOMES = ("ok", "start left", "end left", "returns", "not converged", "other minimum")
#: Where the environment came from.
SOURCES = ("surface", "shell")
#: Every so many-th environment is stored whole, to be computed again.
WHOLE_EVERY = 25
#: Sites in a sphere around the start that a stored environment holds, half lattice constants.
_SPHERE = 12.0


@dataclass(frozen=True)
class Bands:
    """Hops and their barriers, one row a hop.

    Attributes
    ----------
    ends : Int64Array
        (n, 2) neighbours at the start and at the end, without the atom that hops.
    kind : Int64Array
        (n,) kind of what surrounds the bond; see `nanogap.device.bonds.bond_kind`.
    second : Int64Array
        (n, 2) second neighbours at the start and at the end.
    pattern : Int64Array
        (n,) occupation of the first and second neighbours; see `sites.Hop.pattern`.
    change_counts, removal_counts : Int64Array
        (n, 13) changes of the frequency of each number of neighbours: end less start; with the atom
        at the start less without it.
    source, outcome : Int64Array
        (n,) indices of `SOURCES` and `OUTCOMES`.
    forward, change, removal : FloatArray
        (n,) energies, eV; see `processes.Barrier`; NaN where unknown.
    intermediate : BoolArray
        (n,) whether the path passes through a minimum.
    whole_index : Int64Array
        (m,) rows whose environment is stored.
    whole : BoolArray
        (m, sites) occupation of the sphere of `sphere_sites` in the frame of the bond.
    """

    ends: Int64Array
    kind: Int64Array
    second: Int64Array
    pattern: Int64Array
    change_counts: Int64Array
    removal_counts: Int64Array
    source: Int64Array
    outcome: Int64Array
    forward: FloatArray
    change: FloatArray
    removal: FloatArray
    intermediate: BoolArray
    whole_index: Int64Array
    whole: BoolArray

    @property
    def found(self) -> BoolArray:
        """Rows with a barrier, (n,)."""
        return np.asarray(self.outcome == 0)

    @property
    def saddle(self) -> FloatArray:
        """Saddle above the mean of the ends, (n,) in eV: the symmetric part of a barrier."""
        return np.asarray(self.forward - self.change / 2)


def sphere_sites() -> Int64Array:
    """Return the sites of a stored environment in the frame of the bond, (n, 3)."""
    width = int(_SPHERE) + 1
    points = np.argwhere(np.ones((2 * width + 1,) * 3, dtype=bool)) - width
    near = np.linalg.norm(points - [0.5, 0.5, 0], axis=1) < _SPHERE
    return np.asarray(points[near & (points.sum(axis=1) % 2 == 0)], dtype=np.int64)


def stored_hop(occupied: BoolArray) -> Hop:
    """Make the hop of a stored environment, along (1, 1, 0) from the origin."""
    grid = np.zeros((2 * HALF + 1,) * 3, dtype=bool)
    grid[tuple((sphere_sites() + HALF).T)] = occupied
    return Hop(grid, np.zeros(3, dtype=np.int64), np.array([1, 1, 0], dtype=np.int64))


def compute_rows(functions: Functions, seed: int) -> Iterator[tuple[str, Hop, Barrier]]:
    """Compute barriers of chosen hops without end."""
    chooser = Chooser(seed)
    for source, hop in chooser.hops():
        found = hop_barrier(hop, functions)
        chooser.report(hop, found.outcome == "ok")
        yield source, hop, found


def gather(rows: list[tuple[str, Hop, Barrier]]) -> Bands:
    """Make arrays of computed hops; every `WHOLE_EVERY`-th with a barrier is stored whole."""
    found = [barrier for _, _, barrier in rows]
    hops = [hop for _, hop, _ in rows]
    ok = [index for index, barrier in enumerate(found) if barrier.outcome == "ok"][::WHOLE_EVERY]
    inside = sphere_sites()
    return Bands(
        ends=np.array([hop.ends for hop in hops]),
        kind=np.array([hop.kind for hop in hops]),
        second=np.array([_second(hop) for hop in hops]),
        pattern=np.array([hop.pattern() for hop in hops]),
        change_counts=np.array([hop.change() for hop in hops]),
        removal_counts=np.array([hop.removal() for hop in hops]),
        source=np.array([SOURCES.index(source) for source, _, _ in rows]),
        outcome=np.array([OUTCOMES.index(barrier.outcome) for barrier in found]),
        forward=np.array([barrier.forward for barrier in found]),
        change=np.array([barrier.change for barrier in found]),
        removal=np.array([barrier.removal for barrier in found]),
        intermediate=np.array([barrier.intermediate for barrier in found]),
        whole_index=np.array(ok, dtype=np.int64),
        whole=np.array([hops[index].occupied(hops[index].in_frame(inside)) for index in ok]),
    )


def _second(hop: Hop) -> tuple[int, int]:
    """Count the second neighbours at the start and at the end."""
    return int(hop.occupied(hop.start + SECOND).sum()), int(hop.occupied(hop.end + SECOND).sum())


def join(parts: list[Bands]) -> Bands:
    """Join the bands of several seeds, each environment once."""
    starts = np.cumsum([0, *(len(part.kind) for part in parts[:-1])])
    arrays: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Bands)
    }
    first = np.unique(arrays["pattern"], return_index=True)[1]
    taken = np.zeros(len(arrays["pattern"]), dtype=bool)
    taken[first] = True
    moved = zip(parts, starts, strict=True)
    rows = np.concatenate([part.whole_index + start for part, start in moved])
    whole = arrays.pop("whole")[taken[rows]]
    arrays.pop("whole_index")
    numbers = (np.cumsum(taken) - 1)[rows[taken[rows]]]
    kept = {name: values[taken] for name, values in arrays.items()}
    return Bands(**kept, whole_index=numbers, whole=whole)


def write_bands(path: Path, bands: Bands) -> None:
    """Write the file; small integers take a byte, energies 0.1 meV."""
    arrays: dict[str, Any] = {}
    for field in fields(Bands):
        values = getattr(bands, field.name)
        if values.dtype == np.float64:
            values = values.round(4).astype(np.float32)
        elif values.dtype == np.int64:
            wide = field.name in {"pattern", "whole_index"}
            values = values.astype(np.int32 if wide else np.int8)
        arrays[field.name] = np.packbits(values, axis=1) if field.name == "whole" else values
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def read_bands(path: Path) -> Bands:
    """Read a file of `write_bands`.

    Raises
    ------
    NanogapError
        If it is not one.
    """
    try:
        with np.load(path) as found:
            arrays = {field.name: found[field.name] for field in fields(Bands)}
    except (OSError, KeyError, ValueError) as error:
        raise NanogapError(
            f"{path}: not a file of bands ({error}): make one with "
            "python -m parametrisation.barriers bands"
        ) from error
    for name, values in arrays.items():
        if name == "whole":
            arrays[name] = np.unpackbits(values, axis=1, count=len(sphere_sites())).astype(bool)
        elif values.dtype == np.float32:
            arrays[name] = values.astype(np.float64)
        elif values.dtype != np.bool_:
            arrays[name] = values.astype(np.int64)
    return Bands(**arrays)
