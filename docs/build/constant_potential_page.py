"""Tables and figure of the rates of docs/constant-potential.md, beside those of docs/kinetics.md.

    python -m docs.build.constant_potential_page

reads docs/data/constant-potential.json, which validation/constant_potential.py gathers, and
docs/data/kinetics.json, the runs of the published recipe.
"""

import argparse
import json
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from docs.build.kinetics_page import factor_cells, waiting_cells
from docs.build.kinetics_runs import STRONG, TEMPERATURE, Runs, trend, waiting
from docs.build.page_tables import filled, head
from nanogap.analysis.filament.kinetics import WaitingTimes, survival
from nanogap.cli.programs import run_main
from nanogap.io import write_bytes, write_text
from nanogap.report.ensemble import draw_survival
from nanogap.report.style import house_style, png

DOCS = Path(__file__).resolve().parents[1]
DATA, RECIPE = DOCS / "data" / "constant-potential.json", DOCS / "data" / "kinetics.json"
PAGE, FIGURE = DOCS / "constant-potential.md", DOCS / "images" / "constant-potential-rates.png"
#: Gap that has the most runs, angstrom.
GAP = 6.0


@dataclass(frozen=True)
class Ensembles:
    """Runs of both models: of each run gap, voltage, time under voltage (ps) and contact."""

    metal: list[dict[str, Any]]
    recipe: list[dict[str, Any]]

    @classmethod
    def read(cls) -> "Ensembles":
        """Read the data files."""
        runs = json.loads(DATA.read_text(encoding="utf-8"))["runs"]
        metal = [
            {
                "gap": run["gap"],
                "voltage": run["voltage"],
                "time": run["end_ps"] if run["contact_ps"] is None else run["contact_ps"],
                "contact": run["contact_ps"] is not None,
            }
            for run in runs
        ]
        recipe = Runs(json.loads(RECIPE.read_text(encoding="utf-8")))
        return cls(metal, recipe.where(temperature=TEMPERATURE))


def at(runs: list[dict[str, Any]], gap: float, voltage: float) -> WaitingTimes:
    """Take the waiting times at a gap and a voltage, ps."""
    return waiting([run for run in runs if (run["gap"], run["voltage"]) == (gap, voltage)])


def rates_of(found: Ensembles) -> str:
    """Write the table of all points of the metal."""
    lines = head("gap (Å)", "voltage (V)", *_WAITING, *(f"recipe: {one}" for one in _WAITING))
    for gap, voltage in sorted({(run["gap"], run["voltage"]) for run in found.metal}):
        recipe = at(found.recipe, gap, voltage)
        beside = waiting_cells(recipe) if len(recipe) else "no runs | | "
        lines.append(
            f"| {gap:g} | {voltage:g} | {waiting_cells(at(found.metal, gap, voltage))} | {beside} |"
        )
    return "\n".join(lines)


_WAITING = ("contacts / runs", "median (ps)", "rate (1/ns)")


def factors_of(found: Ensembles) -> str:
    """Write the table of what 8 V do to the rate."""
    lines = head("model", "gap (Å)", "8 V against 0 V", "95 %", "log-rank p")
    gaps = sorted({run["gap"] for run in found.metal})
    for name, runs in (("metal", found.metal), ("recipe", found.recipe)):
        some = [run for run in runs if run["voltage"] in {0.0, STRONG}]
        for words, wanted in (*((f"{gap:g}", {gap}) for gap in gaps), ("all", set(gaps))):
            chosen = [run for run in some if run["gap"] in wanted]
            factor = trend(chosen, lambda run: run["voltage"] / STRONG, itemgetter("gap"))
            lines.append(f"| {name} | {words} | {factor_cells(factor)} |")
    return "\n".join(lines)


TABLES = {"rates": rates_of, "factors": factors_of}


def figure_of(found: Ensembles) -> Figure:
    """Draw how long tips stay without contact, by voltage, in both models."""
    figure = Figure(figsize=(10.0, 3.9), layout="constrained")
    for axes, name, runs in zip(
        figure.subplots(1, 2, sharey=True),
        ("charges of a metal, embedded atoms", "published recipe, ReaxFF"),
        (found.metal, found.recipe),
        strict=True,
    ):
        curves = [
            (f"{voltage:g} V, {len(times)} runs", survival(times))
            for voltage in (0.0, 4.0, STRONG)
            if len(times := at(runs, GAP, voltage))
        ]
        draw_survival(axes, curves)
        axes.set_title(f"{name}: {GAP:g} Å, {TEMPERATURE:g} K")
    return figure


def main() -> None:
    """Draw the figure and fill the tables."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    found = Ensembles.read()
    with house_style():
        write_bytes(FIGURE, png(figure_of(found)))
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), TABLES, found))
    print(rates_of(found), factors_of(found), sep="\n\n")


if __name__ == "__main__":
    run_main(main)
