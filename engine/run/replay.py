"""Carrying out a run file: begin its session, and make its steps with the recorded changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from engine.core.change import Change
from engine.core.ensemble import Progress
from engine.core.packages import is_installed
from engine.core.params import update
from engine.core.registry import get
from engine.run import inputs
from engine.run.pace import Chunks
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.text.numbers import whole

Advance = Callable[[int], int]
"""Makes up to a number of steps and returns how many it made; 0 says stop."""


def on_this_machine(run: RunSpec) -> tuple[RunSpec, str]:
    """Move a run that another machine made to the CPU, where this one lacks its device.

    Returns
    -------
    run : RunSpec
        The one given, unless its device is missing.
    notice : str
        The sentence that says what was changed, or nothing.
    """
    device: Any = getattr(run.params, "device", "cpu")
    if device in ("auto", "cpu"):
        return run, ""
    if is_installed("torch"):
        from engine.core.device import is_there  # torch takes seconds to load

        if is_there(device):
            return run, ""
    moved = dataclasses.replace(run, params=update(run.params, device="cpu"))
    return moved, f"This machine has no {device.upper()} device: the run is made on the CPU."


def begin(run: RunSpec) -> Session:
    """Make the session of a run, at step 0.

    Raises
    ------
    InputError
        If the parameters cannot be used together, or an input file has changed.
    """
    experiment = get(run.experiment)
    inputs.check(experiment, run.params, run.sha256)
    session = Session(experiment, run.params, run.seed, run.start)
    session.notes = run.notes
    return session


def target_of(run: RunSpec) -> int:
    """Return the step at which a run stops."""
    return get(run.experiment).steps(run.params) if run.steps is None else run.steps


def carry_out(run: RunSpec, session: Session, advance: Advance | None = None) -> None:
    """Make the steps of a run with its live changes; the bits do not depend on `advance`.

    Parameters
    ----------
    run : RunSpec
        What to run.
    session : Session
        From `begin`.
    advance : callable, optional
        Makes the steps; a caller that records, shows progress or cancels gives its own.
    """
    advance = advance or (lambda n: session.advance(n, coarse=True))
    target = target_of(run)
    for change in (*run.changes, Change(target)):
        stop = min(change.step, target)
        while session.step < stop:
            if advance(stop - session.step) == 0:
                return
        if change.step > target:
            return
        session.change(change)


def in_chunks(run: RunSpec, session: Session, progress: Progress) -> bool:
    """Carry out a run in calls between which progress is reported.

    Returns
    -------
    bool
        False if `progress` asked to stop.
    """
    target = target_of(run)

    def report(inside: str) -> bool:
        text = f"step {whole(session.step)} of {whole(target)}"
        return progress(session.step / max(target, 1), f"{text}: {inside}" if inside else text)

    most = session.experiment.listing.steps_per_call
    chunks = Chunks(lambda n: session.advance(n, coarse=True), report, most)
    carry_out(run, session, chunks.advance)
    return not chunks.cancelled
