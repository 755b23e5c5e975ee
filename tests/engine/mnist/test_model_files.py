from __future__ import annotations

import copy
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import pytest
import torch

from engine.core.errors import InputError, LabError
from engine.core.params import build
from engine.core.registry import get
from engine.experiments.mnist import evaluation, judging, model_files, onnx_files
from engine.experiments.mnist.datasets import ImageData, load
from engine.experiments.mnist.model_files import Network
from engine.experiments.mnist.network.model import Architecture, initialise
from engine.experiments.mnist.trained import Model
from engine.run.session import Session
from engine.storage import learned, onnx_graphs, state_dicts

ARCHITECTURES = [
    Architecture(filters=2, width=3),
    Architecture(filters=2, width=3, kind="single"),
    Architecture(filters=2, width=3, kind="plain", depth=2),
    Architecture(filters=1, mixing="identity", depth=1),
]
MNIST = get("mnist")


def model(architecture: Architecture = ARCHITECTURES[0], seed: int = 0) -> Model:
    generator = torch.Generator().manual_seed(seed)
    return Model(architecture, initialise(architecture, generator))


def few(data: ImageData) -> ImageData:
    return ImageData(
        "few",
        data.train_images[:80],
        data.train_labels[:80],
        data.test_images[:60],
        data.test_labels[:60],
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    values = {"filters": 2, "width": 3, "batch_size": 300, "epochs": 2, "checkpoints": str(folder)}
    session = Session(MNIST, build(MNIST.parameters, values), 0)
    session.advance(20)
    return session, folder


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_a_state_dict_goes_out_and_comes_back(tmp_path: Path, architecture: Architecture) -> None:
    saved = model(architecture)
    path = tmp_path / "model.pt"
    model_files.save_state_dict(path, saved)
    found = model_files.load(path)
    assert found.architecture == architecture
    assert torch.equal(found.parameters.flat, saved.parameters.flat)
    state = torch.load(path, weights_only=True)  # as any PyTorch program reads it
    module = Network(architecture, model(architecture, seed=1).parameters.tensors())
    module.load_state_dict(state)
    images = load("digits").test_images[:20]
    with torch.no_grad():
        scores = module(torch.from_numpy(images[:, None] / np.float32(255)))
    np.testing.assert_allclose(scores.numpy(), saved.scores(images), rtol=1e-4, atol=1e-5)


def test_a_state_dict_of_another_architecture_is_refused() -> None:
    module = Network(ARCHITECTURES[0], model().parameters.tensors())
    other = Network(ARCHITECTURES[2], model(ARCHITECTURES[2]).parameters.tensors())
    with pytest.raises((InputError, RuntimeError)):
        module.load_state_dict(other.state_dict())


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_onnx_runtime_gives_the_same_scores(tmp_path: Path, architecture: Architecture) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    saved = model(architecture)
    path = tmp_path / "model.onnx"
    difference = onnx_files.save_onnx(path, saved)
    assert difference is not None and difference <= 1e-4
    images = load("digits").test_images[:300]
    theirs, ours = onnx_files.OnnxNetwork(path).scores(images), saved.scores(images)
    assert np.abs(theirs - ours).max() <= 1e-4 * np.abs(ours).max()


def test_a_graph_that_would_fill_the_memory_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    path = tmp_path / "model.onnx"
    onnx_files.save_onnx(path, model())
    runtime = create_autospec(onnx_graphs.onnx_runtime, spec_set=True)
    monkeypatch.setattr(onnx_graphs, "onnx_runtime", runtime)
    size = onnx.helper.make_tensor("size", onnx.TensorProto.INT64, [3], [10**6] * 3)
    for change in ("node", "shape", "function"):
        proto = onnx.load(path)
        if change == "node":
            node = onnx.helper.make_node("ConstantOfShape", ["size"], ["huge"])
            proto.graph.initializer.append(size)
            proto.graph.node.append(node)
        elif change == "shape":
            proto.graph.initializer[0].dims[0] = 10**9
        else:
            proto.functions.add(name="Relu", domain="")
        (tmp_path / "changed.onnx").write_bytes(proto.SerializeToString())
        with pytest.raises(InputError, match="an ONNX file that this program wrote"):
            onnx_files.OnnxNetwork(tmp_path / "changed.onnx")
    assert not runtime.return_value.InferenceSession.called


def test_a_wrong_onnx_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    images = load("digits").test_images[:5]
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x08" + os.urandom(300))
    with pytest.raises(InputError, match="an ONNX file that this program wrote"):
        onnx_files.OnnxNetwork(path).scores(images)
    monkeypatch.setattr(onnx_graphs, "TOLERANCE", -1.0)
    with pytest.raises(LabError, match="was not written"):
        onnx_files.save_onnx(tmp_path / "other.onnx", model())
    assert not (tmp_path / "other.onnx").exists()


def test_missing_extras_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(LabError, match="extra onnx"):
        onnx_files.save_onnx(tmp_path / "model.onnx", model())
    with pytest.raises(LabError, match="extra onnx"):
        onnx_files.OnnxNetwork(tmp_path / "model.onnx").scores(load("digits").test_images[:1])


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_learned_parameters_and_checkpoints_are_models(
    tmp_path: Path, trained: tuple[Session, Path], ending: str
) -> None:
    session, folder = trained
    learned.save_learned(session, tmp_path / f"model{ending}")
    found = model_files.load(tmp_path / f"model{ending}")
    newest = max(folder.iterdir())
    renamed = tmp_path / "renamed.safetensors"
    renamed.write_bytes(newest.read_bytes())
    arrays = MNIST.arrays(session.state)
    for one in (found, model_files.load(newest), model_files.load(renamed)):
        assert one.about["step"] == session.step
        for name, values in one.parameters.tensors().items():
            np.testing.assert_array_equal(values.numpy(), arrays[name], err_msg=name)


def test_evaluation_is_what_the_run_measured(tmp_path: Path, trained: tuple[Session, Path]) -> None:
    session, _ = trained
    learned.save_learned(session, tmp_path / "model.safetensors")
    numbers = evaluation.evaluate(tmp_path / "model.safetensors", load("digits"))
    final = MNIST.final(session.state, session.recent())
    assert 100 * numbers["test_accuracy"] == pytest.approx(final["test_accuracy"])
    assert 100 * numbers["train_accuracy"] == pytest.approx(final["train_accuracy"])
    assert numbers["confusion"] == final["confusion"]
    assert np.trace(numbers["confusion"]) == round(360 * numbers["test_accuracy"])


def test_all_forms_evaluate_alike(tmp_path: Path, trained: tuple[Session, Path]) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    session, folder = trained
    one = model_files.load(max(folder.iterdir()))
    model_files.save_state_dict(tmp_path / "a.pt", one)
    onnx_files.save_onnx(tmp_path / "a.onnx", one)
    learned.save_learned(session, tmp_path / "a.npz")
    data = few(load("digits"))
    results = [evaluation.evaluate(tmp_path / f"a.{end}", data) for end in ("pt", "onnx", "npz")]
    for key in ("train_loss", "test_loss", "test_accuracy", "gap"):
        assert results[1][key] == pytest.approx(results[0][key], rel=1e-4)
        assert results[2][key] == pytest.approx(results[0][key], rel=1e-4)


def test_judging_counts() -> None:
    scores = np.zeros((4, 10), np.float32)
    scores[[0, 1, 2, 3], [3, 3, 5, 0]] = 2.0
    judged = judging.judge(scores, np.array([3, 4, 5, 1], np.uint8))
    assert judged.accuracy == 0.5
    assert judged.confusion[3, 3] == 1 and judged.confusion[4, 3] == 1
    assert judged.confusion.sum() == 4
    np.testing.assert_allclose(judged.lead, [-2, 2, -2, 2])


def test_an_answer_is_the_scores_of_one_image() -> None:
    for architecture in ARCHITECTURES:
        one = model(architecture)
        image = load("digits").test_images[7]
        answer = judging.answer(one.parameters, image / 255.0)
        d = one.parameters.parts["d"].numpy()
        np.testing.assert_allclose(answer.scores, answer.r - answer.s + d, rtol=1e-5)
        np.testing.assert_allclose(answer.scores, one.scores(image[None])[0], rtol=1e-4, atol=1e-5)
        assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)


class Evil:
    """Would make a file if it were ever unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = str(proof)

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (self.proof,))


def evil_files(folder: Path, proof: Path) -> list[Path]:
    evil = Evil(proof)
    paths = [folder / f"{name}.pt" for name in "abcd"]
    torch.save({"W": evil, "_extra_state": evil}, paths[0])
    torch.save(evil, paths[1], _use_new_zipfile_serialization=False)
    paths[2].write_bytes(pickle.dumps(evil))
    with zipfile.ZipFile(paths[3], "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(evil))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/bomb", bytes(2**24))
    np.savez(folder / "e.npz", W=np.array([evil], dtype=object))
    return [*paths, folder / "e.npz", huge_object(folder), overlapping(folder)]


def huge_object(folder: Path) -> Path:
    """Name in a pickle, of a kind that torch allows, ten terabytes of zeros."""
    size = b"\x8a\x06" + (10**13).to_bytes(6, "little")
    with zipfile.ZipFile(folder / "huge.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02cbuiltins\nbytearray\n" + size + b"\x85R.")
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return folder / "huge.pt"


def overlapping(folder: Path) -> Path:
    """List the same bytes of an archive under many names."""
    path = folder / "overlapping.pt"
    torch.save(state_of(model()), path)
    with zipfile.ZipFile(path, "a") as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
        for number in range(100):
            again = copy.copy(largest)
            again.filename = f"archive/data/again{number}"
            archive.filelist.append(again)
        archive.writestr("archive/last", b"")  # has the list written anew
    return path


def test_malicious_files_are_refused_and_nothing_runs(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    for path in evil_files(tmp_path, proof):
        with pytest.raises(InputError) as caught:
            model_files.load(path)
        assert "\n" not in str(caught.value)
        assert not proof.exists()


@pytest.mark.parametrize("before", [b"", b"words before the archive"])
def test_a_description_makes_nothing_but_tensors(tmp_path: Path, before: bytes) -> None:
    """Of any size: what PyTorch lets a description call may fill the memory."""
    path, plain = tmp_path / "a.pt", torch.ones(2)
    extra = None if before else bytearray(5)
    torch.save({"W": plain, state_dicts.EXTRA: extra}, path)
    path.write_bytes(before + path.read_bytes())
    with pytest.raises(InputError):
        state_dicts.load(path, "model", "give tensors")
    torch.save({"W": plain, "half": plain.half()}, path)
    assert set(state_dicts.load(path, "model", "give tensors")[0]) == {"W", "half"}


def state_of(one: Model) -> dict[str, Any]:
    return dict(Network(one.architecture, one.parameters.tensors()).state_dict())


@pytest.mark.parametrize(
    "change",
    [
        {"W": None},
        {"extra": torch.zeros(3)},
        {"d": torch.zeros(11)},
        {"d": torch.full((10,), torch.nan)},
        {"d": torch.zeros(10, dtype=torch.int64)},
        {"d": torch.zeros(10, dtype=torch.complex64)},
        {"d": torch.zeros(10).to_sparse()},
        {"d": [0.0] * 10},
        {"d": torch.zeros(1).expand(10**12)},
        {"_extra_state": None},
        {"_extra_state": {}},
        {"_extra_state": {"lyapunov-lab": {"kind": "paired"}}},
        {
            "_extra_state": {
                "lyapunov-lab": {**Architecture().to_config(), "width": 4096, "filters": 1024}
            }
        },
        {"_extra_state": {"lyapunov-lab": Architecture().to_config()}},
    ],
    ids=str,
)
def test_a_wrong_state_dict_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    state = {**state_of(model()), **change}
    state = {name: values for name, values in state.items() if values is not None}
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(InputError) as caught:
        model_files.load(tmp_path / "model.pt")
    assert "\n" not in str(caught.value)


def test_views_that_repeat_one_number_are_refused_before_they_fill_the_memory(
    tmp_path: Path,
) -> None:
    huge = Architecture(kind="paired", mixing="learned", width=1024, depth=20, filters=40)
    state: dict[str, Any] = {
        name: torch.zeros(1).expand(tuple(values.shape))
        for name, values in state_of(model()).items()
        if name != "_extra_state"
    }
    state["_extra_state"] = {"lyapunov-lab": huge.to_config()}
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(InputError, match="a state_dict that this program wrote"):
        model_files.load(tmp_path / "model.pt")
    honest = {**state_of(model()), "_extra_state": {"lyapunov-lab": huge.to_config()}}
    torch.save(honest, tmp_path / "model.pt")
    with pytest.raises(InputError, match="its description asks for"):
        model_files.load(tmp_path / "model.pt")


def test_a_cut_or_changed_state_dict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    model_files.save_state_dict(path, model())
    whole = path.read_bytes()
    for broken in (b"", whole[:100], whole[: len(whole) // 2], whole[:-30], whole[100:]):
        path.write_bytes(broken)
        with pytest.raises(InputError):
            model_files.load(path)


@pytest.mark.parametrize("name", ["model.bin", "model", "missing.pt", "missing.safetensors"])
def test_other_names_and_missing_files_are_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        model_files.load(tmp_path / name)


def test_learned_parameters_of_another_experiment_are_refused(tmp_path: Path) -> None:
    other = get("scalar-product")
    learned.save_learned(Session(other, other.parameters(), 0), tmp_path / "model.npz")
    with pytest.raises(InputError, match="give a network of mnist, not scalar-product"):
        model_files.load(tmp_path / "model.npz")
