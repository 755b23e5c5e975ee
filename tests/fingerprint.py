"""Fingerprints of what the program computes, compared before and after a move of code.

    uv run python -m tests.fingerprint --out before.json
    uv run python -m tests.fingerprint --compare before.json

Every preset of every experiment runs for a fixed number of steps. Noted is a SHA-256 of each trace
array, of each observed array, of `run.json` without versions and times, and of the description of
each view. The digits that come with the program stand in for MNIST. Equal hashes mean equal bits on
one machine; two processors may differ in the last bits.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.cli import headless
from engine.core.params import build
from engine.experiments import EXPERIMENTS
from engine.run import replay
from engine.run.spec import RunSpec
from engine.storage import runfolder
from engine.storage.files import plain
from engine.storage.presets import Preset, presets
from engine.storage.recording import Recorder

STEPS = {"mnist": 6, "piecewise-fit": 60, "matrix-product": 150, "double-matrix": 100}
OTHER_STEPS = 400
TIMES = {"training_seconds", "images_per_second", "seconds_to_paper_accuracy"}
"""Numbers of `final` that are times."""
ENSEMBLE = 4
"""Runs of an ensemble at most: enough to see each of its columns."""


def main(arguments: list[str] | None = None) -> int:
    """Write the fingerprints, or compare with those of before; 1 where any differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--only", help="id of one experiment")
    options = parser.parse_args(arguments)
    made = dict(fingerprints(options.only))
    if options.out:
        options.out.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", "utf-8")
    if options.compare is None:
        print(f"{len(made)} fingerprints")
        return 0
    before = json.loads(options.compare.read_text("utf-8"))
    before = {name: value for name, value in before.items() if _is_of(name, options.only)}
    different = sorted(
        name for name in before.keys() | made.keys() if before.get(name) != made.get(name)
    )
    for name in different:
        print(f"differs: {name}")
    print(f"{len(made)} fingerprints, {len(different)} differ")
    return 1 if different else 0


def _is_of(name: str, experiment_id: str | None) -> bool:
    return experiment_id is None or name.startswith(f"{experiment_id}/")


def fingerprints(only: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield a name and a hash for everything that the presets make."""
    for listed in EXPERIMENTS:
        if only in (None, listed.id):
            for preset in presets(listed.id):
                print(f"{listed.id}/{preset.id}", file=sys.stderr, flush=True)
                yield from _of_preset(listed.id, preset)


def _of_preset(experiment_id: str, preset: Preset) -> Iterator[tuple[str, str]]:
    experiment = next(listed for listed in EXPERIMENTS if listed.id == experiment_id).load()
    params = _affordable(preset)
    if params is None:
        return
    steps = STEPS.get(experiment_id, OTHER_STEPS)
    run = RunSpec(experiment=experiment_id, params=params, seed=preset.seed, steps=steps)
    session = replay.begin(run)
    name = f"{experiment_id}/{preset.id}"
    try:
        recorder = Recorder(session)
        replay.carry_out(run, session, recorder.advance)
        ensemble = headless._ensemble(run, session, lambda fraction, text: True)
        result = runfolder.result_of(run, session, session.outcome(), ensemble)
        result.pop("versions")
        for name_of_time in TIMES & result["final"].keys():
            del result["final"][name_of_time]
        yield f"{name}/run.json", _digest(json.dumps(result, sort_keys=True).encode())
        for key, values in session.recent().items():
            yield f"{name}/trace/{key}", _digest(_bytes(values))
        seen = experiment.observe(session.state, session.recent())
        for key, value in seen.items():
            if key == "status":
                continue  # a table of speeds
            yield f"{name}/observation/{key}", _digest(_bytes(value))
        for view in experiment.views(session.params):
            yield f"{name}/view/{view.id}", _digest(repr(view).encode())
        if ensemble is not None:
            columns = json.dumps(plain(dict(ensemble.columns)), sort_keys=True)
            yield f"{name}/ensemble", _digest(columns.encode())
    finally:
        session.close()


def _affordable(preset: Preset) -> Any:
    """Return the preset's parameters, small enough for a test; None for what needs a GPU."""
    values = preset.params.model_dump()
    if "data" in values and "filters" in values:
        if values.get("mixing") == "identity":
            return None
        values |= {"data": "digits", "filters": min(values["filters"], 8)}
    if values.get("ensemble", 1) > ENSEMBLE:
        values["ensemble"] = ENSEMBLE
    return build(type(preset.params), values)


def _bytes(value: Any) -> bytes:
    if isinstance(value, np.ndarray) and value.dtype != object:
        array = np.ascontiguousarray(value)
        return f"{array.dtype.str}{array.shape}".encode() + array.tobytes()
    if isinstance(value, Mapping):
        return b"".join(f"{key}".encode() + _bytes(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(_bytes(item) for item in value) + b"]"
    if dataclasses.is_dataclass(value):
        return repr(value).encode()
    return repr(plain(value)).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
