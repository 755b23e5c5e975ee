"""Plots of the MNIST experiment."""

from __future__ import annotations

from engine.core.views import (
    BarView,
    Curve,
    Extent,
    ImageView,
    PlaneView,
    Points,
    Rule,
    Series,
    TableView,
    TimeView,
    View,
)
from engine.experiments.mnist.params import SUBSET, MnistParams

PAPER_TRAIN, PAPER_TEST = 97.91, 97.58
"""Accuracies of the paper after epoch 12, in percent."""
PAPER_GAP = 0.33
"""Their difference, in percentage points."""
KIND_LABELS = {
    "conv": "filters",
    "V": "$V$",
    "W": "$W$",
    "b": "$b$",
    "c": "$c$",
    "d": "$d$",
}
"""Kinds of parameters, in the order in which norms are recorded."""


def views(params: MnistParams) -> tuple[View, ...]:
    """Describe the plots, the most telling first."""
    return (
        _accuracy(params),
        _figure_5(),
        _loss(),
        _displacement(params),
        _parts(),
        _shown(),
        _sharpness(),
        _gap(),
        _confusion(),
        _gallery(),
        _filters(),
        _active(params),
        _norms("gradient_norms", "Gradient norms", "gradient of the last batch"),
        _norms("parameter_norms", "Parameter norms", "parameters"),
        _spectral(params),
        _lipschitz(),
        _status(),
    )


def _paper_rules() -> tuple[Rule, ...]:
    return (
        Rule(label="paper, train", value=PAPER_TRAIN, color="muted"),
        Rule(label="paper, test", value=PAPER_TEST, color="bound"),
    )


def _accuracy(params: MnistParams) -> View:
    has_looks = params.data != "digits"  # of which there are too few
    looks = (
        " The dashed line is an early look at the first 1\u2009000 test images only, once every "
        "20\u2009000 training images or so."
    )
    early = Series(key=SUBSET, label="first 1\u2009000 test images", color="2", dash="dash")
    return TimeView(
        id="accuracy",
        title="Accuracy",
        help="Accuracy on all training and all test images, beside the paper's after 12 epochs; "
        "the gray line is that of the last 2\u2009000 or so images of the batches, before their "
        "steps." + (looks if has_looks else ""),
        y_label="accuracy (%)",
        series=(
            Series(key="batch_accuracy", label="recent batches", color="muted"),
            Series(key="train_accuracy", label="train", color="1"),
            Series(key="test_accuracy", label="test", color="2"),
            *((early,) if has_looks else ()),
        ),
        rules=_paper_rules(),
        y_limit=(0.0, 100.0),
    )


def _figure_5() -> View:
    return PlaneView(
        id="figure-5",
        title="Figure 5: accuracy after each epoch",
        help="Training and test accuracy after each epoch without any regularisation. In the "
        "paper they stay remarkably close: 97.91 % and 97.58 % after epoch 12.",
        x_label="epoch",
        y_label="accuracy (%)",
        y_extent=Extent((95.0, 100.0), (0.0, 100.0)),
        items=(
            Curve(x="epochs", y="train_curve", label="train", color="1"),
            Curve(x="epochs", y="test_curve", label="test", color="2"),
            Points(x="epochs", y="train_curve", color="1", size=5.0),
            Points(x="epochs", y="test_curve", color="2", size=5.0),
            *_paper_rules(),
        ),
    )


def _loss() -> View:
    return TimeView(
        id="loss",
        title="Loss",
        help="Mean loss of each batch before its step.",
        y_label="loss",
        series=(Series(key="loss", label="batch", color="1"),),
        log_y=True,
    )


def _gap() -> View:
    return TimeView(
        id="gap",
        title="Gap between train and test",
        help="Training minus test accuracy after each epoch; the paper's is 0.33 points.",
        y_label="gap (points)",
        series=(Series(key="gap", label="train - test", color="1"),),
        rules=(Rule(label="paper", value=PAPER_GAP),),
        shown=False,
    )


def _displacement(params: MnistParams) -> View:
    kinds = {"b": "2", "W": "1", "c": "4", "conv": "5"}
    if params.mixing == "learned":
        kinds["V"] = "3"
    order = list(KIND_LABELS)
    return TimeView(
        id="displacement",
        title="How far the parameters moved",
        help="Distance from the start relative to the start's norm. The paper expects the biases "
        "to move least, so that their start decides what can be fitted.",
        y_label=r"$\|x-x_0\|/\|x_0\|$",
        series=tuple(
            Series(
                key="displacement",
                label=KIND_LABELS[kind],
                color=color,
                component=order.index(kind),
            )
            for kind, color in kinds.items()
        ),
        log_y=True,
    )


def _parts() -> View:
    return BarView(
        id="parts",
        title="Convex and concave part of each class",
        help="For the shown test image: r is the convex part, s what is taken from it; the class "
        "with the largest score r - s + d is the answer.",
        categories_key="labels",
        keys=("r", "s", "scores"),
        labels=("$r_k$", "$s_k$", "$r_k - s_k + d_k$"),
        colors=("1", "2", "3"),
        y_label="value",
        x_label="class",
    )


def _shown() -> View:
    return ImageView(
        id="shown",
        title="The shown test image",
        help="Choose another with the parameter shown; the caption gives its class and the answer.",
        key="shown_image",
        colormap="gray",
        captions_key="shown_caption",
    )


def _sharpness() -> View:
    return TimeView(
        id="sharpness",
        title="Sharpness",
        help="Largest eigenvalues of the Hessian of the loss on the first training images, against "
        "the largest that the step size leaves stable; the parameter Hessian every says how often.",
        y_label=r"eigenvalue of $\nabla^2 f$",
        series=(Series(key="hessian", label=r"$\lambda_i(H)$", color="ramp", points=True),),
        rules=(Rule(label="stable below", bound="sharpness_limit"),),
        log_y=True,
    )


def _confusion() -> View:
    return ImageView(
        id="confusion",
        title="Confusion matrix",
        help="Test images by true class (rows) and answer (columns).",
        key="confusion",
        annotate=True,
        x_label="answer",
        y_label="class",
        row_labels_key="labels",
        column_labels_key="labels",
        color_label="images",
        shown=False,
    )


def _gallery() -> View:
    return ImageView(
        id="gallery",
        title="Hardest test images",
        help="Test images by how far another class leads over the true one: misclassified ones "
        "first, with class and answer, then the closest calls.",
        key="gallery",
        colormap="gray",
        captions_key="gallery_captions",
        shown=False,
    )


def _filters() -> View:
    return ImageView(
        id="filters",
        title="Filters of the convolution",
        help="The 6 × 6 filters that turn an image into features; positive one way, negative the "
        "other.",
        key="filters",
        colormap="diverging",
        shown=False,
    )


def _active(params: MnistParams) -> View:
    return TimeView(
        id="active",
        title="Active ReLUs",
        help="Fraction of ReLUs that are on for the images of the last batch, layer by layer.",
        y_label="fraction",
        series=tuple(
            Series(key="active", label=f"layer {i + 1}", color=str(i % 8 + 1), component=i)
            for i in range(params.depth)
        ),
        shown=False,
    )


def _norms(key: str, title: str, what: str) -> View:
    return TimeView(
        id=key.replace("_", "-"),
        title=title,
        help=f"Euclidean norm of the {what}, kind by kind, every ten steps.",
        y_label="norm",
        series=tuple(
            Series(key=key, label=label, color=str(i + 1), component=i)
            for i, label in enumerate(KIND_LABELS.values())
        ),
        log_y=True,
        shown=False,
    )


def _spectral(params: MnistParams) -> View:
    series = [Series(key="spectral_norms", label=r"$\max\|W_i\|_2$", color="1", component=1)]
    if params.mixing == "learned":
        label = r"$\max\|V_i\|_2$"
        series.append(Series(key="spectral_norms", label=label, color="2", component=0))
    return TimeView(
        id="spectral-norms",
        title="Spectral norms",
        help="Largest spectral norm of the matrices W and V over networks and layers, every epoch.",
        y_label="norm",
        series=tuple(series),
        shown=False,
    )


def _lipschitz() -> View:
    return TimeView(
        id="lipschitz",
        title="Lipschitz bounds",
        help="Bounds on how fast a score can change with the image (pixels from 0 to 1): from "
        "spectral norms, and, for nonnegative parameters, from the slope with all ReLUs on.",
        y_label="bound",
        series=(
            Series(key="lipschitz", label="product of norms", color="1", component=0),
            Series(key="lipschitz", label="all ReLUs on", color="2", component=1),
        ),
        log_y=True,
        shown=False,
    )


def _status() -> View:
    return TableView(
        id="status",
        title="Training",
        help="Data, network, speed, time left, what the Hessian cost, and the last checkpoint.",
        key="status",
        headings=("Quantity", "Value"),
        shown=False,
    )
