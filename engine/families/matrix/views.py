"""Views that the single and the double matrix experiment share."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.views import (
    Circle,
    Curve,
    Dash,
    ImageView,
    Item,
    PlaneView,
    Points,
    Rule,
    Series,
    TableView,
    TimeView,
)
from engine.families.matrix.params import NetworkParams

RULES = 20
"""Largest n for which every eigenvalue of R gets a line of its own."""


def size_of(params: NetworkParams) -> int:
    """Side of R as far as the parameters know it (0 for a file)."""
    if params.target_source == "typed":
        return len(params.target)
    return 0 if params.target_source == "file" else params.width


def keyed_rules(params: NetworkParams, key: str, label: str) -> tuple[Rule, ...]:
    """Lines at the numbers that the observation has under key_0, key_1, ..."""
    size = size_of(params)
    if not 0 < size <= RULES:
        return ()
    return tuple(
        Rule(label=label if index == 0 else "", key=f"{key}_{index}", color="muted", dash="dot")
        for index in range(size)
    )


def eigenvalue_plane(extra: tuple[Item, ...] = ()) -> PlaneView:
    """Eigenvalues of all matrices and the product on the complex plane, those of R marked."""
    return PlaneView(
        id="plane",
        title="Eigenvalues on the complex plane",
        help="The eigenvalues of R are where those of the product should go, their L-th roots "
        "are where those of every matrix go if the networks decouple.",
        x_label="real part",
        y_label="imaginary part",
        equal=True,
        items=(
            Circle(label="unit circle", color="muted", dash="dot"),
            Points(
                x="layers_re",
                y="layers_im",
                label="$W_i$",
                values="layers_index",
                size=5.0,
                color="ramp",
            ),
            Points(
                x="root_re", y="root_im", label=r"$R^{1/L}$", color="muted", symbol="+", size=9.0
            ),
            Points(x="target_re", y="target_im", label="$R$", color="bad", symbol="x", size=10.0),
            Points(
                x="product_re",
                y="product_im",
                label=r"$W_L \cdots W_1$",
                color="1",
                size=8.0,
                hollow=True,
            ),
            *extra,
        ),
    )


def product_tracks(
    params: NetworkParams,
    key: str = "eigenvalues",
    id_: str = "tracks",
    title: str = "Eigenvalues of the product",
) -> TimeView:
    """Real parts of the product's eigenvalues along k, with lines at those of R."""
    return TimeView(
        id=id_,
        title=title,
        help="Real parts, measured every few steps; the dotted lines are the eigenvalues of R.",
        y_label=r"Re $\lambda(W_L \cdots W_1)$",
        series=(Series(key=key, label="product", color="ramp", points=True),),
        rules=keyed_rules(params, "target_eigenvalue", "R"),
    )


def layer_tracks(params: NetworkParams) -> TimeView:
    """Real parts of all matrices' eigenvalues along k, as the range over the matrices."""
    return TimeView(
        id="layers",
        title="Eigenvalues of every W",
        help="For each place in the order of size, the least and the largest real part over all "
        "L matrices: the two coincide where the matrices are alike. Dotted: eigenvalues of the "
        "root of R.",
        y_label=r"Re $\lambda(W_i)$",
        series=(
            Series(key="layer_low", label="least over i", color="3", points=True),
            Series(key="layer_high", label="largest over i", color="2", points=True),
        ),
        rules=keyed_rules(params, "root_eigenvalue", r"$R^{1/L}$"),
    )


def singular_view() -> PlaneView:
    """Singular values of the product beside those of R."""
    return PlaneView(
        id="singular",
        title="Singular values",
        help="Of the product and of R, the largest first: the spectral norm, the largest of R, "
        "decides which step sizes are stable.",
        x_label="index",
        y_label=r"$\sigma_j$",
        items=(
            Curve(x="singular_index", y="singular_target", label="R", color="muted", dash="dash"),
            Points(x="singular_index", y="singular_now", label="product", color="1"),
        ),
        shown=False,
    )


def error_view(keys: Sequence[tuple[str, str, str, Dash]]) -> TimeView:
    """Frobenius errors along k: key, label, colour and dash of each."""
    return TimeView(
        id="error",
        title="Error",
        help="Frobenius norm of the product minus R at every step, and along the gradient flow if "
        "it is computed, which small steps would follow.",
        y_label=r"$\|W_L \cdots W_1 - R\|_F$",
        series=tuple(
            Series(key=key, label=label, color=color, dash=dash) for key, label, color, dash in keys
        ),
        log_y=True,
    )


def hessian_view(params: NetworkParams) -> TimeView:
    """Top eigenvalues of the Hessian against what the step can hold."""
    return TimeView(
        id="hessian",
        title="Sharpness against the step",
        help="The largest eigenvalues of the Hessian, by Lanczos every few steps. Above the red "
        "line the step overshoots along their eigenvectors.",
        y_label=r"$\lambda(H)$",
        series=(
            Series(key="hessian", label=r"$\lambda_{\max}(H)$ ...", color="ramp", points=True),
            Series(key="limit", label=rf"${params.described.sharpness_formula}$", color="bad"),
        ),
        rules=(Rule(label="least at a minimum", bound="sharpness", color="text", dash="dot"),),
        log_y=True,
    )


def decoupling_view() -> TimeView:
    """Distances that Theorem 2's proof needs to vanish."""
    return TimeView(
        id="decoupling",
        title="Decoupling and balance",
        help="Distance of the matrices from the eigenspaces of R (relative commutator: zero as "
        "long as the networks decouple), from the root of R, and from balance.",
        y_label="distance",
        series=(
            Series(key="commutator", label="commutator with R", color="1", points=True),
            Series(
                key="root_distance", label=r"$\max_i \|W_i - R^{1/L}\|_F$", color="2", points=True
            ),
            Series(key="balancing_gap", label="balancing gap", color="3", points=True),
        ),
        log_y=True,
    )


def balance_view() -> TimeView:
    """Spread of every singular value over the matrices."""
    return TimeView(
        id="balance",
        title="Balance of every mode",
        help="Largest minus smallest j-th singular value over the L matrices. Modes that oscillate "
        "beyond the edge of stability lose their imbalance; those at rest keep it.",
        y_label=r"$\max_i \sigma_j(W_i) - \min_i \sigma_j(W_i)$",
        series=(Series(key="spread", label="largest mode to smallest", color="ramp", points=True),),
        log_y=True,
    )


def signed_view() -> TimeView:
    """Signed error along R."""
    return TimeView(
        id="signed",
        title="Signed error along R",
        help="The part of the error along R, with its sign: overshooting shows as alternation.",
        y_label=r"$\langle F - R, R\rangle / \|R\|_F$",
        series=(Series(key="signed_error", label="", color="1"),),
        rules=(Rule(label="", value=0.0, color="muted", dash="dot"),),
        shown=False,
    )


def matrices_view() -> ImageView:
    """R, the product and the difference as images."""
    return ImageView(
        id="matrices",
        title="R, the product, and the error",
        help="The entries of the target, of what the network computes, and of the difference.",
        key="matrices",
        colormap="diverging",
        captions_key="matrix_names",
        shown=False,
    )


def cost_table() -> TableView:
    """Describe the cost of the last measurement of the Hessian."""
    return TableView(
        id="cost",
        title="Hessian by Lanczos",
        help="The eigenvalues at the current step, what they cost in products of the Hessian with "
        "a vector (each about two gradients), and how exact they are.",
        key="cost",
        headings=("quantity", "value"),
        shown=False,
    )
