"""Trained networks as files, read back, and evaluated.

The program's own form is `engine.storage.learned` (safetensors or NPZ with a JSON description).
Here is PyTorch's ``state_dict``, and one `load` for all forms; ONNX is in
`engine.experiments.mnist.onnx_files`. Nothing pickled is ever loaded: a ``.pt`` file is read with
``weights_only=True`` after its archive was checked.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.errors import InputError, LabError
from engine.experiments.mnist import checkpoint_files as checkpoint
from engine.experiments.mnist import datasets
from engine.experiments.mnist.datasets import Bytes, ImageData
from engine.experiments.mnist.judging import judge
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.batched import BatchedNetwork
from engine.experiments.mnist.network.cpu import EVALUATION_BATCH
from engine.experiments.mnist.network.model import Architecture, Parameters
from engine.kernels.network.images import KERNEL
from engine.storage import learned
from engine.storage.arrays import SAFETENSORS_LIMIT, load_safetensors
from engine.storage.files import read_bytes, to_json, write_bytes
from engine.text.numbers import whole

if TYPE_CHECKING:
    from engine.experiments.mnist.onnx_files import OnnxNetwork

LOADED = (".safetensors", ".npz", ".pt", ".onnx")
"""Endings that `load` knows."""
CHOSEN = "as asked for"
SMALL = 2**20
"""Parameters for which memory is taken however few of them a file holds."""
_CONFIG = "lyapunov-lab"
ABOUT = "lyapunov-lab.about"
"""Name under which other forms keep what is known of a network: step, seed, data, settings."""


class Network(torch.nn.Module):
    """The network as a module; its ``state_dict`` has the names of `…mnist.network.model`.

    ``forward`` takes images (B, 1, 28, 28) with values 0 to 1 and gives scores (B, 10). The
    architecture travels in the ``state_dict`` as the module's extra state, with what else is known.
    """

    def __init__(
        self,
        architecture: Architecture,
        tensors: models.Tensors,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.about = dict(about or {})
        self.conv = torch.nn.Conv2d(1, architecture.filters, KERNEL)
        copies = {name: v.detach().clone().contiguous() for name, v in tensors.items()}
        self.conv.weight = torch.nn.Parameter(copies["conv.weight"])
        self.conv.bias = torch.nn.Parameter(copies["conv.bias"])
        for name in ("V", "W", "b", "c", "d"):
            if name in copies:
                self.register_parameter(name, torch.nn.Parameter(copies[name]))

    def forward(self, images: Tensor) -> Tensor:
        """Compute the scores."""
        return models.forward(self.architecture, dict(self.named_parameters()), images)

    def get_extra_state(self) -> dict[str, Any]:
        """Return what describes the network, as plain values."""
        return {_CONFIG: self.architecture.to_config(), ABOUT: to_json(self.about)}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Check that a ``state_dict`` belongs to this architecture."""
        if state[_CONFIG] != self.architecture.to_config():
            raise InputError("model", state[_CONFIG], "the architecture differs")


@dataclass(frozen=True, slots=True)
class Model:
    """A trained network; `about` is what its file says of it (step, seed, data, settings)."""

    architecture: Architecture
    parameters: Parameters
    about: Mapping[str, Any] = field(default_factory=dict)

    def answers(self, images: Bytes) -> NDArray[np.float32]:
        """Compute cᵀ h_L of every network for images (N, 28, 28), shape (N, K)."""
        network = BatchedNetwork(self.parameters, EVALUATION_BATCH, training=False)
        return network.all_answers(images)

    def scores(self, images: Bytes) -> NDArray[np.float32]:
        """Compute r_k - s_k + d_k for images (N, 28, 28), shape (N, 10)."""
        answers = torch.from_numpy(self.answers(images))
        d = self.parameters.parts["d"]
        return models.scores(self.architecture, answers, d).numpy()


def data_of(about: Mapping[str, Any]) -> tuple[ImageData, str]:
    """Load the data a network was trained on, or the bundled digits where it is not there.

    Returns
    -------
    data : ImageData
    which : str
        What the data is to the network, shown beside its name.
    """
    source = about.get("data")
    if not isinstance(source, str) or not source:
        return datasets.load("digits"), "bundled; the file does not say what it was trained on"
    try:
        return datasets.load(source), "the data it was trained on"
    except (LabError, OSError, ValueError):
        missing = f"bundled; {source}, which it was trained on, cannot be read here"
        return datasets.load("digits"), missing


def evaluate(path: Path, data: ImageData | None = None) -> dict[str, Any]:
    """Load a model and evaluate it on both sets; returns JSON-ready numbers.

    Without `data` it is that of `data_of`.

    Raises
    ------
    InputError
        If the file is none that `load` or ONNX Runtime reads.
    LabError
        For an ONNX file where ONNX Runtime is not installed.
    """
    path = Path(path)
    network: Model | OnnxNetwork
    if path.suffix.lower() == ".onnx":
        from engine.experiments.mnist.onnx_files import OnnxNetwork

        network = OnnxNetwork(path)
        about = network.about
    else:
        network = load(path)
        about = {**network.architecture.to_config(), **network.about}
    data, which = data_of(about) if data is None else (data, CHOSEN)
    train, test = network.scores(data.train_images), network.scores(data.test_images)
    results = {
        name: judge(scores, labels)
        for name, scores, labels in (
            ("train", train, data.train_labels),
            ("test", test, data.test_labels),
        )
    }
    numbers: dict[str, Any] = {
        "model": path.name,
        "data": data.name,
        "data_is": which,
        "about": about,
    }
    for name, result in results.items():
        numbers[f"{name}_accuracy"] = result.accuracy
        numbers[f"{name}_loss"] = result.loss
    numbers["gap"] = results["train"].accuracy - results["test"].accuracy
    numbers["confusion"] = results["test"].confusion.tolist()
    return numbers


def load(path: Path) -> Model:
    """Load a network from a safetensors, NPZ or ``.pt`` file, or from a checkpoint.

    Raises
    ------
    InputError
        If the file is missing, damaged, holds pickled objects, or is no network of Section 5.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending == ".pt":
        return _load_state_dict(path)
    if ending not in (".safetensors", ".npz"):
        raise InputError("model", path.name, "give a safetensors, npz or pt file")
    if ending == ".safetensors" and _kind(path) == checkpoint.KIND:
        saved = checkpoint.read(path)
        network = checkpoint.network(saved)
        return Model(network.architecture, network, _about_checkpoint(saved))
    found = learned.load_learned(path)
    if found.run.experiment != "mnist":
        raise InputError("model", path.name, f"give a network of mnist, not {found.run.experiment}")
    params: Any = found.run.params
    settings = params.model_dump(mode="json")
    about = {
        "step": found.step,
        "seed": found.run.seed,
        "data": params.data,
        "settings": settings,
    }
    return _model(params.architecture(), found.arrays, about)


def _about_checkpoint(saved: checkpoint.Checkpoint) -> dict[str, Any]:
    about: dict[str, Any] = {"step": saved.step}
    identity, settings = (saved.config.get(name) for name in ("identity", "current"))
    if isinstance(identity, dict) and "seed" in identity:
        about["seed"] = identity["seed"]
    if isinstance(settings, dict):
        about |= {"data": settings.get("data"), "settings": settings}
    return about


def read_about(text: object) -> dict[str, Any]:
    """Read what another form keeps of a network; nothing where it keeps nothing that can be read.

    It is shown and never needed, so what is missing or damaged is no reason to refuse a network.
    """
    try:
        about = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        about = {}
    return about if isinstance(about, dict) else {}


def _kind(path: Path) -> Any:
    return load_safetensors(path, what="model")[1].get("kind")


def _model(
    architecture: Architecture, arrays: Mapping[str, Any], about: Mapping[str, Any]
) -> Model:
    architecture.check()
    held = sum(math.prod(values.shape) for values in arrays.values())
    if architecture.size > 2 * held + SMALL:
        rule = f"its description asks for {whole(architecture.size)}"
        raise InputError("model", f"{whole(held)} numbers", rule)
    parameters = Parameters(architecture)
    parameters.load({name: torch.as_tensor(values) for name, values in arrays.items()})
    return Model(architecture, parameters, about)


# PyTorch


def save_state_dict(path: Path, model: Model) -> None:
    """Write a ``.pt`` file with the ``state_dict`` of `Network`.

    ``Network(...).load_state_dict(torch.load(path, weights_only=True))`` reads it.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    network = Network(model.architecture, model.parameters.tensors(), model.about)
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    write_bytes(path, buffer.getvalue())


def _load_state_dict(path: Path) -> Model:
    data = read_bytes(path, SAFETENSORS_LIMIT, "model")
    refusal = InputError(
        "model", path.name, "give a state_dict that this program wrote, without pickled objects"
    )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
        stored = all(member.compress_type == zipfile.ZIP_STORED for member in members)
        if not stored or sum(member.file_size for member in members) > len(data):
            raise refusal  # compressed, or members that overlap: either may unpack to any size
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about forms of tensors that are refused below
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        extra = state.pop("_extra_state")
        config, about = extra[_CONFIG], read_about(extra.get(ABOUT))
        dense = all(
            type(v) is Tensor
            and v.layout is torch.strided
            and v.is_floating_point()
            and v.is_contiguous()
            for v in state.values()
        )
        # a view may repeat the few numbers that the file holds any number of times
        dense = dense and sum(v.numel() * v.element_size() for v in state.values()) <= len(data)
    except (
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        RuntimeError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        EOFError,
        OverflowError,
        IndexError,
        NotImplementedError,
        AssertionError,
        MemoryError,
    ):
        raise refusal from None
    if not dense:
        raise refusal
    return _model(Architecture.from_config(config), state, about)
