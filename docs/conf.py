"""The site: ``make docs`` builds it from docs/, and from the docstrings of the public packages."""

import sys
from pathlib import Path

from pygments.lexers.shell import BashSessionLexer
from sphinx.application import Sphinx

from tetherpy.distribution import installed_version

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "tetherpy"
author = "The tetherpy authors"
project_copyright = author
version = release = installed_version()

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "facades",
    "state_diagrams",
]
exclude_patterns = ["_extensions", "_static"]
default_role = "code"

myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_fence_as_directive = {"mermaid"}
myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"
napoleon_use_ivar = True
highlight_language = "text"

pygments_dark_style = "a11y-dark"

html_theme = "furo"
html_title = f"tetherpy {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(Path(__file__).parent / "_static" / "search_scorer.js")
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1d5fa8", "color-brand-content": "#1d5fa8"},
    "dark_css_variables": {"color-brand-primary": "#7db3f0", "color-brand-content": "#7db3f0"},
}
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True


def setup(app: Sphinx) -> None:
    """Register the language of console sessions on a terminal, which Pygments does not know."""
    app.add_lexer("terminal", BashSessionLexer)
