"""The plots of a run on a typed loss, described as data."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.errors import InputError
from engine.core.views import (
    CIRCLE_X,
    CIRCLE_Y,
    Circle,
    Curve,
    Handle,
    Item,
    PlaneView,
    Points,
    Rule,
    Series,
    SurfaceView,
    TableView,
    TimeView,
    View,
)
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.phase import SMOOTH
from engine.experiments.own_loss.problem import variables_of
from engine.experiments.own_loss.system import symbol_of
from engine.text.mathtext import plain_math
from engine.theory.optimisers import describe

GROUND: tuple[Item, ...] = (
    Curve(x="level_x", y="level_y", color="muted", width=0.8, ground=True),
    Curve(x="corner_x", y="corner_y", color="muted", width=0.0),
    Points(x="minima_x", y="minima_y", label="minimum", color="good", symbol="s"),
    Points(x="saddles_x", y="saddles_y", label="saddle", color="bound", symbol="x"),
    Points(x="maxima_x", y="maxima_y", label="maximum", color="bad", symbol="t"),
    Rule(label="no minimum known", key="stand_in", color="muted", dash="dot"),
)
"""What every plane of a loss shows: level curves, the picture's corners, and the equilibria."""
FEW = 4
"""Variables up to which each has a label of its own."""


def views(params: OwnLossParams) -> tuple[View, ...]:
    """Describe the plots, the most telling first."""
    try:
        names: Sequence[str] = [symbol_of(name) for name in variables_of(params)]
    except InputError:  # the form shows plots of a text that is being typed
        names = ["w"]
    names = names or ["w"]
    plain = params.optimiser in SMOOTH and params.step_rule == "fixed"
    return (
        *((_plane(params, names),) if len(names) > 1 else (_line(names[0]),)),
        *((_surface(params, names),) if len(names) > 1 else ()),
        _weights(names),
        _excess(params),
        _stability(params),
        *((_cobweb(names[0]),) if len(names) == 1 and plain else ()),
        _gradient(),
        *((_multipliers(),) if plain else ()),
        *((_spectrum(),) if plain and params.has_fixed_step else ()),
        _equilibria(),
        _sharpness(plain=plain),
        _hessian(),
        _loss(),
        _step_size(),
    )


def axes_of(params: OwnLossParams, names: Sequence[str]) -> tuple[str, str]:
    """Return the labels of the plane's axes."""
    if params.plane != "coordinates":
        return "along $u_1$", "along $u_2$"
    i, j = params.axis_indices(len(names))
    return f"${names[i]}$", f"${names[j]}$"


def _axes_text(params: OwnLossParams, names: Sequence[str]) -> str:
    """Return what the axes of a plane through a minimum are, and what is shown until then."""
    if params.plane == "coordinates":
        return ""
    what = "u₁ and u₂ are the two sharpest directions at the minimum nearest to the start"
    if params.plane == "start-to-minimum":
        what = "u₁ points from the minimum nearest to the start to the start, and u₂ is the part "
        what += "across it of the sharpest direction"
    i, j = (plain_math(names[k]) for k in params.axis_indices(len(names)))
    return f" {what}; as long as no minimum is known they are {i} and {j}, through the start."


def _plane(params: OwnLossParams, names: Sequence[str]) -> View:
    x, y = axes_of(params, names)
    return PlaneView(
        id="landscape",
        title="Level curves",
        help="Curves of equal loss, closer together where it is low; the run's last steps, and the "
        "equilibria that were found. Drag the start."
        + _axes_text(params, names)
        + (" The path is projected into the plane." if len(names) > 2 else ""),
        x_label=x,
        y_label=y,
        items=(
            *GROUND,
            Curve(x="path_x", y="path_y", label="last steps", color="1", width=1.2),
            Points(x="now_x", y="now_y", label="now", color="1", size=7.0),
            Handle(id="start", x="start_x", y="start_y", label="start"),
        ),
        equal=True,
    )


def _surface(params: OwnLossParams, names: Sequence[str]) -> View:
    x, y = axes_of(params, names)
    return SurfaceView(
        id="surface",
        title="Surface",
        help="The loss as a height over the plane of the level curves, on a log scale where its "
        "range is wide; the run's last steps, and the equilibria that were found. What the surface "
        "hides is dotted or hollow. Drag to turn it; figures show it from the usual side."
        + _axes_text(params, names)
        + (" All points are projected into the plane." if len(names) > 2 else ""),
        key="surface",
        extent_key="surface_extent",
        x_label=x,
        y_label=y,
        z_label="$f$",
        items=(
            Curve(x="path_x", y="path_y", label="last steps", color="1", width=1.8),
            Points(x="minima_x", y="minima_y", label="minimum", color="good", symbol="s"),
            Points(x="saddles_x", y="saddles_y", label="saddle", color="bound", symbol="x"),
            Points(x="maxima_x", y="maxima_y", label="maximum", color="bad", symbol="t"),
            Points(x="start_x", y="start_y", label="start", color="2"),
            Points(x="now_x", y="now_y", label="now", color="1", size=7.0),
        ),
        shown=False,
    )


def _line(name: str) -> View:
    return PlaneView(
        id="landscape",
        title="Loss",
        help="The loss, the run's last points on it, and the equilibria that were found. Drag the "
        "start.",
        x_label=f"${name}$",
        y_label="$f$",
        items=(
            Curve(x="line_x", y="line_y", color="muted", width=1.5, label="$f$"),
            Points(x="minima_x", y="minima_y", label="minimum", color="good", symbol="s"),
            Points(x="saddles_x", y="saddles_y", label="degenerate", color="bound", symbol="x"),
            Points(x="maxima_x", y="maxima_y", label="maximum", color="bad", symbol="t"),
            Points(x="path_x", y="path_y", label="last steps", color="1", size=4.0, hollow=True),
            Points(x="now_x", y="now_y", label="now", color="1"),
            Handle(id="start", x="start_x", y="start_y", label="start", axis="x"),
        ),
    )


def _cobweb(name: str) -> View:
    return PlaneView(
        id="cobweb",
        title="Cobweb",
        help="One step as a map, with the run's last steps as a staircase; at a minimum its slope "
        "passes −1 at the critical step size. Momentum, which the map leaves out, moves the steps "
        "off it.",
        x_label=f"${name}[k]$",
        y_label=f"${name}[k+1]$",
        items=(
            Curve(x="diagonal", y="diagonal", color="muted", width=1.0, dash="dash"),
            Curve(x="map_x", y="map_y", label=r"$w-\delta f'(w)$", color="1", width=2.0),
            Curve(x="stairs_x", y="stairs_y", label="last steps", color="2", width=1.0),
            Points(x="fixed_x", y="fixed_y", label="minimum", color="good", symbol="s"),
        ),
    )


def _weights(names: Sequence[str]) -> View:
    if len(names) <= FEW:
        series: tuple[Series, ...] = tuple(
            Series(key="weights", label=f"${name}$", component=i, color=str(i + 1))
            for i, name in enumerate(names)
        )
    else:
        series = (Series(key="weights", label=f"${names[0]}$ to ${names[-1]}$", color="ramp"),)
    label = ", ".join(names) if len(names) <= FEW else rf"{names[0]} \ldots {names[-1]}"
    return TimeView(
        id="weights", title="Variables", help="Every variable.", y_label=f"${label}$", series=series
    )


def _excess(params: OwnLossParams) -> View:
    above = "" if params.lowest_loss == 0.0 else " minus $f^*$"
    return TimeView(
        id="excess",
        title="Loss, on a log axis",
        help=f"The loss{above}; a straight line is exponential decay. Set f* to the loss at the "
        "minimum to see how it is approached.",
        y_label="$f$" if params.lowest_loss == 0.0 else "$f-f^*$",
        series=(Series(key="excess", label=""),),
        log_y=True,
    )


def _stability(params: OwnLossParams) -> View:
    optimiser = describe(params.optimiser)
    what = optimiser.curvature
    return TimeView(
        id="stability",
        title="Stability",
        help=f"The curvature over the largest one that is stable under {optimiser.title}: a "
        "minimum above 1 is unstable.",
        y_label=rf"${what}$ / limit",
        series=(Series(key="stability", label=rf"${what}$ / limit", points=True),),
        rules=(Rule(label="limit", value=1.0, color="bad"),),
        y_limit=(-1.0, 4.0),
    )


def _gradient() -> View:
    return TimeView(
        id="gradient",
        title="Gradient",
        help="Its norm, 0 at every equilibrium, and the length of the step that was made.",
        y_label=r"$\|\nabla f\|$",
        series=(
            Series(key="gradient", label=r"$\|\nabla f\|$"),
            Series(key="move", label=r"$\|w[k]-w[k-1]\|$", color="2", dash="dot"),
        ),
        log_y=True,
    )


def _multipliers() -> View:
    return PlaneView(
        id="multipliers",
        title="Eigenvalues of a step",
        help="Of the derivative of a step here; at a minimum one outside the unit circle means "
        "that it is unstable. Those that are 1 belong to a manifold of equilibria.",
        x_label="real part",
        y_label="imaginary part",
        items=(
            Circle(label="unit circle"),
            Points(x="multiplier_re", y="multiplier_im", label=r"$\mu_i$", color="1", hollow=True),
        ),
        equal=True,
        x_extent=CIRCLE_X,
        y_extent=CIRCLE_Y,
    )


def _spectrum() -> View:
    return PlaneView(
        id="lyapunov",
        title="Lyapunov spectrum",
        help="How fast a small volume around the run grows along each of its axes, over the last "
        "steps, with standard errors: the largest is above 0 in chaos, all are below 0 where the "
        "run is drawn to a minimum or a cycle, and those along a manifold of minima are 0.",
        x_label="axis",
        y_label="exponent per step",
        items=(
            Rule(label="", value=0.0, color="muted"),
            Curve(x="exponent_bar_x", y="exponent_bar_y", color="1", width=1.2),
            Points(x="exponent_place", y="exponent", label=r"$\lambda_i$", color="1"),
        ),
        shown=False,
    )


def _equilibria() -> View:
    return TableView(
        id="equilibria",
        title="Equilibria found",
        help="Where the gradient is 0, by ascending loss, with the largest eigenvalue of the "
        "Hessian, the critical step size, and what happens beyond it. There may be others.",
        key="equilibria",
        headings=("loss", "nature", "point", "sharpness", "critical step", "beyond it"),
    )


def _sharpness(*, plain: bool) -> View:
    rules = (Rule(label="largest stable", bound="sharpness"),) if plain else ()
    return TimeView(
        id="sharpness",
        title="Sharpness",
        help="The largest eigenvalue of the Hessian, where it was measured"
        + ("; dashed, the largest at which a minimum is stable." if plain else "."),
        y_label="$S$",
        series=(Series(key="sharpness", label="$S$", points=True),),
        rules=rules,
    )


def _hessian() -> View:
    return TimeView(
        id="hessian",
        title="Hessian eigenvalues",
        help="All of them, where they were measured.",
        y_label=r"$\lambda_i(H)$",
        series=(Series(key="hessian", label=r"$\lambda_i(H)$", color="ramp", points=True),),
        shown=False,
    )


def _loss() -> View:
    return TimeView(
        id="loss",
        title="Loss",
        help="On a linear axis.",
        y_label="$f$",
        series=(Series(key="loss", label=""),),
        shown=False,
    )


def _step_size() -> View:
    return TimeView(
        id="step-size",
        title="Step size",
        help="What multiplies the gradient in the step that follows.",
        y_label=r"$\delta$",
        series=(Series(key="step_size", label=""),),
        shown=False,
    )
