"""Figures of first-principles calculations: pseudopotential, calibration of the fast engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nanogap.io import write_atomically
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, house_style
from nanogap.transport.espresso.pseudopotential_check import SCATTERING_RANGE, ScatteringPhases
from nanogap.transport.espresso.pw import RYDBERG
from nanogap.typing import FloatArray

_COLOURS = {"s": BLUE, "p": ORANGE, "d": GREEN}


def draw_scattering(phases: ScatteringPhases, path: Path) -> None:
    """Draw scattering phases of the all-electron atom and of the pseudo-atom.

    Parameters
    ----------
    phases : ScatteringPhases
    path : Path
        PNG or SVG.
    """
    energies, exact, pseudo = phases.energies, phases.all_electron, phases.pseudo
    with house_style():
        figure = Figure(figsize=(6.0, 5.0))
        above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        for number, (name, colour) in enumerate(_COLOURS.items()):
            above.plot(energies * RYDBERG, exact[:, number], color=colour, label=f"{name}, all")
            above.plot(
                energies[::8] * RYDBERG, pseudo[::8, number], "o", color=colour, mfc="white", ms=4.5
            )
            below.plot(energies * RYDBERG, 1e3 * phases.errors[:, number], color=colour)
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
        above.set_ylabel(f"arctan(dψ/dr / ψ) at {phases.radius:g} bohr")
        above.set_title("Scattering phases; shaded: where the bands of the metal are", color=INK)
        below.axhline(0.0, color=QUIET, lw=0.6)
        below.set_ylabel("error (mrad)")
        below.set_xlabel("energy from vacuum (eV)")
        write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))


def draw_calibration(
    classes: Sequence[str],
    gaps: FloatArray,
    exact: FloatArray,
    fast: FloatArray,
    path: Path,
) -> None:
    """Draw the fast engine's transmissions against PWCOND's, and both over the open gap.

    Parameters
    ----------
    classes : sequence of str, length n
        ``gap`` is the class of the open gaps between planes, ``adatom`` of those with an atom on
        one of them.
    gaps : ndarray, shape (n,)
        Distance of the planes, or of the adatom from the plane, angstrom; ignored for other
        classes.
    exact, fast : ndarray, shape (n,)
        G0.
    path : Path
        PNG or SVG.
    """
    names = np.array(classes)
    with house_style():
        figure = Figure(figsize=(11.0, 3.9))
        linear, logarithmic, decay = figure.subplots(1, 3)
        least = max(1e-6, float(exact[exact > 0.0].min()) / 3.0)
        most = 1.1 * float(exact.max())
        for axes, start in ((linear, 0.0), (logarithmic, least)):
            axes.plot([start, most], [start, most], color=QUIET, lw=0.8)
            axes.set(xlabel="T by PWCOND (G₀)", ylabel="T, fast engine (G₀)")
            for number, name in enumerate(dict.fromkeys(classes)):
                of_class = names == name
                axes.plot(
                    exact[of_class],
                    np.maximum(fast[of_class], start),
                    "o^sDvPX*"[number % 8],
                    color=(BLUE, ORANGE, GREEN, PURPLE, INK)[number % 5],
                    label=name,
                    ms=6,
                )
        linear.set_title("Same junction, cell, k-points; line: equal", color=INK)
        logarithmic.set(xscale="log", yscale="log")
        logarithmic.legend(loc="lower right", fontsize="small")
        logarithmic.set_title("The same, logarithmic", color=INK)
        for name, what in (("gap", "two surfaces, per atom"), ("adatom", "adatom and surface")):
            chosen = np.flatnonzero(names == name)
            order = chosen[np.argsort(gaps[chosen])]
            full = "white" if name == "adatom" else None
            decay.plot(gaps[order], exact[order], "o-", color=BLUE, mfc=full, label=what, ms=6)
            decay.plot(gaps[order], np.maximum(fast[order], least), "^--", color=ORANGE, mfc=full)
        decay.set(yscale="log", xlabel="open distance (Å)", ylabel="T (G₀)")
        decay.set_title("Gaps: ● PWCOND, ▲ fast engine", color=INK)
        decay.legend()
        write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))
