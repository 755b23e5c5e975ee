"""Figures for a page: SVG without a ground, whose colours are variables of the page's style."""

from __future__ import annotations

import re

from engine.core.palette import ROLES, SERIES
from engine.core.views import View
from engine.figures.data import FigureData

VARIABLES = {
    **{shade: f"--series-{number}" for number, shade in enumerate(SERIES, 1)},
    **{shade: f"--{role}" for role, shade in ROLES.items()},
    "#55555a": "--axis",
    "#e6e6ea": "--grid",
}
"""Colours of figures on paper, and the variable of a page that stands for each."""
TOLERANCE = 0.2
"""Points by which a simplified curve may be off: less than a pixel of a screen."""
_HEAD = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_ABOUT = re.compile(r"<metadata>.*?</metadata>|<title>.*?</title>|<style\b.*?</style>", re.DOTALL)
_SIZE = re.compile(r'(<svg\b[^>]*?) width="[^"]*" height="[^"]*"')
_DIGITS = re.compile(r"(\d\.\d\d)\d+(?![\d.])")
"""A number with more decimals than a page shows."""
_PLACES = re.compile(r'\b(?:d|x|y|points)="[^"]*"')
"""Attributes that hold places on the page, in points."""
_COLOR = re.compile(r"#[0-9a-f]{6}\b")
_NAMED = re.compile(r'(\bid="|url\(#|href="#)')


def drawn(view: View, data: FigureData, prefix: str) -> str:
    """Draw a view as the SVG element of a page; `prefix` sets its names apart from others'."""
    from engine.figures import paper  # loads matplotlib

    figure = paper.draw(view, data)
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
        for line in axes.lines:
            path = line.get_path()
            path.should_simplify, path.simplify_threshold = True, TOLERANCE
    return for_page(paper.render(figure, "svg", data).decode(), prefix)


def for_page(svg: str, prefix: str) -> str:
    """Turn an SVG file into an element that takes its colours from the page around it."""
    text = _ABOUT.sub("", _HEAD.sub("", svg))
    text = _SIZE.sub(r"\1", text, count=1)
    text = _NAMED.sub(rf"\1{prefix}-", text)
    text = _PLACES.sub(lambda found: _DIGITS.sub(r"\1", found[0]), text)
    text = _COLOR.sub(lambda found: _variable(found[0]), text)
    return re.sub(r"\n\s*", "\n", text).strip()


def _variable(shade: str) -> str:
    name = VARIABLES.get(shade)
    return shade if name is None else f"var({name}, {shade})"
