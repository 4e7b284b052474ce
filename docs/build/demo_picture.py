"""Make the picture of the README from the demonstration.

make demo
python -m docs.build.demo_picture demo-run
"""

import argparse
import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from nanogap.cli.programs import run_main
from nanogap.io import write_atomically
from nanogap.report.atoms import landmark_pictures
from nanogap.report.figures import conductance_trace
from nanogap.report.result import RunResult
from nanogap.report.style import house_style
from nanogap.runs import RunDirectory
from nanogap.runs.summary import planned_end

PICTURE = Path(__file__).resolve().parents[1] / "images" / "demo-report.png"
WIDTH = 1024


def result_of(run: RunDirectory) -> RunResult:
    """Gather what the report shows of a run."""
    return RunResult.gather(
        settings=run.settings,
        observables=run.observables(),
        transmission=run.transmission(),
        spectra=None,
        frames=[(number, run.frame(number)) for number in range(len(run.records()))],
        failures=run.failures(),
        planned_end=planned_end(run),
    )


def image(figure: Figure) -> Image.Image:
    """Draw a figure as wide as the picture is."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=WIDTH / figure.get_figwidth(), bbox_inches=None)
    return Image.open(drawn).convert("RGB")


def main() -> None:
    """Put the atoms at the landmarks above the conductance over time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    result = result_of(RunDirectory(parser.parse_args().run))
    with house_style():
        atoms = landmark_pictures(result)
        if atoms is None:
            raise SystemExit("the run has no landmarks yet")
        parts = [image(atoms), image(conductance_trace(result))]
    picture = Image.new("RGB", (WIDTH, sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        picture.paste(part, (0, top))
        top += part.height
    write_atomically(PICTURE, lambda temporary: picture.save(temporary, "PNG", optimize=True))


if __name__ == "__main__":
    run_main(main)
