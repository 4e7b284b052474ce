"""A figure: barriers of the table against those of the bands, the held-out ones marked."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from parametrisation.barriers.bands import Bands
from parametrisation.barriers.results import FLOOR, Results


def draw(bands: Bands, results: Results, path: Path) -> None:
    """Draw the barriers, the saddles of the held-out bands, and phi."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for rows, label, colour, size in (
        (results.fitted, "fitted", "0.65", 5),
        (results.held_out, "held out", "C3", 9),
    ):
        error = 1000 * results.error(bands, rows)
        predicted = results.table.barriers(bands, rows, FLOOR)
        label = f"{label}: {rows.sum()} bands, mean error {error:.0f} meV"  # noqa: PLW2901
        left.scatter(bands.forward[rows], predicted, s=size, color=colour, label=label, lw=0)
    named = [(band.forward, results.table.named(band, FLOOR)) for band in results.named]
    left.plot(*np.array(named).T, "k+", label="named hops of the table below")
    top = float(bands.forward[results.fitted].max()) * 1.03
    left.plot([0, top], [0, top], color="0.3", lw=0.8)
    left.set(xlabel="barrier of the band (eV)", ylabel="barrier of the table (eV)")
    left.set(xlim=(0, top), ylim=(0, top), title="barriers")
    left.legend(fontsize=8, loc="upper left")
    rows = results.held_out
    change = bands.change_counts[rows] @ results.table.phi
    middle.scatter(bands.change[rows], change, s=9, color="C3", lw=0)
    ends = [bands.change[rows].min(), bands.change[rows].max()]
    middle.plot(ends, ends, color="0.3", lw=0.8)
    error = 1000 * float(np.abs(change - bands.change[rows]).mean())
    middle.set(xlabel="energy change of relaxed atoms (eV)", ylabel="of the table (eV)")
    middle.set(title=f"energy changes, held out: {error:.0f} meV")
    numbers = np.arange(13)
    right.plot(numbers, results.table.phi, "o-", color="C0", ms=4)
    right.set(xlabel="nearest neighbours n", ylabel="phi(n) (eV)", title="energy of an atom")
    figure.savefig(path, dpi=110)
