"""Parameters of the MNIST experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.core.params import Params, param
from engine.families.hyperparameters import hyperparameter

if TYPE_CHECKING:
    from engine.experiments.mnist.network.cpu import Rule
    from engine.experiments.mnist.network.model import Architecture

_DATA = "Data"
_NETWORK = "Network"
_DESCENT = "Descent"
_MEASURE = "Measurements"
_MACHINE = "Machine"

TEN_MILLION = 10_000_000
SUBSET = "test_subset_accuracy"
"""Recorded series of the early looks at some of the test images."""


class MnistParams(Params):
    """Parameters of the ten pairs and of their training; the defaults suit the bundled digits."""

    data: str = param(
        "digits",
        "digits (bundled), mnist or fashion-mnist (downloaded), or a folder with the IDX files.",
        group=_DATA,
        widget="folder",
        keywords=("digits", "mnist", "fashion-mnist"),
    )
    network: Literal["paired", "single", "plain"] = param(
        "paired",
        "Pairs r - s of residual networks; single ones of twice the width; or plain pairs, without "
        "the identity path and with parameters of both signs.",
        group=_NETWORK,
    )
    mixing: Literal["learned", "identity"] = param(
        "learned",
        "Whether the matrices V are learned, or the identity as in the paper's (10b).",
        label="Matrices V",
        group=_NETWORK,
    )
    width: int = param(
        8,
        "Columns m of each V and W, that is ReLUs per layer and network.",
        symbol="m",
        group=_NETWORK,
        ge=1,
        le=1024,
        log=True,
        when={"mixing": ["learned"]},
    )
    depth: int = param(3, "Layers of each network.", symbol="L", group=_NETWORK, ge=1, le=20)
    filters: int = param(
        16,
        "Filters of the convolution; each gives 25 features.",
        group=_NETWORK,
        ge=1,
        le=256,
        log=True,
    )
    bias_range: float = param(
        0.3,
        "Biases of the ReLUs start in [0, this], uniformly.",
        symbol=r"b_{\max}",
        group=_NETWORK,
        ge=0,
        le=10,
    )
    loss: Literal["cross-entropy", "squared-error"] = param(
        "cross-entropy", "What is minimised, on average over a batch.", group=_DESCENT
    )
    optimiser: Literal["gradient-descent", "heavy-ball", "nesterov", "adam"] = param(
        "nesterov", "Plain descent, with momentum of either kind, or Adam.", group=_DESCENT
    )
    step_size: float = param(
        0.05, "Step size.", symbol=r"\delta", group=_DESCENT, ge=1e-12, le=100, log=True, live=True
    )
    schedule: Literal["constant", "linear"] = param(
        "constant",
        "Whether the step size stays, or falls to 0 at the last epoch's end.",
        group=_DESCENT,
        live=True,
    )
    momentum: float = hyperparameter("momentum", ["heavy-ball", "nesterov"], group=_DESCENT)
    projected: bool = param(
        True,
        "Whether negative entries of W, V, b and c are set to 0 after every step.",
        label="Projection",
        group=_DESCENT,
        live=True,
        when={"network": ["paired", "single"]},
    )
    batch_size: int = param(50, "Images per step.", group=_DESCENT, ge=1, le=10_000, log=True)
    epochs: int = param(
        40,
        "Passes over the training images, after which the run ends.",
        group=_DESCENT,
        ge=1,
        le=100_000,
        live=True,
    )
    evaluate_every: int = param(
        0,
        "Steps between two looks at the test images; 0: only at the end of each epoch.",
        group=_MEASURE,
        ge=0,
        le=TEN_MILLION,
        live=True,
        measures=True,
    )
    hessian_every: int = param(
        300,
        "Steps between two looks at the Hessian, the first after step 1; 0: none. A look is as "
        "costly as some 50 steps.",
        group=_MEASURE,
        ge=0,
        le=TEN_MILLION,
        live=True,
        measures=True,
    )
    hessian_count: int = param(
        2,
        "Eigenvalues of the Hessian that are found, the largest.",
        group=_MEASURE,
        ge=1,
        le=8,
        measures=True,
    )
    hessian_images: int = param(
        128,
        "Training images, the first ones, on which the Hessian is taken.",
        group=_MEASURE,
        ge=1,
        le=10_000,
        log=True,
        measures=True,
    )
    shown: int = param(
        0,
        "Test image whose convex and concave parts are shown, counted from 0.",
        group=_MEASURE,
        ge=0,
        le=999_999,
        live=True,
        measures=True,
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = param(
        "auto", "Where to compute: auto takes a GPU where there is one.", group=_MACHINE
    )
    precision: Literal["auto", "float32", "bfloat16"] = param(
        "auto",
        "Arithmetic on a GPU: auto times both and keeps the faster.",
        group=_MACHINE,
        when={"device": ["auto", "cuda"]},
    )
    checkpoints: str = param(
        "",
        "Folder for checkpoints, or the one to resume; if empty, in the user's folder; off: none.",
        group=_MACHINE,
        widget="path",
        keywords=("off",),
    )
    resume: bool = param(
        False,
        "Whether to go on from the named or newest checkpoint, if there is one.",
        group=_MACHINE,
    )

    def architecture(self) -> Architecture:
        """Return the sizes of the network.

        Raises
        ------
        InputError
            If it has too many parameters.
        """
        from engine.experiments.mnist.network.model import Architecture

        architecture = Architecture(
            kind=self.network,
            mixing=self.mixing,
            width=self.width,
            depth=self.depth,
            filters=self.filters,
        )
        architecture.check()
        return architecture

    def rule(self, progress: float) -> Rule:
        """Return the rule of a step, after this fraction of all steps."""
        from engine.experiments.mnist.network.cpu import Rule

        return Rule(
            method=self.optimiser,
            step_size=self.step_size * (max(0.0, 1 - progress) if self.schedule == "linear" else 1),
            momentum=self.momentum,
            projection=self.projected and self.network != "plain",
            squared_error=self.loss == "squared-error",
        )
