"""How Sphinx renders the course: everything that a page needs lies beside it."""

import re
import sys
from pathlib import Path

from docutils import nodes

sys.path.insert(0, str(Path(__file__).parent))

project = "cae_np"
copyright = "the cae_np authors; text CC BY 4.0, code MIT"
language = "en"
extensions = ["myst_nb", "mathml", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
napoleon_google_docstring = False
autodoc_member_order = "bysource"
add_module_names = False
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # tables that a cell displays
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# A formula that KaTeX or MathJax would draw in the browser is MathML here already.
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "Convolutional auto-encoders by hand"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app):
    app.connect("doctree-resolved", mark_sentences)


def mark_sentences(app, doctree, name):
    """Tell sentences that a cell prints, which are wrapped, from tables, whose lines stay whole."""
    for output in doctree.findall(nodes.literal_block):
        columns = re.search(r"\S {2,}\S.*\S {2,}\S", output.astext())
        if "output" in output["classes"] and not columns:
            output["classes"].append("sentences")
