r"""Compute transmissions of a metal's junctions with PWCOND, to fit and to judge tight binding by.

Makes ``pwcond_calibration_ag.json`` and its like, in the layout that
`nanogap.transport.fitting.reference_transmissions` reads, by pw.x and pwcond.x:

    python -m parametrisation.compute_pwcond ELEMENT OUTPUT.json --work FOLDER \
        [--bands BANDS.json] [--only CLASS_OR_NAME ...] [--run RUN --moments PS ...]

BANDS are those of ``parametrisation.compute_bands``, with the metal's work function. RUN is a
directory of ``nanogap run quick --set structure.element=ELEMENT``; with it, snapshots of it are
computed too. The output is rewritten after every junction, with the geometries in the folder OUTPUT
beside it; junctions that it holds already, and what was added to it by hand (``fitted``,
``trial``), are left alone. Lengths were chosen for silver, and go with the size of the atoms. Three
hours in all on one core, half of them for the snapshots; a wire takes a minute or two.
"""

import argparse
import itertools
import json
import re
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read, write
from numpy.typing import ArrayLike

from nanogap.cli.programs import run_main
from nanogap.errors import DataFormatError, EngineError, NanogapError
from nanogap.io import write_atomically, write_json
from nanogap.io.run_files import RunFiles
from nanogap.settings import FirstPrinciplesSettings, JunctionSettings, load_accuracy
from nanogap.structure.cut import cut_junction
from nanogap.structure.tips import layer_spacing, stacking_shift, surface_vectors
from nanogap.transport.backends.pwcond import compute_transmission
from nanogap.transport.fitting.metal_size import relative_size
from nanogap.typing import FloatArray
from parametrisation.earlier import read_earlier

ABOUT = (
    "Transmission of junctions of {} by Quantum ESPRESSO and PWCOND (PBE, nanogap's ultrasoft "
    "pseudopotential), made by parametrisation.compute_pwcond. Energies in eV from the Fermi "
    "energy, transmission in G0, mean over the k-mesh and per k (fractions of the reciprocal "
    "cell, all points of the mesh); open_channels: mean over k at the Fermi energy; time in s "
    "on one core. fitted: those that the vacuum tail of the Hamiltonian was fitted to; the others "
    "judge it. work_function: of a five-layer (111) slab, eV."
)
#: Work function of silver, whose bands were made in another way, eV.
SILVER_WORK_FUNCTION = 4.4645
#: Lattice constant of silver's pseudopotential, for which lengths were chosen, angstrom.
A = 4.156
SPACING = layer_spacing(A)
#: Junctions that the vacuum tail is fitted to, by their names for silver.
FITTED = (
    "flat planes, 4.0 Å",
    "flat planes, 5.0 Å",
    "flat planes, 6.5 Å",
    "flat planes, 8.5 Å",
    "broken wire, 4.0 Å",
    "broken wire, 5.2 Å",
    "broken wire, 7.0 Å",
    "adatom, plane 4.5 Å above",
    "one atom, planes 4.80 Å apart",
    "one atom, planes 5.60 Å apart",
)
GAPS = (4.5, 5.5, 6.5, 7.5, 8.5, 3.0, 3.5, 4.0, 5.0, 6.0)
CHAINS = (2.65, 2.80, 2.94, 3.2, 3.6)
BROKEN = (3.4, 4.0, 4.6, 5.2, 6.0, 7.0)
#: Accuracy that a metal's wires need: copper's d bands end 0.1 eV below the Fermi energy, which a
#: mesh of 12 points along a wire shifts by as much.
WIRES = {"Cu": {"mesh_density": 24.0}}
#: Not on Gamma, where T of flat planes changes within a few hundredths of the zone.
SHIFTED = {"gamma_centred": False}
#: Where little symmetry leaves many points to compute.
COARSE = {**SHIFTED, "kpoints": (2, 2)}
#: Snapshots of a run of the preset quick of silver, ps. Trajectories are chaotic: a run by
#: another version has other moments; the junctions of this one are kept with their numbers.
MOMENTS = (17.7, 18.2, 17.82, 17.62, 8.5, 17.58, 18.54, 28.5, 14.5, 5.0)
#: What counts as a bond in silver, angstrom.
BOND = 3.6


def plane(width: int, layer: int) -> FloatArray:
    """Return sites of a (111) plane of width x width silver atoms at its height in the crystal."""
    vectors = surface_vectors(A)
    grid = np.array([(i, j) for i in range(width) for j in range(width)], dtype=float)
    points = grid @ vectors + layer * stacking_shift(A)
    cell = width * vectors
    points = (points @ np.linalg.inv(cell) + 1e-9) % 1.0 @ cell
    return np.column_stack([points, np.full(len(points), layer * SPACING)])


def contact(width: int, separation: float, between: ArrayLike, upper: int = 3) -> Atoms:
    """Return two half-crystals of silver with atoms between.

    Parameters
    ----------
    width : int
        Atoms along either side of the plane's cell.
    separation : float
        From the last plane below to the first above, angstrom.
    between : array_like, shape (n, 3)
        From the last plane below: in the plane in units of the primitive vectors, z in angstrom.
    upper : int
        Layer of the crystal that the first plane above continues: 3 is the stacking of the lower.
    """
    low = [plane(width, n) for n in range(3)]
    high = [plane(width, upper + n) for n in range(3)]
    top = low[-1][0, 2]
    for n, sites in enumerate(high):
        sites[:, 2] = top + separation + n * SPACING
    middle = np.array(between, dtype=float).reshape(-1, 3)
    middle[:, :2] = middle[:, :2] @ surface_vectors(A)
    middle[:, 2] += top
    positions = np.concatenate([*low, middle, *high])
    cell = np.zeros((3, 3))
    cell[:2, :2] = width * surface_vectors(A)
    cell[2, 2] = np.ptp(positions[:, 2]) + SPACING
    atoms = Atoms(f"Ag{len(positions)}", positions, cell=cell, pbc=(True, True, False))
    n = 3 * width**2
    labels = ["left"] * n + ["channel"] * len(middle) + ["right"] * n
    atoms.new_array("region", np.array(labels))
    atoms.info.update(left_period=3 * SPACING, right_period=3 * SPACING)
    return atoms


def wire(distance: float) -> Atoms:
    """Return a straight monatomic wire."""
    atoms = Atoms("Ag3", [(0.0, 0.0, n * distance) for n in range(3)])
    atoms.new_array("region", np.array(["left", "channel", "right"]))
    atoms.info.update(left_period=distance, right_period=distance)
    return atoms


def silver_junctions(
    element: str = "Ag",
) -> Iterator[tuple[str, str, Atoms, list[float], dict[str, Any]]]:
    """Give class, name, junction, energies and changes of the validation accuracy for silver.

    The accuracy is that of the metal.
    """
    wires = WIRES.get(element, {})
    dense = {"kpoints": (12, 12), "gamma_centred": True, "mesh_density": 24.0}
    for gap in GAPS:
        yield "gap", f"flat planes, {gap:.1f} Å", contact(1, gap, []), [0.0], dense
    for distance in CHAINS:
        yield "chain", f"chain, {distance:.2f} Å", wire(distance), [0.0, -0.5, 0.5], wires
    for distance in BROKEN:
        yield "broken wire", f"broken wire, {distance:.1f} Å", broken_wire(distance), [0.0], wires
    for name, atoms in contacts():
        kind = name.split(",")[0]
        yield kind, name, atoms, [0.0], SHIFTED if kind in {"one atom", "dimer"} else COARSE


def junctions(element: str) -> Iterator[tuple[str, str, Atoms, list[float], dict[str, Any]]]:
    """Give the junctions of `silver_junctions` for a metal, with its own lengths in the names."""
    size = relative_size(element)
    for kind, name, atoms, energies, changes in silver_junctions(element):
        atoms.symbols[:] = element
        atoms.set_cell(atoms.cell * size)
        atoms.positions *= size
        for period in ("left_period", "right_period"):
            atoms.info[period] *= size
        yield kind, scaled_name(name, size), atoms, energies, changes


def scaled_name(name: str, size: float) -> str:
    """Multiply the length in a name."""
    return re.sub(
        r"(\d+\.(\d+))", lambda found: f"{float(found[1]) * size:.{len(found[2])}f}", name
    )


def broken_wire(distance: float) -> Atoms:
    """Return a straight wire of bonds of 2.8 angstrom with one of another length."""
    heights = np.concatenate([np.arange(4) * 2.8, 3 * 2.8 + distance + np.arange(4) * 2.8])
    atoms = Atoms("Ag8", [(0.0, 0.0, height) for height in heights])
    atoms.new_array("region", np.array(["left"] + 6 * ["channel"] + ["right"]))
    atoms.info.update(left_period=2.8, right_period=2.8)
    return atoms


def contacts() -> Iterator[tuple[str, Atoms]]:
    """Give contacts of a few atoms in the hollow of planes of 2 x 2, at several stretches.

    All stand above a site of layer 1, or, in layers of several atoms, where the crystal goes on.
    """
    hollow = np.array([(1 / 3, 1 / 3), (4 / 3, 1 / 3), (1 / 3, 4 / 3)])
    for height in (2.40, 2.80, 3.20):
        one = [(*hollow[0], height)]
        yield f"one atom, planes {2 * height:.2f} Å apart", contact(2, 2 * height, one)
    for height, bond in ((2.35, 2.60), (2.40, 2.85), (2.45, 3.15)):
        dimer = [(*hollow[0], height), (*hollow[0], height + bond)]
        yield f"dimer, bond {bond:.2f} Å", contact(2, 2 * height + bond, dimer)
    for height in (2.40, 2.80, 3.20):
        row = [(*site, height) for site in hollow[:2]]
        yield f"two atoms, planes {2 * height:.2f} Å apart", contact(2, 2 * height, row)
    for height in (2.40, 2.80):
        three = [(*site, height) for site in hollow]
        yield f"three atoms, planes {2 * height:.2f} Å apart", contact(2, 2 * height, three)
    for distance in (3.5, 4.5, 5.5):
        adatom = [(*hollow[0], 2.40)]
        yield f"adatom, plane {distance:.1f} Å above", contact(2, 2.40 + distance, adatom)


def from_dynamics(
    run: Path, moments: Sequence[float], bond: float
) -> Iterator[tuple[str, str, Atoms, list[float], dict[str, Any]]]:
    """Give snapshots of a run of the preset quick, cut to cells of 2 x 2."""
    frames = {
        round(float(atoms.info["time"]) / 1000.0, 3): atoms
        for atoms in read(RunFiles(run).trajectory, ":")
    }
    cut = JunctionSettings(cut="paper", lead_repeats=2)
    for moment in moments:
        name = f"dynamics, {moment:g} ps"
        atoms = cut_junction(frames[round(moment, 3)], cut, bond, name)
        yield "dynamics", name, atoms, [0.0], COARSE


def record(
    kind: str, atoms: Atoms, dataset: Any, settings: FirstPrinciplesSettings, seconds: float
) -> dict[str, Any]:
    """Put a result into plain data."""
    return {
        "class": kind,
        "atoms": len(atoms),
        "cell": atoms.cell.array.round(8).tolist(),
        "pbc": atoms.pbc.tolist(),
        "positions": atoms.positions.round(8).tolist(),
        "region": atoms.arrays["region"].tolist(),
        "left_period": atoms.info["left_period"],
        "right_period": atoms.info["right_period"],
        "kpoints": list(settings.kpoints),
        "gamma_centred": settings.gamma_centred,
        "energies": dataset["energy"].to_numpy().tolist(),
        "transmission": dataset["transmission_average"][0].to_numpy().tolist(),
        "transmission_k": dataset["transmission"][0].to_numpy().round(7).tolist(),
        "k": np.stack([dataset["k1"], dataset["k2"]], axis=1).round(8).tolist(),
        "eigenchannels": dataset["eigenchannels"][0].to_numpy().round(6).tolist(),
        "open_channels": dataset["open_channels"][0].to_numpy().tolist(),
        "accuracy": json.loads(dataset.attrs["accuracy"]),
        "engine": dataset.attrs["engine_version"],
        "time": float(dataset["wall_time"][0]) or seconds,
    }


def read_work_function(path: Path) -> float:
    """Read the work function that a file of bands has, eV.

    Raises
    ------
    DataFormatError
        If it cannot be read, or has none.
    """
    try:
        return float(json.loads(path.read_text("utf-8"))["work_function"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFormatError(
            f"{path} has no work_function ({type(error).__name__}: {error}): give a file of "
            "parametrisation.compute_bands with its slab"
        ) from None


def main() -> None:
    """Compute the junctions that are not there yet."""
    parser = argparse.ArgumentParser(
        prog="python -m parametrisation.compute_pwcond", description=__doc__.splitlines()[0]
    )
    parser.add_argument("element", help="chemical symbol of an fcc metal")
    parser.add_argument("output", type=Path, help="JSON file of results; an old one is added to")
    parser.add_argument("--work", type=Path, required=True, help="folder of the calculations")
    parser.add_argument("--only", help="these classes, or names", nargs="+")
    parser.add_argument("--bands", type=Path, help="bands with the work function (but of silver)")
    parser.add_argument("--run", type=Path, help="a run of the preset quick")
    parser.add_argument(
        "--moments", type=float, nargs="+", default=MOMENTS, help="snapshots of it, ps"
    )
    arguments = parser.parse_args()
    element, size = arguments.element, relative_size(arguments.element)
    earlier = read_earlier(arguments.output, arguments.element)
    if element != "Ag" and not (arguments.bands or earlier):
        parser.error("--bands is needed: the file of parametrisation.compute_bands")
    data: dict[str, Any] = {
        "about": ABOUT.format(element),
        "element": element,
        "work_function": SILVER_WORK_FUNCTION,
        "fitted": [],
        "junctions": {},
    }
    if arguments.bands:
        data["work_function"] = read_work_function(arguments.bands)
    data |= earlier
    known = data["junctions"]
    failed: list[str] = []
    dynamics = from_dynamics(arguments.run, arguments.moments, BOND * size) if arguments.run else ()
    fitted = {scaled_name(name, size) for name in FITTED}
    for kind, name, atoms, energies, changes in itertools.chain(junctions(element), dynamics):
        if name in known or (arguments.only and not {kind, name} & set(arguments.only)):
            continue
        settings = load_accuracy("validation", changes)
        started = time.perf_counter()
        try:
            dataset = compute_transmission(
                [atoms], energies, settings=settings, work=arguments.work, names=[name]
            )
        except NanogapError as error:
            print(f"{name}: {error}", flush=True)
            failed.append(name)
            continue
        seconds = time.perf_counter() - started
        known[name] = record(kind, atoms, dataset, settings, seconds)
        if name in fitted and name not in data["fitted"]:
            data["fitted"].append(name)
        write_json(arguments.output, data)
        folder = arguments.output.with_suffix("")
        folder.mkdir(exist_ok=True)
        place = folder / f"{name.replace(' ', '_').replace(',', '').replace('Å', 'A')}.extxyz"
        write_atomically(place, partial(write, images=atoms, format="extxyz"))
        print(name, known[name]["transmission"], f"{known[name]['time']:.0f} s", flush=True)
    if failed:
        raise EngineError(
            f"without a transmission: {', '.join(failed)}; the same command tries anew"
        )


if __name__ == "__main__":
    run_main(main)
