from __future__ import annotations

import pytest
import torch

from engine.core.errors import InputError
from engine.experiments.mnist.model_files import Network
from engine.experiments.mnist.network.model import Architecture, Parameters, forward, initialise
from engine.experiments.mnist.network.model import loss as mean_loss
from tests.engine.straightforward import Straightforward

SHAPES = [
    Architecture(filters=3, width=4),
    Architecture(filters=3, width=4, kind="single"),
    Architecture(filters=3, width=4, kind="plain"),
    Architecture(filters=2, mixing="identity"),
    Architecture(filters=2, mixing="identity", kind="plain", depth=2),
    Architecture(filters=2, width=70, depth=1),
]


def start(architecture: Architecture, seed: int = 0) -> Parameters:
    return initialise(architecture, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("architecture", SHAPES, ids=str)
def test_the_batched_model_is_the_loop_over_modules(architecture: Architecture) -> None:
    parameters = start(architecture)
    images = torch.rand(7, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        batched = forward(architecture, parameters.tensors(), images)
        plain = Straightforward(parameters)(images)
        module = Network(architecture, parameters.tensors())(images)
    torch.testing.assert_close(batched, plain, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(module, batched, rtol=0, atol=0)


@pytest.mark.parametrize("architecture", SHAPES, ids=str)
def test_sizes_are_counted(architecture: Architecture) -> None:
    parameters = start(architecture)
    assert sum(values.numel() for values in parameters.tensors().values()) == architecture.size
    assert parameters.free.numel() + parameters.signed.numel() == architecture.size
    loop = Straightforward(parameters)
    assert sum(values.numel() for values in loop.parameters()) == architecture.size


def test_the_papers_sizes() -> None:
    paper = Architecture(mixing="identity")
    assert paper.features == 1600 and paper.networks == 20
    assert 20 * 3 * 1600 * 1600 < paper.size < 154_000_000
    quick = Architecture()
    single = Architecture(kind="single")
    difference = abs(quick.size - single.size) / quick.size
    assert difference < 0.003  # only c is halved


def test_the_start_lies_in_its_ranges_and_follows_the_seed() -> None:
    architecture = Architecture(filters=4, width=6)
    tensors = start(architecture).tensors()
    tops = {"V": 2 / 100, "W": 0.2 / 6, "b": 0.3, "c": 2 / 100}
    for name, top in tops.items():
        assert 0 <= float(tensors[name].min()) and float(tensors[name].max()) <= top
        assert float(tensors[name].max()) > 0.9 * top
    assert not tensors["d"].any()
    assert tensors["conv.weight"].abs().max() <= 1 / 6 and (tensors["conv.weight"] < 0).any()
    torch.testing.assert_close(start(architecture).flat, start(architecture).flat, rtol=0, atol=0)
    assert not torch.equal(start(architecture).flat, start(architecture, 1).flat)


def test_a_start_without_the_identity_path_has_both_signs_and_keeps_the_size() -> None:
    architecture = Architecture(filters=16, width=8, kind="plain", depth=1)
    tensors = initialise(architecture, torch.Generator().manual_seed(0), 0.0).tensors()
    h = torch.rand(50, 400, generator=torch.Generator().manual_seed(1))
    z = torch.relu(torch.einsum("kmn,bn->kbm", tensors["V"][:, 0], h))
    after = torch.einsum("kbm,kmn->kbn", z, tensors["W"][:, 0])
    ratio = after.square().mean() / h.square().mean()
    assert 0.5 < float(ratio) < 2
    assert all((tensors[name] < 0).any() for name in ("V", "W", "c"))


def test_r_and_s_are_convex_in_the_features() -> None:
    from engine.experiments.mnist.network.model import parts

    architecture = Architecture(filters=3, width=8)
    tensors = {name: values.double() for name, values in start(architecture).tensors().items()}
    draw = torch.Generator().manual_seed(2)
    x, y = (torch.rand(200, 75, generator=draw, dtype=torch.double) ** 4 for _ in range(2))
    middle, ends = (
        parts(architecture, tensors, (x + y) / 2),
        (parts(architecture, tensors, x) + parts(architecture, tensors, y)) / 2,
    )
    assert (middle <= ends + 1e-12).all()
    assert (middle < ends - 1e-9).any()  # and not merely affine


def test_losses() -> None:
    scores = torch.tensor([[1.0] + [0.0] * 9, [0.0] * 10])
    labels = torch.tensor([0, 3])
    assert float(mean_loss(scores, labels, squared_error=True)) == pytest.approx(0.25)
    first = -1 + torch.logsumexp(scores[0], 0)
    expected = 0.5 * (float(first) + torch.log(torch.tensor(10.0)))
    assert float(mean_loss(scores, labels, squared_error=False)) == pytest.approx(float(expected))


@pytest.mark.parametrize("architecture", SHAPES, ids=str)
def test_a_config_is_read_back(architecture: Architecture) -> None:
    assert Architecture.from_config(architecture.to_config()) == architecture


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"width": True},
        {"width": 1e3},
        {"depth": 65},
        {"filters": -1},
        {"kind": "convolutional"},
        {"mixing": []},
        {"extra": 1},
        {"width": 4096, "filters": 1024},
    ],
)
def test_a_bad_config_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        Architecture.from_config({**Architecture().to_config(), **change})
    assert str(caught.value).endswith(".")


def test_loading_refuses_other_names_shapes_and_values_and_changes_nothing() -> None:
    parameters = start(Architecture(filters=2, width=3))
    before = parameters.flat.clone()
    good = {name: values.clone() + 1 for name, values in parameters.tensors().items()}
    bad_value = good["W"].clone()
    bad_value[0, 0, 0, 0] = torch.inf
    for broken in (
        {name: values for name, values in good.items() if name != "d"},
        {**good, "e": good["d"]},
        {**good, "d": good["d"][:9]},
        {**good, "W": bad_value},
    ):
        with pytest.raises(InputError):
            parameters.load(broken)
        assert torch.equal(parameters.flat, before)
    parameters.load(good)
    torch.testing.assert_close(parameters.flat, before + 1, rtol=0, atol=0)
