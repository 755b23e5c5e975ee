"""What one worker does for an animation: computes its pictures and draws them."""

from __future__ import annotations

from engine.core.registry import get
from engine.figures.animation.film import Film, Span
from engine.figures.animation.moments import moments
from engine.figures.animation.stage import Pixels, Stage
from engine.figures.steady import Steady

LINES_EVERY = 10
"""Shots of a run of which one is looked at for the ends of plots along the step, where each one
shows all that those before it do."""


class Studio:
    """Computes and draws the shots of an animation, in whatever order, quickest in theirs.

    Parameters
    ----------
    film : Film
        All its numbers checked.
    """

    def __init__(self, film: Film) -> None:
        self._film = film
        self._shots = film.shots
        self._moments = moments(film)
        self._stage = Stage(film.views, film.size)

    def extents(self, number: int) -> Steady:
        """Return the ends and legends that a shot would have by itself.

        Raises
        ------
        LabError
            If its run cannot be made.
        """
        is_last = number == len(self._shots) - 1
        with_lines = is_last or number % LINES_EVERY == 0 or not isinstance(self._film.course, Span)
        data = self._moments.at(self._shots[number].place)
        return self._stage.extents(data, with_lines=with_lines)

    def begin(self, steady: Steady) -> None:
        """Lay out the page of all shots."""
        title = get(self._film.run.experiment).title
        places = [self._film.place_text(shot.place) for shot in self._shots]
        self._stage.begin(title, self._moments.at(self._shots[0].place), steady, places)

    def picture(self, number: int) -> Pixels:
        """Draw a shot, after `begin`."""
        place = self._shots[number].place
        return self._stage.picture(self._moments.at(place), self._film.place_text(place))

    def close(self) -> None:
        """Release what runs hold outside Python's memory."""
        self._moments.close()
