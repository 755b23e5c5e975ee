"""The run on a map: where it is, the path that it took, and the run that a click begins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.core.arrays import FloatArray
from engine.core.effect import Effect, effect_of
from engine.core.errors import LabError
from engine.core.experiment import AbstractExperiment
from engine.core.params import update
from engine.maps.axis import Axis
from engine.maps.place import place_of, point_of
from engine.run.snapshot import Snapshot
from gui.maps.history import Part
from gui.maps.layers import RunLayer
from gui.maps.page import MapPage
from gui.run.bridge import Bridge
from gui.run.control import RunControl

LEAST_DIGITS = 4
"""Significant digits of a parameter chosen on a map at least."""
PATH = 2000
"""Points of the run that are kept on a map of starts."""


@dataclass(frozen=True, slots=True)
class OnScreen:
    """The map that a run is shown on."""

    experiment: AbstractExperiment[Any, Any]
    kind: str
    part: Part


class RunTrack(QObject):
    """Shows the run on the map that is on the screen, and begins others there.

    Parameters
    ----------
    page : MapPage
    control, bridge : RunControl, Bridge
        Of the run.
    screen : callable
        Returns the map that is on the screen, None where there is none.

    Attributes
    ----------
    message_requested : Signal(str)
        One sentence for the status bar.
    """

    message_requested = Signal(str)

    def __init__(
        self,
        page: MapPage,
        control: RunControl,
        bridge: Bridge,
        screen: Callable[[], OnScreen | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._page, self._control, self._bridge, self._screen = page, control, bridge, screen
        self._place: tuple[float, ...] = (math.nan, math.nan)
        self._placed_for: object = None
        self._path = np.empty((0, 2))
        self._run_id = -1
        self._is_peeking = False

    def show(self) -> None:
        """Show where the run is: at its parameters, or at its start with its path."""
        screen = self._screen()
        if screen is None:
            return
        part = screen.part
        key = (self._control.params, self._control.seed, part.x.name, part.y.name)
        if key != self._placed_for:
            self._placed_for = key
            self._place = place_of(screen.experiment, key[0], key[1], key[2:])
        x, y = self._place
        if screen.kind == "orbit":
            y = math.nan  # what is seen of a run changes from step to step
        self._page.show_run(RunLayer(x, y, self._path))

    def follow(self, snapshot: Snapshot) -> None:
        """Show where the run came to."""
        if snapshot.run_id != self._run_id:
            self._run_id = snapshot.run_id
            self._path = np.empty((0, 2))
        self.show()
        self._peek()

    def _peek(self) -> None:
        """Request where the run is, on a map of starts, once the answer before is there."""
        screen = self._screen()
        if screen is None or screen.kind != "basin" or self._is_peeking:
            return
        names, run_id = (screen.part.x.name, screen.part.y.name), self._run_id
        self._is_peeking = True

        def then(point: FloatArray | Exception | None) -> None:
            self._is_peeking = False
            if isinstance(point, Exception) or point is None or run_id != self._run_id:
                return
            if not len(self._path) or not np.array_equal(self._path[-1], point):
                self._path = np.vstack([self._path[-PATH:], point[None]])
                self.show()

        self._bridge.peek(lambda session: point_of(session, names), then)

    def pick(self, x: float, y: float) -> None:
        """Begin the run of a point, or steer the one that goes on if that is enough."""
        shown, screen = self._page.shown, self._screen()
        if shown is None or screen is None:
            return
        x = middle_of(screen.part.x, x)
        y = y if shown.spec.kind == "orbit" else middle_of(screen.part.y, y)
        try:
            params = update(self._control.params, **shown.prepared.start_at(x, y))
        except LabError as error:
            self.message_requested.emit(str(error))
            return
        if effect_of(self._control.params, params) is Effect.RESTART:
            self._control.begin_at(params, "start from the map")
        else:
            self._control.edit_params(params)


def middle_of(axis: Axis, value: float) -> float:
    """Return the middle of the cell that a value lies in, in digits that the cell can tell apart.

    It is rounded by at most a twentieth of the cell's width, to no less than four digits.
    """
    place = float(axis.place(value))
    if not 0 <= place < axis.count:
        return value
    low, middle, high = axis.at(math.floor(place) + np.array([0.0, 0.5, 1.0])).tolist()
    width = high - low
    if not width > 0.0 or abs(middle) < 1e-9 * width:
        return float(middle) if width <= 0.0 else 0.0
    digits = math.floor(math.log10(abs(middle))) - math.floor(math.log10(width)) + 2
    return float(f"{middle:.{min(max(digits, LEAST_DIGITS), 17)}g}")
