"""Table and pictures of many seeds of the piecewise fit."""

from __future__ import annotations

from typing import Any

from engine.core.views import Curve, PlaneView, Points, Rule, TableView, View
from engine.experiments.piecewise_fit.params import FitParams
from engine.experiments.piecewise_fit.views import NAMES

MOST_CURVES = 50
"""Seeds whose estimates are drawn."""

_SHARES = {
    "fit_fraction": "fit",
    "fit_fraction_other_weights": "fit with other start weights",
    "same_end_with_other_weights": "same end with other start weights",
    "diverged_fraction": "diverged",
}
_ROWS = {
    "mse": "mean squared error",
    "lipschitz": "Lipschitz constant",
    "bias_movement": "bias movement, relative",
    "weight_movement": "weight movement, relative",
}


def table_of(estimators: list[dict[str, Any]]) -> list[list[Any]]:
    """Return the rows of the table, a column per estimator."""
    rows: list[list[Any]] = [
        ["biases from 0 to", *(f"{one['bias_range']:g}" for one in estimators)],
        *([name, *(one[key].words for one in estimators)] for key, name in _SHARES.items()),
    ]
    for key, name in _ROWS.items():
        cells = [_quantiles(one[key]) for one in estimators]
        rows.append([f"{name}: 10 %, median, 90 %", *cells])
    return rows


def _quantiles(values: dict[str, float | None]) -> str:
    numbers = [values[key] for key in ("q10", "median", "q90")]
    return "; ".join("none" if number is None else f"{number:.4g}" for number in numbers)


def all_views(params: FitParams) -> tuple[View, ...]:
    """Describe the table and the pictures."""
    limit = Rule(label="fits below", value=params.fit_limit)
    steepness = Rule(label="Lipschitz constant of f", key="function_lipschitz")
    return (
        TableView(
            id="ensemble-table",
            title="Over all seeds",
            help="Shares and quantiles over the seeds.",
            key="table",
            headings=("quantity", *NAMES),
        ),
        _fits_view(),
        _bands_view(limit),
        _sorted_view("mse", "Mean squared error of every seed", limit, True),
        _sorted_view("lipschitz", "Lipschitz constant of every seed", steepness, False),
        _sorted_view("bias_movement", "Bias movement of every seed", None, False),
    )


def _fits_view() -> View:
    curves = [
        Curve(x="fits_x", y=f"fits_{which}_y", label=name, color=str(which), width=1.0)
        for which, name in enumerate(NAMES, 1)
    ]
    truth = Curve(x="function_x", y="function_y", label="f", color="text", dash="dash")
    return PlaneView(
        id="ensemble-fits",
        title="Estimates of all seeds",
        help=f"The estimates of up to {MOST_CURVES} seeds.",
        x_label="x",
        y_label="f(x)",
        items=(*curves, truth),
    )


def _bands_view(limit: Rule) -> View:
    items = [
        Curve(
            x="curve_steps",
            y=f"mse_{level}_{which}",
            label=name if level == "middle" else "",
            color=str(which),
            dash="solid" if level == "middle" else "dot",
            fill_to=f"mse_low_{which}" if level == "high" else "",
        )
        for which, name in enumerate(NAMES, 1)
        for level in ("low", "middle", "high")
    ]
    return PlaneView(
        id="ensemble-bands",
        title="Mean squared error along the run",
        help="Median over the seeds between the quantiles of 10 % and 90 %.",
        x_label="step k",
        y_label="mean squared error",
        items=(*items, limit),
        log_y=True,
    )


def _sorted_view(quantity: str, title: str, rule: Rule | None, log: bool) -> View:
    items = [
        Points(x="rank", y=f"sorted_{quantity}_{which}", label=name, color=str(which), size=5.0)
        for which, name in enumerate(NAMES, 1)
    ]
    return PlaneView(
        id=f"ensemble-{quantity.replace('_', '-')}",
        title=title,
        help="The seeds in order of the value, for each estimator.",
        x_label="rank",
        y_label=_ROWS[quantity],
        items=(*items, *((rule,) if rule is not None else ())),
        log_y=log,
    )
