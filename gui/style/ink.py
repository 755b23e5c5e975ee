"""Colours by role for the painted controls, from the theme in force."""

from __future__ import annotations

from PySide6.QtGui import QColor

from gui.style.theme import current_theme


def ink(role: str) -> QColor:
    """Return the present colour of a role of the theme."""
    return current_theme().color(role)


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """Return a colour between two: `share` 0 is the first, 1 the second."""
    keep = 1 - share
    return QColor.fromRgbF(
        one.redF() * keep + other.redF() * share,
        one.greenF() * keep + other.greenF() * share,
        one.blueF() * keep + other.blueF() * share,
        one.alphaF() * keep + other.alphaF() * share,
    )
