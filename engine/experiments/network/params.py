"""Parameters of the training of an own network."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from engine.core.errors import InputError
from engine.core.params import NO_HINT, Hint, Params, param
from engine.experiments.network.choices import (
    DENSE,
    OWN,
    STARTS,
    WITH_CLASSES,
    Activation,
    Branch,
    Form,
    LossName,
    OptimiserName,
    Pooling,
    Source,
    Start,
)
from engine.families.ensembles.params import GROUP as ENSEMBLE
from engine.families.ensembles.params import many_seeds, many_step_sizes
from engine.families.hyperparameters import hyperparameter
from engine.theory.optimisers import OptimiserDescription, Setting, describe

_DATA, _NETWORK, _DESCENT = "Data", "Network", "Descent"
_START, _MEASURE, _MACHINE = "Start", "Measurements", "Machine"
_IMAGES = "Convolutions"

MOST_WEIGHTS = 20_000_000
_MOMENTUM = ["heavy-ball", "nesterov", "adam", "adamw"]
_ADAPTIVE = ["rmsprop", "adam", "adamw"]
_DECAYING = ["gradient-descent", "heavy-ball", "nesterov", "rmsprop", "adam", "adamw"]


class NetworkParams(Params):
    """Parameters of a network, its data and its training."""

    folded: ClassVar[tuple[str, ...]] = (_IMAGES, _START, _MEASURE, _MACHINE)

    data: Source = param(
        "digits",
        "The bundled digits; points of a random teacher network; two moons; two spirals; a line in "
        "noise; a sum of two sines; a file; or a folder of images in IDX files, as MNIST has them.",
        group=_DATA,
    )
    data_file: str = param(
        "",
        "CSV or NPY file with one row a sample, or NPZ file with arrays x and y.",
        group=_DATA,
        widget="file",
        when={"data": ["file"]},
    )
    data_folder: str = param(
        "",
        "Folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and the two t10k files, "
        "each packed with gzip or not.",
        label="IDX folder",
        group=_DATA,
        widget="folder",
        when={"data": ["idx"]},
    )
    task: Literal["regression", "classes"] = param(
        "regression",
        "Whether the targets are numbers, or each value of the target names a class.",
        group=_DATA,
        when={"data": ["file"]},
    )
    targets: str = param(
        "last",
        "Columns that are to be learned, by heading or by number from 1, with commas between them; "
        "last: the last one; all others are inputs.",
        group=_DATA,
        when={"data": ["file"]},
    )
    points: int = param(
        1000,
        "Samples: of the bundled digits and of images the first ones, or so many are drawn.",
        symbol="N",
        group=_DATA,
        ge=2,
        le=100_000,
        log=True,
        when={"data": ["digits", "teacher", "moons", "spirals", "line", "sines", "idx"]},
    )
    inputs: int = param(
        10,
        "Inputs of the teacher network.",
        group=_DATA,
        ge=1,
        le=1000,
        log=True,
        when={"data": ["teacher"]},
    )
    waves: int = param(
        4,
        "Half waves of the faster sine.",
        group=_DATA,
        ge=1,
        le=50,
        when={"data": ["sines"]},
    )
    noise: float = param(
        0.1,
        "Standard deviation of the noise: of the targets, or of the points of moons and spirals.",
        group=_DATA,
        ge=0,
        le=10,
        when={"data": ["teacher", "moons", "spirals", "line", "sines"]},
    )
    held_out: float = param(
        0.2,
        "Share of the samples that the network does not learn from; digits and IDX folders have a "
        "fixed part.",
        group=_DATA,
        ge=0,
        le=0.9,
        when={"data": ["teacher", "moons", "spirals", "line", "sines", "file"]},
    )
    scaling: Literal["whole", "columns", "none"] = param(
        "whole",
        "How the inputs are standardised: every column is centred and all are divided by one "
        "deviation, or each by its own; or not at all.",
        label="Inputs scaled",
        group=_DATA,
    )
    data_seed: int = param(
        0,
        "Seed of what is drawn of the data, and of the samples that are held out.",
        group=_DATA,
        ge=0,
        le=2**31 - 1,
        when={"data": ["teacher", "moons", "spirals", "line", "sines", "file"]},
    )
    form: Form = param(
        "plain",
        "Plain layers; residual ones, h + s φ(Wh + b), between the first and the last; the "
        "paper's pair, the difference r − s of two residual networks; convolutions of images and a "
        "dense last layer; or an nn.Module that a Python file of yours makes.",
        group=_NETWORK,
    )
    module_file: str = param(
        "",
        "Python file whose function returns an nn.Module. Its code is executed with all your "
        "rights, so only after you have said that you trust it, and that for as long as the "
        "program is open and the file stays the same.",
        label="Module's file",
        group=_NETWORK,
        widget="file",
        when={"form": ["module"]},
    )
    module_function: str = param(
        "make",
        "Function of the file that returns the module; it may take the numbers of inputs and "
        "outputs.",
        label="Module's function",
        group=_NETWORK,
        when={"form": ["module"]},
    )
    depth: int = param(
        3,
        "Layers of weights, the first and the last included.",
        symbol="L",
        group=_NETWORK,
        ge=1,
        le=128,
        when={"form": OWN},
    )
    width: int = param(
        32,
        "Units of each hidden layer, or channels of each convolution.",
        group=_NETWORK,
        ge=1,
        le=4096,
        log=True,
        when={"form": OWN},
    )
    widths: str = param(
        "",
        "Units of the hidden layers one by one, such as 64, 32; empty: the width, in as many "
        "layers as the depth has.",
        group=_NETWORK,
        when={"form": DENSE},
    )
    activation: Activation = param(
        "tanh",
        "What each hidden layer applies to its sums.",
        symbol=r"\varphi",
        group=_NETWORK,
        when={"form": OWN},
    )
    branch_scale: Branch = param(
        "1",
        "Factor s of a residual branch.",
        symbol="s",
        group=_NETWORK,
        when={"form": ["residual", "pair"]},
    )
    layer_norm: bool = param(
        False,
        "Whether the sums of each hidden layer are standardised over its units before φ.",
        group=_NETWORK,
        when={"form": DENSE},
    )
    biases: bool = param(
        True, "Whether the layers have biases.", group=_NETWORK, when={"form": OWN}
    )

    kernel: Literal["3", "5", "7"] = param(
        "3",
        "Rows and columns of each convolution's kernels; images keep their size.",
        group=_IMAGES,
        when={"form": ["convolutional"]},
    )
    pooling: Pooling = param(
        "average",
        "How images are halved after each convolution, as long as both sides are 4 or more: "
        "squares of four values become their mean, or their largest.",
        group=_IMAGES,
        when={"form": ["convolutional"]},
    )

    loss: LossName = param(
        "squared-error",
        "The mean over samples of half the squared error, of the cross-entropy, or of the logistic "
        "loss of one score; classes are learned as 0 and 1 by the squared error.",
        group=_DESCENT,
    )
    optimiser: OptimiserName = param("gradient-descent", "How steps are made.", group=_DESCENT)
    step_size: float = param(
        0.3,
        "Step size.",
        symbol=r"\delta",
        group=_DESCENT,
        ge=1e-9,
        le=1e4,
        log=True,
        live=True,
        bounds={"optimiser": ["gradient-descent", "heavy-ball", "nesterov"]},
    )
    momentum: float = hyperparameter("momentum", _MOMENTUM, group=_DESCENT)
    square_decay: float = hyperparameter("square_decay", _ADAPTIVE, group=_DESCENT)
    epsilon: float = hyperparameter("epsilon", _ADAPTIVE, group=_DESCENT)
    radius: float = hyperparameter("radius", ["sam"], group=_DESCENT)
    weight_decay: float = hyperparameter("weight_decay", _DECAYING, group=_DESCENT)
    batch_size: int = param(
        0,
        "Samples of a step, in a new order each epoch; 0: all.",
        group=_DESCENT,
        ge=0,
        le=100_000,
    )

    start: Start = param(
        "standard",
        "Weights at step 0: standard is PyTorch's, uniform within 1/√(inputs of the layer), biases "
        "too; the others begin without biases. He, Xavier and LeCun are normal; mup is LeCun's "
        "with a last layer of deviation 1/inputs; zero-branch is He's with residual branches of 0. "
        "A module begins as its function makes it. Or the weights of a file.",
        group=_START,
    )
    start_file: str = param(
        "",
        "Weights by name: safetensors or NPZ, weights that PyTorch saved (.pt), or ONNX that this "
        "program wrote.",
        label="Weights' file",
        group=_START,
        widget="file",
        when={"start": ["file"]},
    )
    start_scale: float = param(
        1.0, "Factor of all weights at step 0.", group=_START, gt=0, le=100, log=True
    )

    sharpness_every: int = param(
        10,
        "Steps between two looks at the Hessian; 0: none. The status shows what a look costs.",
        group=_MEASURE,
        ge=0,
        le=1_000_000,
        live=True,
        measures=True,
    )
    eigenvalues: int = param(
        1,
        "Eigenvalues of the Hessian that are found, the largest.",
        group=_MEASURE,
        ge=1,
        le=16,
        measures=True,
    )
    sharpness_samples: int = param(
        0,
        "Samples, the first ones, on which the Hessian is taken; 0: all.",
        group=_MEASURE,
        ge=0,
        le=100_000,
        measures=True,
    )
    measure_every: int = param(
        10,
        "Steps between two looks at the held-out samples and at the layers.",
        group=_MEASURE,
        ge=1,
        le=1_000_000,
        live=True,
        measures=True,
    )
    flow: bool = param(
        False,
        "Whether to integrate the gradient flow beside plain descent on full batches, which takes "
        "six gradients a step or more.",
        label="Gradient flow",
        group=_MEASURE,
        when={"optimiser": ["gradient-descent"], "batch_size": [0]},
    )
    central_flow: bool = param(
        False,
        "Whether to integrate the central flow beside plain descent on full batches, meant to be "
        "the mean of descent at the edge of stability; for networks of up to 20,000 weights, at "
        "the cost of some 50 gradients a step and more.",
        group=_MEASURE,
        when={"optimiser": ["gradient-descent"], "batch_size": [0]},
    )
    expansion_every: int = param(
        0,
        "Looks at the Hessian from one at which third and fourth derivatives along its first "
        "eigenvector are found, and the flip coefficient, to the next; 0: none.",
        label="Expansion every",
        group=_MEASURE,
        ge=0,
        le=1_000_000,
        when={"optimiser": ["gradient-descent", "heavy-ball", "nesterov"]},
        measures=True,
    )
    goal: float = param(
        0.0,
        "Training loss at which the run is said to have converged.",
        group=_MEASURE,
        ge=0,
        le=1e6,
        live=True,
    )

    accuracy_goal: float = param(
        0.0,
        "Training accuracy in percent at which the run is said to have converged; 0: none.",
        group=_MEASURE,
        ge=0,
        le=100,
        live=True,
    )

    precision: Literal["float32", "float64"] = param(
        "float32", "Numbers that are computed with.", group=_MACHINE
    )
    device: Literal["cpu", "cuda"] = param(
        "cpu", "Where to compute; on a GPU runs have other bits.", group=_MACHINE
    )

    ensemble: int = many_seeds()
    step_sizes: tuple[float, ...] = many_step_sizes()
    depths: tuple[float, ...] = param(
        (),
        "Depths of an ensemble, with layers of one width; an empty list takes the depth above.",
        group=ENSEMBLE,
        ge=1,
        le=128,
        for_ensemble=True,
    )
    compare: Literal["this-form", "plain-and-residual"] = param(
        "this-form",
        "Networks of an ensemble: of the form above, or a plain and a residual one from each seed.",
        group=ENSEMBLE,
        for_ensemble=True,
    )

    def hint(self, name: str) -> Hint:
        """Return what the list of widths says about depth and width."""
        if name in ("depth", "width") and self.widths.strip():
            return Hint(note="not used, as the widths are given")
        return NO_HINT

    @property
    def setting(self) -> Setting:
        """The optimiser with its hyperparameters."""
        return Setting(
            optimiser=self.optimiser,
            step_size=self.step_size,
            momentum=self.momentum,
            square_decay=self.square_decay,
            epsilon=self.epsilon,
            weight_decay=0.0 if self.optimiser in ("sam", "normalised-gd") else self.weight_decay,
            radius=self.radius,
        )

    @property
    def described(self) -> OptimiserDescription:
        """The optimiser's description: its threshold, in numbers and in words."""
        return describe(self.optimiser)

    @property
    def has_classes(self) -> bool:
        """Whether the targets are classes."""
        return self.task == "classes" if self.data == "file" else self.data in WITH_CLASSES

    @property
    def is_smooth(self) -> bool | None:
        """Whether the loss has all derivatives; None where that is not known."""
        if self.form == "module":
            return None
        if self.form == "convolutional" and self.pooling == "max":
            return False
        return self.activation not in ("relu", "leaky-relu")

    @property
    def unit(self) -> str:
        """What a hidden layer applies, for people."""
        if self.form == "module":
            return "not known of a module"
        is_max = self.form == "convolutional" and self.pooling == "max"
        return f"{self.activation}, maxima" if is_max else self.activation

    @property
    def has_flow(self) -> bool:
        """Whether the gradient flow is integrated beside the run."""
        return self.flow and self.optimiser == "gradient-descent" and self.batch_size == 0

    def has_reached(self, loss: float, accuracy: float) -> bool:
        """Return whether a training loss, or an accuracy in percent, is that of the goal."""
        return loss <= self.goal > 0.0 or accuracy >= self.accuracy_goal > 0.0

    @property
    def has_central_flow(self) -> bool:
        """Whether the central flow is integrated beside the run."""
        return self.central_flow and self.optimiser == "gradient-descent" and self.batch_size == 0

    @property
    def expands(self) -> bool:
        """Whether derivatives along the first eigenvector are found at some looks."""
        return bool(self.expansion_every and self.sharpness_every) and not (
            self.described.is_adaptive or self.optimiser in ("sam", "normalised-gd")
        )

    @property
    def curvature_symbol(self) -> str:
        """Mathtext of the largest eigenvalue of the curvature that counts for the optimiser."""
        return r"\lambda_{\max}(P^{-1}H)" if self.described.is_adaptive else "S"

    def is_minibatch(self, count: int) -> bool:
        """Return whether a step uses a part of so many samples."""
        return 0 < self.batch_size < count

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers.

        Raises
        ------
        InputError
            If the text of `widths` is no list of whole numbers.
        """
        if not self.widths.strip():
            return (self.width,) * (self.depth - 1)
        rule = "give whole numbers from 1 to 4096, such as 64, 32, at most 127 of them"
        try:
            found = tuple(int(word) for word in self.widths.replace(",", " ").split())
        except ValueError:
            raise InputError("widths", self.widths, rule) from None
        if not found or len(found) > 127 or not all(1 <= width <= 4096 for width in found):
            raise InputError("widths", self.widths, rule)
        return found

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        """Refuse what cannot be one network before a run is given up for it."""
        hidden = self.hidden
        if self.loss != "squared-error" and not self.has_classes:
            raise InputError("loss", self.loss, "give squared-error, as the targets are numbers")
        if self.loss == "logistic" and self.data == "digits":
            rule = "give squared-error or cross-entropy, as there are more than two classes"
            raise InputError("loss", self.loss, rule)
        starts = STARTS.get(self.form)
        if starts is not None and self.start not in starts:
            rule = f"give one of {', '.join(starts)}, as the form is {self.form}"
            raise InputError("start", self.start, rule)
        if self.start == "zero-branch" and self.form == "plain":
            rule = "give another start, as plain layers of zeros learn nothing"
            raise InputError("start", self.start, rule)
        dense = self.form in DENSE
        inner = sum(a * b for a, b in pairwise(hidden)) if dense else 0
        if inner > MOST_WEIGHTS:
            rule = f"give layers of at most {MOST_WEIGHTS:,} weights together"
            raise InputError("widths" if self.widths.strip() else "width", self.width, rule)
        return self
