"""Making a run again in the window: from its settings, with all that was done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gui.run.bridge import Bridge
from gui.run.control import RunControl

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params
    from engine.run.session import Session
    from engine.run.spec import RunSpec


def begin(control: RunControl, experiment: AbstractExperiment[Any, Any], run: RunSpec) -> bool:
    """Begin a run that was kept, with its notes on the plots, at step 0.

    Returns
    -------
    bool
        Whether it is in force (`RunControl.choose`).
    """
    is_begun = control.choose(experiment, run.params, run.seed, start=run.start)
    if is_begun:
        control.notes_opened.emit(run.notes)
    return is_begun


def remake(
    control: RunControl,
    bridge: Bridge,
    experiment: AbstractExperiment[Any, Any],
    run: RunSpec,
    then: Callable[[bool | Exception], None],
    finished: bool = False,
) -> None:
    """Begin a run, and make its steps with its live changes as a long job that can be cancelled.

    Parameters
    ----------
    control, bridge
        Of the window.
    experiment : AbstractExperiment
        That of the run.
    run : RunSpec
    then : callable
        Called when the steps are made, with False if that was stopped, or with what went wrong.
        Not called where the run could not begin, or another one was begun before it did.
    finished : bool
        The run had ended by itself, which is found out by one step more, that is not made.
    """

    def made(done: bool | Exception) -> None:
        if done is not True and control.experiment.id == experiment.id:
            control.follow()  # it stands before its last live changes
        then(done)

    if begin(control, experiment, run):
        bridge.ask(lambda session, progress: _carry_out(run, session, progress, finished), made)
        control.accept(last_params(run))


def last_params(run: RunSpec) -> Params:
    """Return the parameters that a run ends with."""
    from engine.core.params import update

    values = {name: value for change in run.changes for name, value in change.values.items()}
    return update(run.params, **values) if values else run.params


def _carry_out(run: RunSpec, session: Session, progress: Progress, finished: bool) -> bool:
    from engine.run.replay import in_chunks

    done = in_chunks(run, session, progress)
    if done and finished:
        session.advance(1)
    return done
