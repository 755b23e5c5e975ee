"""A session with one run, for programs that keep it."""

from __future__ import annotations

from pathlib import Path

import engine.experiments  # noqa: F401  registers the experiments
from engine.core.registry import get
from engine.run.spec import RunSpec
from engine.storage import session_file

ID = "least-squares"


def session_of(steps: int) -> session_file.KeptSession:
    """Return a session with one run of so many steps."""
    run = RunSpec(experiment=ID, params=get(ID).parameters(), seed=0, steps=steps)
    return session_file.KeptSession(
        experiment=ID,
        runs=(session_file.KeptRun(run=run, cursor=0),),
        pins=(),
        story=None,
        look=session_file.Look(),
    )


def steps_in(path: Path) -> int:
    """Return the steps of the run in a session's file."""
    (kept,) = session_file.load(path).runs
    assert kept.run.steps is not None
    return kept.run.steps
