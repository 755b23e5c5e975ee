"""Plots of the piecewise fit. The first estimator has colour 1, the second colour 2."""

from __future__ import annotations

from engine import theory
from engine.core.views import (
    Curve,
    Dash,
    Handle,
    Item,
    PlaneView,
    Points,
    Rule,
    Series,
    TableView,
    TimeView,
    View,
)
from engine.experiments.piecewise_fit.params import FitParams

NAMES = (r"$\hat f_1$", r"$\hat f_2$")


def all_views(params: FitParams) -> tuple[View, ...]:
    """List the plots, the most telling first."""
    return (
        _fit(params),
        _pair_time(
            "mse",
            "Mean squared error",
            r"mean of $(\hat f - f)^2$",
            "mse",
            "Mean squared error over the points; the loss is half of it.",
        ),
        _parts(),
        _kinks(),
        _movement(),
        _gradients(),
        _slopes(),
        _pieces(),
        _pair_time(
            "lipschitz",
            "Lipschitz constant",
            "largest slope",
            "lipschitz",
            "The steepest piece of each estimate beside that of the function, which is dashed.",
            rules=(Rule(label="Lipschitz constant of f", key="function_lipschitz"),),
            log_y=False,
        ),
        _eigenvalues(params),
        _residuals(),
        _errors(),
        _tracks(),
        _table(),
    )


def _fit(params: FitParams) -> View:
    items: list[Item] = [
        Points(x="data_x", y="data_y", label="data", color="muted", size=4.0),
        Curve(x="function_x", y="function_y", label="f", color="muted", dash="dash"),
    ]
    for which, name in enumerate(NAMES, 1):
        items.append(
            Curve(x=f"fit_{which}_x", y=f"fit_{which}_y", label=name, color=str(which), width=2.0)
        )
        items.append(
            Points(x=f"corner_{which}_x", y=f"corner_{which}_y", color=str(which), size=5.0)
        )
    if params.function == "drawn":
        items.append(Handle(id="point", x="point_x", y="point_y", label="point", color="3"))
    return PlaneView(
        id="fit",
        title="Fit (Figure 4)",
        help="Both estimates over the data; dots are their kinks. Where points are drawn by hand, "
        "click to add one, drag one to move it, or draw a line to add points along it.",
        x_label="x",
        y_label="f(x)",
        items=tuple(items),
        x_range=(0.0, 1.0) if params.function == "drawn" else None,
        drawable="drawn" if params.function == "drawn" else "",
    )


def _parts() -> View:
    items = []
    for which, name in enumerate(NAMES, 1):
        dashes: tuple[tuple[str, Dash], ...] = (("convex", "solid"), ("concave", "dash"))
        for part, dash in dashes:
            x, y = f"{part}_{which}_x", f"{part}_{which}_y"
            items.append(Curve(x=x, y=y, label=f"{name}, {part}", color=str(which), dash=dash))
    return PlaneView(
        id="parts",
        title="Convex and concave parts",
        help="Each estimate is the sum of its convex part (solid), its concave part and d.",
        x_label="x",
        y_label="part",
        items=tuple(items),
    )


def _kinks() -> View:
    items: list[Item] = []
    for which, name in enumerate(NAMES, 1):
        color = str(which)
        items.append(Curve(x=f"way_{which}_x", y=f"way_{which}_y", color=color, width=1.0))
        items.append(
            Points(x=f"kink_{which}_x", y=f"kink_{which}_y", label=f"{name}, now", color=color)
        )
        items.append(
            Handle(
                id=f"start{which}",
                x=f"start_{which}_x",
                y=f"start_{which}_y",
                label=f"{name}, at the start",
                axis="x",
                color=color,
            )
        )
    return PlaneView(
        id="kinks",
        title="Kinks and how far they came",
        help="Each kink from its start (upper end) to where it is now; drag a start to begin anew.",
        x_label="x",
        y_label="convex above concave",
        items=tuple(items),
        y_range=(0.2, 4.4),
    )


def _pair_time(
    view: str,
    title: str,
    y_label: str,
    key: str,
    help: str,
    rules: tuple[Rule, ...] = (),
    log_y: bool = True,
) -> TimeView:
    return TimeView(
        id=view,
        title=title,
        help=help,
        y_label=y_label,
        series=tuple(
            Series(key=key, label=name, color=str(which + 1), component=which)
            for which, name in enumerate(NAMES)
        ),
        rules=rules,
        log_y=log_y,
    )


def _several(
    view: str, title: str, y_label: str, help: str, keys: tuple[tuple[str, str, str], ...]
) -> TimeView:
    """Draw several series (key, label, colour) of both estimators, the second one dashed."""
    dashes: tuple[Dash, Dash] = ("solid", "dash")
    series = [
        Series(
            key=key,
            label=f"{label}, {NAMES[which]}",
            color=color,
            component=which,
            dash=dashes[which],
        )
        for key, label, color in keys
        for which in range(2)
    ]
    return TimeView(
        id=view, title=title, help=help, y_label=y_label, series=tuple(series), log_y=True
    )


def _movement() -> View:
    return _several(
        "movement",
        "Movement since the start",
        "relative to the start",
        "Norm of the change of all weights and of all biases, over the norm at the start.",
        (("weight_movement", "weights", "3"), ("bias_movement", "biases", "4")),
    )


def _gradients() -> View:
    return _several(
        "gradients",
        "Gradient norms",
        "norm",
        "Gradient of the loss with respect to the weights W, the biases b and the scales c.",
        (("gradient_w", "W", "3"), ("gradient_b", "b", "4"), ("gradient_c", "c", "5")),
    )


def _residuals() -> View:
    return _several(
        "residuals",
        "Optimality conditions",
        "largest entry",
        "Largest entry of (12a), of (12b) and of the gradient for the biases, with the sums of "
        "(11); where a parameter is held at its bound only a descent direction counts.",
        (("residual_12a", "(12a)", "3"), ("residual_12b", "(12b)", "5"), ("residual_b", "b", "4")),
    )


def _slopes() -> View:
    items: list[Item] = [
        Curve(x="function_slope_x", y="function_slope_y", label="f", color="muted", dash="dash")
    ]
    for which, name in enumerate(NAMES, 1):
        x, y = f"slope_{which}_x", f"slope_{which}_y"
        items.append(Curve(x=x, y=y, label=name, color=str(which)))
    return PlaneView(
        id="slopes",
        title="Slopes",
        help="Slope of every affine piece; the paper expects none to exceed that of f.",
        x_label="x",
        y_label="slope",
        items=tuple(items),
    )


def _pieces() -> View:
    items: list[Item] = [Points(x="data_x", y="data_y", label="data", color="muted", size=4.0)]
    for which, name in enumerate(NAMES, 1):
        color = str(which)
        items.append(Curve(x=f"fit_{which}_x", y=f"fit_{which}_y", label=name, color=color))
        label = f"{name}, least-squares lines"
        x, y = f"line_{which}_x", f"line_{which}_y"
        items.append(Curve(x=x, y=y, label=label, color=color, dash="dot", width=2.5))
    return PlaneView(
        id="pieces",
        title="Pieces and least-squares lines",
        help="Through the data of every affine piece with at least three points, its own line.",
        x_label="x",
        y_label="f(x)",
        items=tuple(items),
        shown=False,
    )


def _errors() -> View:
    items: list[Item] = [
        Curve(x="data_x", y=f"error_{which}_y", label=name, color=str(which))
        for which, name in enumerate(NAMES, 1)
    ]
    return PlaneView(
        id="errors",
        title="Error over x",
        help="Signed error at every point.",
        x_label="x",
        y_label=r"$\hat f(x) - f(x)$",
        items=(*items, Rule(label="0", value=0.0, color="muted")),
        shown=False,
    )


def _eigenvalues(params: FitParams) -> View:
    series = [
        Series(key=f"eigenvalues_{which}", label=name, color=str(which), points=True)
        for which, name in enumerate(NAMES, 1)
    ]
    formula = theory.describe(params.optimiser).sharpness_formula
    limit = Series(key="limit", label=f"${formula}$", color="bound", dash="dash")
    return TimeView(
        id="eigenvalues",
        title="Top Hessian eigenvalues against the limit",
        help="Largest eigenvalues of the loss's Hessian, now and then; above the limit small "
        "oscillations grow.",
        y_label="eigenvalue",
        series=(*series, limit),
        log_y=True,
    )


def _tracks() -> View:
    return TimeView(
        id="tracks",
        title="Kinks along the run",
        help="Where each layer of both estimators has its kink.",
        y_label="x",
        series=tuple(
            Series(key=f"kinks_{which}", label=name, color=str(which))
            for which, name in enumerate(NAMES, 1)
        ),
        y_limit=(-0.1, 1.25),
        shown=False,
    )


def _table() -> View:
    return TableView(
        id="summary",
        title="Numbers",
        help="What is measured at the step shown.",
        key="summary",
        headings=("quantity", *NAMES, "f"),
        shown=False,
    )
