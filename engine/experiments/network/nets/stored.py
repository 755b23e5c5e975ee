"""Weights of a network in files of other programs, and of this one, to begin from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray, checked
from engine.core.errors import InputError
from engine.storage import onnx_graphs, state_dicts
from engine.storage.arrays import load_numbers
from engine.storage.files import user_path

FIELD = "start_file"
_RULE = "give a state_dict of PyTorch that holds dense tensors of numbers alone"


def read(
    text: str, shapes: Mapping[str, tuple[int, ...]], ignored: Collection[str] = ()
) -> FloatArray:
    """Read weights by name, shape (n,), in 64 bits.

    Parameters
    ----------
    text : str
        Path of a safetensors, NPZ, PT or ONNX file.
    shapes : mapping
        Of the network's weights, in their order.
    ignored : collection of str
        Further names that the file may hold.

    Raises
    ------
    InputError
        If it cannot be read, or names or shapes are others.
    LabError
        If it needs a package that is not installed.
    """
    if not text.strip():
        raise InputError(FIELD, text, "name a safetensors, NPZ, PT or ONNX file")
    path = user_path(text, FIELD)
    ending = path.suffix.lower()
    if ending in (".safetensors", ".npz"):
        arrays: Mapping[str, Any] = load_numbers(path, FIELD)[0]
    elif ending in (".pt", ".pth"):
        state = state_dicts.load(path, FIELD, _RULE)[0]
        arrays = {name: value.double().numpy() for name, value in state.items()}
    elif ending == ".onnx":
        held = onnx_graphs.constants(path, FIELD)
        arrays = {name: held[name] for name in shapes if name in held}
    else:
        raise InputError(FIELD, path.name, "give a safetensors, NPZ, PT or ONNX file")
    kept = {name: values for name, values in arrays.items() if name not in ignored}
    if set(kept) != set(shapes):
        raise InputError(FIELD, _named(kept), f"give a file with weights named {_named(shapes)}")
    values = checked(kept, shapes)
    return np.concatenate([values[name].ravel() for name in shapes])


def _named(names: Collection[str]) -> str:
    listed = ", ".join(names) or "nothing"
    return listed if len(listed) <= 80 else f"{listed[:77]}…"
