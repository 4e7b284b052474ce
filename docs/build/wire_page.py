"""Draw the figures of docs/wire.md, and write the numbers of its ensemble.

nanogap wire run wire-breakdown -o one
nanogap wire run wire-breakdown-ensemble -o eleven
python -m docs.build.wire_page one eleven
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from nanogap.cli.programs import run_main
from nanogap.io import write_bytes, write_json
from nanogap.report import wire_figures as figures
from nanogap.report.style import house_style, png
from nanogap.runs.wire_run import WireRun

DOCS = Path(__file__).resolve().parents[1]
DATA = DOCS / "data" / "wire-breakdown.json"


def draw(one: Path, several: Path) -> None:
    """Write the figures and the numbers of two wire directories."""
    single, ensemble = WireRun(one), WireRun(several)
    part = single.breakdowns()[0]
    moments = figures.chosen_moments(part)
    with house_style():
        drawn = {
            "wire-curve": figures.curve_figure(part, moments),
            "wire-shape": figures.shape_figure(moments),
            "wire-profiles": figures.profile_figure(moments),
            "wire-ensemble": figures.ensemble_figure(ensemble.breakdowns()),
        }
        for name, figure in drawn.items():
            write_bytes(DOCS / "images" / f"{name}.png", png(figure, 90))
    content = {
        run.settings.name: {
            "made_with": run.versions,
            "wires": [asdict(result) for result in run.status.wires],
        }
        for run in (single, ensemble)
    }
    write_json(DATA, content)


def main() -> None:
    """Draw the figures of the wires that are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("one", type=Path, help="a wire directory of the preset wire-breakdown")
    parser.add_argument("several", type=Path, help="one of wire-breakdown-ensemble")
    given = parser.parse_args()
    draw(given.one, given.several)


if __name__ == "__main__":
    run_main(main)
