"""Compare the linear model of dark-field images with multislice (abTEM): atoms and columns.

python -m validation.haadf_abtem

Single atoms give the exponent of Z^n and the cross-section; columns of silver along [110] give how
far the intensity is proportional to the number of atoms, for atoms at rest and for the mean over
displacements of 300 K. Writes docs/data/haadf-abtem.json.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from nanogap.cli.programs import run_main
from nanogap.imaging import Microscope, PixelGrid, seen_along
from nanogap.imaging.multislice import multislice_haadf
from nanogap.io import write_json

DATA = Path(__file__).resolve().parents[1] / "docs" / "data" / "haadf-abtem.json"
#: Distance of neighbours along [110] in silver, angstrom.
SPACING = 4.0862 / np.sqrt(2.0)
#: Root mean square displacement of silver along an axis at 300 K, angstrom: sqrt(B/8 pi^2) with
#: B = 0.7 square angstrom, assumed.
DISPLACEMENT = 0.094
#: Side of the field of view and of a pixel, angstrom: below lambda/(2 aperture) the sum is exact.
FIELD, PIXEL = 4.8, 0.6
ELEMENTS = ("Cu", "Ag", "Au")
HEIGHTS = (1, 2, 4, 8)
DRAWS = 3
#: A small field of view, which a test computes again, angstrom.
SMALL_FIELD = 2.4


def intensity(
    atoms: Atoms, scope: Microscope, side: float = FIELD, pixel: float = PIXEL
) -> tuple[float, float]:
    """Return the integral over a field of view, square angstrom, and the share on the column."""
    grid = PixelGrid.around((0.0, 0.0), (side, side), pixel)
    seen = seen_along(atoms, "z")
    image = multislice_haadf(atoms, seen, grid, scope)
    # the pixels lie beside the column, so what hits it is asked for by itself
    middle = PixelGrid.around((0.0, 0.0), (pixel, pixel), pixel)
    return float(image.sum()) * pixel**2, float(multislice_haadf(atoms, seen, middle, scope)[0, 0])


def column(count: int, displacement: float = 0.0, seed: int = 0) -> Atoms:
    """Return a column of silver along z, each atom displaced at random."""
    places = np.zeros((count, 3))
    places[:, 2] = SPACING * np.arange(count)
    shaken = np.random.default_rng(seed).normal(0.0, displacement, places.shape)
    return Atoms(f"Ag{count}", positions=places + shaken)


def compute() -> dict[str, object]:
    """Compute all of the table."""
    scope = Microscope()
    atoms = {}
    for element in ELEMENTS:
        section, peak = intensity(Atoms(element), scope)
        atoms[element] = {
            "cross_section": section,
            "peak": peak,
            "model": scope.cross_section(atomic_numbers[element]),
        }
    sections = [atoms[one]["cross_section"] for one in ELEMENTS]
    charges = [atomic_numbers[one] for one in ELEMENTS]
    exponent = float(np.polyfit(np.log(charges), np.log(sections), 1)[0])
    rest = {str(n): intensity(column(n), scope) for n in HEIGHTS}
    shaken = {
        str(n): np.mean(
            [intensity(column(n, DISPLACEMENT, seed), scope) for seed in range(DRAWS)], axis=0
        ).tolist()
        for n in HEIGHTS
    }
    small = {
        name: intensity(one, scope, SMALL_FIELD)[0]
        for name, one in (("Cu", Atoms("Cu")), ("Ag", Atoms("Ag")), ("Ag2", column(2)))
    }
    return {
        "command": "python -m validation.haadf_abtem",
        "microscope": {
            "energy": scope.energy,
            "aperture": scope.aperture,
            "inner": scope.inner,
            "outer": scope.outer,
        },
        "atoms": atoms,
        "exponent": exponent,
        "columns_at_rest": rest,
        "columns_at_300_K": shaken,
        "small_field": small,
    }


def main() -> None:
    """Compute and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    begun = time.monotonic()
    content = compute()
    write_json(DATA, content)
    print(f"{time.monotonic() - begun:.0f} s: {DATA.name}: n = {content['exponent']:.3f}")


if __name__ == "__main__":
    run_main(main)
