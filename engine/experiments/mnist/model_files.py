"""Trained networks written to files and read back.

The program's own form is `engine.storage.learned` (safetensors or NPZ with a JSON description).
Here is PyTorch's ``state_dict``, and one `load` for all forms; ONNX is in
`engine.experiments.mnist.onnx_files`. Nothing pickled is ever loaded: a ``.pt`` file is read with
``weights_only=True`` after its archive was checked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.core.errors import InputError
from engine.experiments.mnist import checkpoint_files as checkpoint
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.model import Architecture, Parameters
from engine.experiments.mnist.trained import ABOUT, Model, read_about
from engine.kernels.network.images import KERNEL
from engine.storage import learned, state_dicts
from engine.storage.arrays import load_safetensors
from engine.storage.files import to_json
from engine.text.numbers import whole

SMALL = 2**20
"""Parameters for which memory is taken however few of them a file holds."""
_CONFIG = "lyapunov-lab"


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
    state_dicts.save(path, network.state_dict())


def _load_state_dict(path: Path) -> Model:
    rule = "give a state_dict that this program wrote, without pickled objects"
    state, extra = state_dicts.load(path, "model", rule)
    try:
        config, about = extra[_CONFIG], read_about(extra.get(ABOUT))
    except (TypeError, KeyError, AttributeError):
        raise InputError("model", path.name, rule) from None
    return _model(Architecture.from_config(config), state, about)
