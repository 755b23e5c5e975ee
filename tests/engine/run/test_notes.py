"""Notes on plots: what may stand in a file, and that they go with the run wherever it goes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.core.params import build
from engine.core.registry import get
from engine.figures.data import FigureData
from engine.figures.paper import draw
from engine.pages.subject import subject_of
from engine.run import replay
from engine.run.notes import Note, from_tables
from engine.run.spec import RunSpec
from engine.storage import runfile

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text("abc \"'\\$#[]=é∂δ{}", min_size=1, max_size=30).filter(str.strip)
NOTES = st.builds(Note, st.sampled_from(["weights", "error"]), NUMBERS, NUMBERS, TEXTS)


def run_with(*notes: Note) -> RunSpec:
    params = build(get("scalar-product").parameters, {"depth": 2, "step_size": 0.6})
    return RunSpec(experiment="scalar-product", params=params, steps=40, notes=notes)


@settings(max_examples=20, deadline=None)
@given(st.lists(NOTES, max_size=3))
def test_notes_come_back_from_a_run_file(notes: list[Note]) -> None:
    run = run_with(*notes)
    assert runfile.loads(runfile.dumps(run)) == run


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": " "}, "notes.text"),
        ({"text": "two\nlines"}, "notes.text"),
        ({"text": "x" * 201}, "notes.text"),
        ({"text": 3}, "notes.text"),
        ({"x": float("nan")}, "notes.x"),
        ({"y": True}, "notes.y"),
        ({"y": 10**400}, "notes.y"),
        ({"view": None}, "notes.view"),
        ({"size": 1}, "notes"),
    ],
)
def test_what_is_no_note_is_refused(change: dict[str, Any], field: str) -> None:
    entry = Note("weights", 1.0, 2.0, "fine").to_table() | change
    with pytest.raises(InputError) as caught:
        from_tables([entry])
    assert caught.value.field == field


def test_too_many_notes_are_refused() -> None:
    entry = Note("weights", 1.0, 2.0, "fine").to_table()
    with pytest.raises(InputError):
        from_tables([entry] * 201)


def test_notes_go_with_the_run_into_figures_and_pages() -> None:
    """Whatever their text is; one outside the axes is left out of the figure."""
    notes = (
        Note("weights", 20.0, 1.3, r"costs 5$ at $\delta^$ and \frac{"),
        Note("weights", 1e9, 1.3, "far away"),
        Note("orbit-diagram", 0.5, 1.41, "the flip"),
    )
    run = run_with(*notes)
    session = replay.begin(run)
    replay.carry_out(run, session)
    assert RunSpec.of(session).notes == notes
    views = {view.id: view for view in session.experiment.views(session.params)}
    figure = draw(views["weights"], FigureData.of(session))
    (axes,) = figure.axes
    assert [text.get_gid() for text in axes.texts if (text.get_gid() or "").startswith("note")] == [
        "note-0"
    ]
    assert axes.get_xlim()[1] < 100.0  # the far one does not stretch the axes
    on_page = subject_of(run).setting["notes"]
    assert [each["plot"] for each in on_page] == ["weights", "weights", "orbit"]
    assert on_page[2]["text"] == "the flip"


def replay_of(run: RunSpec) -> Any:
    session = replay.begin(run)
    replay.carry_out(run, session)
    return session


def test_a_run_does_not_depend_on_its_notes() -> None:
    with_notes, without = replay_of(run_with(Note("error", 1.0, 1.0, "x"))), replay_of(run_with())
    assert (with_notes.state.weights == without.state.weights).all()
    assert dataclasses.replace(RunSpec.of(with_notes), notes=()) == RunSpec.of(without)
