"""Transmission with self-energies by sisl from exported matrices; prints JSON."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import sisl

path, energy = Path(sys.argv[1]), float(sys.argv[2])
regions = np.repeat(json.loads((path / "regions.json").read_text(encoding="utf-8")), 9)
device = scipy.sparse.load_npz(path / "device.npz").tocsc()


def self_energy(side: str) -> Any:
    """Compute the self-energy of a lead whose unit couples to its next one only."""
    own, onward = (
        scipy.sparse.load_npz(path / f"{side}_{name}.npz").tocsr() for name in ("own", "next")
    )
    n = own.shape[0]
    # one orbital for each basis function: the chain knows matrices, not atoms
    cell = sisl.Lattice([100.0, 100.0, 10.0], nsc=[1, 1, 3])
    places = np.column_stack([np.zeros((n, 2)), np.linspace(0.0, 9.0, n)])
    geometry = sisl.Geometry(places, sisl.Atom("Ag", R=30.0), cell)
    towards = -1 if side == "left" else 1
    hamiltonian = sisl.Hamiltonian(geometry, dtype=np.complex128)
    for shift, matrix in ((0, own), (towards, onward), (-towards, onward.conj().T.tocsr())):
        offset = geometry.lattice.sc_index([0, 0, shift]) * n
        entries = matrix.tocoo()
        for row, column, value in zip(entries.row, entries.col, entries.data, strict=True):
            hamiltonian[int(row), int(column) + offset] = value
    semi_infinite = sisl.RecursiveSI(hamiltonian, "-C" if side == "left" else "+C", eta=1e-7)
    return semi_infinite.self_energy(energy, k=[0.0, 0.0, 0.0], dtype=np.complex128)


places = [np.flatnonzero(regions == side) for side in ("left", "right")]
sigmas = [self_energy(side) for side in ("left", "right")]
gammas = [1j * (sigma - sigma.conj().T) for sigma in sigmas]
whole = device.toarray()


def once() -> float:
    """Solve for the part of the Green's function between the leads."""
    inverse = energy * np.eye(len(whole)) - whole
    for place, sigma in zip(places, sigmas, strict=True):
        inverse[np.ix_(place, place)] -= sigma
    source = np.zeros((len(whole), len(places[1])), dtype=complex)
    source[places[1], np.arange(len(places[1]))] = 1.0
    green = np.linalg.solve(inverse, source)[places[0]]
    return float(np.trace(gammas[0] @ green @ gammas[1] @ green.conj().T).real)


value = once()
start = time.process_time()
once()
print(json.dumps({"transmission": value, "seconds": time.process_time() - start}))
