"""The scale of the interface: how much larger than usual everything in the windows is.

Fonts and the style sheet are scaled by `gui.style.theme`, plots by their own views. For the rest,
lengths are given here in pixels at a scale of 1: those of layouts and widgets are kept with them
and set anew by `refit`, painted ones are asked for with `px` at each painting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QBoxLayout,
    QGridLayout,
    QLayout,
    QWidget,
)

SCALES = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5)
"""The scales that the keys step through."""
LEAST, MOST = SCALES[0], SCALES[-1]
_LENGTH = re.compile(r"(?P<of>radius:\s*)?(?<![\w#.-])(?P<number>-?\d+(?:\.\d+)?)(?P<unit>px|pt)\b")

_factor = 1.0


def factor() -> float:
    """Return the scale in force."""
    return _factor


def set_factor(value: float) -> float:
    """Set the scale, within `LEAST` and `MOST`, and return it; `refit` applies it to widgets."""
    global _factor
    _factor = min(max(float(value), LEAST), MOST)
    return _factor


def neighbour(value: float, direction: int) -> float:
    """Return the next scale of `SCALES` above (1) or below (-1) a value, or the last there is."""
    if direction > 0:
        return next((scale for scale in SCALES if scale > value + 1e-6), MOST)
    return next((scale for scale in reversed(SCALES) if scale < value - 1e-6), LEAST)


def px(length: float) -> float:
    """Return a length in pixels at the scale in force."""
    return length * _factor


def whole(length: float) -> int:
    """Return a length in whole pixels at the scale in force; one that is not 0 is at least 1."""
    return max(1, round(length * _factor)) if length > 0 else round(length * _factor)


def scaled_sheet(sheet: str) -> str:
    """Return a style sheet with all its lengths at the scale in force.

    Radii are rounded down: Qt draws square corners where one is more than half of a side.
    """
    if _factor == 1.0:
        return sheet

    def scaled(found: re.Match[str]) -> str:
        number = float(found["number"])
        if found["unit"] == "pt":
            return f"{number * _factor:g}pt"
        if found["of"]:
            return f"{found['of']}{math.floor(number * _factor)}px"
        return f"{whole(number) if number > 0 else -whole(-number)}px"

    return _LENGTH.sub(scaled, sheet)


# Lengths that widgets and layouts keep.


def _margins(target: Any, sides: list[int]) -> None:
    target.setContentsMargins(*map(whole, sides))


def _spacing(target: Any, values: list[int]) -> None:
    target.setSpacing(whole(values[0]))


def _across(target: Any, values: list[int]) -> None:
    target.setHorizontalSpacing(whole(values[0]))


def _down(target: Any, values: list[int]) -> None:
    target.setVerticalSpacing(whole(values[0]))


def _fixed(target: Any, size: list[int]) -> None:
    if size[0]:
        target.setFixedWidth(whole(size[0]))
    if size[1]:
        target.setFixedHeight(whole(size[1]))


def _least(target: Any, size: list[int]) -> None:
    if size[0]:
        target.setMinimumWidth(whole(size[0]))
    if size[1]:
        target.setMinimumHeight(whole(size[1]))


def _most(target: Any, size: list[int]) -> None:
    target.setMaximumWidth(whole(size[0]))


def _icon(target: Any, size: list[int]) -> None:
    target.setIconSize(QSize(whole(size[0]), whole(size[0])))


def _font(target: Any, shares: list[float]) -> None:
    font = QFont(target.font())
    font.setPointSizeF(max(6.0 * _factor, QApplication.font().pointSizeF() * shares[0]))
    target.setFont(font)


_SETTERS: dict[str, Callable[[Any, list[Any]], None]] = {
    "scaledMargins": _margins,
    "scaledSpacing": _spacing,
    "scaledAcross": _across,
    "scaledDown": _down,
    "scaledFixed": _fixed,
    "scaledLeast": _least,
    "scaledMost": _most,
    "scaledIcon": _icon,
    "scaledFont": _font,
}


def _keep(target: QObject, name: str, values: list[Any]) -> None:
    target.setProperty(name, values)
    _SETTERS[name](target, values)


def margins(target: QWidget | QLayout, left: int, top: int, right: int, bottom: int) -> None:
    """Set the margins of a layout or a widget."""
    _keep(target, "scaledMargins", [left, top, right, bottom])


def spacing(layout: QBoxLayout | QGridLayout, length: int) -> None:
    """Set the distance between the items of a layout."""
    _keep(layout, "scaledSpacing", [length])


def across(layout: QGridLayout, length: int) -> None:
    """Set the distance between the columns of a grid."""
    _keep(layout, "scaledAcross", [length])


def down(layout: QGridLayout, length: int) -> None:
    """Set the distance between the rows of a grid."""
    _keep(layout, "scaledDown", [length])


def gap(layout: QBoxLayout, length: int) -> None:
    """Add an empty place to a row."""
    empty = QWidget()
    fixed(empty, width=length)
    layout.addWidget(empty)


def fixed(widget: QWidget, width: int = 0, height: int = 0) -> None:
    """Fix the width, the height, or both, of a widget."""
    _keep(widget, "scaledFixed", [width, height])


def least(widget: QWidget, width: int = 0, height: int = 0) -> None:
    """Set the least width, height, or both, of a widget."""
    _keep(widget, "scaledLeast", [width, height])


def most(widget: QWidget, width: int) -> None:
    """Set the greatest width of a widget."""
    _keep(widget, "scaledMost", [width])


def icon(button: QAbstractButton, size: int) -> None:
    """Set the size of a button's icon."""
    _keep(button, "scaledIcon", [size])


def font(widget: QWidget, share: float) -> None:
    """Set a widget's font to a share of the program's size and keep its weight."""
    _keep(widget, "scaledFont", [share])


def refit() -> None:
    """Set all lengths and fonts that were given here anew, at the scale in force."""
    seen: set[int] = set()
    for widget in QApplication.allWidgets():
        if widget.parentWidget() is None:
            for part in (widget, *widget.findChildren(QObject)):
                if id(part) not in seen and isinstance(part, QWidget | QLayout):
                    seen.add(id(part))
                    _refit(part)


def _refit(part: QWidget | QLayout) -> None:
    for name in part.dynamicPropertyNames():
        key = bytes(name.data()).decode("ascii", "replace")
        if key in _SETTERS:
            _SETTERS[key](part, part.property(key))
