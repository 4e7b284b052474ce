"""Does voltage drive the bridging, or heat alone? Data, figure and tables of docs/kinetics.md.

    # write docs/data/kinetics.json of campaigns, then figure and tables
    python -m docs.build.kinetics FOLDER...
    # figure and tables from docs/data/kinetics.json
    python -m docs.build.kinetics

The folders are those of the campaign files docs/data/kinetics-*.toml:

    nanogap campaign run docs/data/kinetics-voltage.toml -o voltage   # and so on

Unfinished campaigns count with the members that they have.
"""

import json
import sys
from pathlib import Path

from docs.build.kinetics_figure import figure_of
from docs.build.kinetics_gather import content_of
from docs.build.kinetics_page import TABLES
from docs.build.kinetics_runs import Runs, findings, mechanism
from docs.build.page_tables import filled
from nanogap.campaign.folder import CampaignFolder
from nanogap.cli.programs import run_main
from nanogap.io import write_bytes, write_json, write_text
from nanogap.report.style import house_style, png

DOCS = Path(__file__).resolve().parents[1]
DATA = DOCS / "data" / "kinetics.json"
PAGE = DOCS / "kinetics.md"


def main() -> None:
    """Gather runs if folders are given; draw the figure and fill the tables."""
    if len(sys.argv) > 1:
        write_json(DATA, content_of([CampaignFolder(Path(one)) for one in sys.argv[1:]]))
    runs = Runs(json.loads(DATA.read_text(encoding="utf-8")))
    with house_style():
        write_bytes(DOCS / "images" / "kinetics.png", png(figure_of(runs)))
    if PAGE.is_file():
        write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), TABLES, runs))
    for name, trend in findings(runs).items():
        print(f"{name}: {trend}")
    print(json.dumps(mechanism(runs), indent=1))


if __name__ == "__main__":
    run_main(main)
