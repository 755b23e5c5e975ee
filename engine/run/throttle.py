"""What is shown of a run besides its trace, computed no more often than it can be afforded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from engine.core.claims import Bound, Claim
from engine.core.ensemble import Observation
from engine.core.experiment import Recent, State
from engine.core.outcome import Outcome
from engine.run.session import Session

SHARE = 0.2
"""Share of the engine thread's time that one kind of picture may take while a run goes on."""

T = TypeVar("T")


class _Throttled(Generic[T]):
    """A value computed again only when due: the costlier, the rarer."""

    def __init__(self, compute: Callable[[], T], interval: float) -> None:
        self._compute = compute
        self._interval = interval
        self._due = 0.0
        self._value: T | None = None

    def get(self, *, force: bool) -> T:
        begin = time.monotonic()
        if self._value is None or force or begin >= self._due:
            self._value = self._compute()
            end = time.monotonic()
            self._due = end + max(self._interval, (end - begin) / SHARE)
        return self._value


class Pictures:
    """Observation, outcome, theory and claims of a session at its own step or at a scrubbed one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._past: tuple[State[Any], Recent] | None = None
        experiment = session.experiment
        self._outcome = _Throttled(lambda: experiment.outcome(*self._shown()), 0.05)
        self._observation = _Throttled(lambda: experiment.observe(*self._shown()), 0.0)
        self._theory = _Throttled(lambda: experiment.theory(self.state.params, self.state), 0.1)
        self._claims = _Throttled(
            lambda: experiment.claims(self.state.params, *self._shown()), 0.25
        )

    @property
    def cursor(self) -> int | None:
        """The scrubbed step, or None when the run's own state is shown."""
        return None if self._past is None else self._past[0].step

    @property
    def state(self) -> State[Any]:
        """The state that is shown."""
        return self._session.state if self._past is None else self._past[0]

    def look(self, step: int | None) -> None:
        """Show an earlier step, or (None) the run itself.

        Raises
        ------
        InputError
            If the step was not reached or the experiment keeps no old states.
        """
        live = step is None or step >= self._session.step
        self._past = None if live or step is None else self._session.look(max(0, step))

    def take(
        self, *, force: bool
    ) -> tuple[Outcome, Observation, tuple[Bound, ...], tuple[Claim, ...]]:
        """Return everything, fresh where it is due or forced."""
        return (
            self._outcome.get(force=force),
            self._observation.get(force=force),
            self._theory.get(force=force),
            self._claims.get(force=force),
        )

    def _shown(self) -> tuple[State[Any], Recent]:
        if self._past is not None:
            return self._past
        return self._session.state, self._session.recent()
