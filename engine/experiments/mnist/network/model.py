"""The network of Section 5: one convolution, then residual networks (7a)-(7c), two for each class.

Class k answers with ``r_k(x) - s_k(x) + d_k``, where r_k and s_k are convex in the features when
W, V and c are nonnegative. All networks are kept as batched arrays: network ``2k`` is r_k and
network ``2k + 1`` is s_k.

=============== ============ =====================================================
Name            Shape        Meaning
=============== ============ =====================================================
``conv.weight`` (F, 1, 6, 6) filters
``conv.bias``   (F,)         their biases
``V``           (K, L, m, n) ``V[k, i, j]`` is column j of V_{i+1} (none if V = I)
``W``           (K, L, m, n) ``W[k, i, j]`` is column j of W_{i+1}
``b``           (K, L, m)    biases of the ReLUs
``c``           (K, n)       output weights
``d``           (10,)        offsets of the classes
=============== ============ =====================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from engine.core.errors import InputError
from engine.experiments.mnist.datasets import CLASSES
from engine.kernels.network.images import CROP, GRID, KERNEL, POOL
from engine.text.numbers import whole

Kind = Literal["paired", "single", "plain"]
Mixing = Literal["learned", "identity"]
Tensors = Mapping[str, Tensor]

PARAMETER_LIMIT = 1_000_000_000
"""Numbers that a network may learn; the paper's has 154 million."""


@dataclass(frozen=True)
class Architecture:
    """Sizes of a network.

    Attributes
    ----------
    kind : str
        ``paired`` as in the paper; ``single``: one network per class, of twice the width, so that
        the number of parameters stays the same; ``plain``: pairs without the identity path,
        h_i = W_i [V_iᵀ h_{i-1} - b_i]_+, whose parameters may have both signs.
    mixing : str
        Whether the V_i are learned, or the identity (then m = n).
    width, depth, filters : int
        m, L and F.
    """

    kind: Kind = "paired"
    mixing: Mixing = "learned"
    width: int = 32
    depth: int = 3
    filters: int = 64

    @property
    def features(self) -> int:
        """Length n of the feature vector."""
        return self.filters * GRID * GRID

    @property
    def per_class(self) -> int:
        """Networks per class: 2 for a pair."""
        return 1 if self.kind == "single" else 2

    @property
    def networks(self) -> int:
        """Number K of networks."""
        return CLASSES * self.per_class

    @property
    def hidden(self) -> int:
        """ReLUs per layer and network."""
        if self.identity:
            return self.features
        return self.width * 2 if self.kind == "single" else self.width

    @property
    def identity(self) -> bool:
        """Whether V = I."""
        return self.mixing == "identity"

    @property
    def residual(self) -> bool:
        """Whether layers add to the identity."""
        return self.kind != "plain"

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the stored segments, in their order in memory; `A` holds V with c below it."""
        n, rows = self.features, self.depth * self.hidden
        return {
            "conv.weight": (self.filters, KERNEL * KERNEL),
            "conv.bias": (self.filters,),
            "d": (CLASSES,),
            "A": (self.networks, (0 if self.identity else rows) + 1, n),
            "W": (self.networks, rows, n),
            "b": (self.networks, rows),
        }

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def check(self) -> None:
        """Refuse a network that no machine of today trains.

        Raises
        ------
        InputError
            If it has more than `PARAMETER_LIMIT` parameters.
        """
        if self.size > PARAMETER_LIMIT:
            raise InputError(
                "width", self.width, f"give sizes with at most {whole(PARAMETER_LIMIT)} parameters"
            )

    def to_config(self) -> dict[str, Any]:
        """Describe the network as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Architecture:
        """Read `to_config` back.

        Raises
        ------
        InputError
            If a key is missing or unknown, or a value is out of range.
        """
        names = {"kind", "mixing", "width", "depth", "filters"}
        if not isinstance(config, Mapping) or set(config) != names:
            raise InputError("model", config, f"describe it by {', '.join(sorted(names))}")
        if config["kind"] not in get_args(Kind) or config["mixing"] not in get_args(Mixing):
            raise InputError("model", config, "give a kind and a mixing that this program knows")
        for name, most in (("width", 4096), ("depth", 64), ("filters", 1024)):
            if type(config[name]) is not int or not 1 <= config[name] <= most:
                raise InputError(name, config[name], f"give a whole number from 1 to {most}")
        architecture = cls(**config)
        architecture.check()
        return architecture


class Parameters:
    """Parameters of a network in one flat array, with a view for each part.

    `free` is the part without a sign (convolution and d), `signed` the rest, which the projection
    keeps nonnegative: V, W, b and c.
    """

    def __init__(self, architecture: Architecture, flat: Tensor | None = None) -> None:
        self.architecture = architecture
        self.flat = torch.zeros(architecture.size) if flat is None else flat
        self.parts: dict[str, Tensor] = {}
        self.offsets: dict[str, int] = {}
        offset = 0
        for name, shape in architecture.shapes.items():
            size = math.prod(shape)
            self.offsets[name] = offset
            self.parts[name] = self.flat[offset : offset + size].view(shape)
            offset += size
        self.free = self.flat[: self.offsets["A"]]
        self.signed = self.flat[self.offsets["A"] :]

    def tensors(self) -> dict[str, Tensor]:
        """Return views by their public names and shapes (see the module's table)."""
        return public(self.architecture, self.parts)

    def load(self, tensors: Tensors) -> None:
        """Copy values by their public names.

        Raises
        ------
        InputError
            If a name is missing or unknown, a shape differs, or a value is not finite.
        """
        own = self.tensors()
        if set(tensors) != set(own):
            raise InputError("model", sorted(tensors), f"it needs {', '.join(own)}")
        for name, target in own.items():
            values = tensors[name]
            if tuple(values.shape) != tuple(target.shape):
                shape = tuple(target.shape)
                raise InputError("model", name, f"its shape is {shape}, not {tuple(values.shape)}")
            if not torch.isfinite(values).all():
                raise InputError("model", name, "give finite numbers")
        for name, target in own.items():
            target.copy_(tensors[name])

    def copy(self) -> Parameters:
        """Copy everything."""
        return Parameters(self.architecture, self.flat.detach().clone())


def public(architecture: Architecture, parts: Tensors) -> dict[str, Tensor]:
    """Turn stored segments into views by public names; gradients pass through them."""
    K, L, m, n = (
        architecture.networks,
        architecture.depth,
        architecture.hidden,
        architecture.features,
    )
    # split and unbind have cheap gradients: one copy, where slices each fill an array with zeros
    rows = parts["A"].shape[1] - 1
    V, c = torch.split(parts["A"], [rows, 1], dim=1)
    tensors = {
        "conv.weight": parts["conv.weight"].view(-1, 1, KERNEL, KERNEL),
        "conv.bias": parts["conv.bias"],
    }
    if not architecture.identity:
        tensors["V"] = V.view(K, L, m, n)
    tensors |= {
        "W": parts["W"].view(K, L, m, n),
        "b": parts["b"].view(K, L, m),
        "c": c.squeeze(1),
        "d": parts["d"],
    }
    return tensors


def initialise(
    architecture: Architecture, generator: torch.Generator, bias_range: float = 0.3
) -> Parameters:
    """Draw the start of a run; the same on every device, since it is drawn on the CPU.

    V ~ U[0, 2/n] keeps the mean of the features, W ~ U[0, 0.2/m] keeps layers close to the
    identity, c ~ U[0, 2/n]. Networks without the identity path learn nothing from such a start,
    since averages of averages lose the image; theirs is V and W ~ N(0, (2/(nm))^½), which keeps
    the size of the layers, and c ~ N(0, 1/n). In both, b ~ U[0, bias_range], d = 0, and filters
    and their biases ~ U[-1/6, 1/6].
    """
    parameters = Parameters(architecture)
    n, m = architecture.features, architecture.hidden
    tops = {"V": 2 / n, "W": 0.2 / m, "c": 2 / n}
    balanced = (2 / n) ** 0.5 if architecture.identity else (2 / (n * m)) ** 0.25
    deviations = {"V": balanced, "W": balanced, "c": n**-0.5}
    for name, values in parameters.tensors().items():
        # drawn contiguously, so that the layout in memory does not decide the numbers
        if name.startswith("conv"):
            drawn = torch.rand(values.shape, generator=generator).sub_(0.5).mul_(2 / KERNEL)
        elif name == "d":
            continue
        elif name == "b":
            drawn = torch.rand(values.shape, generator=generator).mul_(bias_range)
        elif architecture.residual:
            drawn = torch.rand(values.shape, generator=generator).mul_(tops[name])
        else:
            drawn = torch.randn(values.shape, generator=generator).mul_(deviations[name])
        values.copy_(drawn)
    return parameters


def features(tensors: Tensors, images: Tensor) -> Tensor:
    """Compute h_0, shape (B, n), from images of shape (B, 1, 25, 25) or larger, in [0, 1]."""
    outputs = functional.conv2d(
        images[..., :CROP, :CROP], tensors["conv.weight"], tensors["conv.bias"]
    )
    return functional.relu(functional.max_pool2d(outputs, POOL)).flatten(1)


def parts(
    architecture: Architecture,
    tensors: Tensors,
    h0: Tensor,
    watch: Callable[[Tensor], None] = lambda z: None,
) -> Tensor:
    """Compute cᵀ h_L of every network by (7a)-(7c), shape (B, K).

    `watch` is shown the outputs of each layer's ReLUs, shape (K, B, m).
    """
    h = h0.expand(architecture.networks, *h0.shape)
    Vs = tensors["V"].unbind(1) if "V" in tensors else [None] * architecture.depth
    for V, W, b in zip(Vs, tensors["W"].unbind(1), tensors["b"].unbind(1), strict=True):
        u = h if V is None else torch.bmm(h, V.mT)
        z = functional.relu(u - b[:, None])
        watch(z)
        step = torch.bmm(z, W)
        h = h + step if architecture.residual else step
    return torch.bmm(h, tensors["c"][:, :, None]).squeeze(2).T


def active_fractions(architecture: Architecture, tensors: Tensors, h0: Tensor) -> Tensor:
    """Compute the fraction of ReLUs that are on, per layer, shape (L,)."""
    fractions: list[Tensor] = []
    parts(architecture, tensors, h0, lambda z: fractions.append((z > 0).float().mean()))
    return torch.stack(fractions)


def scores(architecture: Architecture, answers: Tensor, d: Tensor) -> Tensor:
    """Combine the networks' answers, shape (B, K), to r_k - s_k + d_k, shape (B, 10)."""
    if architecture.per_class == 1:
        return answers + d
    return answers[:, 0::2] - answers[:, 1::2] + d


def forward(architecture: Architecture, tensors: Tensors, images: Tensor) -> Tensor:
    """Compute the scores of images, shape (B, 10)."""
    answers = parts(architecture, tensors, features(tensors, images))
    return scores(architecture, answers, tensors["d"])


def loss(values: Tensor, labels: Tensor, squared_error: bool) -> Tensor:
    """Compute the mean loss: cross-entropy, or ½ Σ_k (f_k - y_k)² with one-hot y."""
    if squared_error:
        target = functional.one_hot(labels.long(), CLASSES).to(values.dtype)
        return 0.5 * (values - target).square().sum(1).mean()
    return functional.cross_entropy(values, labels.long())
