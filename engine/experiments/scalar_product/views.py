"""The plots of the scalar product network, described as data."""

from __future__ import annotations

from engine.core.views import (
    CIRCLE_X,
    CIRCLE_Y,
    Circle,
    Curve,
    Handle,
    Heat,
    PlaneView,
    Points,
    Rule,
    Series,
    TimeView,
    View,
)
from engine.experiments.scalar_product.params import ScalarParams

QUANTILE_LABELS = ("min", "5 %", "25 %", "median", "75 %", "95 %", "max")


def views(params: ScalarParams, *, has_envelope: bool) -> tuple[View, ...]:
    """Describe the plots, the most telling first."""
    has_orbits = params.step_rule == "fixed"
    has_exponents = has_orbits and params.optimiser == "gradient-descent"
    return (
        _weights(params),
        _error(),
        *((_orbit_diagram(params),) if has_orbits else ()),
        _stability(params),
        _complex_plane(params),
        _cobweb(momentum=params.has_momentum),
        *((_minima(params),) if params.depth == 2 else ()),
        *((_basins(params),) if params.depth == 2 and has_orbits else ()),
        _distance(has_envelope),
        _sharpness(params),
        _gap(),
        _loss(),
        _hessian(params),
        _jacobian(params),
        _product(),
        _step_size(params),
        *((_exponents(),) if has_exponents else ()),
    )


def _weights(params: ScalarParams) -> View:
    rules: tuple[Rule, ...] = (Rule(label=r"$|\lambda|^{1/L}$", key="root"),)
    if params.target < 0 or params.init in ("odd-negatives", "random", "list", "minimum"):
        rules = (*rules, Rule(label=r"$-|\lambda|^{1/L}$", key="minus_root"))
    if params.depth <= 64:
        series: tuple[Series, ...] = (Series(key="weights", label="$w_i$", color="ramp"),)
        text = "Every weight; dashed, the magnitude that all have at the flattest minima."
    else:
        series = tuple(
            Series(
                key="weights",
                label=label,
                component=index,
                color="1" if index == 3 else "2" if index in (2, 4) else "muted",
            )
            for index, label in enumerate(QUANTILE_LABELS)
        )
        text = "Quantiles of the weights; dashed, their magnitude at the flattest minima."
    return TimeView(
        id="weights", title="Weights", help=text, y_label="$w_i$", series=series, rules=rules
    )


def _error() -> View:
    return TimeView(
        id="error",
        title="Error",
        help="Magnitude of the error, product minus target; a straight line is exponential decay.",
        y_label=r"$|\prod w_i-\lambda|$",
        series=(Series(key="error_size", label=r"$|\prod w_i-\lambda|$"),),
        log_y=True,
    )


def _stability(params: ScalarParams) -> View:
    limit = params.described.divisor
    return TimeView(
        id="stability",
        title="Stability",
        help="Step size times sharpness over its largest stable value, and the same with the "
        "Hessian's true greatest eigenvalue; a minimum above 1 is unstable.",
        y_label=rf"$\delta S/{limit}$",
        series=(
            Series(key="stability", label=rf"$\delta S/{limit}$", color="1"),
            Series(
                key="edge", label=rf"$\delta\,\lambda_{{\max}}(H)/{limit}$", color="2", dash="dot"
            ),
        ),
        rules=(
            Rule(label="limit", value=1.0, color="bad"),
            Rule(label="flattest minima", bound="stability"),
        ),
        y_limit=(0.0, 3.0),
    )


def _complex_plane(params: ScalarParams) -> View:
    each = "eigenvalues" if params.optimiser == "gradient-descent" else "eigenvalue pairs"
    return PlaneView(
        id="spectrum",
        title="Jacobian eigenvalues",
        help=f"All L {each} of the iteration's Jacobian here; at a minimum all but one of the "
        "Hessian's eigenvalues are 0, and one outside the unit circle means instability.",
        x_label="real part",
        y_label="imaginary part",
        items=(
            Circle(label="unit circle"),
            Points(x="jacobian_real", y="jacobian_imag", label="$\\mu_i$", color="1", hollow=True),
        ),
        equal=True,
        x_extent=CIRCLE_X,
        y_extent=CIRCLE_Y,
    )


def _cobweb(*, momentum: bool) -> View:
    return PlaneView(
        id="cobweb",
        title="Cobweb",
        help="The map of equal weights with the run's last steps as a staircase; its slope at the "
        "fixed point passes -1 "
        + (
            "where gradient descent loses its stability. Momentum, which the map leaves out, moves "
            "the steps off it."
            if momentum
            else "at δ_max."
        )
        + " Unequal weights enter by their geometric mean.",
        x_label="$w[k]$",
        y_label="$w[k+1]$",
        items=(
            Curve(x="diagonal", y="diagonal", color="muted", width=1.0, dash="dash"),
            Curve(
                x="map_x",
                y="map_y",
                label=r"$w-\delta\sigma w^{L-1}(w^L-\lambda)$",
                color="1",
                width=2.0,
            ),
            Curve(x="stairs_x", y="stairs_y", label="last steps", color="2", width=1.0),
            Points(x="fixed_x", y="fixed_y", label="minimum", color="bound", symbol="s"),
            Points(x="here_x", y="here_y", label="now", color="2"),
        ),
    )


_THRESHOLDS = (
    Rule(label=r"$\delta_c$", bound="delta_c", vertical=True),
    Rule(label=r"$\delta_{\max}$", bound="delta_max", vertical=True, color="bad"),
    Rule(label=r"$\delta_4$", bound="delta_4", vertical=True, color="muted"),
)


def _thresholds(params: ScalarParams) -> tuple[Rule, ...]:
    """Return the thresholds that are known for the optimiser."""
    known = {"gradient-descent": _THRESHOLDS, "heavy-ball": _THRESHOLDS[1:]}
    return known.get(params.optimiser, _THRESHOLDS[1:2])


def _orbit_diagram(params: ScalarParams) -> View:
    return PlaneView(
        id="orbit-diagram",
        title="Orbit diagram",
        help="Where equal weights are after 2000 steps, for every step size: one branch is a "
        "minimum, two a cycle of period 2, a band chaos; beyond the right end they diverge. The "
        "points are the run's last weights, or their geometric means, with the product's sign, "
        "where they differ. Drag the line by its foot to change its step size.",
        x_label=r"$\delta$",
        y_label="$w$",
        items=(
            Heat(
                key="orbit_density",
                extent_key="orbit_extent",
                headroom=0.2,
                counts_key="orbit_count",
            ),
            *(_thresholds(params)),
            Rule(label="", key="orbit_step", vertical=True, color="2", dash="solid"),
            Points(x="orbit_x", y="orbit_y", label="last steps", color="2", size=4.0),
            Handle(id="step_size", x="orbit_step", y="orbit_foot", axis="x", label=r"$\delta$"),
        ),
    )


def _exponents() -> View:
    return PlaneView(
        id="exponents",
        title="Lyapunov exponent",
        help="Growth per step of a small push that keeps the weights equal, on the orbits of the "
        "orbit diagram: 0 where branches fork, positive in chaos.",
        x_label=r"$\delta$",
        y_label="nats per step",
        items=(
            Curve(x="orbit_steps", y="orbit_exponent", color="1", width=1.2),
            Rule(label="0", value=0.0, color="muted"),
            *_THRESHOLDS,
        ),
        shown=False,
    )


def _minima(params: ScalarParams) -> View:
    return PlaneView(
        id="minima",
        title="The minima",
        help="For two weights the minima are the hyperbola; its inner colour is the largest step "
        "size each can bear, its border shows whether that is enough. Drag the start.",
        x_label="$w_1$",
        y_label="$w_2$",
        items=(
            Curve(x="stable_x", y="stable_y", label="can stay", color="good", width=10.0),
            Curve(x="unstable_x", y="unstable_y", label="cannot stay", color="bad", width=10.0),
            Points(
                x="minima_x",
                y="minima_y",
                label=rf"${params.described.divisor}/S$",
                values="minima_limit",
                size=4.0,
            ),
            Curve(x="path_x", y="path_y", label="run", color="2", width=1.0),
            Points(x="now_x", y="now_y", label="now", color="2"),
            Handle(id="start", x="start_x", y="start_y", label="start"),
        ),
        equal=True,
    )


def _basins(params: ScalarParams) -> View:
    plain = params.optimiser == "gradient-descent"
    most = ": only minima up to 1 can be. It is 1" if plain else ". It is the most that can be"
    return PlaneView(
        id="basins",
        title="Basins",
        help=f"The minimum that is reached from every start, by its stability{most}, too, where a "
        "run stays bounded and never settles, and blank where it diverges."
        + (" No step crosses the ellipse." if plain else "")
        + " Drag the start.",
        x_label="$w_1[0]$",
        y_label="$w_2[0]$",
        items=(
            Heat(
                key="basins",
                extent_key="basins_extent",
                label=r"$\delta S/2$",
                headroom=0.15,
                missing="diverges",
                at_top="does not settle",
            ),
            Curve(
                x="basins_minima_x", y="basins_minima_y", label="minima", color="bound", width=1.2
            ),
            *(
                (
                    Curve(
                        x="ellipse_x", y="ellipse_y", label="bounded inside", color="bad", width=1.2
                    ),
                )
                if plain
                else ()
            ),
            Curve(x="basins_path_x", y="basins_path_y", label="run", color="2", width=1.0),
            Points(x="basins_now_x", y="basins_now_y", label="now", color="2"),
            Handle(id="start", x="start_x", y="start_y", label="start"),
        ),
        equal=True,
    )


def _distance(has_envelope: bool) -> View:
    series: tuple[Series, ...] = (
        Series(key="distance", label=r"$\max_i\,||w_i|-|\lambda|^{1/L}|$", color="1"),
    )
    text = "The largest distance of a weight's magnitude from the balanced one"
    if has_envelope:
        series = (
            *series,
            Series(
                key="envelope", label=r"$\rho^k|1-|\lambda|^{1/L}|$", color="bound", dash="dash"
            ),
        )
        text += ", below the exponential envelope of Proposition 2 while it applies"
    return TimeView(
        id="distance",
        title="Distance",
        help=text + ".",
        y_label="distance",
        series=series,
        log_y=True,
        shown=has_envelope,
    )


def _sharpness(params: ScalarParams) -> View:
    return TimeView(
        id="sharpness",
        title="Sharpness",
        help="The sharpness S of bound (1) against the largest that is stable and the least of "
        "any minimum.",
        y_label="$S$",
        series=(Series(key="sharpness", label="$S(w[k])$"),),
        rules=(
            Rule(
                label=rf"${params.described.sharpness_formula}$",
                bound="sharpness_limit",
                color="bad",
            ),
            Rule(label=r"$S_{\min}$", bound="sharpness_min"),
        ),
        log_y=True,
        shown=False,
    )


def _gap() -> View:
    return TimeView(
        id="gap",
        title="Balancing gap",
        help="Largest minus smallest magnitude of the weights; large steps close it.",
        y_label=r"$\max|w_i|-\min|w_i|$",
        series=(Series(key="gap", label=r"$\max|w_i|-\min|w_i|$"),),
        log_y=True,
        shown=False,
    )


def _loss() -> View:
    return TimeView(
        id="loss",
        title="Loss",
        help="The mean squared error that is minimised, half of sigma times the squared error.",
        y_label="$f(w[k])$",
        series=(Series(key="loss", label="$f(w[k])$"),),
        log_y=True,
        shown=False,
    )


def _hessian(params: ScalarParams) -> View:
    what = "All eigenvalues" if params.depth <= 64 else "The least and the greatest eigenvalue"
    return TimeView(
        id="hessian",
        title="Hessian eigenvalues",
        help=f"{what} of the true Hessian along the run; the greatest against the stable limit.",
        y_label=r"$\lambda_i(\nabla^2 f)$",
        series=(Series(key="hessian", label=r"$\lambda_i(\nabla^2 f)$", color="ramp"),),
        rules=(
            Rule(
                label=rf"${params.described.sharpness_formula}$",
                bound="sharpness_limit",
                color="bad",
            ),
        ),
        shown=False,
    )


def _jacobian(params: ScalarParams) -> View:
    plain = params.optimiser == "gradient-descent"
    return TimeView(
        id="jacobian",
        title="Jacobian eigenvalues along k",
        help="Eigenvalues of the iteration's Jacobian along the run; beyond ±1 they repel."
        if plain
        else "Moduli of the Jacobian's eigenvalues along the run; beyond 1 they repel.",
        y_label=r"$\mu_i$" if plain else r"$|\mu_i|$",
        series=(Series(key="jacobian", label=r"$\mu_i$" if plain else r"$|\mu_i|$", color="ramp"),),
        rules=(
            Rule(label="1", value=1.0, color="bad"),
            *((Rule(label="-1", value=-1.0, color="bad"),) if plain else ()),
        ),
        y_limit=(-3.0, 3.0),
        shown=False,
    )


def _product() -> View:
    return TimeView(
        id="product",
        title="Product",
        help="The product of the weights, which should become the target.",
        y_label=r"$\prod w_i$",
        series=(Series(key="product", label=r"$\prod w_i$"),),
        shown=False,
    )


def _step_size(params: ScalarParams) -> View:
    return TimeView(
        id="step-size",
        title="Step size",
        help="The step size used at every step, against the largest that is stable anywhere.",
        y_label=r"$\delta_k$",
        series=(Series(key="step_size", label=r"$\delta_k$"),),
        rules=(Rule(label=r"$\delta_{\max}$", bound="delta_max"),),
        log_y=True,
        shown=params.step_rule != "fixed",
    )
