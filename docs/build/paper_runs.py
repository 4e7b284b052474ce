"""The runs behind docs/paper-figures.md: their data, the figures, the tables.

    # gather runs and campaigns, draw the figures, fill the tables
    python -m docs.build.paper_runs --paper RUN_OR_CAMPAIGN... --closer RUN_OR_CAMPAIGN...
    # fill the tables from docs/data/paper-runs.json
    python -m docs.build.paper_runs

``--paper`` are runs of the presets paper-8v and paper-2v, finished or not; ``--closer`` runs with a
smaller gap, which show what the former do not while their gap is open. A run takes the place of
that of the same preset and seed in the data; the others stay, so that runs may be made one after
the other, on different machines.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from docs.build.page_tables import filled
from docs.build.paper_cuts import compared, figure_of
from docs.build.paper_kept import SERIES, identity_of, keep_structures, kept_path, kept_trajectory
from docs.build.paper_page import PAPER_GAP, TABLES, fullest
from docs.build.paper_terraces import figure_of as terraces_figure
from docs.build.paper_terraces import terraces_of
from nanogap.analysis.filament.stages import stage_spans
from nanogap.analysis.filament.structures import growth_structures, single_atom_contacts
from nanogap.campaign.trajectories import open_trajectories
from nanogap.cli.programs import run_main
from nanogap.errors import NanogapError
from nanogap.io import write_bytes, write_text
from nanogap.report.paper import Trajectory
from nanogap.report.paper_figures import PAPER_FIGURES
from nanogap.report.style import house_style, png

DOCS = Path(__file__).resolve().parents[1]
DATA = DOCS / "data" / "paper-runs.json"
PAGE = DOCS / "paper-figures.md"
#: Figures of the run of a group that shows most, and those of all its runs.
_OF_ONE, _OF_ALL = ("1i", "3bc", "3d-f"), ("4c", "S3")


def main() -> None:
    """Gather runs if some are given; fill the tables."""
    parser = argparse.ArgumentParser()
    for group in ("paper", "closer"):
        parser.add_argument(f"--{group}", nargs="+", type=Path, default=[])
    parser.add_argument("--sample", nargs="*", type=Path, default=[], help="runs with samplings")
    parser.add_argument(
        "--wide",
        nargs=2,
        metavar=("FILE", "INDEX"),
        help="transmissions of some snapshots of the fullest run of the paper with --cut terrace",
    )
    given = parser.parse_args()
    content = json.loads(DATA.read_text(encoding="utf-8")) if DATA.is_file() else {}
    for group in ("paper", "closer"):
        paths = getattr(given, group)
        if paths:
            gather(content, group, open_trajectories(paths))
    if given.sample:
        sampled = open_trajectories(given.sample, sampled=True)
        content["sampled"] = [sampling(one) for one in sampled]
        for group, of_paper in (("paper", True), ("sampled", False)):
            some = [one for one in sampled if (_gap(one) == PAPER_GAP) == of_paper]
            draw(some[:1], group, ("5cd",) if some else ())
    if given.wide:
        path, index = given.wide
        content["cuts"] = [compared(fullest(content["paper"]), Path(path), index)]
    with house_style():
        (shown,) = (run for run in content["paper"] if run["name"] == content["cuts"][0]["name"])
        figure = figure_of(content["cuts"], shown)
        write_bytes(DOCS / "images" / "paper-cuts.png", png(figure, 110))
        figure = terraces_figure(content["paper"])
        write_bytes(DOCS / "images" / "paper-terraces.png", png(figure, 110))
    write_text(DATA, text_of(content))
    if PAGE.is_file():
        write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), TABLES, content))


def gather(content: dict[str, Any], group: str, trajectories: Sequence[Trajectory]) -> None:
    """Put runs into the data, keep their structures, and draw the figures that they change."""
    given = {}
    for one in trajectories:
        run = described(one)
        given[identity_of(run)] = one
        if group == "paper":
            keep_structures(one, kept_path(run))
            run["terraces"] = terraces_of(one)
        content[group] = merged(content.get(group, []), run)
    runs = content[group]
    most = fullest(runs)
    shown = given.get(identity_of(most))
    if shown is None:
        print(f"{', '.join(_OF_ONE)} of {group} stay: they show {most['name']}")
    else:
        draw([shown], group, _OF_ONE)
    everyone = [given.get(identity_of(run)) or kept_trajectory(run) for run in runs]
    draw(everyone, group, _OF_ALL if len({run["voltage"] for run in runs}) > 1 else _OF_ALL[:1])


def merged(runs: Sequence[dict[str, Any]], run: dict[str, Any]) -> list[dict[str, Any]]:
    """Put a run in the place of that of the same preset and seed, in order of both."""
    others = (one for one in runs if identity_of(one) != identity_of(run))
    return sorted([*others, run], key=identity_of)


def text_of(content: dict[str, list[dict[str, Any]]]) -> str:
    """Write the data as JSON with one run in a line."""
    groups = [
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]"
        for name, runs in content.items()
    ]
    return "{\n" + ",\n".join(groups) + "\n}\n"


def draw(trajectories: Sequence[Trajectory], group: str, names: Sequence[str]) -> None:
    """Draw the figures that there is something for, and say what there is not."""
    for name in names:
        try:
            with house_style():
                figure = PAPER_FIGURES[name].draw(trajectories).figure
                path = DOCS / "images" / f"paper-{name.lower()}-{group}.png"
                write_bytes(path, png(figure, 110))
        except NanogapError as error:
            print(f"{name} of {group}: {error}")
        else:
            print(f"wrote {path}")


def described(one: Trajectory) -> dict[str, Any]:
    """Give what the page needs of a run."""
    result = one.result
    settings, observables = result.settings, result.observables
    contact = result.first_contact
    structures = growth_structures(observables, result.transmission, one.usable)
    places = single_atom_contacts(observables, result.transmission, one.usable)
    return {
        "name": one.name,
        "preset": settings.name,
        "voltage": settings.voltage.applied,
        "gap": settings.structure.gap,
        "seed": settings.seed,
        "engine": settings.dynamics.engine,
        "time_step": settings.dynamics.time_step,
        "simulated": float(result.time[-1]),
        "planned": result.planned_end,
        "finished": result.finished,
        "first_contact": None if contact is None else float(result.time[contact]),
        "stages": [
            [stage.value, float(result.time[first]), float(result.time[last])]
            for stage, first, last in stage_spans(result.stages)
        ],
        "structures": [_structure(one, index) for index in structures],
        "contacts": [_rounded(result.transmission[index]) for index in places],
        "spectra": _spectra(one, structures),
        "time": [round(float(time), 3) for time in result.time],
        "transmission": list(map(_rounded, result.transmission)),
        **{name: list(map(_rounded, result.series(name))) for name in SERIES},
    }


def _structure(one: Trajectory, index: int) -> dict[str, Any]:
    result = one.result
    return {
        "time": float(result.time[index]),
        "transmission": _rounded(result.transmission[index]),
        "atoms": result.bottleneck(index),
    }


def _spectra(one: Trajectory, structures: Sequence[int]) -> dict[str, list[float | None]] | None:
    """T(E) of the structures in contact; None without one."""
    touching = [index for index in structures if one.result.bottleneck(index)][:3]
    if not touching or one.spectra is None:
        return None
    dataset = one.spectra([int(one.result.numbers[index]) for index in touching])
    values = dataset["transmission_average"].transpose("snapshot", "energy").to_numpy()
    found = {"energy": list(map(_rounded, dataset["energy"].to_numpy()))}
    first = structures.index(touching[0]) + 1
    return found | {
        str(first + place): list(map(_rounded, row)) for place, row in enumerate(values)
    }


def sampling(one: Trajectory) -> dict[str, Any]:
    """Give what the page needs of a fine sampling."""
    result = one.result
    known = result.transmission[np.isfinite(result.transmission)]
    return {
        "name": one.name,
        "gap": _gap(one),
        "voltage": result.settings.voltage.applied,
        "samples": len(known),
        "every": float(result.time[1] - result.time[0]) * 1000.0,
        "begin": float(result.time[0]),
        "end": float(result.time[-1]),
        "mean": float(known.mean()),
        "deviation": float(known.std(ddof=1)),
    }


def _gap(one: Trajectory) -> float:
    return float(one.result.settings.structure.gap)


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


if __name__ == "__main__":
    run_main(main)
