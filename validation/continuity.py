"""Continuity of T(t): steps of the transmission where no atom steps, in two cuts of one run.

RUN is a finished run, for example of the preset quick. Every snapshot is cut as `paper`, in the
cells that a run holds, and as `terrace`. For each pair of snapshots that follow each other the
script tells how much T changes, how far the atoms near the constriction moved, and whether the
cell did. Pairs whose T changes by more than 0.1 G0 although no atom near the constriction moved by
1 angstrom are computed again with the atoms on straight lines in between: what comes in equal
small parts is no jump.

It writes docs/data/continuity.json, which tests/validation/test_continuity.py compares with the
page that quotes it, and docs/images/continuity.png:

    python -m validation.continuity RUN

With --draw it draws the stored data again.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure

from nanogap.cli.programs import run_main
from nanogap.io import write_bytes, write_json
from nanogap.report.style import BLUE, ORANGE, house_style, png
from nanogap.runs.cell import cell_axis, junction_of
from nanogap.runs.directory import RunDirectory
from nanogap.settings import JunctionSettings
from nanogap.structure.cut import cut_junction
from nanogap.structure.tips import layer_spacing
from nanogap.transport.compute import compute_transmission
from nanogap.typing import BoolArray, FloatArray

DOCS = Path(__file__).resolve().parent.parent / "docs"
CUTS = ("paper", "terrace")
#: G0, angstrom: a step of T and a displacement that count.
STEP, STILL = 0.1, 1.0
#: Atoms are near the constriction within so much in the plane, and a layer beyond the terraces, Å.
NEAR = 6.0
PARTS = 4


def near_constriction(frame: Atoms) -> BoolArray:
    """Tell which atoms are near the constriction of a snapshot; shape (n_atoms,), bool."""
    spacing = layer_spacing(frame.info["lattice_constant"])
    low, high = (frame.info[f"{side}_terrace"] for side in ("bottom", "top"))
    heights = frame.positions[:, 2]
    place = [frame.info["constriction_x"], frame.info["constriction_y"]]
    inside = np.linalg.norm(frame.positions[:, :2] - place, axis=1) < NEAR
    chosen: BoolArray = inside & (heights > low - spacing) & (heights < high + spacing)
    return chosen


def displacement(before: Atoms, after: Atoms) -> float:
    """Return how far the atoms near the constriction of either snapshot moved at most, angstrom."""
    near = near_constriction(before) | near_constriction(after)
    moved = np.linalg.norm(after.positions - before.positions, axis=1)
    return float(moved[near].max(initial=0.0))


def transmission(junction: Atoms) -> float:
    """Return T at the Fermi energy, G0."""
    return float(compute_transmission(junction)["transmission_average"].item())


def between(before: Atoms, after: Atoms) -> list[float]:
    """Compute T in the cut `terrace` with the atoms on straight lines from one to the other."""
    found = []
    for part in np.linspace(0.0, 1.0, PARTS + 1):
        frame = before.copy()
        frame.positions = (1.0 - part) * before.positions + part * after.positions
        found.append(transmission(cut_junction(frame, JunctionSettings(cut="terrace"))))
    return found


def in_cell_before(frame: Atoms, axis: FloatArray) -> float:
    """Compute T in the cut `paper`, in the cell that a snapshot would have had unmoved."""
    return transmission(cut_junction(frame, JunctionSettings(cut="paper"), axis=axis))


def measure(run: RunDirectory) -> dict[str, Any]:
    """Compute every snapshot in both cuts, and what happened between them."""
    frames = [run.trajectory.frame(record) for record in run.records()]
    values = {
        cut: [
            transmission(junction_of(run, n, JunctionSettings(cut=cut))) for n in range(len(frames))
        ]
        for cut in CUTS
    }
    axes = np.array([cell_axis(run, n) for n in range(len(frames))])
    return described(frames, values, axes)


def described(
    frames: list[Atoms], values: dict[str, list[float]], axes: FloatArray
) -> dict[str, Any]:
    """Describe the pairs of snapshots by their times, steps and displacements."""
    moved = [displacement(*frames[n : n + 2]) for n in range(len(frames) - 1)]
    result: dict[str, Any] = {
        "time": [frame.info["time"] for frame in frames],
        "bottleneck_atoms": [int(frame.info["bottleneck_atoms"]) for frame in frames],
        "displacement": moved,
        "cell_moved": np.any(np.diff(axes, axis=0) != 0.0, axis=1).tolist(),
        **{cut: list(map(float, values[cut])) for cut in CUTS},
    }
    steps = np.abs(np.diff(result["terrace"]))
    bridged = np.array(result["bottleneck_atoms"]) > 0
    moves = 1 + np.flatnonzero(np.array(result["cell_moved"]) & bridged[1:] & bridged[:-1])
    result["moves"] = {str(n): in_cell_before(frames[n], axes[n - 1]) for n in moves.tolist()}
    chosen = np.flatnonzero((steps > STEP) & (np.array(moved) < STILL)).tolist()
    result["between"] = {str(n + 1): between(*frames[n : n + 2]) for n in chosen}
    return result


def summary(data: dict[str, Any]) -> dict[str, float]:
    """Count what the page quotes."""
    still = np.array(data["displacement"]) < STILL
    found: dict[str, float] = {"snapshots": len(data["time"]), "still": int(still.sum())}
    for cut in CUTS:
        steps = np.abs(np.diff(data[cut]))
        found |= {
            f"{cut}_steps": int((steps[still] > STEP).sum()),
            f"{cut}_largest": float(steps[still].max()),
            f"{cut}_end": float(np.mean(data[cut][-20:])),
            f"{cut}_late_rms": float(np.sqrt(np.mean(np.diff(data[cut][-60:]) ** 2))),
        }
    parts = [np.abs(np.diff(values)) for values in data["between"].values()]
    found["part_of_step"] = float(max(one.max() / one.sum() for one in parts)) if parts else 0.0
    changes = [abs(data["paper"][int(n)] - value) for n, value in data["moves"].items()]
    found |= {"moves": len(changes), "move_largest": max(changes, default=0.0)}
    return found


def draw(data: dict[str, Any]) -> Figure:
    """T(t) in both cuts; triangles where the cell of `paper` moved with a bridge."""
    time = np.array(data["time"]) / 1000.0
    moved = [int(number) for number in data["moves"]]
    first = int(np.argmax(np.array(data["bottleneck_atoms"]) > 0))
    with house_style():
        figure = Figure(figsize=(7.5, 3.4), layout="constrained")
        whole, close = figure.subplots(1, 2, width_ratios=(2.0, 1.0))
        for axes in (whole, close):
            for cut, colour in zip(CUTS, (ORANGE, BLUE), strict=True):
                axes.plot(time, data[cut], "-o", ms=2.2, lw=0.9, color=colour, label=cut)
            paper = np.array(data["paper"])
            axes.plot(
                time[moved],
                paper[moved],
                "v",
                ms=5,
                color="black",
                mfc="none",
                label="its cell moved",
            )
            axes.set_xlabel("time under voltage (ps)")
        whole.axhline(7.45, color="0.6", lw=0.8, ls="--")
        whole.annotate(
            "channels of a 3 x 3 lead", (0.0, 7.45), (2, 3), textcoords="offset points", fontsize=7
        )
        whole.set_ylabel("T (G₀)")
        whole.legend(frameon=False, fontsize=7, loc="lower right")
        close.set_xlim(time[first] - 0.4, time[first] + 1.2)
        close.set_ylim(0.0, 2.6)
        close.set_title("around the first contact", fontsize=8)
    return figure


def main() -> None:
    """Measure a run, or draw what is stored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path, help="a finished run")
    parser.add_argument("--draw", action="store_true", help="draw the stored data again")
    given = parser.parse_args()
    stored = DOCS / "data" / "continuity.json"
    if not given.draw:
        if given.run is None:
            parser.error("give a run, or --draw")
        write_json(stored, measure(RunDirectory(given.run)))
    data = json.loads(stored.read_text(encoding="utf-8"))
    write_bytes(DOCS / "images" / "continuity.png", png(draw(data)))
    for name, value in summary(data).items():
        print(f"{name:16s} {value:.3g}")


if __name__ == "__main__":
    run_main(main)
