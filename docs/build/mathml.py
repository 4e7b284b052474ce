"""Write equations of the site as MathML, which browsers draw themselves, without a network."""

from collections.abc import Callable
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

Visit = Callable[[Any, Any], None]


def register(app: Any) -> None:
    """Make this the renderer of the equations of a Sphinx application."""
    inline = _renderer('<span class="math">{}</span>', "inline")
    displayed = _renderer('<div class="math">{}</div>', "block")
    app.add_html_math_renderer("mathml", inline, displayed)


def _renderer(frame: str, display: str) -> tuple[Visit, Visit]:
    """Give what a translator does when it enters and leaves an equation."""

    def enter(translator: Any, node: Any) -> None:
        if r"\begin{aligned}" in node.astext():
            raise ValueError("the & of aligned equations would be drawn: write several equations")
        translator.body.append(frame.format(convert(node.astext(), display=display)))
        raise nodes.SkipNode

    def leave(_translator: Any, _node: Any) -> None:
        """Do nothing: the node was skipped."""

    return enter, leave
