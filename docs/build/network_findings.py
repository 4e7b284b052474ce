"""Plateaus and peaks of the conductance of driven networks, and the tables of their page."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from docs.build.page_tables import head
from nanogap.analysis.traces.histogram import ConductanceHistogram
from nanogap.analysis.traces.plateaus import PlateauDetection
from nanogap.typing import FloatArray

#: Noise with which a conductance is read, parts of it, as a trace without any is cut at will.
NOISE = 0.005
#: Shortest plateau, parts of the ramp.
SHORTEST = 0.04
#: Most scatter within a plateau, in noises: what creeps further is a slope.
FLAT = 1.5
#: Of the histogram, G0.
BIN = 0.02

WAYS = {"chain": "chain of two", "wires": "two wires", "electrodes": "electrodes"}
#: What tells kinds of networks apart, as the tables call it.
KIND = ("model", "driven between", "junctions")


def flat_parts(conductance: FloatArray, seed: int) -> list[dict[str, float]]:
    """Find the plateaus of a trace.

    Parameters
    ----------
    conductance : ndarray, shape (n_readings,)
        G0.
    seed : int
        Of the noise.

    Returns
    -------
    list of dict
        First and last reading and level (G0) of each.
    """
    noise = np.random.default_rng(seed).standard_normal(len(conductance))
    found = PlateauDetection().compute(conductance * (1.0 + NOISE * noise)).plateaus
    return [
        {"first": one.first, "last": one.last, "level": round(one.level, 4)}
        for one in found
        if one.length >= SHORTEST * len(conductance) and one.deviation <= FLAT * NOISE * one.level
    ]


def conductance_peaks(runs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Find the peaks of the histogram of each kind of networks."""
    groups: dict[tuple[str, str, bool], list[list[float]]] = {}
    for run in runs:
        groups.setdefault((run["model"], run["way"], run["drawn"]), []).append(run["conductance"])
    return [
        {
            "model": model,
            "way": way,
            "drawn": drawn,
            "positions": [round(one.position, 3) for one in histogram(traces).peaks],
        }
        for (model, way, drawn), traces in groups.items()
    ]


def histogram(traces: list[list[float]]) -> ConductanceHistogram:
    """Count the readings of some networks, each a cycle."""
    found = ConductanceHistogram(bin_width=BIN)
    for number, trace in enumerate(traces):
        found.add(trace, cycle=number)
    return found


def chosen(content: dict[str, Any], **wanted: object) -> list[dict[str, Any]]:
    """Return the runs of which some keys have given values."""
    return [run for run in content["runs"] if all(run[k] == v for k, v in wanted.items())]


def kind_of(content: dict[str, Any], peaks: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Return the runs of the kind of some peaks, and its cells in a table, those of `KIND`."""
    runs = chosen(content, **{key: peaks[key] for key in ("model", "way", "drawn")})
    device = "drawn" if peaks["drawn"] else "typical"
    return runs, f"{peaks['model']} | {WAYS[peaks['way']]} | {device}"


def flat_share(run: dict[str, Any]) -> float:
    """Part of the readings on plateaus."""
    return float(sum(p["last"] - p["first"] for p in run["plateaus"]) / len(run["conductance"]))


def plateaus_of(content: dict[str, Any]) -> str:
    """Write the table of plateaus."""
    lines = head(
        *KIND,
        "plateaus, network by network",
        "part of the ramp on them",
        "peaks of the histogram (G₀)",
    )
    for peaks in content["peaks"]:
        runs, cells = kind_of(content, peaks)
        counts = ", ".join(str(len(run["plateaus"])) for run in runs)
        share = 100.0 * float(np.mean([flat_share(run) for run in runs]))
        told = ", ".join(f"{one:.2f}" for one in peaks["positions"]) or "none"
        lines.append(f"| {cells} | {counts} | {share:.0f} % | {told} |")
    return "\n".join(lines)


def paths_of(content: dict[str, Any]) -> str:
    """Write the table of first paths."""
    lines = head(
        *KIND,
        "in the first closed path",
        "closed by then",
        "G then (G₀)",
        "closed at the end",
        "G at the end (G₀)",
    )
    for peaks in content["peaks"]:
        if peaks["way"] == "chain":
            continue
        runs, cells = kind_of(content, peaks)
        found = [run for run in runs if run["path_reading"] is not None]
        lines.append(
            f"| {cells} "
            f"| {span([len(run['path']) for run in found], 'd')} "
            f"| {span([run['closed_at_path'] for run in found], 'd')} "
            f"| {span([run['conductance'][run['path_reading']] for run in found], '.2f')} "
            f"| {span([run['closed'][-1] for run in runs], 'd')} "
            f"| {span([run['conductance'][-1] for run in runs], '.2f')} |"
        )
    return "\n".join(lines)


def span(values: list[Any], form: str) -> str:
    """Write the least and the largest of some values."""
    if not values:
        return "none"
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


TABLES = {"plateaus": plateaus_of, "paths": paths_of}
