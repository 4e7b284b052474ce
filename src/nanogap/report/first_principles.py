"""Figures of first-principles calculations: pseudopotential, calibration of the fast engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nanogap.io import write_atomically
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, house_style
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


def draw_calibration(
    classes: Sequence[str],
    gaps: NDArray[np.float64],
    exact: NDArray[np.float64],
    fast: NDArray[np.float64],
    path: Path,
) -> None:
    """Draw the fast engine's transmissions against PWCOND's, and both over the open gap.

    Parameters
    ----------
    classes : sequence of str, length n
        ``gap`` is the class of the open gaps.
    gaps : ndarray, shape (n,)
        Distance of the planes of the open gaps, angstrom; not used of other classes.
    exact, fast : ndarray, shape (n,)
        G0.
    path : Path
        PNG or SVG.
    """
    names = np.array(classes)
    with house_style():
        figure = Figure(figsize=(9.0, 4.2))
        left, right = figure.subplots(1, 2)
        least = max(1e-6, float(exact[exact > 0.0].min()) / 3.0)
        left.plot([least, 3.0], [least, 3.0], color=QUIET, lw=0.8)
        for number, name in enumerate(dict.fromkeys(classes)):
            of_class = names == name
            left.plot(
                exact[of_class],
                np.maximum(fast[of_class], least),
                "o^sDv"[number % 5],
                color=(BLUE, ORANGE, GREEN, PURPLE, INK)[number % 5],
                label=name,
                ms=6,
            )
        left.set(
            xscale="log", yscale="log", xlabel="T by PWCOND (G₀)", ylabel="T, fast engine (G₀)"
        )
        left.set_title("Same junction, cell and k-points; line: equal", color=INK)
        left.legend(loc="upper left")
        open_gap = np.flatnonzero(names == "gap")
        order = open_gap[np.argsort(gaps[open_gap])]
        right.plot(gaps[order], exact[order], "o-", color=BLUE, label="PWCOND", ms=6)
        right.plot(
            gaps[order],
            np.maximum(fast[order], least),
            "^--",
            color=ORANGE,
            label="fast engine",
            ms=6,
        )
        right.set(
            yscale="log", xlabel="distance of the planes (Å)", ylabel="T per surface atom (G₀)"
        )
        right.set_title("Two flat (111) surfaces", color=INK)
        right.legend()
        write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))
