"""Words and ticks on paper are measured and placed once, however often they are asked for.

matplotlib measures the words of a figure at each pass of its layout and again in every format,
reads tables of the fonts for it, and keeps no more than 50 formulas. Most words are those of the
figure before: numbers at ticks, names of axes, lines of legends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from operator import attrgetter
from typing import Any

from matplotlib.axis import Axis
from matplotlib.font_manager import FontManager, FontProperties
from matplotlib.mathtext import MathTextParser, VectorParse
from matplotlib.text import Text
from matplotlib.textpath import TextToPath

from engine.figures.files.ticks import Boxes, draw_axis, label_boxes

MOST = 4096
"""Words, formulas and fonts that are kept; from the next one on they are collected anew."""

_Methods = Mapping[tuple[type, str], Callable[..., Any]]
_LAYOUT, _FONTS = (Text, "_get_layout"), (FontManager, "_find_fonts_by_props")
_FORMULA, _TICKS = (MathTextParser, "_parse_cached"), (Axis, "_update_ticks")
_BOXES = (Axis, "_get_ticklabel_bboxes")
_AXIS = (Axis, "draw")
_own: _Methods = {of: getattr(*of) for of in (_LAYOUT, _FONTS, _FORMULA, _TICKS, _BOXES, _AXIS)}
"""The methods of matplotlib."""
_parse: Any = _own[_FORMULA]
_parser: Any = MathTextParser("path")
_Formula: Any = VectorParse
_kind = attrgetter("_output_type")
_SIZE, _POINTS = TextToPath.FONT_SCALE, TextToPath.DPI
"""Points at which formulas are typeset, and dots per inch."""

_layouts: dict[Any, Any] = {}
_found: dict[Any, Any] = {}


def measured_once() -> AbstractContextManager[None]:
    """Make matplotlib keep what it finds out about words within ``with``; nothing else changes.

    To be used within `engine.figures.style.paper` alone: what is kept holds for its settings.
    """
    return _replaced({_LAYOUT: _kept_layout, _FONTS: _kept_fonts, _FORMULA: _kept_formulas})


def one_tick_an_axis() -> AbstractContextManager[None]:
    """Make one tick of each axis stand for all within ``with``, measured once for each layout.

    For the layout and the drawing of a figure that is complete and whose ticks are alike: nothing
    else of an axis may change meanwhile.
    """
    boxes: dict[Any, tuple[Any, Boxes]] = {}

    def no_ticks(axis: Any) -> tuple[()]:
        return ()

    def kept_boxes(axis: Any, ticks: Any, renderer: Any) -> Boxes:
        look, known = _look(axis), boxes.get(axis)
        if known is None or known[0] != look:
            known = boxes[axis] = (look, label_boxes(axis, renderer))
        return known[1]

    return _replaced({_TICKS: no_ticks, _BOXES: kept_boxes, _AXIS: draw_axis})


def _look(axis: Any) -> tuple[float, ...]:
    """Return what the ticks of an axis depend on."""
    return (*axis.get_view_interval(), *axis.axes.bbox.bounds, axis.get_figure(root=True).dpi)


@contextmanager
def _replaced(methods: _Methods) -> Iterator[None]:
    for (owner, name), method in methods.items():
        setattr(owner, name, method)
    try:
        yield
    finally:
        for owner, name in methods:
            setattr(owner, name, _own[owner, name])


_alignment = attrgetter(
    "_horizontalalignment", "_verticalalignment", "_multialignment", "_linespacing"
)


def _kept_layout(text: Any, renderer: Any) -> Any:
    """Return where the lines of a text lie about its place, see `matplotlib.text.Text`."""
    if text.get_wrap():  # it depends on the place
        return _own[_LAYOUT](text, renderer)
    look = (
        *_measure(renderer),
        text.get_figure(root=True).dpi,
        text.get_text(),
        text.get_fontproperties().copy(),  # its hash changes with it
        text.get_usetex(),
        text.get_parse_math(),
        text.get_rotation(),
        text.get_rotation_mode(),
        *_alignment(text),
    )
    layout = _layouts.get(look)
    if layout is None:
        layout = _kept(_layouts, look, _own[_LAYOUT](text, renderer))
    return layout


def _measure(renderer: Any) -> tuple[Any, ...]:
    """Return what the size of words depends on: how a renderer measures, its resolution."""
    method = renderer.get_text_width_height_descent
    return getattr(method, "__func__", method), getattr(renderer, "dpi", None)


def _kept_formulas(
    parser: Any, text: str, dpi: float, prop: Any, antialiased: bool, flags: Any
) -> Any:
    """Return a formula of the size and resolution that are asked for.

    It is typeset once, at the size of SVG files. Without hinting all sizes are alike but for a
    hundredth of a point.
    """
    if _kind(parser) != _kind(_parser):
        return _parse(parser, text, dpi, prop, antialiased, flags)
    large = prop.copy()
    large.set_size(_SIZE)
    formula = _typeset(text, large, flags)
    size = prop.get_size_in_points() / _SIZE
    if size == 1.0 and dpi == _POINTS:
        return formula
    pixels = size * dpi / _POINTS
    return _Formula(
        *(pixels * length for length in formula[:3]),
        [
            (font, size * points, code, glyph, pixels * x, pixels * y)
            for font, points, code, glyph, x, y in formula.glyphs
        ],
        [tuple(pixels * length for length in box) for box in formula.rects],
    )


@lru_cache(MOST)
def _typeset(text: str, prop: Any, flags: Any) -> Any:
    return _parse.__wrapped__(_parser, text, _POINTS, prop, True, flags)


def _kept_fonts(fonts: Any, prop: Any, *given: Any, **more: Any) -> Any:
    """Return the files of the fonts that serve, see `matplotlib.font_manager.FontManager`."""
    if given or more or not isinstance(prop, FontProperties):
        return _own[_FONTS](fonts, prop, *given, **more)
    found = _found.get((fonts, prop))
    if found is None:
        found = _kept(_found, (fonts, prop.copy()), _own[_FONTS](fonts, prop))
    return list(found)


def _kept(among: dict[Any, Any], look: Any, value: Any) -> Any:
    if len(among) >= MOST:
        among.clear()
    among[look] = value
    return value
