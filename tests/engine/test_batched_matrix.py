"""Batched matrix descent in torch against the kernel, on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.batched_matrix import BatchedDescent
from engine.errors import InputError
from engine.experiments import _matrix_ensemble as matrix_ensemble
from engine.experiments import get
from engine.experiments._matrix_batches import carry_out_batched
from engine.experiments._matrix_params import NetworkParams
from engine.kernels.matrix import descend, divergence_limit
from engine.kernels.padding import padded
from engine.params import build

CPU = torch.device("cpu")


def problem(runs, branches, depth, n, seed=0):
    generator = np.random.default_rng(seed)
    weights = np.eye(n) + 0.2 * generator.standard_normal((runs, branches, depth, n, n))
    targets = generator.standard_normal((runs, n, n))
    roots = generator.standard_normal((runs, n, 2 * n)) / np.sqrt(2 * n)
    return weights, targets, roots @ roots.swapaxes(1, 2)


def batched(weights, targets, moments, steps, **options):
    limits = np.array([divergence_limit(target) for target in targets])
    return BatchedDescent(weights, targets, moments, np.asarray(steps), limits, CPU, **options)


@pytest.mark.parametrize("branches", [1, 2])
@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": 0.6}, {"momentum": 0.6, "nesterov": True}],
    ids=["plain", "heavy-ball", "nesterov"],
)
def test_it_makes_the_steps_of_the_kernel(branches, options):
    weights, targets, moments = problem(4, branches, 3, 5)
    steps = np.array([0.01, 0.02, 0.03, 0.04])
    made = batched(weights, targets, moments, steps, **options)
    errors = np.concatenate([made.advance(7), made.advance(33)])
    for run in range(4):
        start = padded(weights[run])
        one = descend(
            start, start, padded(targets[run]), padded(moments[run]), 40, steps[run], **options
        )
        np.testing.assert_allclose(errors[:, run], one.record[:, 0], rtol=0, atol=1e-10)
        np.testing.assert_allclose(made.weights()[run], one.weights[..., :5, :5], atol=1e-10)


def test_one_layer_and_no_step():
    weights, targets, moments = problem(2, 1, 1, 3)
    made = batched(weights, targets, moments, [0.1, 0.1])
    assert made.advance(0).shape == (0, 2)
    np.testing.assert_allclose(
        made.errors(), np.linalg.norm(weights[:, 0, 0] - targets, axis=(1, 2)), atol=1e-14
    )
    made.advance(1)
    expected = weights[:, 0, 0] - 0.1 * (weights[:, 0, 0] - targets) @ moments
    np.testing.assert_allclose(made.weights()[:, 0, 0], expected, atol=1e-14)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.5, "nesterov": True}])
def test_a_run_that_diverges_stays_where_it_was_and_harms_no_other(options):
    weights, targets, moments = problem(3, 2, 4, 4, seed=3)
    made = batched(weights, targets, moments, [0.01, 50.0, 0.01], **options)
    errors = made.advance(300)
    assert np.isfinite(errors[:, [0, 2]]).all()
    gone = int(np.flatnonzero(np.isnan(errors[:, 1]))[0])
    assert np.isnan(errors[gone:, 1]).all()
    start = padded(weights[1])
    one = descend(start, start, padded(targets[1]), padded(moments[1]), 300, 50.0, **options)
    assert one.diverged and one.done == gone
    np.testing.assert_allclose(made.weights()[1], one.weights[..., :4, :4], rtol=1e-9)
    alone = batched(weights[[0]], targets[[0]], moments[[0]], [0.01], **options)
    np.testing.assert_allclose(alone.advance(300)[:, 0], errors[:, 0], atol=1e-12)


def same(first, second):
    for name, column in first.items():
        for one, other in zip(column, second[name], strict=True):
            if isinstance(one, float):
                assert one == pytest.approx(other, rel=1e-9, abs=1e-10), name
            else:
                assert one == other, name


@pytest.mark.parametrize("sides", [(1,), (1, 2)])
def test_an_ensemble_in_batches_is_that_of_the_kernel(sides):
    params = build(
        NetworkParams,
        {"width": 3, "depth": 4, "eigenvectors": "normal", "step_unit": "norm", "ensemble": 6},
    )
    names = matrix_ensemble.SIDES[: len(sides)]
    kernel = matrix_ensemble._run(
        build(NetworkParams, {**params.model_dump(), "step_sizes": (0.5, 30.0)}),
        2, 300, lambda *_: True, sides,
    )  # fmt: skip
    told = []

    def progress(done, text):
        told.append(done)
        return True

    settings = [{"step_size": 0.5}, {"step_size": 30.0}]
    made = carry_out_batched(params, settings, range(2, 8), 300, progress, sides, CPU)
    same(kernel.columns(names), made.columns(names))
    assert "diverged" in made.columns(names)[f"{names[0]}_outcome" if len(sides) > 1 else "outcome"]
    for one, other in zip(kernel.runs, made.runs, strict=True):
        for left, right in zip(one.tracks, other.tracks, strict=True):
            np.testing.assert_allclose(left.errors, right.errors, atol=1e-10)
    assert told == sorted(told) and told[-1] == 1.0


def test_batches_can_be_cancelled_between_settings():
    params = build(NetworkParams, {"width": 2, "depth": 2, "ensemble": 3})
    settings = [{"step_size": 0.1}, {"step_size": 0.2}]

    def progress(done, text):
        return done < 0.5

    made = carry_out_batched(params, settings, range(3), 50, progress, (1,), CPU)
    assert made.cancelled
    assert {run.setting["step_size"] for run in made.runs} == {0.1}


@pytest.mark.parametrize(
    "settings", [{"step_rule": "hessian"}, {"batch": "random"}, {"batch": "orthonormal"}]
)
def test_what_a_gpu_does_not_do_gets_one_sentence(settings):
    experiment = get("matrix-product")
    with pytest.raises(InputError, match=r"^device: 'cuda' is not allowed; give cpu .*\.$"):
        build(experiment.parameters, {"device": "cuda", **settings})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("experiment_id", ["matrix-product", "double-matrix"])
def test_a_gpu_that_is_not_there_is_refused_at_once(experiment_id):
    experiment = get(experiment_id)
    params = build(experiment.parameters, {"device": "cuda", "ensemble": 4})
    with pytest.raises(InputError, match=r"^device: 'cuda' is not allowed; this machine has"):
        experiment.init(params, 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_numbers_of_the_cpu():
    experiment = get("double-matrix")
    values = {"width": 4, "depth": 4, "step_size": 0.5, "ensemble": 8}
    there, here = (
        experiment.ensemble(
            build(experiment.parameters, {**values, "device": device}), 0, 200, lambda *_: True
        )
        for device in ("cuda", "cpu")
    )
    same(here.columns, there.columns)
