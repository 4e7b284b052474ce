"""Configuration of the documentation site: Sphinx; `make docs` builds it, a warning is an error."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # docs.build

from pydantic import BaseModel  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

from docs.build import api_reference, mathml  # noqa: E402

project = "nanogap"
author = "The nanogap authors"
copyright = author  # noqa: A001
version = release = installed_version("nanogap")

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
]
exclude_patterns = ["build", "data", "_static", "**/__pycache__"]

# pages in Markdown, as GitHub shows them too
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
highlight_language = "none"  # indented blocks are commands and formulae; fences name their language

# tutorials are run when the site is built; a cell that fails is an error
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

# the API reference, from the docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc sections give the types in words
# pydantic's own, and a compiled class without a signature that modules import
autodoc_default_options = {"exclude-members": "model_config, model_post_init, cKDTree, Cells"}
numpydoc_show_class_members = False
default_role = "py:obj"

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"nanogap {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False


def without_settings(*call: Any) -> tuple[str | None, str | None]:
    """Leave out the signature of a model of settings: its keys have a page of their own."""
    _app, _kind, _name, thing, _options, signature, returned = call
    model = isinstance(thing, type) and issubclass(thing, BaseModel)
    return ("" if model else signature, returned)


def setup(app: Sphinx) -> None:
    """Write the pages of the API reference, and have equations as MathML."""
    api_reference.write_pages(HERE / "api")
    mathml.register(app)
    app.connect("autodoc-process-signature", without_settings)
