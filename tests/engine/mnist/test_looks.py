"""Early looks at some of the test images while an epoch of MNIST's training is on its way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core.params import build
from engine.core.registry import get
from engine.experiments.mnist import checkpoint_files as checkpoint
from engine.experiments.mnist.datasets import FILES, load
from engine.experiments.mnist.params import SUBSET
from engine.experiments.mnist.training import SUBSET_IMAGES, Training
from engine.run.session import Session
from engine.storage.arrays import load_safetensors, save_safetensors
from tests.engine.mnist.test_datasets import idx

MNIST = get("mnist")
SMALL = {
    "filters": 1,
    "width": 1,
    "depth": 1,
    "batch_size": 500,
    "epochs": 2,
    "checkpoints": "off",
    "hessian_every": 0,
    "device": "cpu",
}
TRAIN, TEST = 25_000, 1_200
EPOCH = TRAIN // 500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make images of which one bright row tells the class."""
    made, random = tmp_path_factory.mktemp("idx"), np.random.default_rng(0)
    for part, count in (("train", TRAIN), ("test", TEST)):
        labels = random.integers(0, 10, count).astype(np.uint8)
        images = random.integers(0, 60, (count, 28, 28)).astype(np.uint8)
        images[np.arange(count), 2 * labels + 2] = 255
        (made / FILES[f"{part} images"]).write_bytes(idx(images))
        (made / FILES[f"{part} labels"]).write_bytes(idx(labels))
    return made


def session(folder: Path, **changes: Any) -> Session:
    return Session(MNIST, build(MNIST.parameters, {**SMALL, "data": str(folder), **changes}), 0)


def rows_of(run: Session) -> dict[str, Any]:
    return dict(run.trace.view().low)


def test_looks_are_taken_at_steps_that_the_batch_size_fixes(folder: Path) -> None:
    run = session(folder)
    run.advance(2 * EPOCH)
    rows = rows_of(run)
    looked = np.flatnonzero(~np.isnan(rows[SUBSET])).tolist()
    assert looked == [0, 10, 20, 40, EPOCH, 80, 2 * EPOCH]
    whole = np.flatnonzero(~np.isnan(rows["test_accuracy"])).tolist()
    assert whole == [0, EPOCH, 2 * EPOCH]
    training: Any = run.state
    scores = training.training.scores(load(str(folder)).test_images[:SUBSET_IMAGES])
    right = scores.argmax(1) == load(str(folder)).test_labels[:SUBSET_IMAGES]
    assert rows[SUBSET][-1] == pytest.approx(100 * right.mean())
    assert run.experiment.final(run.state, run.recent())["test_accuracy"] == whole_value(rows)


def whole_value(rows: dict[str, Any]) -> float:
    values = rows["test_accuracy"]
    return float(values[~np.isnan(values)][-1])


def test_looks_change_neither_the_training_nor_what_else_is_recorded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = session(folder)
    run.advance(EPOCH + 20)
    with monkeypatch.context() as patched:
        patched.setattr(Training, "is_look_due", lambda self, step: False)
        other = session(folder)
        other.advance(EPOCH + 20)
    for key, values in MNIST.arrays(run.state).items():
        np.testing.assert_array_equal(values, MNIST.arrays(other.state)[key])
    rows, plain_rows = rows_of(run), rows_of(other)
    for key in rows.keys() - {SUBSET}:
        np.testing.assert_array_equal(rows[key], plain_rows[key], err_msg=key)
    assert np.isnan(plain_rows[SUBSET][1:EPOCH]).all()


def test_few_test_images_are_never_parted() -> None:
    run = session(Path("digits"), batch_size=180)
    run.advance(8)
    assert np.isnan(rows_of(run)[SUBSET]).all()
    (accuracy, *_) = MNIST.views(run.params)
    assert SUBSET not in [series.key for series in accuracy.series]  # type: ignore[attr-defined]


def test_the_plot_shows_them_apart(folder: Path) -> None:
    (accuracy, *_) = MNIST.views(session(folder).params)
    (early,) = [one for one in accuracy.series if one.key == SUBSET]  # type: ignore[attr-defined]
    assert early.label == "first 1\u2009000 test images" and early.dash == "dash"


def test_a_checkpoint_without_looks_is_gone_on_from(folder: Path, tmp_path: Path) -> None:
    whole = session(folder)
    whole.advance(80)
    first = session(folder, checkpoints=str(tmp_path))
    first.advance(EPOCH)
    state: Any = first.state
    path = state.training.save(first.params)
    arrays, config = load_safetensors(path, what="checkpoint")
    save_safetensors(path, {k: v for k, v in arrays.items() if k != f"history.{SUBSET}"}, config)
    assert checkpoint.newest(tmp_path) is not None
    again = session(folder, checkpoints=str(tmp_path), resume=True)
    again.advance(80)
    for key, values in MNIST.arrays(whole.state).items():
        np.testing.assert_array_equal(values, MNIST.arrays(again.state)[key])
    found = np.flatnonzero(~np.isnan(rows_of(again)[SUBSET]))
    assert found.tolist() == [80]
