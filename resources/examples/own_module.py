"""A network of your own for Lyapunov Lab: an example of forty lines, to be copied and changed.

    uv run main.py run network --module own_module.py:make --trust --out run

In the window choose *module* as the form, and this file. Its code is executed, so you are asked
before, and again once the file has changed.

`make` returns a `torch.nn.Module`. It may take the numbers of inputs and outputs, and is called
for every seed, with PyTorch's random numbers begun from it: the weights it returns are the start.

The module maps inputs (samples, inputs) to outputs (samples, outputs): the scores of the classes,
or the numbers to learn. Images are rows of pixels. The program chooses data, loss, optimiser and
type of numbers, and adds nothing. What the module computes must be the same at every call: no
dropout, no running statistics. Buffers stay what they are, and so do parameters with
requires_grad=False. Import installed packages only; other files of yours are not found.
"""

import torch
from torch import Tensor, nn


class Gated(nn.Module):
    """A hidden layer whose units are gated by others: as smooth as the functions in it."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.values = nn.Linear(inputs, units)
        self.gates = nn.Linear(inputs, units)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the units, shape (samples, units)."""
        return torch.tanh(self.values(x)) * torch.sigmoid(self.gates(x))


def make(inputs: int, outputs: int) -> nn.Module:
    """Return a network with two gated layers, each of which takes what the one before it gives."""
    units = 16
    last = nn.Linear(units, outputs, bias=False)
    return nn.Sequential(Gated(inputs, units), Gated(units, units), last)
