"""How figures look on paper: colours by role, type, line widths, one place for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.colors
import numpy as np

from engine.core.palette import MAPS, PINS, RAMP, ROLES, SERIES
from engine.figures.words import measured_once

PALETTE = {
    **{str(number): shade for number, shade in enumerate(SERIES, 1)},
    **{f"pin{number}": shade for number, shade in enumerate(PINS, 1)},
    **ROLES,
}
"""Colour of each role of `engine.core.views`; "ramp" is `ramp`."""

LINESTYLES: dict[str, Any] = {"solid": "-", "dash": (0, (5, 2.5)), "dot": (0, (1, 1.8))}
MARKERS = {"o": "o", "s": "s", "t": "^", "d": "D", "+": "P", "x": "X", "star": "*"}
COLORMAPS = {
    name: mpl.colors.LinearSegmentedColormap.from_list(name, stops, 256)
    for name, stops in MAPS.items()
}
RAMP_MAP = mpl.colors.LinearSegmentedColormap.from_list("ramp", RAMP, 256)

_RC: dict[str, Any] = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#55555a",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-4, 5),
    "axes.formatter.use_mathtext": False,  # typesetting each tick takes most of the time
    "axes.unicode_minus": True,
    "grid.color": "#e6e6ea",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": "#55555a",
    "ytick.color": "#55555a",
    "xtick.labelcolor": ROLES["text"],
    "ytick.labelcolor": ROLES["text"],
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": ROLES["text"],
    "axes.labelcolor": ROLES["text"],
    "lines.linewidth": 1.1,
    "lines.solid_joinstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    "text.hinting": "none",  # even letter spacing at screen resolutions
    "path.simplify": False,  # every recorded extreme is on the page
    "svg.fonttype": "path",
    "svg.hashsalt": "lyapunov-lab",  # the same run gives the same file
    "pdf.fonttype": 42,  # TrueType: publishers refuse Type 3
    "ps.fonttype": 42,
    "image.interpolation": "nearest",
}


_CHECKED: dict[str, Any] = {}
"""All settings of this style as matplotlib keeps them, once they were made."""


@contextmanager
def paper(svg_text: bool = False) -> Iterator[None]:
    """Make matplotlib draw in this style, whatever its user's own settings are.

    With `svg_text` the letters of an SVG figure stay text that can be edited and searched, in the
    fonts of the viewer; else they are outlines that look alike everywhere.
    """
    with mpl.rc_context(), measured_once():
        settings: Any = mpl.rcParams
        if _CHECKED:
            dict.update(settings, _CHECKED)  # checking each setting takes milliseconds
        else:
            mpl.rcdefaults()
            settings.update(_RC)
            kept = {"backend", "backend_fallback"}
            _CHECKED.update({k: v for k, v in settings.copy().items() if k not in kept})
        settings["svg.fonttype"] = "none" if svg_text else "path"
        yield


def color(role: str) -> str:
    """Return the colour of a role, or of ``#rrggbb``; a role that is not known is drawn as text."""
    return role if role.startswith("#") else PALETTE.get(role, PALETTE["text"])


def ramp(count: int) -> list[str]:
    """Return `count` colours of a sequential map that all stand out on white."""
    shades = RAMP_MAP(np.linspace(0.0, 1.0, count) if count > 1 else [0.5])
    return [mpl.colors.to_hex(shade) for shade in shades]


def colors(role: str, count: int) -> list[str]:
    """Return the colours of `count` lines of one role."""
    return ramp(count) if role == "ramp" else [color(role)] * count
