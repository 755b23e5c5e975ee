from __future__ import annotations

import hypothesis
import numpy as np
import pytest
import torch
from numba.core.errors import TypingError

from engine.core import device
from engine.experiments.mnist.datasets import load
from engine.experiments.mnist.network import batched
from engine.experiments.mnist.network import forms as batched_forms
from engine.experiments.mnist.network.batched import KINDS, BatchedNetwork
from engine.experiments.mnist.network.cpu import CpuCore, Rule, loss_and_slopes, norms_by_kind
from engine.experiments.mnist.network.model import Architecture, Parameters, forward, initialise
from engine.kernels.jit import kernel
from engine.kernels.vectors import singles
from tests.engine.straightforward import Straightforward, gradients, train_step

ARCHITECTURES = [
    Architecture(filters=3, width=4),
    Architecture(filters=3, width=4, kind="single"),
    Architecture(filters=3, width=4, kind="plain"),
    Architecture(filters=3, width=4, depth=1),
    Architecture(filters=2, width=3, depth=5),
    Architecture(filters=2, mixing="identity"),
    Architecture(filters=2, mixing="identity", kind="single", depth=2),
    Architecture(filters=2, mixing="identity", kind="plain", depth=2),
    Architecture(filters=2, width=150),  # wide: layer by layer
]


class Collector:
    """A sink that keeps the whole gradient, shape (P,)."""

    def __init__(self, size: int) -> None:
        self.gradient = np.zeros(size, np.float32)

    def take(self, offset: int, gradient: np.ndarray) -> None:
        """Copy a piece."""
        self.gradient[offset : offset + len(gradient)] = gradient


def start(architecture: Architecture, seed: int = 0) -> Parameters:
    return initialise(architecture, torch.Generator().manual_seed(seed))


def images(index: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(load("digits").train_images[index] / np.float32(255))[:, None]


def labels(index: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(load("digits").train_labels[index].astype(np.int64))


def hand_gradient(
    parameters: Parameters, index: np.ndarray, squared_error: bool = False
) -> tuple[float, Parameters, BatchedNetwork]:
    network = BatchedNetwork(parameters, 50)
    scores = network.scores(network.forward(load("digits").train_images, index))
    value, slopes = loss_and_slopes(scores, labels(index).numpy(), squared_error)
    sink = Collector(parameters.architecture.size)
    network.backward(slopes, sink, measure=True)
    gradient = Parameters(parameters.architecture, torch.from_numpy(sink.gradient))
    return value, gradient, network


@pytest.mark.parametrize("squared_error", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_the_hand_gradient_is_autograds(architecture: Architecture, squared_error: bool) -> None:
    parameters = start(architecture, 1)
    index = np.arange(43, 80)
    value, gradient, network = hand_gradient(parameters, index, squared_error)
    loop = Straightforward(parameters).double()
    scores = loop(images(index).double())
    if squared_error:
        target = torch.nn.functional.one_hot(labels(index), 10)
        expected = 0.5 * (scores - target).square().sum(1).mean()
    else:
        expected = torch.nn.functional.cross_entropy(scores, labels(index))
    expected.backward()
    assert value == pytest.approx(float(expected.detach()), rel=1e-5)
    squares = dict.fromkeys(KINDS, 0.0)
    reference = gradients(loop)
    for name, values in gradient.tensors().items():
        scale = float(reference[name].abs().max())
        assert float((values - reference[name]).abs().max()) <= 1e-5 * scale, name
        squares[name.partition(".")[0]] += float(reference[name].square().sum())
    measured = network.squares.sum(0)
    np.testing.assert_allclose(measured, [squares[kind] for kind in KINDS], rtol=1e-4)


def test_more_images_than_there_is_room_for_are_refused() -> None:
    network = BatchedNetwork(start(ARCHITECTURES[0]), 5)
    with pytest.raises(ValueError, match="6 images, where there is room for 5"):
        network.forward(load("digits").train_images, np.arange(6))


def test_packs_take_contiguous_single_precision_only() -> None:
    @kernel
    def first(values):  # type: ignore[no-untyped-def]
        singles.store(values, 0, singles.load(values, 0))

    first(np.ones(8, np.float32))
    for values in (np.ones(8), np.ones(16, np.float32)[::2]):
        with pytest.raises(TypingError, match="give a C-contiguous array of float32"):
            first(values)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_answers_have_one_layout_whatever_the_batch(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another layout is another type to the kernels: they would be compiled while training."""
    network = BatchedNetwork(start(ARCHITECTURES[0]), 8)
    seen, carry = [], network._form.carry

    def watched(k: int, h0: torch.Tensor, outer: torch.Tensor, own: object) -> None:
        seen.append(outer.is_contiguous())
        carry(k, h0, outer, own)  # type: ignore[arg-type]

    monkeypatch.setattr(network._form, "carry", watched)
    scores = network.scores(network.forward(load("digits").train_images, np.arange(count)))
    _, slopes = loss_and_slopes(scores, labels(np.arange(count)).numpy(), False)
    network.backward(slopes, Collector(network.parameters.architecture.size))
    assert len(seen) == 10 and all(seen)


def test_both_forms_give_the_same_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = start(Architecture(filters=4, width=8), 2)
    index = np.arange(30)
    _, gram, network = hand_gradient(parameters, index)
    assert isinstance(network._form, batched_forms.Gram)
    monkeypatch.setattr(batched, "gram_pays", lambda *_: False)
    _, layers, network = hand_gradient(parameters, index)
    assert isinstance(network._form, batched_forms.Layers)
    for kind, difference, norm in zip(
        KINDS, norms_by_kind(gram, layers.flat), norms_by_kind(gram), strict=True
    ):
        assert difference <= 1e-5 * norm, kind


def test_active_fractions_are_counted() -> None:
    parameters = start(Architecture(filters=3, width=4), 3)
    index = np.arange(20)
    network = BatchedNetwork(parameters, 50)
    network.forward(load("digits").train_images, index)
    found = network.active_fraction()
    tensors = parameters.tensors()
    from engine.experiments.mnist.network.model import features

    h = features(tensors, images(index)).expand(20, 20, 75)
    for i in range(3):
        z = (h @ tensors["V"][:, i].mT - tensors["b"][:, i, None]).relu()
        assert found[i] == pytest.approx(float((z > 0).float().mean()), abs=1e-6)
        h = h + z @ tensors["W"][:, i]


@pytest.mark.parametrize("architecture", ARCHITECTURES[:2] + ARCHITECTURES[5:6], ids=str)
def test_the_number_of_cores_does_not_change_a_bit(
    architecture: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load("digits")
    ends = []
    for count in (1, 3):
        team = device.Workers(count)
        monkeypatch.setattr(batched, "workers", lambda team=team: team)
        parameters = start(architecture, 4)
        core = CpuCore(parameters, data.train_images, data.train_labels, 45)
        for step in range(4):
            core.step(np.arange(45 * step, 45 * step + 45), Rule())
        ends.append((parameters.flat.clone(), core.answers(data.test_images)))
        team.close()
    assert torch.equal(ends[0][0], ends[1][0])
    assert np.array_equal(ends[0][1], ends[1][1])


def optimiser(name: str, network: Straightforward) -> torch.optim.Optimizer:
    parameters = network.parameters()
    if name == "adam":
        return torch.optim.Adam(parameters, 0.002)
    momentum = 0.0 if name == "gradient-descent" else 0.8
    return torch.optim.SGD(parameters, 0.05, momentum=momentum, nesterov=name == "nesterov")


@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize("name", ["gradient-descent", "heavy-ball", "nesterov", "adam"])
def test_fused_updates_are_those_of_torch(name: str, projection: bool) -> None:
    data = load("digits")
    parameters = start(Architecture(filters=3, width=4), 5)
    loop = Straightforward(parameters).double()
    reference = optimiser(name, loop)
    core = CpuCore(parameters, data.train_images, data.train_labels, 20)
    rule = Rule(
        method=name,  # type: ignore[arg-type]
        step_size=0.002 if name == "adam" else 0.05,
        momentum=0.8,
        projection=projection,
    )
    for step in range(12):
        index = np.arange(20 * step, 20 * step + 20)
        expected = train_step(loop, reference, images(index).double(), labels(index), projection)
        assert core.step(index, rule).loss == pytest.approx(expected, rel=1e-4)
    for name_, values in parameters.tensors().items():
        other = loop.tensors(parameters.tensors())[name_]
        torch.testing.assert_close(values.double(), other, rtol=2e-3, atol=2e-5, msg=name_)
    assert bool((parameters.signed >= 0).all()) == projection


def test_steps_at_full_size_have_the_loss_of_the_plain_loop() -> None:
    """Twenty steps, and fifty with `--hypothesis-profile deep`."""
    data = load("digits")
    parameters = start(Architecture(), 6)
    loop = Straightforward(parameters)
    reference = torch.optim.SGD(loop.parameters(), 0.01, momentum=0.9, nesterov=True)
    core = CpuCore(parameters, data.train_images, data.train_labels, 28)
    for step in range(max(20, hypothesis.settings().max_examples // 8)):
        index = np.arange(28 * step, 28 * step + 28)
        expected = train_step(loop, reference, images(index), labels(index))
        assert abs(core.step(index, Rule(step_size=0.01)).loss - expected) <= 1e-5


def test_a_loss_out_of_range_stops_before_the_update() -> None:
    data = load("digits")
    parameters = start(Architecture(filters=2, width=3))
    core = CpuCore(parameters, data.train_images, data.train_labels, 50)
    wild = Rule(method="gradient-descent", step_size=1e6, projection=False)
    batches = [core.step(np.arange(50), wild) for _ in range(4)]
    assert batches[-1].diverged and batches[-1].loss == 1e4
    kept = parameters.flat.clone()
    assert core.step(np.arange(50), wild).diverged
    assert torch.equal(parameters.flat, kept)


def test_evaluation_in_batches_is_the_forward_pass() -> None:
    data = load("digits")
    architecture = Architecture(filters=3, width=4)
    parameters = start(architecture, 7)
    core = CpuCore(parameters, data.train_images, data.train_labels, 20)
    answers = core.answers(data.train_images[:613])
    with torch.no_grad():
        index = np.arange(613)
        expected = forward(architecture, parameters.tensors(), images(index))
    scores = answers[:, 0::2] - answers[:, 1::2] + parameters.parts["d"].numpy()
    np.testing.assert_allclose(scores, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    team = device.Workers(3)

    def work(_worker: int, task: int) -> None:
        if task == 5:
            raise ValueError("task five")

    with pytest.raises(ValueError, match="task five"):
        team.run(9, work)
    done: list[int] = []
    team.run(9, lambda _worker, task: done.append(task))
    assert sorted(done) == list(range(9))
    team.close()
