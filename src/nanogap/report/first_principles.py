"""Figures of first-principles calculations: pseudopotential, calibration of the fast engine."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nanogap.io import write_atomically
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, QUIET, house_style
from nanogap.transport.planewave import RYDBERG
from nanogap.transport.pseudopotential_check import SCATTERING_RANGE, AtomCheck

_COLOURS = {"s": BLUE, "p": ORANGE, "d": GREEN}


def draw_scattering(check: AtomCheck, path: Path) -> None:
    """Draw scattering phases of the all-electron atom and of the pseudo-atom.

    Parameters
    ----------
    check : AtomCheck
        Computed.
    path : Path
        PNG or SVG.
    """
    energies, exact, pseudo = check.scattering
    with house_style():
        figure = Figure(figsize=(6.0, 5.0))
        above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        for number, (name, colour) in enumerate(_COLOURS.items()):
            above.plot(energies * RYDBERG, exact[:, number], color=colour, label=f"{name}, all")
            above.plot(
                energies[::8] * RYDBERG, pseudo[::8, number], "o", color=colour, mfc="white", ms=4.5
            )
            error = pseudo[:, number] - exact[:, number]
            error -= np.pi * np.rint(error / np.pi)
            below.plot(energies * RYDBERG, 1e3 * error, color=colour)
            above.annotate(
                name,
                (energies[-1] * RYDBERG, exact[-1, number]),
                (6, -3),
                textcoords="offset points",
                color=colour,
                fontweight="bold",
            )
        for axes in (above, below):
            axes.axvspan(*(RYDBERG * np.array(SCATTERING_RANGE)), color="#f1f4f7", zorder=0)
        above.plot([], [], color=INK, label="all-electron atom")
        above.plot([], [], "o", color=INK, mfc="white", label="pseudo-atom")
        handles, labels = above.get_legend_handles_labels()
        above.legend(handles[-2:], labels[-2:], loc="lower left")
        above.set_ylabel("arctan(dψ/dr / ψ) at 2.9 bohr")
        above.set_title("Scattering phases; shaded: where the bands of the metal are", color=INK)
        below.axhline(0.0, color=QUIET, lw=0.6)
        below.set_ylabel("error (mrad)")
        below.set_xlabel("energy from vacuum (eV)")
        write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))
