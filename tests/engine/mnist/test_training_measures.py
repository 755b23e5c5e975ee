from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from engine.experiments.mnist.datasets import load
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.hessian import HessianProduct
from engine.experiments.mnist.network.measures import convexity_violation, lipschitz, sharpness
from engine.experiments.mnist.network.model import Architecture, Parameters, initialise

ARCHITECTURES = [
    Architecture(filters=2, width=3),
    Architecture(filters=2, width=3, kind="single"),
    Architecture(filters=2, width=3, kind="plain"),
    Architecture(filters=1, mixing="identity", depth=2),
    Architecture(filters=1, mixing="identity", kind="plain", depth=1),
]


def start(architecture: Architecture, seed: int = 0) -> Parameters:
    return initialise(architecture, torch.Generator().manual_seed(seed))


def slope_at(
    parameters: Parameters, count: int, squared_error: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the flat parameters and the gradient there, both with history."""
    data, architecture = load("digits"), parameters.architecture
    images = torch.from_numpy(data.train_images[:count] / 255.0)[:, None]
    labels = torch.from_numpy(data.train_labels[:count].astype(np.int64))
    flat = parameters.flat.double().requires_grad_()
    tensors = models.public(architecture, Parameters(architecture, flat).parts)
    value = models.loss(models.forward(architecture, tensors, images), labels, squared_error)
    (slope,) = torch.autograd.grad(value, flat, create_graph=True)
    return flat, slope


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("squared_error", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_hessian_products_are_those_of_autograd(
    architecture: Architecture, squared_error: bool
) -> None:
    parameters = start(architecture, 1)
    data = load("digits")
    product = HessianProduct(
        parameters, data.train_images[:30], data.train_labels[:30], squared_error
    )
    random = np.random.default_rng(0)
    for _ in range(2):
        vector = random.standard_normal(architecture.size)
        flat, slope = slope_at(parameters, 30, squared_error)
        expected = torch.autograd.grad(slope, flat, torch.from_numpy(vector))[0].numpy()
        found = product(vector)
        offset = 0
        for name, shape in architecture.shapes.items():
            piece = slice(offset, offset := offset + int(np.prod(shape)))
            scale = np.abs(expected[piece]).max()
            assert np.abs(found[piece] - expected[piece]).max() <= 2e-5 * scale, name


def test_the_largest_eigenvalues_are_those_of_arpack() -> None:
    parameters = start(Architecture(filters=2, width=2), 2)
    data = load("digits")
    images, labels = data.train_images[:60], data.train_labels[:60]
    size = parameters.flat.numel()
    operator = LinearOperator(
        (size, size), matvec=HessianProduct(parameters, images, labels, False), dtype=np.float64
    )
    expected = np.sort(eigsh(operator, 3, which="LA", tol=1e-6, return_eigenvectors=False))[::-1]
    found = sharpness(parameters, images, labels, count=3, squared_error=False, tolerance=1e-3)
    assert found is not None
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-3)
    assert found.products > 0 and found.seconds > 0


def test_sharpness_is_not_tried_where_the_vectors_do_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.experiments.mnist.network import measures as network_measures

    monkeypatch.setattr(network_measures, "LANCZOS_MEMORY", 1000)
    data = load("digits")
    parameters = start(Architecture(filters=1, width=1))
    images, labels = data.train_images[:5], data.train_labels[:5]
    assert sharpness(parameters, images, labels, count=1, squared_error=False) is None


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_spectral_norms_are_exact(architecture: Architecture) -> None:
    parameters = start(architecture, 3)
    found = lipschitz(parameters)
    tensors = parameters.tensors()
    W = torch.linalg.matrix_norm(tensors["W"], 2).numpy()
    np.testing.assert_allclose(found.W, W, rtol=1e-4)
    if "V" in tensors:
        np.testing.assert_allclose(
            found.V, torch.linalg.matrix_norm(tensors["V"], 2).numpy(), rtol=1e-4
        )
    else:
        assert (found.V == 1).all()


def test_power_iteration_agrees_for_wide_matrices() -> None:
    parameters = start(Architecture(filters=8, width=150, depth=1), 4)
    W = torch.linalg.matrix_norm(parameters.tensors()["W"], 2).numpy()
    np.testing.assert_allclose(lipschitz(parameters).W, W, rtol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_lipschitz_bounds_hold_and_are_ordered(architecture: Architecture) -> None:
    parameters = start(architecture, 5)
    parameters.parts["A"].abs_().mul_(3)
    parameters.parts["W"].abs_().mul_(3)
    bounds = lipschitz(parameters)
    assert bounds.active_bound is not None
    data = load("digits")
    images = torch.from_numpy(data.train_images[:60] / np.float32(255))[:, None]
    images = images.requires_grad_()
    values = models.forward(architecture, parameters.tensors(), images)
    steepest = 0.0
    for k in range(10):
        (slopes,) = torch.autograd.grad(values[:, k].sum(), images, retain_graph=True)
        steepest = max(steepest, float(slopes.flatten(1).norm(dim=1).max()))
    assert 0 < steepest <= bounds.active_bound * (1 + 1e-5)
    assert bounds.active_bound <= bounds.product_bound * (1 + 1e-5)


def test_negative_parameters_have_no_active_bound_and_may_bend_down() -> None:
    parameters = start(Architecture(filters=2, width=3), 6)
    images = load("digits").test_images[:64]
    assert convexity_violation(parameters, images) <= 1e-12
    parameters.parts["W"].neg_()
    assert lipschitz(parameters).active_bound is None
    assert convexity_violation(parameters, images) > 1e-6
