"""The outermost terraces of the paper's tips, which lose their atoms while the gap is open."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nanogap.report.paper import Trajectory
from nanogap.report.style import BLUE, ORANGE, WIDTH


def terrace_atoms(frame: Atoms) -> tuple[int, int]:
    """Count the atoms in the outermost layer of the lower and of the upper tip, as it was built.

    Parameters
    ----------
    frame : ase.Atoms
        Tips whose axis is [001], with the heights of their terraces.
    """
    half = frame.info["lattice_constant"] / 4.0
    heights = frame.positions[:, 2]
    lower, upper = (
        int((np.abs(heights - frame.info[name]) < half).sum())
        for name in ("bottom_terrace", "top_terrace")
    )
    return lower, upper


def terraces_of(one: Trajectory) -> dict[str, list[int]]:
    """Count the atoms of both terraces in every snapshot."""
    counts = [terrace_atoms(one.frame(index)) for index in range(len(one.result.time))]
    return {"lower": [lower for lower, _ in counts], "upper": [upper for _, upper in counts]}


def figure_of(runs: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the atoms of both terraces over time, one panel for a run whose atoms were counted."""
    known = [run for run in runs if run.get("terraces")]
    figure = Figure(figsize=(WIDTH, 2.7))
    panels = figure.subplots(1, len(known), sharex=True, sharey=True, squeeze=False)[0]
    for axes, run in zip(panels, known, strict=True):
        for name, colour in (("lower", BLUE), ("upper", ORANGE)):
            axes.plot(
                run["time"], run["terraces"][name], color=colour, linewidth=1.0, label=f"{name} tip"
            )
        if run["first_contact"] is not None:
            axes.axvline(run["first_contact"], color="black", linewidth=0.8, linestyle=":")
        axes.set_title(f"{run['voltage']:g} V, seed {run['seed']}", fontsize=10)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylim(bottom=0)
    panels[0].set_ylabel("atoms of the terrace")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    touched = any(run["first_contact"] is not None for run in known)
    figure.supxlabel(
        "time under voltage (ps)" + ("; dotted: first contact" if touched else ""), fontsize=10
    )
    return figure
