"""A Sphinx extension: formulas become MathML while the site is built, so that no page needs a
script, or a network, to show them."""

import html
import re

from docutils import nodes
from latex2mathml.converter import convert

TAG = re.compile(r"\\tag\{([^}]*)\}")
# The converter lets a left bar grow and not the right one, unless they are a pair.
PAIRS = ((r"\lVert", r"\left\|"), (r"\rVert", r"\right\|"))
# The converter knows the environment only by the name that it has outside of a formula.
ALIGNED = re.compile(r"\\(begin|end)\{aligned\}")
PRIME = re.compile(r"<msup>(<mi[^>]*>[^<]*</mi>)<mi>&#x02032;</mi></msup>")


def mathml(latex, display="inline"):
    """A formula as MathML.

    Primes stand beside their letter rather than above it: the font's prime is raised already, and
    as a superscript it would be too small to see.

    Raises
    ------
    ValueError
        If something in the formula is unknown to the converter, which would show it as it is.
    """
    latex = ALIGNED.sub(r"\\\1{align*}", latex)
    for single, paired in PAIRS:
        latex = latex.replace(single, paired)
    raised = r'<mrow>\1<mo lspace="0" rspace="0">&#x02032;</mo></mrow>'
    converted = PRIME.sub(raised, convert(latex, display=display))
    if re.search(r"<m[a-z]+>(&|&amp;|\\[a-zA-Z]*)</m", converted):
        raise ValueError(f"this formula would show its LaTeX: {latex}")
    return converted


def visit_math(writer, node):
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_displaymath(writer, node):
    formula, number = split_tag(node.astext())
    number = f'<span class="number">({html.escape(number)})</span>' if number else ""
    formula = mathml(formula, display="block")
    writer.body.append(f'<div class="formula" tabindex="0">{formula}{number}</div>\n')
    raise nodes.SkipNode


def split_tag(latex):
    """A formula without its ``\\tag``, and what that says; "" where there is none."""
    found = TAG.search(latex)
    return TAG.sub("", latex), found[1] if found else ""


def setup(app):
    app.add_html_math_renderer(
        "mathml", inline_renderers=(visit_math, None), block_renderers=(visit_displaymath, None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
