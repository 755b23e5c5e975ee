"""What an animation may be, and what it shows when."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.figures.animation.film import Span, Sweep, film, kind_of, views_named
from engine.storage import runfile
from tests.engine.figures.animation.conftest import MakeFilm


def test_a_run_shows_both_of_its_ends(make_film: MakeFilm) -> None:
    shots = make_film(Span(3, 20), seconds=2.0).shots
    assert (shots[0].place, shots[-1].place) == (3.0, 20.0)
    assert [shot.place for shot in shots] == sorted({shot.place for shot in shots})


def test_steps_that_are_fewer_than_frames_last_longer(make_film: MakeFilm) -> None:
    made = make_film(Span(0, 4), rate=10, seconds=2.0)
    assert [shot.place for shot in made.shots] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert sum(shot.frames for shot in made.shots) == made.frames == 20


def test_a_sweep_has_equal_differences_or_ratios(make_film: MakeFilm) -> None:
    places = [shot.place for shot in make_film(Sweep("step_size", 0.1, 0.5)).shots]
    assert places == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    places = [shot.place for shot in make_film(Sweep("step_size", 0.01, 1.0, log=True)).shots]
    assert [b / a for a, b in itertools.pairwise(places)] == pytest.approx([math.sqrt(10)] * 4)


def test_whole_numbers_are_swept_as_such(make_film: MakeFilm) -> None:
    made = make_film(Sweep("width", 1, 4), rate=10)
    assert [shot.place for shot in made.shots] == [1.0, 2.0, 3.0, 4.0]
    assert "4" in made.place_text(4.0) and "." not in made.place_text(4.0)


@given(low=st.floats(1e-6, 1e3), ratio=st.floats(1.01, 100.0), at=st.floats(0.0, 1.0))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_text_of_a_sweep_is_as_long_in_all_pictures(
    make_film: MakeFilm, low: float, ratio: float, at: float
) -> None:
    course = Sweep("step_size", low, low * ratio)
    made = dataclasses.replace(make_film(), course=course)
    value = low + at * (course.high - low)
    texts = [made.place_text(place).rpartition(" = ")[2] for place in (value, course.high)]
    if course.high >= 1e-4:
        assert len({len(text.partition(".")[2]) for text in texts}) == 1
        number = float(texts[0].replace("\u2009", ""))
        assert number == pytest.approx(value, abs=1e-3 * course.high)


def test_what_it_says_of_itself_is_the_run_file(make_film: MakeFilm) -> None:
    made = make_film()
    assert runfile.loads(made.about) == made.run


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"size": (319, 200)}, "size"),
        ({"size": (320, 10**9)}, "size"),
        ({"rate": 0}, "rate"),
        ({"rate": 61}, "rate"),
        ({"rate": 60, "kind": "gif"}, "rate"),
        ({"seconds": 0.0}, "seconds"),
        ({"seconds": math.nan}, "seconds"),
        ({"seconds": 600.0, "rate": 60}, "seconds"),
        ({"course": Span(-1, 5)}, "from"),
        ({"course": Span(5, 4)}, "to"),
        ({"course": Span(0, 21)}, "to"),
        ({"course": Sweep("nothing", 0.0, 1.0)}, "parameter"),
        ({"course": Sweep("step_size", -1.0, 1.0)}, "step_size"),
        ({"course": Sweep("step_size", 0.5, 0.5)}, "sweep"),
        ({"course": Sweep("step_size", 0.0, 0.5, log=True)}, "sweep"),
    ],
)
def test_what_is_not_allowed_is_named(
    make_film: MakeFilm, change: dict[str, Any], field: str
) -> None:
    made = make_film()
    values = {"course": made.course, "seconds": 1.0, **change}
    with pytest.raises(InputError) as refused:
        film(made.run, made.views, **values)
    assert refused.value.field == field


@pytest.mark.parametrize("name", ["a.avi", "a", "mp4", ""])
def test_a_name_says_the_format(name: str) -> None:
    with pytest.raises(InputError):
        kind_of(name)  # type: ignore[arg-type]


def test_views_are_found_by_name(make_film: MakeFilm) -> None:
    run = make_film().run
    assert [view.id for view in views_named(run, ["heat", "weights"])] == ["heat", "weights"]
    assert "empty" not in [view.id for view in views_named(run, [])]
    with pytest.raises(InputError):
        views_named(run, ["nothing"])
