"""One self-contained HTML page of sections: of a measurement campaign, or of an ensemble."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from nanogap import __version__
from nanogap.io import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Vector figures above this size become pixels: a browser should not draw a million points.
_LARGEST_VECTOR = 600_000


@dataclass(frozen=True)
class Card:
    """A small figure among many.

    Attributes
    ----------
    title, text : str
        Over and under the figure.
    figure : Figure
    link : str
        Address of a page that shows more; empty if there is none.
    """

    title: str
    text: str
    figure: "Figure"
    link: str = ""


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
    cards : sequence of Card
        Small figures, beside and below each other.
    code : str
        Lines that a reader may copy.
    links : sequence of (str, str)
        Words and addresses of other files.
    """

    title: str
    figures: list["Figure"] = field(default_factory=list)
    caption: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)
    cards: Sequence[Card] = ()
    code: str = ""
    links: Sequence[tuple[str, str]] = ()


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
    page = rendered(
        "sections.html.jinja",
        title=title,
        lead=lead,
        warning=warning,
        refresh=refresh,
        sections=[
            (
                part,
                [picture(figure) for figure in part.figures],
                [small_picture(card.figure) for card in part.cards],
            )
            for part in sections
        ],
        notes=notes,
        version=__version__,
    )
    write_text(path, page)


def picture(figure: "Figure") -> str:
    """Draw a figure as a data URI: in vectors, unless there are too many."""
    from nanogap.report.style import house_style, png, svg  # noqa: PLC0415 pages may have none

    with house_style():
        image = svg(figure)
        if len(image) > _LARGEST_VECTOR:
            return data_uri(png(figure, 150), raster=True)
    return data_uri(image, raster=False)


def small_picture(figure: "Figure") -> str:
    """Draw a figure among many as a data URI, in pixels."""
    from nanogap.report.style import house_style, png  # noqa: PLC0415 pages may have none

    with house_style():
        return data_uri(png(figure, 150), raster=True)


def rendered(template: str, **content: object) -> str:
    """Fill a template of the pages, which all have the same style sheet."""
    environment = Environment(
        loader=PackageLoader("nanogap.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(css=asset("page.css"), **content)


def asset(name: str) -> str:
    """Read a file that is part of the pages."""
    return (resources.files("nanogap.report") / "templates" / name).read_text(encoding="utf-8")


def data_uri(image: bytes, *, raster: bool) -> str:
    """Write an image, PNG or SVG, as the address that a page shows it by."""
    kind = "image/png" if raster else "image/svg+xml"
    return f"data:{kind};base64,{base64.b64encode(image).decode()}"
