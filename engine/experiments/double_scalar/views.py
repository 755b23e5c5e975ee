"""Views of the double scalar network."""

from __future__ import annotations

from engine.core.views import (
    CIRCLE_X,
    CIRCLE_Y,
    Circle,
    Curve,
    Handle,
    PlaneView,
    Points,
    Rule,
    Series,
    TimeView,
    View,
)
from engine.experiments.double_scalar.params import DoubleScalarParams


def all_views(params: DoubleScalarParams) -> tuple[View, ...]:
    """Describe the plots."""
    flow = (
        Series(key="flow_size_double", label="pair, flow", color="1", dash="dash"),
        Series(key="flow_size_single", label="single, flow", color="2", dash="dash"),
    )
    return (
        TimeView(
            id="errors",
            title="Error of both networks",
            y_label="|error|",
            log_y=True,
            help="The pair reaches λ; from all ones a single network cannot when λ < 0.",
            series=(
                Series(key="error_size_double", label="$|w^L-z^L-\\lambda|$", color="1"),
                Series(key="error_size_single", label="$|u^L-\\lambda|$", color="2"),
                *(flow if params.flow else ()),
            ),
        ),
        PlaneView(
            id="plane",
            title="The pair's plane",
            x_label="$w$",
            y_label="$z$",
            equal=True,
            help="The run, the curve of minima, and the curve that the gradient flow keeps to.",
            items=(
                Curve(x="minima_w", y="minima_z", label="minima", color="good"),
                Curve(
                    x="invariant_w",
                    y="invariant_z",
                    label="flow's invariant",
                    color="bound",
                    dash="dash",
                ),
                Curve(x="path_w", y="path_z", label="run", color="1"),
                Points(x="origin", y="origin", label="origin", color="bad", symbol="x"),
                Points(x="limit_w", y="limit_z", label="flow's limit", color="bound", hollow=True),
                Points(x="now_w", y="now_z", label="now", color="1"),
                Handle(id="start", x="start_w", y="start_z", label="start"),
            ),
        ),
        TimeView(
            id="weights",
            title="Weights",
            y_label="weight",
            help="w and z of the pair part; u is the single network.",
            series=(
                Series(key="w", label="$w$", color="1"),
                Series(key="z", label="$z$", color="3"),
                Series(key="u", label="$u$ (single)", color="2"),
            ),
            rules=(Rule(label="$w_*$", bound="flow_w"), Rule(label="$z_*$", bound="flow_z")),
        ),
        TimeView(
            id="stability",
            title="Stability",
            y_label="$\\delta S/2$",
            y_limit=(0.0, 3.0),
            help="Each network's curvature along its gradient against what the step can hold.",
            series=(
                Series(key="stability", label="pair", color="1"),
                Series(key="stability_single", label="single", color="2"),
            ),
            rules=(Rule(label="limit", value=1.0, color="bad"),),
        ),
        PlaneView(
            id="jacobian",
            title="Jacobian eigenvalues",
            x_label="real part",
            y_label="imaginary part",
            equal=True,
            x_extent=CIRCLE_X,
            y_extent=CIRCLE_Y,
            help="One step of the pair, linearised here: outside the circle it is unstable.",
            items=(
                Circle(label="unit circle"),
                Points(x="jacobian_re", y="jacobian_im", label="$\\mu_i$", color="1", hollow=True),
            ),
        ),
        TimeView(
            id="spread",
            title="Broken symmetry",
            y_label="largest difference",
            log_y=True,
            shown=False,
            help="How far the weights of one network are apart.",
            series=(Series(key="spread", label="$\\max|w_i-w_j|$", color="4"),),
        ),
    )
