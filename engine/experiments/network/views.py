"""The plots of a training run, described as data."""

from __future__ import annotations

from engine.core.views import (
    Curve,
    Heat,
    PlaneView,
    Points,
    Rule,
    Series,
    TableView,
    TimeView,
    View,
)
from engine.experiments.network.params import NetworkParams

LINE, PLANE = ("line", "sines"), ("moons", "spirals")
"""Data of one input and of two, whose function is drawn; those of a file are known later."""


def views(params: NetworkParams) -> tuple[View, ...]:
    """Describe the plots, the most telling first."""
    drawn: tuple[View, ...] = ()
    if params.data in LINE or params.data == "file":
        drawn += (_line(shown=params.data != "file"),)
    if params.data in PLANE or params.data == "file":
        drawn += (_plane(params, shown=params.data != "file"),)
    first = (_sharpness(params), *drawn, _loss(params))
    if not params.sharpness_every:
        first = (_loss(params), *drawn, _sharpness(params))
    return (
        *first,
        *((_flow(params),) if params.has_flow or params.has_central_flow else ()),
        *((_accuracy(params),) if params.has_classes else ()),
        *((_bend(), _flip()) if params.expands else ()),
        _stability(params),
        _eigenvalues(params),
        _layers(params),
        _alignments(),
        _gradient(),
        _spectra(),
        _status(),
    )


def _sharpness(params: NetworkParams) -> View:
    described, symbol = params.described, params.curvature_symbol
    subset = f" on the first {params.sharpness_samples} samples" if params.sharpness_samples else ""
    return TimeView(
        id="sharpness",
        title="Sharpness",
        help=f"The largest eigenvalue of the Hessian{' divided by P' * described.is_adaptive}"
        f"{subset}; dashed, the largest that is stable under {described.title}. A run that comes "
        "to the limit from below may stay there: the edge of stability.",
        y_label=f"${symbol}$",
        series=(
            Series(key="sharpness", label=f"${symbol}$", points=True),
            Series(
                key="limit",
                label=rf"limit, ${described.sharpness_formula}$",
                color="bound",
                dash="dash",
            ),
            *((_CENTRAL_SHARPNESS,) if params.has_central_flow else ()),
        ),
        shown=params.sharpness_every > 0,
    )


_CENTRAL_SHARPNESS = Series(key="central_sharpness", label="central flow", color="4", points=True)


def _flow(params: NetworkParams) -> View:
    title, text = "Distance from the gradient flow", ""
    series: tuple[Series, ...] = (_distance(""),)
    if params.has_flow:
        text = (
            "How far the run is from dw/dt = −∇f from the same start, at the time δk; beyond the "
            "edge of stability they part."
        )
    if params.has_central_flow:
        title = "Distance from the central flow"
        text += (
            " The central flow begins where the run does, or at its last change; it is meant to be "
            "the mean of the run over its swings, which are a part of the distance."
        )
        series = (Series(key="central_distance", label="central flow", color="4"),)
        if params.has_flow:
            title, series = "Distance from the flows", (_distance("gradient flow"), *series)
    return TimeView(
        id="flow",
        title=title,
        help=text.strip(),
        y_label=r"$\|w-w_{\mathrm{flow}}\|$",
        series=series,
    )


def _distance(label: str) -> Series:
    return Series(key="flow_distance", label=label)


def _bend() -> View:
    return TimeView(
        id="bend",
        title="Along the first eigenvector",
        help="Third derivative of the loss along the first eigenvector v of the Hessian, in "
        "magnitude, and the fourth; and the change of the sharpness by a step, to first order: "
        "above 0 the run becomes sharper.",
        y_label="along $v$",
        series=(
            Series(key="third", label=r"$|\nabla^3f(v,v,v)|$", points=True),
            Series(key="fourth", label=r"$\nabla^4f(v,v,v,v)$", color="2", points=True),
            Series(key="sharpness_drift", label=r"$-\delta\,\nabla S\cdot\nabla f$", color="3",
                   points=True),
        ),
        rules=(Rule(label="", value=0.0, color="muted"),),
    )  # fmt: skip


def _flip() -> View:
    return TimeView(
        id="flip",
        title="Flip coefficient",
        help="What decides, at a minimum whose sharpness comes to 2/δ, between a stable cycle of "
        "period 2 (above 0) and none near the minimum (below 0); also that of the line along v "
        "alone. Elsewhere than at a minimum it is only a number: see the dock.",
        y_label="$c$",
        series=(
            Series(key="flip", label="$c$", points=True),
            Series(key="flip_line", label="on the line", color="2", points=True),
        ),
        rules=(Rule(label="", value=0.0, color="muted"),),
        shown=False,
    )


def _loss(params: NetworkParams) -> View:
    batches = (Series(key="batch_loss", label="batch", color="muted"),)
    flow = Series(key="flow_loss", label="gradient flow", color="3", dash="dash")
    central = (
        Series(key="central_loss", label="central flow", color="4", dash="dash"),
        Series(key="central_mean_loss", label="its mean of descent", color="4"),
    )
    rules = (Rule(label="goal", value=params.goal, color="good"),) if params.goal > 0.0 else ()
    return TimeView(
        id="loss",
        title="Loss",
        help="Over the training samples and over those that are held out, on a log axis. At "
        "the edge of stability it falls in the long run and not at every step.",
        y_label="$f$",
        series=(
            *(batches if params.batch_size else ()),
            Series(key="loss", label="training", points=params.batch_size > 0),
            Series(key="held_loss", label="held out", color="2", points=True),
            *((flow,) if params.has_flow else ()),
            *(central if params.has_central_flow else ()),
        ),
        rules=rules,
        log_y=True,
    )


def _accuracy(params: NetworkParams) -> View:
    goal = params.accuracy_goal
    rules = (Rule(label="goal", value=goal, color="good"),) if goal > 0.0 else ()
    return TimeView(
        id="accuracy",
        title="Accuracy",
        help="Share of the samples whose class has the largest score.",
        y_label="%",
        series=(
            Series(key="accuracy", label="training"),
            Series(key="held_accuracy", label="held out", color="2", points=True),
        ),
        rules=rules,
        y_limit=(0.0, 100.0),
    )


def _stability(params: NetworkParams) -> View:
    return TimeView(
        id="stability",
        title="Stability",
        help="The curvature over the largest that is stable under "
        f"{params.described.title}: a minimum above 1 is unstable.",
        y_label=rf"${params.curvature_symbol}$ / limit",
        series=(Series(key="stability", label="", points=True),),
        rules=(Rule(label="limit", value=1.0, color="bad"),),
        shown=False,
    )


def _eigenvalues(params: NetworkParams) -> View:
    return TimeView(
        id="eigenvalues",
        title="Largest eigenvalues",
        help="As many as the parameter Eigenvalues says, with the limit. One after the other may "
        "come to it.",
        y_label=r"$\lambda_i$",
        series=(
            Series(key="eigenvalues", label=r"$\lambda_i$", color="ramp", points=True),
            Series(key="limit", label="limit", color="bound", dash="dash"),
        ),
        shown=params.eigenvalues > 1,
    )


def _layers(params: NetworkParams) -> View:
    pair = "; those of r, then those of s" if params.form == "pair" else ""
    return TimeView(
        id="layers",
        title="Norms of the layers",
        help=f"Frobenius norm of each matrix, the first layer the darkest{pair}.",
        y_label=r"$\|W_i\|_F$",
        series=(Series(key="layer_norms", label=r"$\|W_i\|_F$", color="ramp", points=True),),
        shown=False,
    )


def _alignments() -> View:
    return TimeView(
        id="alignments",
        title="Alignment of neighbouring layers",
        help="How well what a layer gives most to is what the next one takes most from: 1 where "
        "their first singular vectors agree.",
        y_label=r"$|v_1(W_{i+1})\cdot u_1(W_i)|$",
        series=(Series(key="alignments", label="", color="ramp", points=True),),
        y_limit=(0.0, 1.0),
        shown=False,
    )


def _gradient() -> View:
    return TimeView(
        id="gradient",
        title="Gradient",
        help="Its norm, on the samples of the step that follows.",
        y_label=r"$\|\nabla f\|$",
        series=(Series(key="gradient", label=""),),
        log_y=True,
        shown=False,
    )


def _line(*, shown: bool) -> View:
    return PlaneView(
        id="function",
        title="Function",
        help="What the network makes of its one input, with the samples.",
        x_label="$x$",
        y_label="$y$",
        items=(
            Points(x="held_x", y="held_y", label="held out", color="2", size=4.0, hollow=True),
            Points(x="sample_x", y="sample_y", label="training", color="muted", size=4.0),
            Curve(x="line_x", y="line_y", label="network", color="1", width=2.5),
        ),
        shown=shown,
    )


def _plane(params: NetworkParams, *, shown: bool) -> View:
    others = Points(x="other_x", y="other_y", label="others", color="muted", size=4.0)
    return PlaneView(
        id="plane",
        title="Function of two inputs",
        help="What the network makes of its two inputs: with classes, how far the score of the "
        "second is above that of the first; with the training samples.",
        x_label="$x_1$",
        y_label="$x_2$",
        items=(
            Heat(
                key="heat",
                extent_key="extent",
                label="score" if params.has_classes else "$y$",
                colormap="diverging" if params.has_classes else "sequential",
            ),
            Points(x="first_x", y="first_y", label="class 1", color="1", size=4.0),
            Points(x="second_x", y="second_y", label="class 2", color="2", size=4.0),
            *((others,) if params.data == "file" else ()),
        ),
        equal=True,
        shown=shown,
    )


def _spectra() -> View:
    return PlaneView(
        id="spectra",
        title="Singular values of the layers",
        help="Those of each matrix, the largest first, as many as the smaller side has.",
        x_label="layer",
        y_label=r"$\sigma$",
        items=(Points(x="spectrum_x", y="spectrum_y", color="1", size=4.0),),
        shown=False,
    )


def _status() -> View:
    return TableView(
        id="status",
        title="Network",
        help="Sizes of the data and the network, what a look at the Hessian costs, and the phases "
        "with the steps at which they began.",
        key="status",
        headings=("Quantity", "Value"),
        shown=False,
    )
