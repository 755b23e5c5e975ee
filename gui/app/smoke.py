"""`main.py smoke`: opens every experiment, plays, and looks whether the plots have data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.cli.output import BAD_INPUT, printed, report
from engine.core import views
from engine.core.packages import is_installed
from engine.run.snapshot import Snapshot, Status
from gui.app.application import application, problem_with_qt

if TYPE_CHECKING:
    from gui.app.drive import Driver

STEPS = 10
ROUNDS = 10
"""Times these steps are made where a plot has nothing to show yet, such as one point an epoch."""


def view_has_data(view: views.View, snapshot: Snapshot) -> bool:
    """Return whether a snapshot has anything finite to draw in a view."""
    if isinstance(view, views.TimeView):
        known = [
            snapshot.trace.recent[s.key] for s in view.series if s.key in snapshot.trace.recent
        ]
        return any(np.isfinite(rows).any() for rows in known)
    return any(_is_drawable(snapshot.observation.get(key)) for key in _keys(view))


def _keys(view: views.View) -> list[str]:
    if isinstance(view, views.PlaneView):
        keys = []
        for item in view.items:
            if isinstance(item, views.Curve | views.Points | views.Handle):
                keys.append(item.y)
            elif isinstance(item, views.Heat):
                keys.append(item.key)
        return keys
    if isinstance(view, views.BarView):
        return list(view.keys)
    if isinstance(view, views.ImageView | views.SurfaceView | views.TableView):
        return [view.key]
    return []


def _is_drawable(value: object) -> bool:
    if value is None:
        return False
    if isinstance(value, list | tuple):
        return len(value) > 0
    array = np.asarray(value)
    return array.size > 0 and (array.dtype.kind not in "fc" or bool(np.isfinite(array).any()))


def main(argv: Sequence[str] = ()) -> int:
    """Open all experiments; returns 0 if each made its steps and filled its plots, else 1."""
    if argv:
        return report(f"smoke: {argv[0]} is not known; it takes no arguments.", BAD_INPUT)
    problem = problem_with_qt(offscreen=True)
    if problem:
        return report(problem, 1)
    return printed(_check_all)


def _check_all() -> int:
    application()
    from gui.app.drive import Driver

    driver = Driver()
    failures = 0
    try:
        for experiment in driver.window.experiments:
            missing = [name for name in experiment.listing.needs if not is_installed(name)]
            if missing:
                print(f"{experiment.id}: left out, needs {missing[0]}", flush=True)
                continue
            problem = check(driver, experiment.id)
            failures += bool(problem)
            print(f"{experiment.id}: {problem or 'ok'}", flush=True)
    finally:
        driver.close()
    return 1 if failures else 0


def check(driver: Driver, experiment_id: str) -> str:
    """Open one experiment and play; returns what is wrong, or an empty text.

    Ten steps, and more only while a plot is empty.
    """
    driver.open(experiment_id)
    window, empty = driver.window, [""]
    for _ in range(ROUNDS):
        snapshot = None if driver.errors else driver.run(STEPS)
        errors = driver.take_errors()
        if errors:
            return errors[0].strip().rpartition("\n")[2]
        if snapshot is None or snapshot.status is Status.FAILED:
            return "the run failed"
        if snapshot.step < STEPS and snapshot.status is not Status.FINISHED:
            return f"stopped at step {snapshot.step}"
        views = window.control.experiment.views(window.control.params)
        shown = [view for view in views if view.shown]
        if not shown:
            return "it has no plots"
        empty = [view.id for view in shown if not view_has_data(view, snapshot)]
        if not empty:
            return ""
    return f"no data in {', '.join(empty)}"
