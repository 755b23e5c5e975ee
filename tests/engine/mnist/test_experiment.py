from __future__ import annotations

import struct
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.claims import Verdict
from engine.core.errors import InputError, LabError
from engine.core.outcome import OutcomeKind
from engine.core.params import build, update
from engine.core.registry import get
from engine.experiments.mnist import claims as statements
from engine.experiments.mnist import views as _mnist_views
from engine.experiments.mnist.datasets import load
from engine.experiments.mnist.network.batched import KINDS
from engine.run.runner import Runner
from engine.run.session import Session
from engine.run.snapshot import Snapshot, Status
from engine.storage.presets import preset, presets

MNIST = get("mnist")
SMALL = {
    "filters": 3,
    "width": 3,
    "batch_size": 180,
    "epochs": 3,
    "checkpoints": "off",
    "step_size": 0.1,
    "hessian_images": 40,
}
EPOCH = 8
"""Steps per epoch: 1,437 images by 180."""


def session(seed: int = 0, **changes: Any) -> Session:
    return Session(MNIST, build(MNIST.parameters, {**SMALL, **changes}), seed)


@pytest.fixture(scope="module")
def trained() -> Session:
    run = session(hessian_every=EPOCH, hessian_images=30)
    run.advance(3 * EPOCH)
    return run


def verdicts(run: Session) -> dict[str, Verdict]:
    return {claim.id: claim.verdict for claim in MNIST.claims(run.params, run.state, run.recent())}


def test_the_run_ends_after_its_epochs_and_goes_on_with_more() -> None:
    run = session(epochs=2)
    assert run.advance(10**6) == 2 * EPOCH and run.finished
    assert run.outcome().kind is OutcomeKind.MAX_STEPS
    run.retune(update(run.params, epochs=3))
    assert not run.finished
    assert run.advance(10**6) == EPOCH


def test_accuracies_are_measured_after_each_epoch(trained: Session) -> None:
    rows = trained.recent()
    measured = np.flatnonzero(~np.isnan(rows["train_accuracy"]))
    assert measured.tolist() == [EPOCH, 2 * EPOCH, 3 * EPOCH]
    assert not np.isnan(rows["test_accuracy"][[0, *measured]]).any()
    np.testing.assert_allclose(
        rows["gap"][measured], (rows["train_accuracy"] - rows["test_accuracy"])[measured]
    )
    data = load("digits")
    scores = trained.state.training.scores(data.test_images)  # type: ignore[attr-defined]
    accuracy = 100 * np.mean(scores.argmax(1) == data.test_labels)
    assert rows["test_accuracy"][-1] == pytest.approx(accuracy)
    assert rows["loss"][-1] < rows["loss"][1]
    looked = np.flatnonzero(~np.isnan(rows["hessian"]).any(axis=1))
    assert looked.tolist() == [1, EPOCH, 2 * EPOCH, 3 * EPOCH]  # the first step and each period
    assert (rows["hessian"][looked] > 0).all()


def test_the_test_images_are_looked_at_as_often_as_asked() -> None:
    run = session(evaluate_every=3)
    run.advance(EPOCH)
    measured = np.flatnonzero(~np.isnan(run.recent()["test_accuracy"]))
    assert measured.tolist() == [0, 3, 6, EPOCH]


def test_displacement_is_relative_to_the_start(trained: Session) -> None:
    fresh = session()
    before, after = (MNIST.arrays(run.state) for run in (fresh, trained))
    row = trained.recent()["displacement"][-1]
    for kind in ("V", "W", "b", "c"):
        moved = np.linalg.norm(after[kind] - before[kind]) / np.linalg.norm(before[kind])
        assert row[KINDS.index(kind)] == pytest.approx(moved, rel=1e-4)
    assert np.isnan(row[KINDS.index("d")])  # it begins at 0


def test_the_linear_schedule_falls_to_zero() -> None:
    run = session(schedule="linear", epochs=2)
    run.advance(100)
    steps = run.recent()["step_size"][1:]
    np.testing.assert_allclose(steps, 0.1 * (1 - np.arange(2 * EPOCH) / (2 * EPOCH)))
    bounds = {bound.id: bound.value for bound in MNIST.theory(run.params, run.state)}
    assert bounds["sharpness_limit"] == pytest.approx(2 * 1.9 / 2.8 / steps[-1])


def test_live_parameters_act_on_the_next_step() -> None:
    run = session()
    run.advance(2)
    run.retune(update(run.params, step_size=0.02))
    run.advance(1)
    assert run.recent()["step_size"].tolist()[1:] == [0.1, 0.1, 0.02]


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "single"},
        {"network": "plain", "step_size": 0.03, "batch_size": 60},
        {"mixing": "identity", "filters": 4, "depth": 2},
        {"loss": "squared-error"},
        {"optimiser": "adam", "step_size": 0.005},
        {"projected": False},
    ],
    ids=str,
)
def test_every_kind_of_run_learns(changes: dict[str, Any]) -> None:
    run = session(**{"epochs": 4, **changes})
    run.advance(10**6)
    final = MNIST.final(run.state, run.recent())
    assert final["test_accuracy"] > 40
    assert len(final["figure_5"]["epoch"]) == 4
    observed = MNIST.observe(run.state, run.recent())
    assert observed["r"].shape == observed["s"].shape == (10,)


def test_divergence_is_an_outcome() -> None:
    run = session(step_size=100.0, optimiser="gradient-descent", projected=False)
    run.advance(50)
    assert run.finished and run.outcome().kind is OutcomeKind.DIVERGED
    assert run.advance(10) == 0
    for key, rows in run.recent().items():
        assert not np.isinf(rows).any(), key
    MNIST.observe(run.state, run.recent())
    MNIST.claims(run.params, run.state, run.recent())


def test_limits_of_the_sharpness() -> None:
    def limit(optimiser: str) -> float | None:
        params = build(MNIST.parameters, {"optimiser": optimiser, "momentum": 0.5})
        return statements.sharpness_limit(params, 0.1)  # type: ignore[arg-type]

    assert limit("gradient-descent") == pytest.approx(20)
    assert limit("heavy-ball") == pytest.approx(30)
    assert limit("nesterov") == pytest.approx(15)
    assert limit("adam") is None


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
@pytest.mark.parametrize(("factor", "stays"), [(0.98, True), (1.02, False)])
def test_the_limit_is_where_a_quadratic_becomes_unstable(
    optimiser: str, factor: float, stays: bool
) -> None:
    params = build(MNIST.parameters, {"optimiser": optimiser, "momentum": 0.7})
    limit = statements.sharpness_limit(params, 0.1)  # type: ignore[arg-type]
    assert limit is not None
    x, v = 1.0, 0.0
    for _ in range(2000):
        g = factor * limit * x
        v = 0.7 * v + g
        x -= 0.1 * {"gradient-descent": g, "heavy-ball": v, "nesterov": g + 0.7 * v}[optimiser]
        if abs(x) > 1e6:
            break
    assert (abs(x) < 1) == stays


def test_claims_follow_the_measurements(trained: Session) -> None:
    found = verdicts(trained)
    assert found["small-gap"] is Verdict.NOT_APPLICABLE  # not MNIST
    assert found["convex-parts"] is Verdict.HOLDS
    assert found["stable-sharpness"] is Verdict.HOLDS
    assert found["biases-move-little"] is Verdict.HOLDS
    fresh = verdicts(session())
    assert fresh["convex-parts"] is fresh["stable-sharpness"] is Verdict.UNDECIDED
    bent = session(projected=False, step_size=0.3)
    bent.advance(EPOCH)
    assert bent.state.training.minima["W"] < 0  # type: ignore[attr-defined]
    assert verdicts(bent)["convex-parts"] is Verdict.NOT_APPLICABLE


def test_pictures_show_the_chosen_and_the_hardest_images(trained: Session) -> None:
    data = load("digits")
    trained.retune(update(trained.params, shown=5))
    observed = MNIST.observe(trained.state, trained.recent())
    np.testing.assert_array_equal(observed["shown_image"][0], data.test_images[5] / 255)
    answer = MNIST.predict(trained.state, data.test_images[5] / 255)  # type: ignore[attr-defined]
    np.testing.assert_allclose(observed["r"], answer.r)
    np.testing.assert_allclose(observed["scores"], answer.scores)
    assert observed["confusion"].sum() == len(data.test_images)
    wrong = round(len(data.test_images) - np.trace(observed["confusion"]))
    arrows = [caption for caption in observed["gallery_captions"] if "→" in caption]
    assert len(arrows) == min(wrong, 30) and observed["gallery_captions"][: len(arrows)] == arrows
    far = update(trained.params, shown=999_999)
    assert MNIST.observe(trained.experiment.retune(trained.state, far), trained.recent())


def test_an_answer_takes_less_than_a_frame_or_two_at_full_size() -> None:
    run = session(filters=64, width=32)
    image = load("digits").test_images[0] / 255
    MNIST.predict(run.state, image)  # type: ignore[attr-defined]
    spent = []
    for _ in range(7):
        begin = time.thread_time()  # of this thread alone, so that a busy machine does not count
        MNIST.predict(run.state, image)  # type: ignore[attr-defined]
        spent.append(time.thread_time() - begin)
    assert min(spent) < 0.030


def test_answers_from_another_thread_do_not_disturb_a_run() -> None:
    alone, asked = session(1), session(1)
    alone.advance(2 * EPOCH)
    image = load("digits").test_images[0] / 255
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            MNIST.predict(asked.state, image)  # type: ignore[attr-defined]

    thread = threading.Thread(target=ask)
    thread.start()
    asked.advance(2 * EPOCH)
    done.set()
    thread.join()
    for name, values in MNIST.arrays(alone.state).items():
        np.testing.assert_array_equal(MNIST.arrays(asked.state)[name], values)


def test_the_runner_pauses_and_stops_at_any_batch() -> None:
    seen: list[Any] = []
    news = threading.Condition()

    def note(item: Any) -> None:
        with news:
            seen.append(item)
            runner.mailbox.take()  # a watcher that is never behind
            news.notify_all()

    def wait_for(status: Status, step: int = 0) -> Snapshot:
        with news:
            assert news.wait_for(
                lambda: any(s.status is status and s.step >= step for s in seen), timeout=60
            )
            return next(s for s in reversed(seen) if s.status is status)

    runner = Runner(note)
    try:
        params = build(MNIST.parameters, {**SMALL, "epochs": 1000})
        runner.start(MNIST, params, 0, paused=False)
        runner.set_speed(None)
        wait_for(Status.RUNNING, 3)
        runner.pause()
        paused = wait_for(Status.PAUSED, 3)
        assert paused.step % EPOCH or paused.step
        assert paused.observation["r"].shape == (10,)
        seen.clear()
        runner.step(2)
        assert wait_for(Status.PAUSED, paused.step + 2).step >= paused.step + 2
    finally:
        assert runner.close()


def test_memory_that_runs_out_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.experiments.mnist.network import cpu as training

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] not enough memory: you tried ...")

    monkeypatch.setattr(training, "BatchedNetwork", fail)
    with pytest.raises(LabError) as caught:
        session()
    assert str(caught.value) == (
        "The memory is too small for this network: lower width, filters, depth or batch_size."
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": "no/such/folder"}, "data"),
        ({"data": "fashion-mnist"}, "download it first"),
        ({"mixing": "identity", "filters": 256}, "parameters"),
        ({"device": "cuda"}, "device"),
        ({"width": 0}, "width"),
        ({"step_size": float("nan")}, "step_size"),
    ],
)
def test_bad_input_is_one_sentence(
    changes: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if changes == {"device": "cuda"} and torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(InputError, match=says) as caught:
        session(**changes)
    assert "\n" not in str(caught.value)


def test_a_damaged_folder_leaves_the_last_data(tmp_path: Path) -> None:
    header = b"\0\0\x08\x03" + struct.pack(">3I", 10, 28, 28)
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):
        (tmp_path / name).write_bytes(header)
    for name in ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / name).write_bytes(b"\0\0\x08\x01" + struct.pack(">I", 10) + bytes(10))
    with pytest.raises(InputError, match="a whole file"):
        session(data=str(tmp_path))


def test_views_name_the_kinds_in_their_order() -> None:
    assert tuple(_mnist_views.KIND_LABELS) == KINDS


def test_the_fingerprint_of_mnist(mnist_dir: Path) -> None:
    assert load(str(mnist_dir)).fingerprint == statements.MNIST


def test_every_preset_is_a_network_that_can_be_built() -> None:
    for one in presets("mnist"):
        one.params.architecture()  # type: ignore[attr-defined]
    paper = preset("mnist", "paper").params.architecture()  # type: ignore[attr-defined]
    assert 153_000_000 < paper.size < 154_000_000
    assert preset("mnist", "quick").params.architecture().width == 32  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_bundled_digits_are_learned() -> None:
    run = Session(MNIST, update(preset("mnist", "tiny").params, checkpoints="off", epochs=8), 0)
    run.advance(10**6)
    accuracies = run.trace.view().high["test_accuracy"]
    assert np.nanmax(accuracies) > 95
