"""A small convolutional network, images of IDX folders, and models written and read."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.cli.commands import main
from engine.core.errors import InputError, LabError
from engine.core.params import build
from engine.experiments.network.data.source import dataset_of
from engine.experiments.network.experiment import Network
from engine.experiments.network.nets.curvature import HessianProduct
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.pictures import answers
from engine.experiments.network.problem import problem_of
from engine.storage.idx import FILES

SMALL: dict[str, Any] = {"points": 12, "form": "convolutional", "width": 2}
NETWORK = Network()


def params_of(**changes: Any) -> NetworkParams:
    return build(NetworkParams, {**SMALL, **changes})


def test_its_outputs_are_those_of_torchs_layers() -> None:
    state = NETWORK.init(params_of(depth=4, pooling="max", kernel="5"), 0)
    parts = {name: torch.tensor(part) for name, part in NETWORK.arrays(state).items()}
    assert [parts[f"W{i}"].shape for i in range(1, 5)] == [
        (2, 1, 5, 5),
        (2, 2, 5, 5),
        (2, 2, 5, 5),
        (10, 8),
    ]
    h = state.problem.train.x.reshape(-1, 1, 8, 8)
    for layer, halves in ((1, True), (2, True), (3, False)):
        conv = torch.nn.Conv2d(h.shape[1], 2, 5, padding=2)
        conv.load_state_dict({"weight": parts[f"W{layer}"], "bias": parts[f"b{layer}"]})
        h = torch.tanh(conv(h))
        h = torch.nn.MaxPool2d(2)(h) if halves else h
    expected = torch.nn.functional.linear(h.flatten(1), parts["W4"], parts["b4"])
    made = answers(state, state.problem.data.inputs)
    np.testing.assert_allclose(made, expected.detach().numpy(), atol=1e-5)


def test_its_hessian_is_that_of_differences() -> None:
    params = params_of(precision="float64")
    problem = problem_of(params)
    w = torch.tensor(problem.begin(params, 0))
    x, y = problem.train.first(0)
    product = HessianProduct(problem.architecture, "squared-error", w, x, y)
    v = np.random.default_rng(0).standard_normal(len(w))
    from engine.experiments.network.workspace import Workspace

    work = Workspace(problem, w.numpy(), np.zeros((0, len(w))))
    step = 1e-5 * torch.tensor(v)
    ahead = work.gradient(None, w + step).clone()
    behind = work.gradient(None, w - step).clone()
    np.testing.assert_allclose(product(v), ((ahead - behind) / 2e-5).numpy(), atol=1e-7)


@pytest.mark.parametrize("start", ["standard", "he", "xavier", "lecun", "orthogonal"])
def test_kernels_begin_with_what_they_see_as_inputs(start: str) -> None:
    problem = problem_of(params_of(width=64, depth=2, start=start))
    kernels = problem.parts(problem.begin(params_of(width=64, depth=2, start=start), 0))["W1"]
    inputs, outputs = 9, 64 * 9
    expected = {
        "standard": inputs**-0.5 / 3**0.5,
        "he": (2 / inputs) ** 0.5,
        "xavier": (2 / (inputs + outputs)) ** 0.5,
        "lecun": inputs**-0.5,
        "orthogonal": 64**-0.5,
    }[start]
    assert float(kernels.std()) == pytest.approx(expected, rel=0.1)


def test_its_ensemble_trains_each_as_alone() -> None:
    params = params_of(ensemble=2, depth=2, sharpness_every=0, batch_size=5)
    made = NETWORK.ensemble(params, 0, 4, lambda done, text: True)
    alone = NETWORK.advance(NETWORK.init(params, 1), 4)[0]
    loss = float(NETWORK.record(alone)["loss"])
    assert made.columns["loss"][1] == pytest.approx(loss, rel=1e-5)


def test_only_images_are_convolved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="images"):
        NETWORK.init(params_of(data="moons"), 0)
    with pytest.raises(InputError, match="standard, he"):
        params_of(start="identity")
    path = tmp_path / "own.npz"
    np.savez(path, x=np.random.default_rng(0).random((6, 4, 5)), y=np.arange(6))
    state = NETWORK.init(params_of(data="file", data_file=str(path)), 0)
    assert state.problem.data.image == (1, 4, 5)


def idx(values: np.ndarray) -> bytes:
    head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return head + values.astype(np.uint8).tobytes()


def folder_of(tmp_path: Path, side: int = 5) -> Path:
    random = np.random.default_rng(0)
    contents = {
        "train images": random.integers(0, 256, (9, side, 6)),
        "train labels": np.arange(9) % 3,
        "test images": random.integers(0, 256, (4, side, 6)),
        "test labels": np.arange(4) % 3,
    }
    for name, values in contents.items():
        (tmp_path / FILES[name]).write_bytes(idx(values))
    return tmp_path


def test_idx_folders_are_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    packed = folder / FILES["test images"]
    (folder / f"{packed.name}.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    params = params_of(data="idx", data_folder=str(folder), points=6, scaling="none")
    data = dataset_of(params)
    assert data.inputs.shape == (6, 30) and data.held_inputs.shape == (4, 30)
    assert data.image == (1, 5, 6) and data.classes == ("0", "1", "2")
    assert data.targets.tolist() == [0, 1, 2, 0, 1, 2] and data.inputs.max() <= 1.0
    assert len(NETWORK.input_files(params)["data_folder"]) == 4
    assert NETWORK.init(params, 0).problem.architecture.shapes["W3"][0] == 3


def test_bad_idx_folders_are_refused_in_one_sentence(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    good = {"data": "idx", "data_folder": str(folder), "points": 6}
    labels = folder / FILES["train labels"]
    for changes, field in (
        ({"data_folder": ""}, "data_folder"),
        ({"data_folder": str(folder / "nowhere")}, "data_folder"),
        ({"points": 10}, "points"),
        ({"loss": "logistic"}, "loss"),
    ):
        with pytest.raises(InputError) as found:
            NETWORK.init(params_of(**{**good, **changes}), 0)
        assert found.value.field == field and "\n" not in str(found.value)
    for content in (idx(np.arange(8) % 3), idx(np.zeros(9)), b"\0\0\x08\x01"):
        labels.write_bytes(content)
        with pytest.raises(InputError, match="data_folder"):
            dataset_of(params_of(**good))


MODELS = {
    "plain": {"form": "plain", "activation": "gelu", "layer_norm": True},
    "residual": {"form": "residual", "depth": 4, "activation": "silu", "branch_scale": "1/L"},
    "pair": {"form": "pair", "depth": 3, "activation": "leaky-relu", "biases": False},
    "softplus": {"form": "plain", "activation": "softplus", "precision": "float64"},
    "convolutional": {"depth": 3, "activation": "relu"},
    "maxima": {"depth": 2, "pooling": "max", "biases": False, "kernel": "5"},
}


@pytest.mark.parametrize("name", MODELS)
def test_models_go_out_and_come_in(tmp_path: Path, name: str) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    params = params_of(**{"width": 3, **MODELS[name]})
    state = NETWORK.init(params, 3)
    said = NETWORK.save_model(state, tmp_path / "own.onnx")
    assert "differ by" in said and NETWORK.save_model(state, tmp_path / "own.pt") == ""
    for ending in ("onnx", "pt"):
        changes = {"start": "file", "start_file": str(tmp_path / f"own.{ending}")}
        again = NETWORK.init(params.model_copy(update=changes), 0)
        np.testing.assert_allclose(again.weights, state.weights, rtol=1e-6)
        assert len(NETWORK.input_files(again.params)["start_file"]) == 1


def test_onnx_takes_inputs_as_the_data_have_them(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    state = NETWORK.init(params_of(scaling="columns"), 0)
    NETWORK.save_model(state, tmp_path / "own.onnx")
    raw = dataset_of(params_of(scaling="none")).inputs.astype(np.float32)
    session = runtime.InferenceSession(str(tmp_path / "own.onnx"))
    theirs = session.run(["outputs"], {"inputs": raw})[0]
    np.testing.assert_allclose(theirs, answers(state, state.problem.data.inputs), atol=1e-4)


def test_files_that_are_no_start_are_refused(tmp_path: Path) -> None:
    NETWORK.save_model(NETWORK.init(params_of(width=3), 0), tmp_path / "other.pt")
    torch.save({"W1": object()}, tmp_path / "object.pt")
    (tmp_path / "text.onnx").write_text("no model")
    (tmp_path / "own.bin").write_bytes(b"")
    for name in ("", "nowhere.pt", "other.pt", "object.pt", "text.onnx", "own.bin"):
        path = str(tmp_path / name) if name else ""
        with pytest.raises(LabError) as found:
            NETWORK.init(params_of(start="file", start_file=path), 0)
        assert "\n" not in str(found.value)


def test_learned_parameters_are_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    out = tmp_path / "out"
    common = ["--steps", "1", "--figures", "none", "--model", "npz", "--out", str(out)]
    assert main(["run", "network", *words, *common]) == 0
    target = tmp_path / "own.pt"
    assert main(["convert", str(out / "learned.npz"), str(target)]) == 0
    assert set(torch.load(target, weights_only=True)) == {"W1", "b1", "W2", "b2", "W3", "b3"}
    capsys.readouterr()
