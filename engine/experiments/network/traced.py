"""A module of the user's own as an ONNX file, traced by torch.onnx."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.core.arrays import FloatArray
from engine.storage import onnx_graphs


class Standardised(nn.Module):
    """A module after what its samples were standardised by.

    Parameters
    ----------
    module : Module
        It takes samples (B, d) as a run has them.
    shift, divisor : ndarray
        Of the data, one for all d columns or one each.
    dimension : int
        d.
    """

    def __init__(
        self, module: nn.Module, shift: FloatArray, divisor: FloatArray, dimension: int
    ) -> None:
        super().__init__()
        self.module = module
        self._shift, self._divisor = (
            torch.tensor(np.broadcast_to(np.asarray(values, np.float32), dimension))
            for values in (shift, divisor)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Compute the outputs of inputs as the data have them, shape (B, d)."""
        made: Tensor = self.module((inputs - self._shift) / self._divisor)
        return made


def traced(module: nn.Module, inputs: Tensor, about: Mapping[str, str]) -> bytes:
    """Return the ONNX file of a module for any number of inputs.

    Parameters
    ----------
    module : Module
    inputs : Tensor, shape (B, d)
        It is tried with.
    about : mapping of str to str
        What the file says of itself.

    Raises
    ------
    LabError
        If the package onnx is missing.
    Exception
        Whatever torch.onnx raises for an operation that it cannot write.
    """
    with tempfile.TemporaryDirectory(prefix="lyapunov-") as folder, warnings.catch_warnings():
        file = Path(folder) / "module.onnx"
        warnings.simplefilter("ignore")  # tracing warns of constants, which the comparison finds
        torch.onnx.export(
            module,
            (inputs,),
            file,
            dynamo=False,
            opset_version=onnx_graphs.OPSET,
            dynamic_axes={"inputs": {0: "batch"}, "outputs": {0: "batch"}},
            input_names=["inputs"],
            output_names=["outputs"],
            training=torch.onnx.TrainingMode.PRESERVE,
        )
        return onnx_graphs.with_metadata(file.read_bytes(), about)
