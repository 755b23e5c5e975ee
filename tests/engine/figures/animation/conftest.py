"""A run of the fake with every kind of view, as an animation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.figures.animation.film import Film, Span, Sweep, film
from engine.run.spec import RunSpec
from tests.engine.drawn_map import DrawnMap
from tests.engine.linear_map import LinearParams
from tests.registered import only

MakeFilm = Callable[..., Film]
RUN = Span(0, 20)


@pytest.fixture
def make_film(monkeypatch: pytest.MonkeyPatch) -> MakeFilm:
    """Return what makes small animations of the fake."""
    experiment = DrawnMap()
    only(monkeypatch, experiment)

    def make(
        course: Span | Sweep = RUN,
        *names: str,
        size: tuple[int, int] = (320, 200),
        rate: int = 5,
        seconds: float = 1.0,
    ) -> Film:
        params = LinearParams(step_size=0.3, width=3)
        run = RunSpec(experiment=experiment.id, params=params, seed=5, steps=20)
        views = [v for v in experiment.views(params) if not names or v.id in names]
        return film(run, views, course, size=size, rate=rate, seconds=seconds)

    return make
