"""Learned parameters of any experiment as a file, to go on from or to look into elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.core.versions import versions
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage.arrays import load_numbers, save_arrays
from engine.storage.files import user_path
from engine.storage.runfile import from_table, home_of, to_table

_KIND = "learned parameters"
ANEW = (
    "It begins at step 0 from learned parameters: momentum and random numbers start anew, so that "
    "it is not the continuation of the run that learned them."
)
"""Sentence on a run that begins so."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Parameters with what made them: `run.params` are those in force at `step`."""

    run: RunSpec
    step: int
    arrays: Mapping[str, NDArray[Any]]


def save_learned(session: Session, path: Path, step: int | None = None) -> None:
    """Write what a run has learned until now, or until `step`, as ``.npz`` or ``.safetensors``.

    The file holds a JSON description (experiment, parameters, seed, step, versions).

    Raises
    ------
    InputError
        If the name ends otherwise, the step was not reached, or no old states are kept.
    FileError
        If the file cannot be written.
    """
    state = session.state_at(session.step if step is None else step)
    run = RunSpec(
        experiment=session.experiment.id,
        params=session.params_of(state),
        seed=session.seed,
        sha256=session.inputs,
    )
    table = to_table(run, folder=home_of(path))
    config = {"kind": _KIND, **table, "step": state.step, "versions": versions()}
    arrays = session.experiment.arrays(state)
    save_arrays(path, {key: np.asarray(value) for key, value in arrays.items()}, config)


def save_model(session: Session, path: Path, step: int | None = None) -> str:
    """Write what a run has learned, as `save_learned` or in a form of the experiment's own.

    Returns
    -------
    str
        What was checked of the file; may be empty.

    Raises
    ------
    InputError
        If the name ends otherwise, the step was not reached, or no old states are kept.
    LabError
        If a package is missing or the file cannot be written.
    """
    if path.suffix.lower() not in session.experiment.model_endings:
        save_learned(session, path, step)
        return ""
    state = session.state_at(session.step if step is None else step)
    return session.experiment.save_model(state, path)


def load_learned(path: Path) -> Learned:
    """Read learned parameters after checking the file.

    Raises
    ------
    InputError
        If the file is damaged, was not written by `save_learned`, or holds inf or nan.
    """
    path = user_path(path, "model")
    arrays, config = load_numbers(path, "model")
    step = config.get("step")
    if config.get("kind") != _KIND or type(step) is not int or step < 0:
        raise InputError("model", path.name, "give learned parameters written by this program")
    keys = ("format", "experiment", "seed", "params", "sha256", "changes")
    table = {key: config[key] for key in keys if key in config}
    run = from_table(table, path.name, path.parent)
    return Learned(run, step, arrays)


def to_run(learned: Learned) -> RunSpec:
    """Describe the run that goes on from learned parameters, with their settings and seed."""
    return dataclasses.replace(learned.run, start=learned.arrays)
