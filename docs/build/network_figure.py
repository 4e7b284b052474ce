"""The figure of docs/compact-network.md."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from docs.build.network_findings import chosen, histogram
from nanogap.analysis.traces.histogram_peaks import OPEN_GAP
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET
from nanogap.typing import FloatArray

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00")


def figure_of(content: dict[str, Any]) -> Figure:
    """Draw a network at its first path, conductances of networks over the ramp, and histograms."""
    figure = Figure(figsize=(10.0, 8.4))
    (first, second), (third, fourth) = figure.subplots(2, 2)
    model = (
        "point-contact" if "point-contact" in content["models"] else next(iter(content["models"]))
    )
    _draw_wires(first, content)
    _draw_traces(second, content, model, "wires")
    second.set_title(f"b  two wires, {content['apart']} junctions apart ({model})")
    second.legend(loc="upper left")
    _draw_traces(third, content, model, "electrodes")
    third.set_title(f"c  the electrodes at the sides ({model})")
    _draw_histograms(fourth, content)
    fourth.set_title("d  how long a conductance lasts")
    fourth.legend()
    return figure


def _draw_wires(axes: Axes, content: dict[str, Any]) -> None:
    """Draw the wires, their junctions, and the first path."""
    shown = content["picture"]
    lines, places = np.array(shown["lines"]), np.array(shown["places"])
    axes.add_collection(LineCollection(lines[:-2].tolist(), colors="#c9d1d9", linewidths=0.9))
    axes.add_collection(LineCollection(lines[-2:].tolist(), colors=INK, linewidths=2.6))
    conductance = np.array(shown["conductance"])
    closed = conductance > OPEN_GAP
    axes.scatter(places[~closed, 0], places[~closed, 1], s=7, color=QUIET, label="open junction")
    axes.scatter(places[closed, 0], places[closed, 1], s=34, color=ORANGE, label="closed", zorder=3)
    way = places[shown["path"]]
    axes.scatter(
        way[:, 0],
        way[:, 1], s=110, facecolors="none", edgecolors=BLUE, linewidths=1.8, zorder=4,
        label="on the first path",
    )  # fmt: skip
    for line, name in zip(lines[-2:], ("source", "drain"), strict=True):
        end = line[np.argmax(line[:, 1])]
        axes.annotate(name, end, xytext=(3, 4), textcoords="offset points", weight="bold")
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    ramp = content["ramp"]
    now = 1e6 * ramp["rate"] * ramp["duration"] * (shown["path_reading"] + 1) / ramp["readings"]
    axes.set_title(f"a  100 wires at the first closed path, {now:.1f} µA")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3)


def _currents(content: dict[str, Any]) -> FloatArray:
    """Currents of the readings, uA."""
    ramp = content["ramp"]
    return np.linspace(0.0, 1e6 * ramp["rate"] * ramp["duration"], ramp["readings"] + 1)[1:]


def _draw_traces(axes: Axes, content: dict[str, Any], model: str, way: str) -> None:
    """Draw conductance against current, with plateaus."""
    current = _currents(content)
    styles: dict[bool, tuple[str, dict[str, Any]]] = {
        False: ("every junction typical (two networks)", {"lw": 0.9, "ls": "--"}),
        True: ("junctions drawn (five networks)", {"lw": 1.2}),
    }
    for drawn, (label, style) in styles.items():
        for number, run in enumerate(chosen(content, model=model, way=way, drawn=drawn)):
            colour = COLOURS[number % len(COLOURS)] if drawn else INK
            axes.plot(
                current, run["conductance"], color=colour, label=None if number else label, **style
            )
            for one in run["plateaus"]:
                level = np.full(one["last"] - one["first"], one["level"])
                axes.plot(current[one["first"] : one["last"]], level, color=colour, lw=7, alpha=0.3)
    axes.plot([], [], color=INK, lw=7, alpha=0.3, label="plateau found")
    axes.set_xlabel("current (µA), at 1 µA/s")
    axes.set_ylabel("conductance of the network (G$_0$)")
    axes.set_ylim(bottom=0.0)


def _draw_histograms(axes: Axes, content: dict[str, Any]) -> None:
    """Draw histograms of the networks with drawn and with typical junctions."""
    kinds = [
        ("point-contact", "wires", True, BLUE, "-"),
        ("point-contact", "wires", False, QUIET, "--"),
        ("potentiation", "wires", True, ORANGE, "-"),
    ]
    words = {"wires": "two wires", "electrodes": "electrodes"}
    for model, way, drawn, colour, dashes in kinds:
        runs = chosen(content, model=model, way=way, drawn=drawn)
        if not runs:
            continue
        found = histogram([run["conductance"] for run in runs])
        seconds = found.counts * content["ramp"]["duration"] / content["ramp"]["readings"]
        seconds /= len(runs)
        label = f"{model}, {words[way]}, {'drawn' if drawn else 'typical'}"
        axes.stairs(seconds, found.edges, color=colour, ls=dashes, lw=1.2, label=label)
    axes.set_xlabel("conductance of the network (G$_0$)")
    axes.set_ylim(top=1.3 * axes.get_ylim()[1])
    axes.set_ylabel("seconds of a ramp of 200 s, mean")
