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
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

MOST = 4096
"""Words, formulas and fonts that are kept; from the next one on they are collected anew."""

_Methods = Mapping[tuple[type, str], Callable[..., Any]]
_LAYOUT, _FONTS = (Text, "_get_layout"), (FontManager, "_find_fonts_by_props")
_FORMULA, _TICKS = (MathTextParser, "_parse_cached"), (Axis, "_update_ticks")
_own: _Methods = {of: getattr(*of) for of in (_LAYOUT, _FONTS, _FORMULA, _TICKS)}
"""The methods of matplotlib."""
_parse: Any = _own[_FORMULA]
_kept_formulas: Callable[..., Any] = lru_cache(MOST)(_parse.__wrapped__)

_layouts: dict[Any, Any] = {}
_found: dict[Any, Any] = {}


def measured_once() -> AbstractContextManager[None]:
    """Make matplotlib keep what it finds out about words within ``with``; nothing else changes.

    To be used within `engine.figures.style.paper` alone: what is kept holds for its settings.
    """
    return _replaced({_LAYOUT: _kept_layout, _FONTS: _kept_fonts, _FORMULA: _kept_formulas})


def ticks_placed_once() -> AbstractContextManager[None]:
    """Place the ticks of an axis anew within ``with`` only if its ends or its length changed.

    For passes over a figure that is complete: nothing else of an axis may change meanwhile.
    """
    ticks: dict[Any, Any] = {}

    def kept_ticks(axis: Any) -> Any:
        look = (*axis.get_view_interval(), *axis.axes.bbox.bounds, axis.get_figure(root=True).dpi)
        known = ticks.get(axis)
        if known is None or known[0] != look:
            known = ticks[axis] = (look, _own[_TICKS](axis))
        return known[1]

    return _replaced({_TICKS: kept_ticks})


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
