from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core.errors import InputError
from engine.core.params import build
from engine.core.registry import get
from engine.experiments.mnist import checkpoint_files as checkpoint
from engine.experiments.mnist.latest import KEY
from engine.experiments.mnist.params import SUBSET
from engine.run.session import Session
from engine.storage.files import FileError, to_json

ROOT = Path(__file__).parents[3]
SMALL = {
    "filters": 2,
    "width": 2,
    "depth": 2,
    "batch_size": 200,
    "epochs": 4,
    "step_size": 0.1,
    "hessian_images": 20,
}
EPOCH = 8
"""Steps per epoch: 1,437 images by 200."""
MNIST = get("mnist")


def session(folder: Path, seed: int = 3, **changes: Any) -> Session:
    values = {**SMALL, "checkpoints": str(folder), **changes}
    return Session(MNIST, build(MNIST.parameters, values), seed)


def finish(run: Session) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Carry a run to its end; returns its parameters and all rows."""
    while not run.finished:
        run.advance(5)
    trace = run.trace.view()
    return dict(MNIST.arrays(run.state)), dict(trace.low)


def assert_same(first: Any, second: Any) -> None:
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], err_msg=key)


def save_now(run: Session) -> Path:
    path = run.state.training.save(run.params)  # type: ignore[attr-defined]
    assert path is not None
    return path


@pytest.mark.parametrize(
    ("optimiser", "stop"),
    [("gradient-descent", 1), ("nesterov", EPOCH - 1), ("nesterov", EPOCH), ("adam", EPOCH + 3)],
)
def test_a_resumed_run_has_the_bits_of_an_undisturbed_one(
    tmp_path: Path, optimiser: str, stop: int
) -> None:
    step_size = 0.005 if optimiser == "adam" else 0.1
    settings = {"optimiser": optimiser, "step_size": step_size, "epochs": 2, "hessian_every": 11}
    undisturbed = finish(session(tmp_path / "a", **settings))
    stopped = session(tmp_path / "b", **settings)
    stopped.advance(stop)
    save_now(stopped)
    resumed = session(tmp_path / "b", resume=True, **settings)
    assert resumed.step == 0
    assert_same(finish(resumed), undisturbed)


def test_live_changes_before_a_checkpoint_are_kept(tmp_path: Path) -> None:
    def run_to(run: Session, step: int) -> Session:
        run.advance(4)
        run.retune(build(MNIST.parameters, {**run.params.model_dump(), "step_size": 0.03}))
        run.advance(step - 4)
        return run

    undisturbed = run_to(session(tmp_path / "a"), 12)
    save_now(run_to(session(tmp_path / "b"), 9))
    resumed = session(tmp_path / "b", resume=True)
    resumed.advance(9)
    assert resumed.params.step_size == 0.03  # type: ignore[attr-defined]
    resumed.advance(3)
    assert_same(
        (MNIST.arrays(resumed.state), resumed.trace.view().low),
        (MNIST.arrays(undisturbed.state), undisturbed.trace.view().low),
    )
    chosen = session(tmp_path / "b", resume=True, step_size=0.2)
    chosen.advance(10)
    assert chosen.params.step_size == 0.2  # type: ignore[attr-defined]


def test_a_finished_run_goes_on_with_more_epochs(tmp_path: Path) -> None:
    finish(session(tmp_path, epochs=2))
    longer = session(tmp_path, epochs=3, resume=True)
    assert_same(finish(longer), finish(session(tmp_path / "other", epochs=3)))


def test_three_are_kept_and_a_new_run_replaces_them(tmp_path: Path) -> None:
    run = session(tmp_path)
    for _ in range(5):
        run.advance(2)
        save_now(run)
    assert [path.name for path in checkpoint.existing(tmp_path)] == [
        "step-00000006.safetensors",
        "step-00000008.safetensors",
        "step-00000010.safetensors",
    ]
    fresh = session(tmp_path)
    fresh.advance(1)
    save_now(fresh)
    assert [path.name for path in checkpoint.existing(tmp_path)] == ["step-00000001.safetensors"]


def test_a_named_checkpoint_is_gone_on_from_and_later_ones_make_way(tmp_path: Path) -> None:
    run = session(tmp_path)
    paths = []
    for _ in range(3):
        run.advance(3)
        paths.append(save_now(run))
    resumed = session(tmp_path, checkpoints=str(paths[1]), resume=True)
    resumed.advance(7)
    assert resumed.state.training.step == 7  # type: ignore[attr-defined]
    save_now(resumed)
    assert [path.stem for path in checkpoint.existing(tmp_path)] == [
        "step-00000003",
        "step-00000006",
        "step-00000007",
    ]
    with pytest.raises(InputError, match="a file that exists"):
        session(tmp_path, checkpoints=str(paths[2]), resume=True)


def test_checkpoints_are_written_at_the_end_and_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.experiments.mnist import checkpoints as _mnist_checkpoints

    run = session(tmp_path, epochs=2)
    run.advance(EPOCH + 2)
    assert checkpoint.existing(tmp_path) == []  # short epochs share one
    monkeypatch.setattr(_mnist_checkpoints, "SECONDS", -1.0)
    run.advance(1)
    assert [path.stem for path in checkpoint.existing(tmp_path)] == [f"step-{EPOCH + 3:08d}"]
    monkeypatch.undo()
    finish(run)
    assert checkpoint.existing(tmp_path)[-1].stem == f"step-{2 * EPOCH:08d}"
    monkeypatch.setattr(_mnist_checkpoints, "SHORT_EPOCH_SECONDS", -1.0)
    other = session(tmp_path / "each", epochs=3)
    other.advance(EPOCH)
    assert [path.stem for path in checkpoint.existing(tmp_path / "each")] == [f"step-{EPOCH:08d}"]


def test_off_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    finish(session(Path("off"), epochs=1))
    assert list(tmp_path.iterdir()) == []


def test_the_users_folder_is_used_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    finish(session(Path(""), checkpoints="", epochs=1))
    if sys.platform == "linux":
        assert len(list(tmp_path.rglob("step-*.safetensors"))) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"width": 3}, "width = 2, not 3"),
        ({"optimiser": "adam"}, "optimiser = nesterov, not adam"),
        ({"seed": 4}, "seed = 3, not 4"),
    ],
)
def test_a_foreign_checkpoint_is_refused(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    run = session(tmp_path)
    run.advance(2)
    save_now(run)
    with pytest.raises(InputError, match=says):
        session(tmp_path, resume=True, **change)


def test_damage_is_said_in_one_sentence(tmp_path: Path) -> None:
    run = session(tmp_path)
    run.advance(2)
    path = save_now(run)
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[: len(whole) // 2], b"", b"{}" * 100, whole[:8] + b"x" * 500):
        path.write_bytes(broken)
        with pytest.raises(InputError) as caught:
            session(tmp_path, resume=True)
        assert path.name in str(caught.value) and "\n" not in str(caught.value)


def test_missing_arrays_are_noticed(tmp_path: Path) -> None:
    run = session(tmp_path)
    run.advance(2)
    saved = checkpoint.read(save_now(run))
    for name in saved.arrays:
        arrays = {key: values for key, values in saved.arrays.items() if key != name}
        if name.startswith("memory."):
            arrays[name] = np.zeros(3, np.float32)
        checkpoint.save(tmp_path, 2, arrays, saved.config)
        if name in ("memory.count", f"history.{SUBSET}"):  # earlier versions had no such series
            continue
        with pytest.raises(InputError):
            session(tmp_path, resume=True)


def test_a_folder_that_takes_no_files_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"^checkpoints: .*folder that can be written to"):
        session(tmp_path / "file" / "inside")
    run = session(tmp_path / "removed")
    run.advance(1)
    (tmp_path / "removed").write_text("in the way")
    with pytest.raises((FileError, InputError)):
        save_now(run)


def test_the_start_of_a_run_leaves_no_empty_folder(tmp_path: Path) -> None:
    session(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


TIMES = {"training_seconds", "images_per_second", "seconds_to_paper_accuracy"}


def told(run: Session) -> dict[str, Any]:
    """Return what `run.json` says of a training, but times."""
    recent = run.recent()
    claims = MNIST.claims(run.params, run.state, recent)
    final = {k: v for k, v in MNIST.final(run.state, recent).items() if k not in TIMES}
    bounds = MNIST.theory(run.params, run.state)
    plain: dict[str, Any] = json.loads(
        to_json(
            {
                "outcome": dataclasses.asdict(run.outcome()),
                "final": final,
                "claims": [dataclasses.asdict(claim) for claim in claims],
                "theory": [dataclasses.asdict(bound) for bound in bounds],
            }
        )
    )
    return plain


@pytest.mark.parametrize("stops", [(EPOCH + 2,), (EPOCH + 2, EPOCH + 5, EPOCH + 5)])
def test_a_resumed_run_tells_what_an_undisturbed_one_does(
    tmp_path: Path, stops: tuple[int, ...]
) -> None:
    """Stopped a few steps after an epoch's evaluation, and ended before the next."""
    settings = {"hessian_every": 5, "epochs": 3}
    undisturbed = session(tmp_path / "a", **settings)
    undisturbed.advance(2 * EPOCH - 1)
    for place, stop in enumerate(stops):
        run = session(tmp_path / "b", resume=place > 0, **settings)
        run.advance(stop)
        save_now(run)
    resumed = session(tmp_path / "b", resume=True, **settings)
    resumed.advance(2 * EPOCH - 1)
    first, second = told(undisturbed), told(resumed)
    assert second["final"].pop("checkpoint") is not None
    assert first["final"].pop("checkpoint") is None
    assert second == first


def test_a_checkpoint_without_measurements_is_gone_on_from(tmp_path: Path) -> None:
    """Earlier versions kept none."""
    run = session(tmp_path)
    run.advance(EPOCH + 1)
    saved = checkpoint.read(save_now(run))
    arrays = {key: values for key, values in saved.arrays.items() if not key.startswith(KEY)}
    config = {key: value for key, value in saved.config.items() if key != KEY}
    checkpoint.save(tmp_path, saved.step, arrays, config)
    resumed = session(tmp_path, resume=True)
    state: Any = resumed.state
    assert state.training.look.step == EPOCH + 1


KILLED = """
import os, signal, sys
import engine.experiments
from engine.core.registry import get
from engine.experiments.mnist import checkpoints as _mnist_checkpoints
from engine.core.params import build
from engine.run.session import Session
_mnist_checkpoints.SHORT_EPOCH_SECONDS = -1.0
mnist = get("mnist")
run = Session(mnist, build(mnist.parameters, {settings}), 3)
run.advance({steps})
print("running", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system knows no SIGKILL")
def test_a_killed_run_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    settings = {**SMALL, "checkpoints": str(tmp_path)}
    code = KILLED.format(settings=settings, steps=2 * EPOCH + 5)
    killed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert killed.returncode == -signal.SIGKILL and "running" in killed.stdout, killed.stderr
    assert checkpoint.existing(tmp_path)[-1].stem == f"step-{2 * EPOCH:08d}"
    resumed = session(tmp_path, resume=True)
    assert_same(finish(resumed), finish(session(tmp_path / "undisturbed")))
