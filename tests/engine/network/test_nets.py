"""Gradients and products of the Hessian against torch's own, for every kind of network."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from engine.analysis.spectrum import dense, extremes
from engine.experiments.network import sharpness
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.architecture import Architecture
from engine.experiments.network.nets.curvature import HessianProduct, differentiated
from engine.experiments.network.nets.network import Trainer, layers_of, outputs
from engine.experiments.network.nets.start import begin
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.problem import Problem

ACTIVATIONS = ("linear", "relu", "leaky-relu", "tanh", "gelu", "silu", "softplus")
LOSSES = ("squared-error", "cross-entropy", "logistic")


def params_of(**changes: object) -> NetworkParams:
    values = {
        "data": "moons",
        "points": 40,
        "width": 5,
        "depth": 4,
        "precision": "float64",
        **changes,
    }
    return NetworkParams.model_validate(values)


def problem_of(**changes: object) -> tuple[Problem, torch.Tensor]:
    params = params_of(**changes)
    problem = Problem(params)
    start = begin(problem.architecture, params.start, 1.3, seed=2)
    return problem, problem.tensor(start)


def autograd_slope(problem: Problem, weights: torch.Tensor) -> torch.Tensor:
    flat = weights.clone().requires_grad_()
    made = outputs(problem.architecture, layers_of(problem.architecture, flat), problem.train.x)
    loss = losses.value(problem.loss, made, problem.train.y)
    return torch.autograd.grad(loss, flat)[0]


CASES = [
    *({"activation": a, "form": f} for a, f in product(ACTIVATIONS, ("plain", "residual"))),
    *({"loss": loss, "form": "pair", "branch_scale": "1/L"} for loss in LOSSES),
    *({"layer_norm": True, "form": f} for f in ("plain", "residual", "pair")),
    {"biases": False, "form": "pair", "start": "he"},
    {"widths": "4, 4, 7, 7, 7", "form": "residual", "branch_scale": "1/sqrt(L)"},
    {"depth": 1},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gradient_written_out_is_that_of_torch(case: dict[str, object]) -> None:
    problem, weights = problem_of(**case)
    found = torch.zeros_like(weights)
    trainer = Trainer(problem.architecture, problem.loss, weights, found)
    with torch.no_grad():
        loss, made = trainer.step(problem.train.x, problem.train.y)
        plain = losses.value(problem.loss, made, problem.train.y)
    torch.testing.assert_close(loss, plain, rtol=1e-12, atol=0)
    torch.testing.assert_close(found, autograd_slope(problem, weights), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_products_written_out_are_those_of_torch(case: dict[str, object]) -> None:
    problem, weights = problem_of(**case)
    samples = problem.train.x, problem.train.y
    written = HessianProduct(problem.architecture, problem.loss, weights, *samples)
    asked = differentiated(problem.architecture, problem.loss, weights, *samples)
    for seed in range(2):
        v = np.random.default_rng(seed).standard_normal(len(weights))
        expected = asked(torch.from_numpy(v)).numpy()
        np.testing.assert_allclose(written(v), expected, rtol=1e-9, atol=1e-12)


def test_products_of_the_preconditioned_hessian_are_scaled_and_decay() -> None:
    problem, weights = problem_of()
    samples = problem.train.x, problem.train.y
    scales = torch.linspace(0.5, 2.0, len(weights), dtype=torch.float64)
    d = scales.numpy()
    plain = dense(HessianProduct(problem.architecture, problem.loss, weights, *samples), len(d))
    whole = HessianProduct(
        problem.architecture, problem.loss, weights, *samples, scales=scales, decay=0.3
    )
    expected = d[:, None] * (plain + 0.3 * np.eye(len(d))) * d
    np.testing.assert_allclose(dense(whole, len(d)), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("form", ["plain", "residual", "pair"])
def test_the_eigenvalues_of_a_look_are_those_of_the_dense_hessian(form: str) -> None:
    params = params_of(
        data="digits", points=100, widths="10, 10", form=form, eigenvalues=4, data_seed=1
    )
    problem = Problem(params)
    count = problem.architecture.count
    assert count <= 2000
    weights = begin(problem.architecture, params.start, 1.0, seed=0)
    nothing = np.zeros((0, count))
    found = sharpness.look(problem, params, weights, nothing, 0, None, 1.0)
    assert found is not None and found.converged
    tensor = problem.tensor(weights)
    whole = dense(
        HessianProduct(
            problem.architecture, problem.loss, tensor, problem.train.x, problem.train.y
        ),
        count,
    )
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(whole)[:-5:-1], rtol=1e-5)
    again = sharpness.look(problem, params, weights, nothing, 0, found, 1.0)
    assert again is not None and again.products < found.products
    np.testing.assert_allclose(again.eigenvalues, found.eigenvalues, rtol=1e-8)


def test_a_hessian_beyond_all_numbers_is_no_look() -> None:
    params = params_of()
    problem = Problem(params)
    count = problem.architecture.count
    huge, none = np.full(count, 1e200), np.zeros((0, count))
    assert sharpness.look(problem, params, huge, none, 0, None, 1.0) is None


def test_names_of_the_weights() -> None:
    sizes = (2, 3, 1)
    whole = Architecture(sizes, 2, True, 1.0, "tanh", False, True)
    assert dict(whole.shapes)["s.W2"] == (1, 3)
    assert whole.count == 2 * (6 + 3 + 3 + 1)
    parts = whole.parts(np.arange(whole.count, dtype=float))
    assert parts["r.b1"].tolist() == [6, 7, 8]
    assert [each.shape for each in whole.matrices(np.zeros(whole.count))] == [(3, 2), (1, 3)] * 2


def test_extremes_find_multiple_eigenvalues_of_equal_layers() -> None:
    """An identity start of a linear network has eigenvalues of high multiplicity."""
    params = params_of(activation="linear", start="identity", biases=False, widths="2, 2")
    problem = Problem(params)
    weights = problem.tensor(begin(problem.architecture, "identity", 1.0, 0))
    operator = HessianProduct(
        problem.architecture, problem.loss, weights, problem.train.x, problem.train.y
    )
    count = problem.architecture.count
    found = extremes(operator, count, 3)
    np.testing.assert_allclose(found.top, np.linalg.eigvalsh(dense(operator, count))[:-4:-1])
