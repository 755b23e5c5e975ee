"""Words and ticks that are kept give the files that matplotlib makes without."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager, mathtext, rc_context
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from engine.figures import words

CASES = 4
METHODS = (
    (Text, "_get_layout"),
    (font_manager.FontManager, "_find_fonts_by_props"),
    (mathtext.MathTextParser, "_parse_cached"),
    (Axis, "_update_ticks"),
    (Axis, "_get_ticklabel_bboxes"),
    (Axis, "draw"),
)
LOOKS = st.fixed_dictionaries(
    {
        "s": st.sampled_from(
            ["step", "$x^2$", "$x^2$\nin two lines", "a word that is wrapped " * 9]
        ),
        "rotation": st.sampled_from([0, 37, 90]),
        "ha": st.sampled_from(["left", "center", "right"]),
        "va": st.sampled_from(["top", "center", "baseline"]),
        "multialignment": st.sampled_from(["left", "right"]),
        "rotation_mode": st.sampled_from(["default", "anchor"]),
        "linespacing": st.sampled_from([1.0, 1.7]),
        "fontsize": st.sampled_from([7.0, 9.5]),
        "fontweight": st.sampled_from(["normal", "bold"]),
        "wrap": st.booleans(),
        "parse_math": st.booleans(),
    }
)


def picture(looks: list[dict[str, Any]], ends: tuple[float, float], dpi: int) -> bytes:
    figure = Figure(figsize=(4.0, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(ends, ends, label="$y$")
    axes.set_xlabel("$x$")
    axes.legend()
    for place, look in enumerate(looks):
        figure.text(0.1 + 0.2 * place, 0.5, **look)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", dpi=dpi, metadata={"Date": None})
    return buffer.getvalue()


@pytest.fixture(scope="module", autouse=True)
def alike() -> Iterator[None]:
    """Make matplotlib name the parts of SVG files alike in all files."""
    with rc_context({"svg.hashsalt": "lab"}):
        yield


@given(
    st.lists(LOOKS, min_size=1, max_size=3),
    st.tuples(st.floats(-9, -1), st.floats(1, 2000)),
    st.sampled_from([72, 100]),
)
@settings(max_examples=CASES, deadline=None)
def test_what_is_kept_is_what_would_be_found(
    looks: list[dict[str, Any]], ends: tuple[float, float], dpi: int
) -> None:
    expected = picture(looks, ends, dpi)
    with words.measured_once(), words.one_tick_an_axis():
        assert picture(looks, ends, dpi) == expected


def test_matplotlib_is_as_it_was_afterwards() -> None:
    before = [getattr(*of) for of in METHODS]
    with contextlib.suppress(ZeroDivisionError), words.measured_once(), words.one_tick_an_axis():
        assert all(getattr(*of) is not own for of, own in zip(METHODS, before, strict=True))
        raise ZeroDivisionError
    assert [getattr(*of) for of in METHODS] == before


def test_no_more_is_kept_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST", 3)
    kept: dict[int, int] = {}
    for number in range(8):
        assert words._kept(kept, number, -number) == -number
        assert len(kept) <= 3 and kept[number] == -number
