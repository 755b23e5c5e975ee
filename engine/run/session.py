"""One run, advanced by hand: the same object under the engine thread and the command line."""

from __future__ import annotations

import time
from bisect import bisect, bisect_left
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, islice
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core import interrupt
from engine.core.change import Change, Nudge, checked
from engine.core.chunk import Chunk
from engine.core.effect import Effect, check_live, fields_with
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent, State
from engine.core.outcome import Outcome
from engine.core.params import Params, update
from engine.run.inputs import fingerprints
from engine.run.keyframes import Keyframes
from engine.run.notes import Note
from engine.run.pace import LONG_CHUNK_SECONDS, ChunkSize
from engine.run.trace import WINDOW, Trace
from engine.text.numbers import whole

_step_of = attrgetter("step")


class Session:
    """A run with its history, able to go back, to change live parameters and to be pushed.

    Going back computes the state again from the nearest keyframe with the changes made since, so it
    has the same bits as a run that stopped there. The state of a step is that after the changes
    made at it, the recorded row of a step that before them.

    Parameters
    ----------
    experiment, params, seed
        What to run.
    start : mapping of str to ndarray, optional
        Learned parameters to begin from, in place of those that `init` makes.

    Raises
    ------
    InputError
        From the experiment's `init` or `with_arrays`, when the parameters cannot be used together.
    """

    def __init__(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params,
        seed: int = 0,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self.experiment = experiment
        self.seed = seed
        self.start = start
        self.state: State[Any] = experiment.init(params, seed)
        if start is not None:
            self.state = experiment.with_arrays(self.state, start)
        self.inputs = fingerprints(experiment, params)
        self.initial_params = params
        self._origin = self.state
        self._for_ensemble: dict[str, Any] = {}
        self._changes: list[Change] = []
        self._frozen: tuple[Change, ...] | None = ()
        self.finished = False
        self.notes: tuple[Note, ...] = ()
        self.trace = Trace(experiment.record(self.state))
        self._keyframes: Keyframes[State[Any]] = Keyframes(self.state)
        self._again = ChunkSize(LONG_CHUNK_SECONDS, experiment.listing.steps_per_call)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was done to the run, in order; copied once for all who ask between two changes."""
        if self._frozen is None:
            self._frozen = tuple(self._changes)
        return self._frozen

    def _note(self, change: Change) -> None:
        self._changes.append(change)
        self._frozen = None

    def _changes_at(self, step: int) -> list[Change]:
        """Return what was done to the run at a step."""
        first, last = (side(self._changes, step, key=_step_of) for side in (bisect_left, bisect))
        return self._changes[first:last]

    @property
    def params(self) -> Params:
        """The parameters in force now."""
        return self.params_of(self.state)

    @property
    def step(self) -> int:
        """The number of updates made."""
        return self.state.step

    def advance(self, n: int, *, coarse: bool = False, exact: int = WINDOW) -> int:
        """Make up to `n` steps and return how many were made.

        With `coarse`, all but the last `exact` are recorded as minimum and maximum per bucket,
        which is what the history keeps of them anyway. By default the exact rows are those of the
        last `WINDOW` steps, however they were made, so that verdicts do not depend on it. Fewer
        serve where more steps follow at once.

        Raises
        ------
        Interrupted
            If a long step was stopped (`engine.core.interrupt`); the run stands before it.
        """
        before = self.step
        if coarse and n > exact and self.experiment.rewindable:
            self._advance(n - exact, self.trace.stride_at(before + n))
            n = exact
            if self.finished:  # it ended among the coarse steps: know the last ones exactly
                self.trace.refill(self._look_back(self.step)[1])
        self._advance(n, 1)
        return self.step - before

    def _advance(self, n: int, stride: int) -> None:
        # One by one where no state is kept: the steps before an interrupted one stay made.
        most = n if self.experiment.rewindable else 1
        target = self.step + n
        while not self.finished and self.step < target:
            count = min(most, target - self.step)
            before = self.step
            self.state, chunk = self.experiment.advance(self.state, count, stride)
            self.trace.add(chunk)
            self.finished = self.step < before + count
        if n > 0 and self.experiment.rewindable:
            self._keyframes.offer(self.state)

    def params_of(self, state: State[Any]) -> Params:
        """Return the parameters of a state of this run, for an ensemble those in force now."""
        params: Params = state.params
        return params.model_copy(update=self._for_ensemble) if self._for_ensemble else params

    def prepare(self, params: Params) -> bool:
        """Set what only an ensemble reads, and return whether nothing else differs.

        It is no change of the run: nothing is computed differently, and no step is recorded.
        """
        new = params.model_dump()
        values = {name: new[name] for name in fields_with(type(params), Effect.NONE)}
        if any(getattr(self.params, name) != value for name, value in values.items()):
            self._for_ensemble = values
            self.initial_params = self.initial_params.model_copy(update=values)
        return self.params == params

    def retune(self, params: Params) -> None:
        """Go on with other live parameters, and record the step of the change.

        Raises
        ------
        InputError
            If a parameter differs that cannot change during a run.
        """
        self.prepare(params)
        old, new = self.params.model_dump(), params.model_dump()
        values = {name: new[name] for name in new if new[name] != old[name]}
        if not values:
            return
        check_live(type(params), values)
        last = self._changes[-1] if self._changes else None
        if last is not None and last.step == self.step and last.nudge is None:
            values = {**last.values, **values}
            self._changes.pop()
        self._note(Change(self.step, values))
        self.state = self._marked(self.experiment.retune(self.state, params))
        self.finished = self.finished and self.state.diverged_at is not None
        if self.experiment.rewindable:
            self._keyframes.pin(self.state)

    def nudge(self, size: float = Nudge().size, seed: int | None = None) -> None:
        """Push the state by a little, and record the step.

        Parameters
        ----------
        size : float
            Norm of the push, as a share of the state's own.
        seed : int, optional
            Seed of its direction; by default the run's seed plus the number of earlier pushes, so
            that no two pushes of a run are the same.

        Raises
        ------
        InputError
            If size or seed is out of range, the run has diverged, or its experiment has no pushes.
        """
        if seed is None:
            pushes = sum(change.nudge is not None for change in self._changes)
            seed = (self.seed + pushes) % 2**63
        nudge = checked(Nudge(float(size), seed))
        if self.state.diverged_at is not None:
            raise InputError("nudge", size, "the run has diverged; begin it anew, or go back first")
        self.state = self._marked(self.experiment.nudge(self.state, nudge))
        self._note(Change(self.step, nudge=nudge))
        self.finished = False
        if self.experiment.rewindable:
            self._keyframes.pin(self.state)

    def change(self, change: Change) -> None:
        """Apply a recorded change at the step where the run is.

        Raises
        ------
        InputError
            As `retune` and `nudge`.
        """
        if change.nudge is not None:
            self.nudge(change.nudge.size, change.nudge.seed)
        else:
            self.retune(update(self.params, **change.values))

    def changed(self, state: State[Any], change: Change) -> State[Any]:
        """Apply a recorded change of this run to a state, and return the state after it."""
        made: State[Any]
        if change.nudge is not None:
            made = self.experiment.nudge(state, change.nudge)
        else:
            made = self.experiment.retune(state, update(state.params, **change.values))
        return self._marked(made)

    @staticmethod
    def _marked(state: State[Any]) -> State[Any]:
        """Note in a state that it was changed just now, so that it is judged from here on."""
        return replace(state, changed_at=state.step)

    def state_at(self, step: int, near: State[Any] | None = None) -> State[Any]:
        """Compute the state after `step` updates, 0 <= step <= the run's own step.

        `near` is an earlier answer, from which it is computed if no kept state is nearer.

        Raises
        ------
        InputError
            If the step was not reached, or the experiment keeps no old states.
        """
        if step == self.step:
            return self.state
        self._check_reachable(step)
        begin = self._keyframes.nearest(step)
        if near is not None and begin.step < near.step <= step:
            begin = near
        return self._carry(begin, step)

    def arrival(self, step: int, near: State[Any] | None = None) -> State[Any]:
        """Compute the state of a step before the changes made at it, as its recorded row has it.

        Raises
        ------
        InputError
            As `state_at`.
        """
        if not self._changes_at(step):
            return self.state_at(step, near)
        self._check_reachable(step)
        if step == 0:
            return self._origin
        state = self.state_at(step - 1, near)
        arrived: State[Any] = self.experiment.advance(state, 1)[0]
        return arrived

    def look(self, step: int, near: State[Any] | None = None) -> tuple[State[Any], Recent]:
        """Compute the state at an earlier step and the recorded rows that lead to it.

        They are those of a run that stopped there: of its last `WINDOW` steps. `near` is as that of
        `state_at`; one of `WINDOW` steps earlier saves the way there. Rows that are still known are
        not made again.

        Raises
        ------
        InputError
            As `state_at`.
        Interrupted
            If it was stopped (`engine.core.interrupt`).
        """
        if step == self.step:
            return self.state, self.recent()
        self._check_reachable(step)
        state, recent = self._look_back(step, near)
        return state, self._as_pushed(state, recent)

    def knows_rows_of(self, step: int) -> bool:
        """Return whether the rows that lead to a step are known, so that none is made again."""
        return max(0, step - WINDOW + 1) >= self.trace.exact_from

    def _look_back(self, step: int, near: State[Any] | None = None) -> tuple[State[Any], Recent]:
        start = max(0, step - WINDOW + 1)
        if self.knows_rows_of(step):
            return self.state_at(step, near), self.trace.exact(start, step)
        state = self.arrival(start, near)
        first = self.experiment.record(state)
        rows: list[Recent] = [{key: np.asarray(value)[None] for key, value in first.items()}]
        for change in self._changes_at(start):
            state = self.changed(state, change)
        state = self._carry(state, step, rows)
        return state, {key: np.concatenate([part[key] for part in rows]) for key in rows[0]}

    def rewind(self, step: int) -> None:
        """Go back to an earlier step and forget what came after.

        Raises
        ------
        InputError
            If the step was not reached, or the experiment keeps no old states.
        Interrupted
            If it was stopped; nothing is forgotten then.
        """
        if step == self.step:
            return
        self._check_reachable(step)
        state, recent = self._look_back(step)
        with interrupt.uninterrupted():  # from here on the history is changed
            resume = self.trace.cut(step)
            if resume <= step:
                self._replay_into_trace(self.state_at(resume - 1), step)
        self.trace.refill(recent)
        del self._changes[bisect(self._changes, step, key=_step_of) :]
        self._frozen = None
        self._keyframes.drop_from(step + 1)
        self.state, self.finished = state, False

    def recent(self) -> Recent:
        """Return the exact recent rows of all series, the last being that of the state itself."""
        return self._as_pushed(self.state, self.trace.recent())

    def _as_pushed(self, state: State[Any], recent: Recent) -> Recent:
        """Replace the last row by that of the state, if that was pushed after it was recorded."""
        if all(change.nudge is None for change in self._changes_at(state.step)):
            return recent
        row = self.experiment.record(state)
        return {key: np.concatenate([rows[:-1], [row[key]]]) for key, rows in recent.items()}

    def outcome(self) -> Outcome:
        """Describe how the run stands."""
        return self.experiment.outcome(self.state, self.recent())

    def close(self) -> None:
        """Release what the state holds outside Python's memory."""
        self.experiment.close(self.state)

    def _check_reachable(self, step: int) -> None:
        if not 0 <= step <= self.step:
            raise InputError("step", step, f"give a step from 0 to {self.step}")
        if not self.experiment.rewindable:
            raise InputError("step", step, "this experiment keeps no earlier states")

    def _carry(
        self,
        state: State[Any],
        step: int,
        rows: list[Recent] | None = None,
    ) -> State[Any]:
        """Advance a state of this run to `step`, making the changes that were made on the way."""
        begin, report = state.step, f"computing step {whole(step)} again"
        first = bisect(self._changes, state.step, key=_step_of)  # what was done at it is done
        for change in chain(islice(self._changes, first, None), (Change(step + 1),)):
            stop = min(change.step, step)
            while state.step < stop:
                state, part, made = self._made_again(
                    state, stop - state.step, exact=rows is not None
                )
                if made == 0:
                    break
                if rows is not None:
                    rows.append(part)
                interrupt.report((state.step - begin) / (step - begin), report)
            if change.step > step:
                break
            state = self.changed(state, change)
        return state

    def _made_again(
        self, state: State[Any], n: int, *, exact: bool
    ) -> tuple[State[Any], Recent, int]:
        """Make some of `n` steps in a call that does not take long; 0 of a run that diverged."""
        made = min(n, self._again.steps)
        begin = time.perf_counter()
        # Where no rows are wanted, one bucket for all of them is the cheapest record.
        new, chunk = self.experiment.advance(state, made, 1 if exact else made)
        self._again.learn(chunk.count, time.perf_counter() - begin)
        return new, chunk.low, chunk.count

    def _replay_into_trace(self, state: State[Any], step: int) -> None:
        rows: list[Recent] = []
        first = state.step + 1
        self._carry(state, step, rows)
        for part in rows:
            chunk = Chunk.exact(first, part)
            self.trace.add(chunk)
            first += chunk.count
