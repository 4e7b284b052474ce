"""Time of one wave vector and energy, against Kwant, sisl and one dense inversion.

The junctions are two three-sided tips of 6, 3 and 1 atoms on 3 x 3 planes, 74, 146 and 290 atoms
between the leads, moved by heat except for what must look like bulk to the leads. All programs get
the same Hamiltonian without overlap (Kwant knows no overlap) at the same wave vector, and run on
one thread in turn. What does not change from snapshot to snapshot is excluded everywhere: the
leads' surfaces of ours and of sisl, the leads' modes of Kwant.

Kwant (2-clause BSD) and sisl (MPL) are installed in environments of their own in .venv-bench; Kwant
is compiled there and needs a C++ and a Fortran compiler and libmumps-seq-dev. A program that cannot
be installed is left out and named.

    python -m benchmarks.transport [--quick]
"""

import argparse
import json
import resource
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import scipy.sparse
from ase import Atoms

from nanogap.cli.programs import run_main
from nanogap.structure.tips import layer_spacing, stacking_shift, surface_vectors
from nanogap.transport.negf.block_elimination import transmission_amplitudes
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.device import Device, build_device
from nanogap.transport.tight_binding.files import load_model
from nanogap.transport.tight_binding.matrices import real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray

ROOT = Path(__file__).resolve().parent.parent
OTHERS = Path(__file__).resolve().parent / "others"
ENVIRONMENTS = ROOT / ".venv-bench"
LATTICE_CONSTANT = 4.216
WIDTH = 3
ENERGY = 0.0
K = np.array([0.13, 0.27])
#: Planes on each side of the tips, and the atoms of the channel that they make.
PLANES = {74: 3, 146: 7, 290: 15}
SNAPSHOTS, MESH_POINTS = 349, 128


@dataclass(frozen=True)
class Timing:
    """Transmission at one wave vector and energy, and its time.

    Attributes
    ----------
    transmission : float
        G0.
    seconds : float
        CPU time.
    """

    transmission: float
    seconds: float


def plane(layer: int, sites: int | None = None) -> FloatArray:
    """Return the sites of a (111) plane of the cell, or those nearest to its middle."""
    vectors = surface_vectors(LATTICE_CONSTANT)
    cell = WIDTH * vectors
    grid = np.array([(i, j) for i in range(WIDTH) for j in range(WIDTH)])
    points = grid @ vectors + layer * stacking_shift(LATTICE_CONSTANT)
    fraction = points @ np.linalg.inv(cell) % 1.0
    points = fraction @ cell
    height = layer * layer_spacing(LATTICE_CONSTANT)
    if sites is not None:
        middle = cell.sum(axis=0) / 2.0
        away = (points - middle) @ np.linalg.inv(cell)
        away -= np.rint(away)
        points = points[np.argsort(np.linalg.norm(away @ cell, axis=1), kind="stable")[:sites]]
    return np.column_stack([points, np.full(len(points), height)])


def junction(n_planes: int, seed: int = 1) -> Atoms:
    """Build leads, planes, and two tips that touch in a dimer."""
    counts = [9] * (3 + n_planes) + [6, 3, 1, 1, 3, 6] + [9] * (n_planes + 3)
    layers = [plane(n, None if count == 9 else count) for n, count in enumerate(counts)]
    positions = np.concatenate(layers)
    number = np.repeat(np.arange(len(counts)), counts)
    names = np.where(number < 3, "left", np.where(number >= len(counts) - 3, "right", "channel"))
    hot = (number >= 6) & (number < len(counts) - 6)
    rng = np.random.default_rng(seed)
    positions[hot] += rng.normal(0.0, 0.05, (hot.sum(), 3))
    cell = np.zeros((3, 3))
    cell[:2, :2] = WIDTH * surface_vectors(LATTICE_CONSTANT)
    cell[2, 2] = len(counts) * layer_spacing(LATTICE_CONSTANT)
    atoms = Atoms(f"Ag{len(positions)}", positions, cell=cell, pbc=(True, True, False))
    atoms.new_array("region", names)
    period = 3 * layer_spacing(LATTICE_CONSTANT)
    atoms.info.update(left_period=period, right_period=period)
    return atoms


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Return the least CPU time of a call, of some."""
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def blas_peak() -> float:
    """Measure floating-point operations in a product of large complex matrices, 1/s."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(900, 900)) + 1j * rng.normal(size=(900, 900))
    return 8.0 * 900**3 / seconds(lambda: a @ a, 5)


def export(atoms: Atoms, model: TightBindingModel, path: Path) -> None:
    """Write H at the wave vector: of the junction, of a lead's unit, and to its next."""
    extended, n = atoms.copy(), len(atoms)
    for side, sign in (("left", -1), ("right", 1)):
        for copy in (1, 2, 3):
            unit = atoms[atoms.arrays["region"] == side]
            unit.positions[:, 2] += sign * copy * atoms.info[f"{side}_period"]
            unit.arrays["region"] = np.full(len(unit), f"{side}{copy}")
            extended += unit
    h, _ = real_space_matrices(extended, model).at([*K, 0.0])
    regions = np.repeat(extended.arrays["region"], 9)
    orbitals = np.arange(9 * n)
    parts = {"device": h[orbitals][:, orbitals]}
    for side in ("left", "right"):
        first, second = (np.flatnonzero(regions == f"{side}{copy}") for copy in (1, 2))
        parts[f"{side}_own"] = h[first][:, first]
        parts[f"{side}_next"] = h[first][:, second]
        parts[f"{side}_out"] = h[np.flatnonzero(regions == side)][:, first]
    for name, matrix in parts.items():
        scipy.sparse.save_npz(path / f"{name}.npz", matrix.tocsr())
    labels = atoms.arrays["region"].tolist()
    (path / "regions.json").write_text(json.dumps(labels), encoding="utf-8")


def dense(path: Path, energy: float) -> Timing:
    """Invert the whole matrix; self-energies are made before."""
    h = scipy.sparse.load_npz(path / "device.npz").toarray()
    regions = np.repeat(json.loads((path / "regions.json").read_text(encoding="utf-8")), 9)
    sigmas = []
    for side in ("left", "right"):
        own, onward, out = (
            scipy.sparse.load_npz(path / f"{side}_{name}.npz").toarray()
            for name in ("own", "next", "out")
        )
        surface, inner, down, up = (
            (energy + 1e-7j) * np.eye(len(own)) - own,
            (energy + 1e-7j) * np.eye(len(own)) - own,
            -onward,
            -onward.conj().T,
        )
        for _ in range(40):
            g = np.linalg.inv(inner)
            surface = surface - down @ g @ up
            inner = inner - down @ g @ up - up @ g @ down
            down, up = -down @ g @ down, -up @ g @ up
        sigmas.append(out @ np.linalg.inv(surface) @ out.conj().T)
    places = [np.flatnonzero(regions == side) for side in ("left", "right")]
    gammas = [1j * (sigma - sigma.conj().T) for sigma in sigmas]

    def once() -> float:
        inverse = energy * np.eye(len(h)) - h
        for place, sigma in zip(places, sigmas, strict=True):
            inverse[np.ix_(place, place)] -= sigma
        green = np.linalg.inv(inverse)[np.ix_(places[0], places[1])]
        return float(np.trace(gammas[0] @ green @ gammas[1] @ green.conj().T).real)

    return Timing(once(), seconds(once, 1))


def environment(package: str, *arguments: str) -> Path | None:
    """Install a program in an environment of its own, and return its Python.

    Returns
    -------
    Path or None
        None if it cannot be installed.
    """
    name = package.partition("=")[0]
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not python.is_file():
        venv.create(folder, with_pip=True)
    check = [str(python), "-c", f"import {name}"]
    if subprocess.run(check, capture_output=True, check=False).returncode:
        print(f"installing {package} in {folder} ...", flush=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        if arguments:  # built from source, against these
            needs = ["numpy<2", "cython<3.1", "scipy<1.14", "setuptools<81", "setuptools_scm"]
            subprocess.run([*pip, "wheel", *needs], capture_output=True, check=False)
        subprocess.run([*pip, *arguments, package], capture_output=True, check=False)
        if subprocess.run(check, capture_output=True, check=False).returncode:
            print(f"{package} cannot be installed here: left out")
            return None
    return python


def other(python: Path | None, program: str, path: Path) -> Timing | None:
    """Run a program on exported matrices in its own process; None if it is not there or fails."""
    if python is None:
        return None
    command = [str(python), str(OTHERS / program), str(path), repr(ENERGY)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        print(f"{program} failed: {result.stderr.strip().splitlines()[-1]}")
        return None
    found = json.loads(result.stdout.strip().splitlines()[-1])
    return Timing(float(found["transmission"]), float(found["seconds"]))


def ours(atoms: Atoms, model: TightBindingModel, repeats: int = 10) -> tuple[Timing, Device]:
    """Compute one wave vector and energy; the leads are made before."""
    device = build_device(atoms, model)
    device.blocks(ENERGY)
    value = transmission_amplitudes(device, K, ENERGY).transmission
    once = partial(transmission_amplitudes, device, K, ENERGY)
    return Timing(value, seconds(once, repeats)), device


def compare(sizes: Sequence[int], peak: float) -> None:
    """Time all programs on the same matrices."""
    model = load_model()
    orthogonal = replace(model, overlap=np.zeros_like(model.overlap))
    kwant = environment("kwant==1.5.0", "--no-build-isolation", "--no-binary", "kwant")
    sisl = environment("sisl")
    print(f"BLAS peak of one thread: {peak / 1e9:.1f} GFLOP/s (product of 900 x 900, complex)")
    head = f"{'atoms':>6} {'program':<22} {'ms':>9} {'ratio':>7} {'T':>12} {'difference':>11}"
    print(head)
    for size in sizes:
        atoms = junction(PLANES[size])
        reference, device = ours(atoms, orthogonal)
        rows = [("nanogap", reference)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            export(atoms, orthogonal, path)
            for name, python, program in (
                ("Kwant, MUMPS", kwant, "with_kwant.py"),
                ("sisl and numpy", sisl, "with_sisl.py"),
            ):
                found = other(python, program, path)
                if found is not None:
                    rows.append((name, found))
            rows.append(("dense inversion", dense(path, ENERGY)))
        for name, row in rows:
            print(
                f"{size:>6} {name:<22} {row.seconds * 1e3:>9.2f} "
                f"{row.seconds / reference.seconds:>7.1f} {row.transmission:>12.8f} "
                f"{row.transmission - reference.transmission:>11.1e}"
            )
        flops = device.operations
        print(
            f"       {flops / 1e6:.0f} MFLOP, "
            f"{flops / reference.seconds / peak * 100:.0f} % of the peak, "
            f"build {seconds(partial(build_device, atoms, model), 2) * 1e3:.0f} ms"
        )


def trace(sample: int) -> None:
    """Estimate the time of the paper's whole trace from some snapshots."""
    shape = (16, 8)  # 128 points, half of them independent
    first = junction(PLANES[74], seed=0)
    start = time.process_time()
    compute_transmission([first], kpoints=shape, threads=1)
    once = time.process_time() - start
    snapshots = [junction(PLANES[74], seed=n + 1) for n in range(sample)]
    start = time.process_time()
    compute_transmission(snapshots, kpoints=shape, threads=1)
    each = (time.process_time() - start) / sample
    total = once + (SNAPSHOTS - 1) * each
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    print(
        f"trace of {SNAPSHOTS} snapshots of 74 atoms, {MESH_POINTS} k-points (64 computed), E_F: "
        f"{each:.2f} s each, {once:.1f} s for the first with its leads; extrapolated from "
        f"{sample}: {total / 60.0:.1f} min on one core, {total / 120.0:.1f} min on two; "
        f"{memory:.0f} MB at most"
    )


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only the smallest junction")
    arguments = parser.parse_args()
    trace(2 if arguments.quick else 5)  # first: its memory is that of this process so far
    compare([74] if arguments.quick else list(PLANES), blas_peak())


if __name__ == "__main__":
    run_main(main)
