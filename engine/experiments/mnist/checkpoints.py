"""When and where a training run writes its checkpoints, and which of them belong to it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from numpy.typing import NDArray

from engine.core.effect import Effect, fields_with
from engine.core.errors import InputError
from engine.core.params import update
from engine.experiments.mnist import checkpoint_files as checkpoint
from engine.experiments.mnist.checkpoint_files import Checkpoint
from engine.experiments.mnist.datasets import ImageData
from engine.experiments.mnist.params import MnistParams
from engine.storage.files import to_json, try_folder, user_path

SECONDS = 120.0
"""Time after which a checkpoint is written within an epoch."""
SHORT_EPOCH_SECONDS = 10.0
"""Ends of epochs that follow a checkpoint sooner than this get none of their own."""
SETTINGS = (
    "network",
    "mixing",
    "width",
    "depth",
    "filters",
    "bias_range",
    "loss",
    "optimiser",
    "batch_size",
    "hessian_count",
    "hessian_images",
)
"""Parameters that a run and its checkpoint must share, besides the seed and the data."""


class Checkpoints:
    """The checkpoint folder of one run.

    `folder` is None where checkpoints are off; `last` names the newest file of this run.

    Raises
    ------
    InputError
        If the folder cannot be written to: raised at once and not when the first one is due.
    """

    def __init__(self, params: MnistParams, seed: int, data: ImageData) -> None:
        self._params = params
        values = params.model_dump()
        self._identity = {name: values[name] for name in SETTINGS}
        self._identity |= {"seed": seed, "data": data.fingerprint}
        self.folder, self._chosen = self._choose()
        if self.folder is not None:
            try_folder(self.folder, "checkpoints")
        self._saved_at = time.monotonic()
        self._first_of_run, self._from = True, -1
        self.last = ""

    def _choose(self) -> tuple[Path | None, Path | None]:
        """Return the folder, and the file in it to go on from if one was named."""
        if self._params.checkpoints == "off":
            return None, None
        if self._params.checkpoints:
            path = user_path(self._params.checkpoints, "checkpoints")
            return (path.parent, path) if checkpoint.is_one(path) else (path, None)
        name = hashlib.sha256(to_json(self._identity).encode()).hexdigest()[:12]
        folder = Path(platformdirs.user_data_dir("lyapunov-lab", False)) / "checkpoints" / name
        return folder, None

    def newest(self) -> Checkpoint | None:
        """Read the named checkpoint, or the newest one in the folder, if there is one.

        Raises
        ------
        InputError
            If it is damaged, or the named one is missing.
        """
        if self._chosen is not None:
            return checkpoint.read(self._chosen)
        return None if self.folder is None else checkpoint.newest(self.folder)

    def is_due(self, ends_epoch: bool, is_last: bool) -> bool:
        """Return whether a checkpoint should be written now."""
        waited = time.monotonic() - self._saved_at
        return is_last or waited > (SHORT_EPOCH_SECONDS if ends_epoch else SECONDS)

    def save(
        self,
        step: int,
        arrays: Mapping[str, NDArray[Any]],
        numbers: Mapping[str, Any],
        params: MnistParams,
    ) -> Path | None:
        """Write a checkpoint; the first one of a run removes those of a former run after its start.

        Raises
        ------
        FileError
            If the disk does not take it.
        """
        if self.folder is None:
            return None
        if self._first_of_run:
            checkpoint.clear(self.folder, after=self._from)
            self._first_of_run = False
        config = {
            **numbers,
            "identity": self._identity,
            "initial": self._params.model_dump(),
            "current": params.model_dump(),
        }
        path = checkpoint.save(self.folder, step, arrays, config)
        self._saved_at = time.monotonic()
        self.last = path.name
        return path

    def params_of(self, saved: Checkpoint) -> MnistParams:
        """Check that a checkpoint belongs to this run, and give the parameters to go on with.

        Live parameters that were changed before the checkpoint keep their values, unless this run
        was given new ones.

        Raises
        ------
        InputError
            If the network, the method, the seed or the data differ.
        """
        theirs = saved.config.get("identity")
        theirs = theirs if isinstance(theirs, dict) else {}
        for name, value in self._identity.items():
            if theirs.get(name) != value:
                other = f"it belongs to a run with {name} = {theirs.get(name)}, not {value}"
                raise InputError("resume", saved.path.name, other)
        self._from, self.last = saved.step, saved.path.name
        initial, current = saved.config.get("initial"), saved.config.get("current")
        if not isinstance(initial, dict) or not isinstance(current, dict):
            raise InputError("checkpoint", saved.path.name, "give a whole checkpoint")
        given = self._params.model_dump()
        live = fields_with(MnistParams, Effect.RETUNE)
        kept = {name: current.get(name) for name in live if given[name] == initial.get(name)}
        return update(self._params, **kept)
