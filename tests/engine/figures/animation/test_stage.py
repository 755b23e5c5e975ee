"""Pictures of an animation: steady, equal to whole figures, and independent of one another."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from engine.figures.animation.film import Film, Span, Sweep
from engine.figures.animation.moments import moments, until
from engine.figures.animation.stage import Stage
from engine.figures.animation.studio import Studio
from engine.figures.data import FigureData
from engine.figures.steady import Ends, Steady, common, shared
from engine.figures.style import paper
from tests.engine.figures.animation.conftest import MakeFilm


def begun(film: Film) -> tuple[Studio, Steady]:
    studio = Studio(film)
    steady = shared([studio.extents(number) for number in range(len(film.shots))])
    studio.begin(steady)
    return studio, steady


@pytest.mark.parametrize("course", [Span(0, 20), Sweep("step_size", 0.2, 1.2)])
def test_a_picture_does_not_depend_on_those_before(make_film: MakeFilm, course: object) -> None:
    film = make_film(course)
    studio, steady = begun(film)
    forward = [studio.picture(number) for number in range(5)]
    other = Studio(film)
    other.begin(steady)
    for number in (3, 0, 4):
        np.testing.assert_array_equal(other.picture(number), forward[number])
    assert any((one != two).any() for one, two in itertools.pairwise(forward))
    assert forward[0].shape == (200, 320, 3)


@pytest.mark.parametrize("name", ["weights", "error", "log-plane", "heat", "image", "bars"])
def test_a_picture_is_that_of_the_whole_figure(make_film: MakeFilm, name: str) -> None:
    """Putting data over kept pixels gives what drawing everything gives."""
    film = make_film(Span(0, 20), name, size=(480, 320))
    studio, _ = begun(film)
    quick = studio.picture(3)
    stage: Stage = studio._stage
    with paper():
        stage._place.set_text(film.place_text(film.shots[3].place).rpartition(" = ")[2])
        FigureCanvasAgg(stage._figure).draw()
        canvas = stage._figure.canvas
        whole = np.asarray(canvas.buffer_rgba())[..., :3]
    far = np.abs(quick.astype(int) - whole).max(axis=2) > 40
    assert far.mean() < 2e-4  # a grid below an image, a spine over a line


def test_axes_are_the_same_in_all_pictures(
    make_film: MakeFilm, caplog: pytest.LogCaptureFixture
) -> None:
    film = make_film(Sweep("step_size", 0.2, 1.9))
    studio, steady = begun(film)
    seen = []
    for number in range(5):
        studio.picture(number)
        seen.append([Ends.of(plot.axes) for plot in studio._stage._plots])
    assert all(ends == seen[0] for ends in seen)
    weights = next(plot for plot in studio._stage._plots if plot.view.id == "weights")
    assert Ends.of(weights.axes) == steady.ends["weights"]
    assert not caplog.records  # of matplotlib, on ends that equal units do not allow


def test_a_run_shows_no_step_that_is_to_come(make_film: MakeFilm) -> None:
    film = make_film(Span(0, 20))
    made = moments(film)
    for step in (0, 7, 20):
        data: FigureData = made.at(step)
        assert data.step == data.trace.last == step
        assert len(data.trace.line("error")[0]) == step + 1
    made.close()


@given(step=st.integers(0, 5000), last=st.integers(0, 5000))
def test_a_trace_up_to_a_step_has_its_rows(step: int, last: int) -> None:
    from engine.core.chunk import Chunk
    from engine.run.trace import Trace

    trace = Trace({"a": np.float64(0.0)})
    if last:
        trace.add(Chunk.exact(1, {"a": np.arange(1.0, last + 1)}))
    part = until(trace.view(), step)
    end = min(step, last)
    assert part.last == end
    steps, values = part.line("a")
    assert steps.min() == 0 and steps.max() <= end
    assert values.max() <= end + part.stride
    row = part.at("a", end)
    assert row is None or row == end


@given(
    ranges=st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6)).map(lambda p: (p[0], p[0] + p[1])),
        min_size=1,
        max_size=30,
    )
)
def test_common_ends_hold_most(ranges: list[tuple[float, float]]) -> None:
    low, high = common(ranges)
    lows, highs = (sorted(side) for side in zip(*ranges, strict=True))
    assert lows[0] <= low <= high <= highs[-1] or low == lows[0]
    held = sum(low <= a and b <= high for a, b in ranges)
    assert held >= len(ranges) - 2 * (len(ranges) // 10 + 1)


def test_a_few_wild_pictures_do_not_flatten_the_others() -> None:
    usual = [(0.0, 1.0 + 0.01 * k) for k in range(20)]
    low, high = common([*usual, (0.0, 1e30)])
    assert (low, high) == (0.0, pytest.approx(1.19, abs=0.1))
    assert common([(1.0, 10.0), (0.1, 100.0)], log=True) == pytest.approx((0.1, 100.0))


def test_colours_mean_the_same_in_all_pictures(make_film: MakeFilm) -> None:
    data = moments(make_film()).at(3)
    held = replace(data, steady=Steady(levels={"heat": (-9.0, 9.0)}))
    assert held.level_ends("heat", np.zeros(3), "diverging") == (-9.0, 9.0)
    assert data.level_ends("heat", np.array([-1.0, 2.0]), "diverging") == (-2.0, 2.0)
