"""Bounds, claims, pictures and views of the double matrix experiment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.core.ensemble import Observation
from engine.core.experiment import Recent
from engine.core.outcome import OutcomeKind
from engine.core.views import Dash, PlaneView, Points, Rule, Series, TimeView, View
from engine.experiments.double_matrix import measure
from engine.experiments.double_matrix.params import DoubleMatrixState
from engine.families.matrix import measure as matrix_measure
from engine.families.matrix import theory as matrix_theory
from engine.families.matrix import views as shared
from engine.families.matrix.evidence import Evidence, lamps, norm_over_radius
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, step_of

SETTLED = 100
"""Steps after which Figure 3's comparison is made; before that it may go either way."""


def limits(params: NetworkParams, rows: Mapping[str, FloatArray]) -> FloatArray:
    """Curvature that the steps can hold, from whichever network still makes them."""
    double, single = rows["step_size_double"], rows["step_size_single"]
    steps = np.where(np.isnan(double), single, double)
    return matrix_measure.stability_limit(params, 1.0) / steps


def last_error(errors: FloatArray) -> float:
    """Last error that was recorded; a diverged network has none after its end."""
    row = matrix_measure.last_known(errors)
    return float(errors[-1 if row is None else row])


def bounds(
    params: NetworkParams, problem: Problem | None, tops: Mapping[str, float | None]
) -> tuple[Bound, ...]:
    """List the limits of both networks."""
    top = tops.get("double")
    limit = None
    if problem is not None and params.step_rule == "fixed":
        limit = matrix_measure.stability_limit(params, step_of(params, problem))
    stability = None if top is None or limit is None else top / limit
    single = tops.get("single")
    given = matrix_theory.bounds(params, problem, single, stability)
    snap = "step_size" if params.step_unit == "absolute" and problem is not None else ""
    value = None
    if problem is not None and problem.has_identity_moment:
        share = 0.5 * params.curvature_limit
        value = share * theory.double_norm_bound(problem.target.norm, problem.depth)
    given = tuple(_of_pair(bound, params, problem, value, top) for bound in given)
    note = "Heuristic: a pair can split the top singular value into two halves of opposite sign."
    if value is None:
        note = "Known for Σ = I, once R is drawn or loaded."
    double = Bound(
        id="delta_double",
        name="Limit of the double network",
        symbol=r"\delta_{WZ}",
        value=value,
        source="Section 3.2, Figure 3",
        formula=r"\delta_{WZ} = 2^{(L-2)/L}\,\delta_{\max}",
        field=snap if value is not None else "",
        note=note,
        measured=None if top is None or top <= 0 else params.curvature_limit / top,
        measured_symbol=rf"{params.described.divisor}/\lambda_{{\max}}(H_{{WZ}})"
        if top is not None and top > 0
        else "",
    )
    sharp = Bound(
        id="sharpness_single",
        name="Sharpness of the single network",
        symbol=r"S_{\min}",
        value=None if problem is None else problem.sharpness_bound,
        source="Theorem 1, corrected",
        formula=r"S_{\min} = L\,\|R\|_2^{2(L-1)/L}",
        measured=single,
        measured_symbol=r"\lambda_{\max}(H_W)" if single is not None else "",
        note="The least at any minimum of the single network."
        if problem is not None
        else "R is drawn or loaded when the run starts.",
    )
    return (double, *given, sharp)


def _of_pair(
    bound: Bound,
    params: NetworkParams,
    problem: Problem | None,
    limit: float | None,
    top: float | None,
) -> Bound:
    """Name the network that a bound is of; sharpness and stability are those of the double one."""
    if bound.id.startswith("delta"):
        symbol = bound.measured_symbol.replace("(H)", "(H_W)")
        return dataclasses.replace(
            bound, measured_symbol=symbol, note=f"Of the single network. {bound.note}"
        )
    if bound.id == "sharpness":
        return dataclasses.replace(
            bound,
            symbol=r"S_{WZ}",
            value=None if limit is None else params.curvature_limit / limit,
            source="Section 3.2, Figure 3",
            formula=rf"S_{{WZ}} = {params.described.divisor} / \delta_{{WZ}}",
            measured=top,
            measured_symbol=r"\lambda_{\max}(H_{WZ})" if top is not None else "",
            note="Of the double network, by the same heuristic as its limit."
            if limit is not None
            else "Known for Σ = I, once R is drawn or loaded.",
        )
    if bound.id != "stability" or limit is None or problem is None or params.step_rule != "fixed":
        return bound
    held = matrix_measure.stability_limit(params, step_of(params, problem))
    return dataclasses.replace(
        bound,
        value=params.curvature_limit / limit / held,
        source="Section 3.2, Figure 3",
        formula=rf"{params.described.ratio.replace('S', 'S_{WZ}')}, \quad S_{{WZ}} = "
        rf"{params.described.divisor} / \delta_{{WZ}}",
        note="Of the double network: above 1 it cannot hold its flattest minimum.",
    )


def figure_3(single: Evidence, double: Evidence, step: int) -> tuple[Claim, Claim]:
    """Confront both statements about Figure 3: faster, and stable where the single one is not."""
    problem = single.problem
    target, depth = problem.target, problem.depth
    lamp = lamps(single, positive=False)
    common = (lamp["moment"], lamp["real"], lamp["identity"], lamp["descent"])
    both = f"single {single.fate}; double {double.fate}"
    lower = double.error < single.error or single.outcome.kind is OutcomeKind.DIVERGED
    if double.outcome.kind is OutcomeKind.DIVERGED:
        lower = False
    faster = Verdict.UNDECIDED
    if step >= SETTLED and not (double.has_failed and single.has_failed):
        faster = Verdict.HOLDS if lower else Verdict.VIOLATED
    ratio = single.step_size / problem.norm_bound
    window = 2.0 ** ((depth - 2) / depth)
    inside = Lamp(
        "Step between the limits of the two networks",
        1.0 < ratio < window,
        f"δ/δ_max = {ratio:.4g}, window 1 to {window:.4g}",
    )
    oblique = Lamp(
        "Eigenvectors of R are not orthogonal",
        not target.is_orthogonal,
        norm_over_radius(target),
    )
    stable = Verdict.UNDECIDED
    if step >= SETTLED:
        stable = _stability(single, double)
    return (
        Claim(
            id="figure-3",
            title="Figure 3: the double network converges faster",
            source="Section 3.2, Figure 3",
            statement="From the identity the error of the double network is below that of the "
            "single one.",
            assumptions=common,
            predicted="lower error of the double network",
            measured=both,
            verdict=faster if all(lamp.on for lamp in common) else Verdict.NOT_APPLICABLE,
            note="At single steps it may be otherwise in a few of a hundred cases.",
        ),
        Claim(
            id="figure-3-stability",
            title="Figure 3: it stays stable where the single one does not",
            source="Section 3.2, Figure 3",
            statement="For some matrices descent on the single network is unstable and on the "
            "double one stable.",
            assumptions=(*common, oblique, inside),
            predicted="single does not converge, double does",
            measured=both,
            verdict=stable
            if all(lamp.on for lamp in (*common, oblique, inside))
            else Verdict.NOT_APPLICABLE,
            note="What separates the two is not divergence at one step for all matrices but the "
            "step relative to ‖R‖₂: between 1 and 2^((L−2)/L) times 2/(L‖R‖₂^(2(L−1)/L)).",
        ),
    )


def _stability(single: Evidence, double: Evidence) -> Verdict:
    if double.has_failed or single.has_converged:
        return Verdict.VIOLATED
    settles = double.outcome.kind in (OutcomeKind.CONVERGED, OutcomeKind.CONVERGING)
    if settles and single.has_failed:
        return Verdict.HOLDS
    return Verdict.UNDECIDED


def observation(state: DoubleMatrixState, recent: Recent) -> Observation:
    """Compute what the pictures need."""
    problem = state.problem
    matrix = problem.target.matrix
    looks = {
        "": measure.look(state, "single", 0),
        "w_": measure.look(state, "double", 0),
        "z_": measure.look(state, "double", 1),
    }
    arrays: dict[str, Any] = {}
    for prefix, seen in looks.items():
        arrays |= matrix_measure.planes(problem, seen, prefix)
    estimate = measure.estimate(state)
    found = np.linalg.eigvals(estimate).astype(np.complex128)
    negative = found[found.real < 0]
    single = looks[""].product
    return {
        **arrays,
        "double_re": found.real,
        "double_im": found.imag,
        "negative_re": negative.real,
        "negative_im": negative.imag,
        "matrices": np.stack([matrix, estimate, single, estimate - matrix, single - matrix]),
        "matrix_names": ["R", "double", "single", "double − R", "single − R"],
        "cost": _cost(state, recent),
    }


def _cost(state: DoubleMatrixState, recent: Recent) -> list[list[str]]:
    row = matrix_measure.last_known(recent["hessian_products"])
    if row is None:
        return [["not measured yet", ""]]
    step = state.step - len(recent["hessian_products"]) + 1 + row
    count = state.problem.depth * state.problem.size**2
    rows = []
    for index, side in enumerate(("single", "double")):
        products = float(recent["hessian_products"][row, index])
        if np.isfinite(products):
            lines = matrix_measure.cost_rows(
                recent[f"hessian_{side}"][row], products, (1 + index) * count, step
            )
            rows += [[f"{side}: {name}", value] for name, value in lines]
    return rows


def views(params: NetworkParams) -> tuple[View, ...]:
    """Describe the plots, errors of both networks first."""
    errors: list[tuple[str, str, str, Dash]] = [
        ("error_single", "single", "2", "solid"),
        ("error_double", "double", "1", "solid"),
    ]
    if params.flow:
        errors += [
            ("flow_error_single", "single, flow", "2", "dot"),
            ("flow_error_double", "double, flow", "1", "dot"),
        ]
    return (
        shared.error_view(errors),
        _plane(),
        TimeView(
            id="hessian",
            title="Sharpness of both against the step",
            help="The largest eigenvalues of both Hessians, by Lanczos every few steps. Above the "
            "red line the step overshoots along their eigenvectors.",
            y_label=r"$\lambda_{\max}(H)$",
            series=(
                Series(key="hessian_single", label="single", color="2", points=True),
                Series(key="hessian_double", label="double", color="1", points=True),
                Series(key="limit", label=rf"${params.described.sharpness_formula}$", color="bad"),
            ),
            rules=(
                Rule(
                    label="least of the single one",
                    bound="sharpness_single",
                    color="text",
                    dash="dot",
                ),
            ),
            log_y=True,
        ),
        shared.product_tracks(
            params, "eigenvalues_double", "tracks-double", "Eigenvalues of the double estimate"
        ),
        shared.product_tracks(
            params, "eigenvalues_single", "tracks-single", "Eigenvalues of the single product"
        ),
        _parts(),
        _gaps(),
        shared.matrices_view(),
        shared.cost_table(),
    )


def _plane() -> PlaneView:
    return PlaneView(
        id="plane",
        title="Eigenvalues of W and Z",
        help="Every matrix of the double network and its estimate, the single network's product, "
        "and R. Negative eigenvalues of the estimate are marked: one product from the identity "
        "cannot make them.",
        x_label="real part",
        y_label="imaginary part",
        equal=True,
        items=(
            Points(x="w_layers_re", y="w_layers_im", label="$W_i$", color="3", size=4.0),
            Points(x="z_layers_re", y="z_layers_im", label="$Z_i$", color="4", size=4.0),
            Points(x="target_re", y="target_im", label="$R$", color="text", symbol="x", size=10.0),
            Points(
                x="product_re", y="product_im", label="single", color="2", size=8.0, hollow=True
            ),
            Points(x="double_re", y="double_im", label="double", color="1", size=8.0, hollow=True),
            Points(
                x="negative_re",
                y="negative_im",
                label="negative",
                color="bad",
                symbol="+",
                size=8.0,
            ),
        ),
    )


def _parts() -> TimeView:
    return TimeView(
        id="parts",
        title="Eigenvalues of the two products",
        help="Real parts of the eigenvalues of W_L ... W_1 and of Z_L ... Z_1: what W gives up, Z "
        "takes on where R is negative.",
        y_label=r"Re $\lambda$",
        series=(
            Series(key="eigenvalues_w", label=r"$W_L \cdots W_1$", color="3", points=True),
            Series(key="eigenvalues_z", label=r"$Z_L \cdots Z_1$", color="4", points=True),
        ),
        rules=(Rule(label="", value=0.0, color="muted", dash="dot"),),
        shown=False,
    )


def _gaps() -> TimeView:
    return TimeView(
        id="decoupling",
        title="Decoupling and balance",
        help="Relative commutator of the matrices with R, zero as long as the networks decouple, "
        "and the balancing gap, for the single network, W and Z.",
        y_label="distance",
        series=tuple(
            Series(
                key=key,
                label=f"{name}, {who}",
                color=color,
                component=index,
                points=True,
            )
            for key, name, colors in (
                ("commutator", "commutator", ("2", "3", "4")),
                ("balancing_gap", "balancing gap", ("5", "6", "7")),
            )
            for index, (who, color) in enumerate(zip(("single", "W", "Z"), colors, strict=True))
        ),
        log_y=True,
        shown=False,
    )
