"""One self-contained HTML page of a measurement campaign."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from nanogap import __version__
from nanogap.io import write_text
from nanogap.report.style import house_style, png, svg

#: Vector figures above this size become pixels: a browser should not draw a million points.
_LARGEST_VECTOR = 600_000


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    title : str
    figures : list of Figure
    caption : str
        Under the figures.
    head, rows : sequences of str
        A table, if there is one.
    """

    title: str
    figures: list[Figure]
    caption: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)


def write_measured_page(
    path: Path,
    *,
    title: str,
    synthetic: bool,
    sections: Sequence[Section],
    files: Sequence[tuple[str, str]],
    notes: Sequence[str],
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        The HTML file; it replaces an older one at once.
    title : str
    synthetic : bool
        Whether any of the data are synthetic, which the page then says first.
    sections : sequence of Section
    files : sequence of (str, str)
        Every file and what it was taken for.
    notes : sequence of str
        What reading left out and which analyses failed.
    """
    environment = Environment(
        loader=PackageLoader("nanogap.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("measured.html.jinja").render(
        css=(resources.files("nanogap.report") / "templates" / "page.css").read_text("utf-8"),
        title=title,
        synthetic=synthetic,
        sections=[(part, [_data_uri(figure) for figure in part.figures]) for part in sections],
        files=files,
        notes=notes,
        version=__version__,
    )
    write_text(path, page)


def _data_uri(figure: Figure) -> str:
    with house_style():
        image, kind = svg(figure), "svg+xml"
        if len(image) > _LARGEST_VECTOR:
            image, kind = png(figure, 150), "png"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
