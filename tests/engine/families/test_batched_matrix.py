"""Batched matrix descent in torch against the kernel, on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from engine.core.errors import InputError, LabError
from engine.core.params import build
from engine.core.registry import get
from engine.families.ensembles.runs import SIDES, Tracker
from engine.families.matrix import batches as _matrix_batches
from engine.families.matrix import ensemble as matrix_ensemble
from engine.families.matrix.batched import BatchedDescent
from engine.families.matrix.batches import HELD, carry_out_batched, runs_at_once
from engine.families.matrix.params import NetworkParams
from engine.kernels.matrix.descent import descend, divergence_limit
from engine.kernels.matrix.padding import padded

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


@pytest.mark.parametrize("options", [{}, {"momentum": 0.6}, {"momentum": 0.6, "nesterov": True}])
def test_everything_is_made_on_the_device_that_was_given(options):
    """With another device as the default, a tensor made without naming one would be there."""
    weights, targets, moments = problem(2, 2, 3, 4)
    here = batched(weights, targets, moments, [0.01, 50.0], **options)
    expected = here.advance(30)
    with torch.device("meta"):
        assert torch.zeros(1).is_meta
        made = batched(weights, targets, moments, [0.01, 50.0], **options)
        np.testing.assert_array_equal(made.advance(30), expected)
        np.testing.assert_array_equal(made.errors(), here.errors())
        np.testing.assert_array_equal(made.weights(), here.weights())


class Waits(TorchDispatchMode):
    """Counts what makes the program wait for a GPU: a number or a flag asked of a tensor."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        waiting = ("_local_scalar_dense", "nonzero", "item", "is_nonzero", "equal")
        self.count += func.overloadpacket.__name__ in waiting
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("options", [{}, {"momentum": 0.6}, {"momentum": 0.6, "nesterov": True}])
def test_steps_do_not_wait_for_the_device(options):
    weights, targets, moments = problem(2, 2, 3, 4)
    made = batched(weights, targets, moments, [0.01, 50.0], **options)
    with Waits() as waits:
        made.advance(20)
        assert waits.count == 0
        assert torch.ones(1).item() == 1 and waits.count == 1


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
        2,
        300,
        lambda *_: True,
        sides,
    )
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


def test_a_diverged_run_ends_at_the_limit_like_on_the_kernels():
    tracker = Tracker(np.array([0, 10]), 1.0)
    _matrix_batches._track([tracker], np.array([[5.0], [np.inf], [np.nan]]), np.array([1e6]))
    track = tracker.track()
    assert (track.diverged_at, track.last) == (2, 1e6)


def test_batches_can_be_cancelled_between_settings():
    params = build(NetworkParams, {"width": 2, "depth": 2, "ensemble": 3})
    settings = [{"step_size": 0.1}, {"step_size": 0.2}]

    def progress(done, text):
        return done < 0.5

    made = carry_out_batched(params, settings, range(3), 50, progress, (1,), CPU)
    assert made.cancelled
    assert {run.setting["step_size"] for run in made.runs} == {0.1}


def test_problems_can_be_cancelled_one_by_one(monkeypatch):
    made, told = [], []
    draw = _matrix_batches.make_problem
    monkeypatch.setattr(
        _matrix_batches,
        "make_problem",
        lambda params, seed: made.append(seed) or draw(params, seed),
    )

    def progress(done, text):
        told.append(done)
        return len(told) < 5

    params = build(NetworkParams, {"width": 2, "depth": 2, "ensemble": 100})
    found = carry_out_batched(params, [{"step_size": 0.1}], range(100), 50, progress, (1,), CPU)
    assert found.cancelled and not found.runs
    assert made == [0, 0, 1, 2, 3]  # the first one is also made to know its size
    assert told == sorted(set(told))


def test_batches_are_as_large_as_the_memory_allows():
    gib = 2**30
    assert runs_at_once(20, 20, 2, 80 * gib) == 4096
    size = 2 * 65 * 64 * 64 * 8
    for free in (gib, 4 * gib, 80 * gib):
        at_once = runs_at_once(64, 64, 2, free)
        assert at_once > 1
        assert HELD * at_once * size <= free / 2
        assert at_once * size <= gib
    assert runs_at_once(64, 64, 2, None) == gib // size
    assert runs_at_once(64, 64, 2, 0) == 1


def test_small_batches_are_the_same_runs(monkeypatch):
    params = build(NetworkParams, {"width": 3, "depth": 2, "ensemble": 7})
    arguments = ([{"step_size": 0.1}], range(7), 40, lambda *_: True, (1, 2), CPU)
    whole = carry_out_batched(params, *arguments)
    monkeypatch.setattr(_matrix_batches, "MOST_AT_ONCE", 3)
    same(whole.columns(SIDES), carry_out_batched(params, *arguments).columns(SIDES))


def test_too_little_memory_is_one_sentence_that_names_settings(monkeypatch):
    def fail(*args, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr("engine.families.matrix.batched.BatchedDescent", fail)
    params = build(NetworkParams, {"width": 2, "depth": 2, "ensemble": 3})
    with pytest.raises(LabError) as caught:
        carry_out_batched(params, [{"step_size": 0.1}], range(3), 5, lambda *_: True, (1,), CPU)
    assert str(caught.value) == (
        "The GPU's memory is too small for so many runs at once: give a smaller ensemble, width or "
        "depth, or cpu for device."
    )


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
    with pytest.raises(InputError, match=r"^device: 'cuda' is not allowed; give cpu, as this"):
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
