"""The GPU's code path, run on the CPU where no GPU is there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.experiments.mnist.datasets import load
from engine.experiments.mnist.network.cpu import CpuCore, Rule
from engine.experiments.mnist.network.gpu import AcceleratedCore, Plan
from engine.experiments.mnist.network.model import Architecture, initialise

ARCHITECTURE = Architecture(filters=3, width=4)


def cores(precision: str = "auto", device: str = "cpu") -> tuple[CpuCore, AcceleratedCore]:
    data = load("digits")
    parameters = initialise(ARCHITECTURE, torch.Generator().manual_seed(0))
    other = AcceleratedCore(
        parameters,
        data.train_images,
        data.train_labels,
        20,
        torch.device(device),
        precision,  # type: ignore[arg-type]
    )
    return CpuCore(parameters, data.train_images, data.train_labels, 20), other


@pytest.mark.parametrize("squared_error", [False, True])
@pytest.mark.parametrize("method", ["gradient-descent", "heavy-ball", "nesterov", "adam"])
def test_both_cores_make_the_same_steps(method: str, squared_error: bool) -> None:
    by_hand, by_autograd = cores()
    rule = Rule(
        method=method,  # type: ignore[arg-type]
        step_size=0.002 if method == "adam" else 0.02,
        squared_error=squared_error,
    )
    for step in range(8):
        index = np.arange(20 * step, 20 * step + (20 if step < 7 else 11))
        first, second = (core.step(index, rule, measure=True) for core in (by_hand, by_autograd))
        assert second.loss == pytest.approx(first.loss, rel=1e-4)
        assert second.correct == first.correct
        np.testing.assert_allclose(second.gradient_norms, first.gradient_norms, rtol=1e-3)
        np.testing.assert_allclose(second.active, first.active, atol=1e-4)
    torch.testing.assert_close(
        by_autograd.parameters().flat, by_hand.parameters().flat, rtol=1e-3, atol=1e-5
    )
    assert (by_autograd.parameters().signed >= 0).all()
    test = load("digits").test_images
    np.testing.assert_allclose(by_autograd.answers(test), by_hand.answers(test), rtol=1e-4)


def test_memory_moves_between_the_cores() -> None:
    by_hand, by_autograd = cores()
    for step in range(3):
        by_hand.step(np.arange(20 * step, 20 * step + 20), Rule())
    by_autograd.load(by_hand.parameters().flat, by_hand.buffers())
    assert by_autograd.buffers().keys() == by_hand.buffers().keys()
    index = np.arange(100, 120)
    expected = by_hand.step(index, Rule()).loss
    assert by_autograd.step(index, Rule()).loss == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(
        by_autograd.parameters().flat, by_hand.parameters().flat, rtol=1e-4, atol=1e-6
    )


def test_bfloat16_stays_close() -> None:
    by_hand, by_autograd = cores("bfloat16")
    for step in range(8):
        index = np.arange(20 * step, 20 * step + 20)
        first, second = by_hand.step(index, Rule()), by_autograd.step(index, Rule())
        assert second.loss == pytest.approx(first.loss, rel=0.05)
    assert by_autograd.plan == Plan(bfloat16=True)


def test_divergence_keeps_the_parameters_finite() -> None:
    _, core = cores()
    wild = Rule(method="gradient-descent", step_size=1e6, projection=False)
    batches = [core.step(np.arange(20), wild) for _ in range(4)]
    assert batches[-1].diverged and batches[-1].loss == 1e4
    assert torch.isfinite(core.parameters().flat).all()


@pytest.mark.parametrize("method", ["gradient-descent", "heavy-ball", "nesterov", "adam"])
def test_everything_is_made_on_the_device_that_was_given(method: str) -> None:
    """With another device as the default, a tensor made without naming one would be there."""
    images = load("digits").test_images
    rule = Rule(method=method, step_size=0.002)  # type: ignore[arg-type]
    (_, here), (_, there) = cores(), cores()
    for step in range(3):
        index = np.arange(20 * step, 20 * step + 20)
        expected = here.step(index, rule, measure=True)
        with torch.device("meta"):
            assert torch.zeros(1).is_meta
            made = there.step(index, rule, measure=True)
        assert made.loss == expected.loss
        np.testing.assert_array_equal(made.gradient_norms, expected.gradient_norms)
        np.testing.assert_array_equal(made.active, expected.active)
    with torch.device("meta"):
        np.testing.assert_array_equal(there.answers(images), here.answers(images))
        assert torch.equal(there.parameters().flat, here.parameters().flat)
        there.load(here.parameters().flat, here.buffers())


def test_what_is_given_out_does_not_change_with_the_next_step() -> None:
    _, core = cores()
    core.step(np.arange(20), Rule())
    given = [core.parameters().flat, core.buffers()["velocity"]]
    before = [values.clone() for values in given]
    core.step(np.arange(20, 40), Rule())
    for values, old in zip(given, before, strict=True):
        assert torch.equal(values, old)
    assert not torch.equal(core.parameters().flat, before[0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_captured_step_is_the_plain_step(precision: str) -> None:
    by_hand, on_gpu = cores(precision, "cuda")
    tolerance = 1e-3 if precision == "float32" else 0.05
    for step in range(20):
        index = np.arange(20 * step, 20 * step + 20)
        first, second = by_hand.step(index, Rule()), on_gpu.step(index, Rule())
        assert second.loss == pytest.approx(first.loss, rel=tolerance)
    assert on_gpu.plan is not None
