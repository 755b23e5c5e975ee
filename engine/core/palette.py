"""Colours of roles and maps on a light ground: the light theme on the screen, and paper.

The dark theme has colours of its own (`gui.style.theme`). The roles are those of
`engine.core.views`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core.views import Colormap

SERIES = (
    "#2458d8",
    "#d4570c",
    "#12a98a",
    "#8c1d59",
    "#c98f0c",
    "#2380bd",
    "#74451c",
    "#6b7280",
)
"""Roles ``"1"`` to ``"8"``; pairwise distinct with protanopia, deuteranopia and tritanopia."""

PINS = (
    "#a855c9",
    "#5f9e1f",
    "#e0518f",
    "#0e7c86",
    "#b8433a",
    "#8f84e0",
    "#9c8a3c",
    "#2f4a5c",
)
"""Roles ``"pin1"`` to ``"pin8"``, of runs kept for comparison: none is that of a series."""

ROLES = {
    "bound": "#5b21b6",
    "good": "#106d37",
    "bad": "#c9252d",
    "muted": "#5d687b",
    "text": "#1b2230",
}

DARK_SERIES = (
    "#7da2ff",
    "#ff9d5c",
    "#3fd6b4",
    "#f08cc8",
    "#f0c04a",
    "#6cc1f5",
    "#d8a070",
    "#a7b0bf",
)
DARK_ROLES = {
    "bound": "#c4a6ff",
    "good": "#5fd08c",
    "bad": "#ff7b7f",
    "muted": "#9aa5b8",
    "text": "#e6eaf2",
}
"""Of HTML pages on a dark ground."""

RAMP = ("#3b1f6b", "#3a4a98", "#2c6e9e", "#1d8f94", "#2fac79", "#79b93f", "#b5ac14")
"""Equally spaced stops of the map for many lines, role ``"ramp"``."""

MAPS: dict[Colormap, tuple[str, ...]] = {
    "sequential": ("#f6f9fc", "#d3e6ee", "#97cbd6", "#4da5b8", "#227d9f", "#1c5488", "#182b5e"),
    "diverging": ("#173f8f", "#4a7fd0", "#a9c6ea", "#f7f7f8", "#f3c4a0", "#d97a32", "#8f3a06"),
    "gray": ("#ffffff", "#10141b"),
}
"""Equally spaced stops of the maps for images; the first sequential colour is nearly the ground."""

PALE = 0.35
"""Share of a role's colour in an area, on the ground: lines and words on it stay readable."""


def css_variables(series: Sequence[str], roles: Mapping[str, str]) -> str:
    """Write colours as variables of a style sheet: ``--series-1`` and so on, then the roles."""
    named = [f"--series-{number}: {shade};" for number, shade in enumerate(series, 1)]
    return " ".join([*named, *(f"--{role}: {shade};" for role, shade in roles.items())])
