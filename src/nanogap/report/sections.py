"""One self-contained HTML page of sections: of a measurement campaign, or of an ensemble."""

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
    figures: list[Figure] = field(default_factory=list)
    caption: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)


def write_page(
    path: Path,
    *,
    title: str,
    sections: Sequence[Section],
    lead: str = "",
    warning: str = "",
    notes: Sequence[str] = (),
    refresh: int | None = None,
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        The HTML file; it replaces an older one at once.
    title : str
    sections : sequence of Section
    lead : str
        What the page says first.
    warning : str
        What must not be overlooked.
    notes : sequence of str
        What was left out, and which analyses failed.
    refresh : int, optional
        The browser loads the page anew after so many seconds.
    """
    environment = Environment(
        loader=PackageLoader("nanogap.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("sections.html.jinja").render(
        css=(resources.files("nanogap.report") / "templates" / "page.css").read_text("utf-8"),
        title=title,
        lead=lead,
        warning=warning,
        refresh=refresh,
        sections=[(part, [_data_uri(figure) for figure in part.figures]) for part in sections],
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
