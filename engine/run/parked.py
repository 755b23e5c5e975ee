"""Runs put aside while another experiment is shown, to be resumed where they were left."""

from __future__ import annotations

from engine.run.run import Run


class Shelf:
    """Holds at most one run at rest of each experiment.

    What a run holds is bounded by its own history: keyframes of `engine.run.keyframes.MEMORY` bytes
    at most and a trace of fixed size; a training holds its networks and one row a step.
    """

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def put(self, run: Run) -> None:
        """Bring a run to rest and keep it, in place of an older one of its experiment."""
        self.drop(run.experiment_id)
        run.rest()
        self._runs[run.experiment_id] = run

    def take(self, experiment_id: str) -> Run | None:
        """Return the run of an experiment and keep it no longer; None if there is none."""
        return self._runs.pop(experiment_id, None)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs that are put aside."""
        return tuple(self._runs.values())

    def drop(self, experiment_id: str) -> None:
        """Close the run of an experiment, if there is one."""
        run = self.take(experiment_id)
        if run is not None:
            run.close()

    def close(self) -> None:
        """Close all runs."""
        for experiment_id in tuple(self._runs):
            self.drop(experiment_id)
