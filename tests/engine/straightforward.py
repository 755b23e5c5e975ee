"""The network of Section 5 written down plainly: modules in a loop, autograd, torch.optim."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.experiments.mnist.network.model import Architecture, Parameters


class ResidualNetwork(nn.Module):
    """One network (7a)-(7c), or without the identity path."""

    def __init__(self, architecture: Architecture, tensors: dict[str, Tensor], k: int) -> None:
        super().__init__()
        self.residual = architecture.residual
        layers = range(architecture.depth)

        def copies(name: str) -> nn.ParameterList:
            return nn.ParameterList(nn.Parameter(tensors[name][k, i].clone()) for i in layers)

        self.V = None if architecture.identity else copies("V")
        self.W, self.b = copies("W"), copies("b")
        self.c = nn.Parameter(tensors["c"][k].clone())

    def forward(self, h: Tensor) -> Tensor:
        for i, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            u = h if self.V is None else h @ self.V[i].T
            step = functional.relu(u - b) @ W
            h = h + step if self.residual else step
        return h @ self.c


class Straightforward(nn.Module):
    """Convolution, ReLU, pooling, then one network after the other."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__()
        self.architecture = architecture = parameters.architecture
        tensors = parameters.tensors()
        self.conv = nn.Conv2d(1, architecture.filters, 6)
        self.conv.weight.data.copy_(tensors["conv.weight"])
        self.conv.bias.data.copy_(tensors["conv.bias"])
        self.networks = nn.ModuleList(
            ResidualNetwork(architecture, tensors, k) for k in range(architecture.networks)
        )
        self.d = nn.Parameter(tensors["d"].clone())

    def forward(self, images: Tensor) -> Tensor:
        """Compute scores (B, 10) of images (B, 1, 28, 28)."""
        h = functional.max_pool2d(functional.relu(self.conv(images)), 4).flatten(1)
        answers = [network(h) for network in self.networks]
        if self.architecture.per_class == 1:
            return torch.stack(answers, 1) + self.d
        pairs = zip(answers[0::2], answers[1::2], strict=True)
        return torch.stack([r - s for r, s in pairs], 1) + self.d

    def signed(self) -> list[nn.Parameter]:
        """List the parameters that the projection keeps nonnegative."""
        return [p for name, p in self.named_parameters() if name.startswith("networks")]

    def tensors(self, like: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the parameters by their public names."""
        found = {"conv.weight": self.conv.weight, "conv.bias": self.conv.bias, "d": self.d}
        for name in ("V", "W", "b"):
            if name in like:
                found[name] = torch.stack(
                    [torch.stack(list(n.get_submodule(name))) for n in self.networks]
                )
        found["c"] = torch.stack([n.c for n in self.networks])
        return {name: values.detach() for name, values in found.items()}


def gradients(network: Straightforward) -> dict[str, Tensor]:
    """Return the gradients by their public names."""
    found = {
        "conv.weight": network.conv.weight.grad,
        "conv.bias": network.conv.bias.grad,
        "d": network.d.grad,
        "c": torch.stack([n.c.grad for n in network.networks]),
    }
    for name in ("V", "W", "b"):
        if getattr(network.networks[0], name) is not None:
            lists = [getattr(n, name) for n in network.networks]
            found[name] = torch.stack([torch.stack([p.grad for p in each]) for each in lists])
    return found


def train_step(
    network: Straightforward,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    projection: bool = True,
) -> float:
    """Make one step as most people would write it, and return the loss."""
    optimiser.zero_grad()
    value = functional.cross_entropy(network(images), labels)
    value.backward()
    optimiser.step()
    if projection:
        with torch.no_grad():
            for parameter in network.signed():
                parameter.clamp_(min=0)
    return float(value.detach())
