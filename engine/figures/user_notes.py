"""The user's notes on plots on paper: a dot, and the text beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.figures.style import PALETTE
from engine.run.notes import Note
from engine.text.mathtext import to_plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 34
"""Letters of a line; a longer note takes several."""


def draw_notes(axes: Axes, notes: Iterable[Note], view: str) -> None:
    """Draw the notes of a plot; those outside its axes are left out.

    The text goes to that side of its dot where there is more room.
    """
    import textwrap

    low, high = axes.get_xlim(), axes.get_ylim()
    for number, note in enumerate(each for each in notes if each.view == view):
        to_share = axes.transData + axes.transAxes.inverted()
        across, up = to_share.transform((note.x, note.y))
        if not (0.0 <= across <= 1.0 and 0.0 <= up <= 1.0):
            continue
        text = "\n".join(textwrap.wrap(to_plain(note.text), WIDE))
        right, above = across < 0.6, up < 0.8
        made = axes.annotate(
            text.replace("$", r"\$"),
            (note.x, note.y),
            (9 if right else -9, 9 if above else -9),
            textcoords="offset points",
            ha="left" if right else "right",
            va="bottom" if above else "top",
            fontsize=8,
            color=PALETTE["text"],
            bbox={"boxstyle": "round,pad=0.3", "fc": "white", "ec": PALETTE["muted"], "alpha": 0.9},
            arrowprops={"arrowstyle": "-", "color": PALETTE["muted"], "lw": 0.8},
            zorder=20,
        )
        made.set_gid(f"note-{number}")
        made.set_in_layout(False)
        (dot,) = axes.plot(note.x, note.y, "o", color=PALETTE["text"], markersize=3.5, zorder=21)
        dot.set_gid(f"note-{number}-point")
    axes.set_xlim(low, auto=None)  # else equal units are refused with a warning
    axes.set_ylim(high, auto=None)
