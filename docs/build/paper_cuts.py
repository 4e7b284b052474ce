"""T of a run of the paper with the narrow cell of the paper's cut, and with a wide one."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from docs.build.page_tables import head
from nanogap.errors import DataFormatError
from nanogap.io import read_dataset
from nanogap.report.style import BLUE, ORANGE, WIDTH

#: Bounds of the parts of the run that the table has, ps.
PARTS = (510.0, 600.0, 700.0, 1000.0, 2000.0, 3000.0)


def compared(run: Mapping[str, Any], path: Path, index: str) -> dict[str, Any]:
    """Put the transmissions of some snapshots with another cut beside those of the run.

    Parameters
    ----------
    run : mapping
        A run as `docs.build.paper_runs.described` gives it.
    path : Path
        What ``nanogap transmission TRAJECTORY --index INDEX --cut terrace -o PATH`` wrote.
    index : str
        The slice of snapshots, as it was given.

    Raises
    ------
    DataFormatError
        If the file has another number of snapshots than the slice.
    """
    places = slice(*(int(part) if part else None for part in index.split(":")))
    data = read_dataset(path)
    wide = data["transmission_average"].to_numpy()[:, 0]
    time, narrow = run["time"][places], run["transmission"][places]
    if len(wide) != len(time):
        raise DataFormatError(
            f"{path} has {len(wide)} snapshots, and {index} of the run {len(time)}"
        )
    return {
        "name": run["name"],
        "index": index,
        "time": time,
        "paper": narrow,
        "terrace": [float(f"{value:.4g}") for value in wide],
        "channels": round(float(data["open_channels"].to_numpy().mean()), 2),
    }


def table_of(cuts: Sequence[Mapping[str, Any]]) -> str:
    """Write the table of both cuts over the parts of the run."""
    (one,) = cuts
    time, narrow, wide = (np.array(one[name]) for name in ("time", "paper", "terrace"))
    lines = head("under voltage (ps)", "snapshots", "T, cut `paper`", "T, cut `terrace`")
    for begin, end in pairwise(PARTS):
        part = (time >= begin) & (time < end)
        lines.append(
            f"| {begin:g} to {end:g} | {part.sum()} | {_mean(narrow[part])} | {_mean(wide[part])} |"
        )
    return "\n".join(lines)


def _mean(values: Any) -> str:
    return f"{values.mean():.2f} ({values.min():.2f} to {values.max():.2f})"


def figure_of(cuts: Sequence[Mapping[str, Any]], run: Mapping[str, Any]) -> Figure:
    """Draw T(t) with both cuts."""
    (one,) = cuts
    figure = Figure(figsize=(WIDTH, 0.5 * WIDTH), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(run["time"], run["transmission"], color=BLUE, lw=0.8, label="cut 'paper'")
    axes.plot(
        one["time"],
        one["terrace"],
        "o",
        color=ORANGE,
        ms=4,
        label="cut 'terrace', every 8th snapshot",
    )
    axes.set(
        xlabel="time under voltage (ps)", ylabel="transmission T = G / G$_0$", ylim=(0.0, None)
    )
    axes.legend(loc="lower right")
    return figure
