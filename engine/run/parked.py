"""Runs put aside while another experiment is shown, to be taken up again where they were."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.ensemble import Ensemble
from engine.run.convergence import Convergence
from engine.run.session import Session
from engine.run.throttle import Pictures


@dataclass(frozen=True, slots=True)
class Parked:
    """A run at rest, with the step that was looked at and what else was shown of it."""

    session: Session
    pictures: Pictures
    ensemble: Ensemble | None
    seconds_per_step: float
    convergence: Convergence


class Shelf:
    """At most one run of each experiment.

    What a run holds is bounded by its own history: keyframes of `engine.run.keyframes.MEMORY` bytes
    at most and a trace of fixed size; a training holds its networks and one row a step.
    """

    def __init__(self) -> None:
        self._runs: dict[str, Parked] = {}

    def put(self, run: Parked) -> None:
        """Keep a run, in place of an older one of its experiment."""
        experiment_id = run.session.experiment.id
        self.drop(experiment_id)
        self._runs[experiment_id] = run

    def take(self, experiment_id: str) -> Parked | None:
        """Return the run of an experiment back, if there is one."""
        return self._runs.pop(experiment_id, None)

    def drop(self, experiment_id: str) -> None:
        """Give up the run of an experiment."""
        run = self.take(experiment_id)
        if run is not None:
            run.session.close()

    def close(self) -> None:
        """Give up all runs."""
        for experiment_id in tuple(self._runs):
            self.drop(experiment_id)
