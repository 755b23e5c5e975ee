"""Runs that are decided early: the same as by following each for itself, wherever it lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.experiments import EXPERIMENTS
from engine.kernels.maps.early import Early
from engine.kernels.maps.outcomes import AT_MINIMUM, DIVERGED, NEAR, UNDECIDED
from engine.kernels.maps.runs import Cells, Runs
from engine.kernels.maps.traps import traps
from engine.kernels.optimisers.descent import LIMIT
from engine.theory.optimisers.law import DescentLaw

OPEN, GONE, STEPS = 99, 77, 480
LOADED = {entry.id: entry.load() for entry in EXPERIMENTS}
CASES = (
    ("(x*y - 0.5)^2/2 + 0.1*(x^2 + y^2)", 1.0, 4.0),
    ("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", 0.012, 5.0),
    ("logcosh(x*y - 1) + max(x, y)^2/8 + (x - y)^2/9 + abs(x + 3)/50", 0.7, 9.0),
    ("x^4/4 - x^2/2 + (y - x)^2 + y/(4 + y^2)", 0.3, 3.0),
)


def law_of(function: str, **values: Any) -> DescentLaw:
    """Return the law of an own loss."""
    experiment = LOADED["own-loss"]
    law = experiment.law(experiment.parameters(function=function, constants="", **values))
    assert isinstance(law, DescentLaw)
    return law


def minima_of(runs: Runs, cells: Cells) -> np.ndarray[Any, Any]:
    """Return the minima at which some runs end, each with its sharpness."""
    found = runs.follow(cells, STEPS)
    rest = found.codes == AT_MINIMUM
    rows = np.column_stack([found.ends[rest, : runs.size], found.sharpness[rest]])
    return rows[np.unique(np.round(rows[:, :-1], 6), axis=0, return_index=True)[1]]


def decided(early: Early, starts: np.ndarray[Any, Any], most: int = STEPS) -> list[Any]:
    """Return codes, steps and sharpness of runs from starts, shape (m, n)."""
    count = len(starts)
    found = (np.empty(count, np.uint8), *np.empty((2, count), np.float32))
    early.decide(np.ascontiguousarray(starts.T), most, (OPEN, GONE), found)
    return list(found)


def path(law: DescentLaw, runs: Runs, start: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the weights of a run, step by step, until they are too large."""
    setting, loss = law.setting, runs.loss()
    w, v, made = start.copy(), np.zeros_like(start), [start]
    limit = LIMIT * max(1.0, float(np.abs(start).max()))
    for _ in range(STEPS):
        at = w + setting.momentum * v if setting.optimiser == "nesterov" else w
        move = setting.step_size * loss.gradient(at)
        if setting.optimiser == "gradient-descent":
            w = w - move
        else:
            v = setting.momentum * v - move
            w = w + v
        made.append(w)
        if not np.abs(w).max() <= limit:
            break
    return np.array(made)


@pytest.mark.parametrize(
    ("case", "optimiser"),
    [
        (0, "gradient-descent"),
        (0, "nesterov"),
        (1, "heavy-ball"),
        (2, "gradient-descent"),
        (3, "gradient-descent"),
        (3, "heavy-ball"),
    ],
)
def test_what_is_decided_early_is_what_each_run_does(case: int, optimiser: str) -> None:
    function, step, reach = CASES[case]
    law = law_of(function, optimiser=optimiser, step_size=step, momentum=0.4)
    runs, cells = Runs(law), Cells.of(law, 200)
    cells.starts[:] = np.random.default_rng(3).uniform(-reach, reach, cells.starts.shape)
    known = minima_of(runs, cells)
    early = runs.early(known)
    assert early is not None
    codes, steps, sharpness = decided(early, cells.starts)
    assert np.mean(codes == OPEN) < 0.5  # others go round cycles
    for row in range(0, 200, 11):
        way = path(law, runs, cells.starts[row])
        if codes[row] == GONE:
            assert steps[row] == len(way) - 1 < STEPS
        elif codes[row] != OPEN:
            minimum = known[codes[row]]
            assert sharpness[row] == np.float32(minimum[-1])
            near = NEAR * max(1.0, np.abs(minimum[:-1]).max())
            far = np.abs(way - minimum[:-1]).max(axis=1) > near
            assert steps[row] == (np.flatnonzero(far)[-1] + 1 if far.any() else 0)
    followed = runs.follow(cells, STEPS)
    np.testing.assert_array_equal(followed.codes[codes == GONE], DIVERGED)
    assert set(followed.codes[codes < GONE]) <= {AT_MINIMUM, UNDECIDED}


def test_what_is_decided_early_does_not_depend_on_the_runs_beside_it() -> None:
    law = law_of(CASES[0][0], step_size=1.0)
    runs, cells = Runs(law), Cells.of(law, 301)
    cells.starts[:] = np.random.default_rng(5).uniform(-4.0, 4.0, cells.starts.shape)
    known = minima_of(runs, cells)
    cells.starts[7] = known[0, :-1]  # a run that begins at a minimum
    early = runs.early(known)
    assert early is not None
    together = decided(early, cells.starts)
    assert together[1][7] == 0.0
    for rows in (slice(0, 1), slice(4, 7), slice(3, 297), np.arange(300, -1, -7)):
        for ours, theirs in zip(decided(early, cells.starts[rows]), together, strict=True):
            np.testing.assert_array_equal(ours, theirs[rows])


def test_no_trap_is_set_where_steps_do_not_come_nearer_soon() -> None:
    loss = Runs(law_of("x^2 + y^2/400")).loss()
    origin = np.array([[0.0, 0.0, 2.0]])
    for step in (0.9, 1.01):  # some 7,000 steps, and endless ones
        assert not len(traps(loss, origin, np.full(2, step), "heavy-ball", 0.0).table)
    round_loss = Runs(law_of("x^2 + y^2/3")).loss()
    assert len(traps(round_loss, origin, np.full(2, 0.5), "heavy-ball", 0.0).table) == 1


def test_runs_whose_loss_may_be_no_number_are_not_decided_early() -> None:
    assert Runs(law_of("x - log(x + 0.1) + y^2")).early(np.empty((0, 3))) is None
    assert Runs(law_of("x^2 + y^2", optimiser="adam")).early(np.empty((0, 3))) is None


def test_a_weight_far_beyond_all_bounds_leaves_a_run_open() -> None:
    law = law_of("x^6 + y^2/2", step_size=0.5)
    early = Runs(law).early(np.empty((0, 3)))
    assert early is not None
    codes, steps, _ = decided(early, np.array([[1e60, 1.0], [3.0, 1.0], [0.5, 1.0]]))
    assert codes.tolist() == [OPEN, GONE, OPEN]
    assert steps[1] == len(path(law, Runs(law), np.array([3.0, 1.0]))) - 1
