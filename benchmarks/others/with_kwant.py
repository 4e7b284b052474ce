"""Transmission by Kwant from exported matrices; prints JSON. Runs in an environment of its own."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kwant
import numpy as np
import scipy.sparse

path, energy = Path(sys.argv[1]), float(sys.argv[2])
regions = np.array(json.loads((path / "regions.json").read_text(encoding="utf-8")))
device = scipy.sparse.load_npz(path / "device.npz").tobsr((9, 9))


def lattice(name: str, n: int) -> Any:
    """Return the sublattices of a chain of units of n atoms."""
    basis = [((i + 0.5) / (n + 1),) for i in range(n)]
    chain = kwant.lattice.general([(1.0,)], basis, name=[f"{name}{i}" for i in range(n)], norbs=9)
    return chain.sublattices


members = {name: np.flatnonzero(regions == name) for name in ("left", "channel", "right")}
families = {name: lattice(name, len(atoms)) for name, atoms in members.items()}
sites = {}
for name, atoms in members.items():
    for family, atom in zip(families[name], atoms, strict=True):
        sites[atom] = family(0)


def blocks(matrix: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield row, column and block of all pairs of atoms."""
    rows = np.repeat(np.arange(len(matrix.indptr) - 1), np.diff(matrix.indptr))
    yield from zip(rows, matrix.indices, matrix.data, strict=True)


builder = kwant.Builder()
for row, column, block in blocks(device):
    if row == column:
        builder[sites[row]] = (block + block.conj().T) / 2.0
for row, column, block in blocks(device):
    if row < column:
        builder[sites[row], sites[column]] = block
for name, direction in (("left", -1), ("right", 1)):
    lead = kwant.Builder(kwant.TranslationalSymmetry((float(direction),)))
    own, onward = (
        scipy.sparse.load_npz(path / f"{name}_{part}.npz").tobsr((9, 9)) for part in ("own", "next")
    )
    for row, column, block in blocks(own):
        if row == column:
            lead[families[name][row](0)] = (block + block.conj().T) / 2.0
    for row, column, block in blocks(own):
        if row < column:
            lead[families[name][row](0), families[name][column](0)] = block
    for row, column, block in blocks(onward):
        lead[families[name][row](0), families[name][column](direction)] = block
    builder.attach_lead(lead)
system = builder.finalized().precalculate(energy, what="modes")


def once() -> float:
    """Compute the scattering matrix."""
    return float(kwant.smatrix(system, energy).transmission(1, 0))


value = once()
times = []
for _ in range(3):
    start = time.process_time()
    once()
    times.append(time.process_time() - start)
solver = type(kwant.solvers.default.smatrix.__self__).__module__
print(json.dumps({"transmission": value, "seconds": min(times), "solver": solver}))
