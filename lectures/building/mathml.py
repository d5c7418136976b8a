"""A Sphinx extension: formulas become MathML while the site is built, so that no page needs a
script, or a network, to show them."""

from docutils import nodes
from latex2mathml.converter import convert


def visit_math(writer, node):
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_displaymath(writer, node):
    formula = convert(node.astext(), display="block")
    writer.body.append(f'<div class="formula" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer(
        "mathml", inline_renderers=(visit_math, None), block_renderers=(visit_displaymath, None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
