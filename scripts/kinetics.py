"""Does voltage drive the bridging, or heat alone? Data, figure and tables of docs/kinetics.md.

    python scripts/kinetics.py FOLDER...   # write docs/data/kinetics.json of campaigns, and so on
    python scripts/kinetics.py             # figure and tables from docs/data/kinetics.json

The folders are those of the campaign files docs/data/kinetics-*.toml:

    nanogap campaign run docs/data/kinetics-voltage.toml -o voltage   # and so on

Unfinished campaigns count with the members that they have.
"""

import json
import sys
from pathlib import Path

from kinetics_figure import figure_of
from kinetics_gather import content_of
from kinetics_page import TABLES
from kinetics_runs import Runs, findings, mechanism
from page_tables import filled

from nanogap.campaign.folder import CampaignFolder
from nanogap.io import write_json, write_text
from nanogap.report.style import house_style, png

DOCS = Path(__file__).resolve().parents[1] / "docs"
DATA = DOCS / "data" / "kinetics.json"
PAGE = DOCS / "kinetics.md"


def main() -> None:
    """Gather runs if folders are given; draw the figure and fill the tables."""
    if len(sys.argv) > 1:
        write_json(DATA, content_of([CampaignFolder(Path(one)) for one in sys.argv[1:]]))
    runs = Runs(json.loads(DATA.read_text(encoding="utf-8")))
    with house_style():
        (DOCS / "images" / "kinetics.png").write_bytes(png(figure_of(runs)))
    if PAGE.is_file():
        write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), TABLES, runs))
    for name, trend in findings(runs).items():
        print(f"{name}: {trend}")
    print(json.dumps(mechanism(runs), indent=1))


if __name__ == "__main__":
    main()
