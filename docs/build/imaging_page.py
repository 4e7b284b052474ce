"""Draw the figures of docs/imaging.md.

nanogap wire run wire-breakdown-ensemble -o wires --set wires.number=4
nanogap device run device-quick -o device
python -m docs.build.imaging_page wires device
"""

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from nanogap.cli.programs import run_main
from nanogap.imaging.figure import image_figure, series_figure
from nanogap.imaging.moments import Moments, open_moments
from nanogap.imaging.picture import ImageSettings, take_images
from nanogap.io import write_bytes
from nanogap.report.style import house_style, png

IMAGES = Path(__file__).resolve().parents[1] / "images"
#: The wire of the ensemble whose gap is a wide one.
WIRE = 4
#: Time at which metal bridges the gap of the device, s.
BRIDGED = 3.5


def single(moments: Moments, settings: ImageSettings, at: float | None = None) -> Figure:
    """Draw the moment at a time, or the last."""
    scene = moments.read(moments.place(at))
    return image_figure(take_images([scene], settings, moments.name))


def series(moments: Moments, settings: ImageSettings, count: int) -> Figure:
    """Draw some moments with the curve beside them."""
    scenes = [moments.read(place) for place in moments.chosen(count).tolist()]
    images = take_images(scenes, settings, moments.name)
    return series_figure(images, moments.curve, [one.mark for one in scenes])


def draw(wires: Path, device: Path) -> None:
    """Write the figures of a wire directory and a device directory."""
    wire, atoms = open_moments(wires, wire=WIRE), open_moments(device)
    with house_style():
        drawn = {
            "image-wire-series": series(wire, ImageSettings("haadf", dose=2.0), 5),
            "image-wire-sem": single(wire, ImageSettings("sem")),
            "image-device-haadf": single(atoms, ImageSettings("haadf", dose=1e6), BRIDGED),
            "image-device-sem": single(atoms, ImageSettings("sem"), BRIDGED),
        }
        for name, figure in drawn.items():
            write_bytes(IMAGES / f"{name}.png", png(figure, 90))


def main() -> None:
    """Draw the figures of the directories that are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wires", type=Path, help="a wire directory of four wires of the ensemble")
    parser.add_argument("device", type=Path, help="a device directory of the preset device-quick")
    given = parser.parse_args()
    draw(given.wires, given.device)


if __name__ == "__main__":
    run_main(main)
