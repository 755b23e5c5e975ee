"""Notes on what a log axis cannot show: what they say, and in figures."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.core.chunk import Chunk
from engine.core.views import Curve, PlaneView, Points, Series, TimeView
from engine.figures import paper as figures
from engine.figures.data import FigureData
from engine.figures.zero_notes import MOST_NOTES, ZeroNote, bounded, of_curve, of_points, of_series
from engine.run.session import Session
from engine.run.trace import Trace
from tests.engine.linear_map import LinearMap, LinearParams

ERROR = Series(key="error", label="$|e|$", color="2")


def trace_of(values, chunk=64):
    values = np.asarray(values, np.float64)
    trace = Trace({"error": values[0]})
    for begin in range(1, len(values), chunk):
        trace.add(Chunk.exact(begin, {"error": values[begin : begin + chunk]}))
    return trace.view()


def note_of(values, series=ERROR, first=0, last=None, named=False):
    trace = trace_of(values)
    steps, drawn = trace.line("error", series.component, first, last)
    drawn = drawn if drawn.ndim == 2 else drawn[:, None]
    return of_series(series, trace, (steps, drawn), str, named=named)


def falling(steps, zero_from, back=None):
    """Return an error that is exactly 0 from a step on, perhaps up to one where it comes back."""
    values = 0.99 ** np.arange(steps)
    values[zero_from:back] = 0.0
    return values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (falling(200, 137), "exactly 0 from $k$ = 137"),
        (falling(200, 199), "exactly 0 from $k$ = 199"),
        (falling(200, 0), "exactly 0 at all steps shown"),
        (falling(200, 0, 100), "exactly 0 up to $k$ = 99"),
        (falling(200, 50, 100), "exactly 0 from $k$ = 50 to 99"),
        (falling(2000, 1337), "exactly 0 from $k$ = 1337"),  # older steps only as buckets
        (falling(5000, 4000), "exactly 0 from $k$ = 4000"),
        (falling(5000, 1001), "exactly 0 from $k$ = about 1008"),
    ],
)
def test_a_note_says_from_which_step_on(values, words):
    assert note_of(values).text == words


@pytest.mark.parametrize(
    "values",
    [
        falling(200, 200),
        falling(200, 0, 1),  # a line that begins at 0, as a distance from the start
        falling(200, 0, 4),
        falling(200, 50, 52),  # through 0 on the way
        falling(1, 0),
    ],
)
def test_where_nothing_is_hidden_nothing_is_said(values):
    assert note_of(values) is None


def test_only_the_stretch_that_is_shown_counts():
    values = falling(200, 137)
    assert note_of(values, first=0, last=100) is None
    assert note_of(values, first=150).text == "exactly 0 at all steps shown"


def test_a_note_names_the_series_and_counts_its_lines():
    values = np.stack([falling(200, at) for at in (100, 200, 150)], axis=1)
    assert note_of(values, named=True).text == "$|e|$: 2 of 3 exactly 0 from $k$ = 150"
    whole = note_of(np.stack([falling(200, at) for at in (100, 120)], axis=1))
    assert whole.text == "all exactly 0 from $k$ = 120"
    second = dataclasses.replace(ERROR, component=1)
    assert note_of(values, second) is None
    assert note_of(values, dataclasses.replace(ERROR, component=2)).at == 150


def test_a_component_is_found_step_by_step_among_buckets():
    values = np.stack([falling(5000, 5000), falling(5000, 4321)], axis=1)
    second = dataclasses.replace(ERROR, component=1)
    assert note_of(values, second).text == "exactly 0 from $k$ = 4321"


def test_values_that_are_missing_are_not_zeros():
    values = falling(200, 137)
    values[::2] = np.nan
    trace = trace_of(values)
    steps, drawn = trace.line("error")
    known = ~np.isnan(drawn)
    note = of_series(ERROR, trace, (steps[known], drawn[known][:, None]), str, named=False)
    assert note.text == "exactly 0 from $k$ = 137"


def test_curves_and_points():
    x = 10.0 * np.arange(200)
    assert of_curve("median", "1", "$k$", x, falling(200, 137)[:, None]).text == (
        "median: exactly 0 from $k$ = 1\u2009370"
    )
    assert of_curve("median", "1", "$k$", x, np.zeros((200, 1))).text.endswith("throughout")
    assert of_curve("median", "1", "$k$", x, np.ones((200, 1))) is None
    assert of_points("seeds", "1", x, falling(200, 190)).text == "seeds: 10 of 200 exactly 0"
    assert of_points("seeds", "1", x, np.ones(200)) is None


def test_no_more_notes_than_a_plot_has_room_for():
    notes = [ZeroNote(str(index), 0.0, "1") for index in range(MOST_NOTES + 3)]
    assert len(bounded([*notes[:MOST_NOTES], None])) == MOST_NOTES
    kept = bounded(notes)
    assert len(kept) == MOST_NOTES and kept[-1].text == "… and 4 more exactly 0"


def drawn_notes(view, data):
    (axes,) = figures.draw(view, data).axes
    return [text.get_text() for text in axes.texts if (text.get_gid() or "").startswith("zeros")]


def test_a_figure_says_what_its_log_axis_cannot_show():
    session = Session(LinearMap(), LinearParams(step_size=0.3, width=3), 5)
    session.advance(40)
    data = dataclasses.replace(FigureData.of(session), trace=trace_of(falling(200, 137)))
    view = TimeView(id="error", title="Error", y_label="e", series=(ERROR,), log_y=True)
    assert drawn_notes(view, data) == ["↓ exactly 0 from $k$ = 137"]
    assert drawn_notes(dataclasses.replace(view, log_y=False), data) == []
    observation = {"x": np.arange(200.0), "y": falling(200, 137), "p": falling(200, 199)}
    data = dataclasses.replace(data, observation=observation)
    items = (Curve(x="x", y="y", label="median"), Points(x="x", y="p", label="seeds"))
    plane = PlaneView(id="p", title="P", x_label="$k$", y_label="e", items=items, log_y=True)
    assert drawn_notes(plane, data) == [
        "↓ median: exactly 0 from $k$ = 137",
        "↓ seeds: 1 of 200 exactly 0\n",
    ]
    assert drawn_notes(dataclasses.replace(plane, log_y=False), data) == []
