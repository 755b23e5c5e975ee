"""The plots of what is proved, described as data."""

from __future__ import annotations

from engine.core.views import (
    Curve,
    Handle,
    Heat,
    ImageView,
    Item,
    PlaneView,
    Points,
    TableView,
    Tint,
    View,
)

PROVED, SEEN = 1.0, 0.4
"""Values of a cell whose start is proved, or only seen, to come to the attractor."""
TINTS = (
    Tint(value=PROVED, label="proved", color="good"),
    Tint(value=SEEN, label="in the basin, not proved", color="bound"),
)


def views(x_label: str, y_label: str, extra: tuple[Item, ...] = ()) -> tuple[View, ...]:
    """Describe the proved region of two weights, V along the run, and a table.

    Parameters
    ----------
    x_label, y_label : str
        Of the weights.
    extra : tuple
        Further curves in the plane, such as a border that is known.
    """
    return (_plane(x_label, y_label, extra), *views_of_any(2))


def views_of_any(dimension: int) -> tuple[View, ...]:
    """Describe V along the run, a table, and slices in three and more dimensions."""
    return (_along(), _table(), *((_slices(),) if dimension > 2 else ()))


def _plane(x_label: str, y_label: str, extra: tuple[Item, ...]) -> View:
    return PlaneView(
        id="proved-region",
        title="Proved region",
        help="Every run from the green region is proved to come to the attractor, from the violet "
        "one it was only seen to. Thin: level curves of V; dotted: where a step neither "
        "lowers nor raises it; its largest proved level; the circle of radius ε, that of the "
        "radius r proved for it, and a run from its edge. Drag the start.",
        x_label=x_label,
        y_label=y_label,
        items=(
            Heat(
                key="proof_region",
                extent_key="proof_extent",
                missing="not in the basin",
                tints=TINTS,
            ),
            Curve(x="proof_corner_x", y="proof_corner_y", color="muted", width=0.0),
            Curve(x="proof_level_x", y="proof_level_y", color="muted", width=0.6, ground=True),
            Curve(
                x="proof_edge_x",
                y="proof_edge_y",
                label="ΔV = 0",
                color="bad",
                width=1.2,
                dash="dot",
                ground=True,
            ),
            Curve(
                x="proof_best_x", y="proof_best_y", label="proved V < c", color="good", width=2.0
            ),
            *extra,
            Curve(
                x="proof_epsilon_x", y="proof_epsilon_y", label="radius ε", color="bound", width=1.2
            ),
            Curve(
                x="proof_delta_x", y="proof_delta_y", label="radius r", color="bound", dash="dash"
            ),
            Curve(x="proof_edge_run_x", y="proof_edge_run_y", label="run from radius r", color="3"),
            Curve(x="proof_path_x", y="proof_path_y", label="run", color="2", width=1.0),
            Handle(id="start", x="start_x", y="start_y", label="start"),
        ),
        equal=True,
    )


def _along() -> View:
    return PlaneView(
        id="lyapunov",
        title="V along the run",
        help="The function V at the run's last steps, and the size of its change; steps at which V "
        "rises are marked.",
        x_label="steps ago",
        y_label="$V[k]$",
        log_y=True,
        items=(
            Curve(x="proof_step", y="proof_v", label="$V[k]$", color="1", width=1.8),
            Curve(
                x="proof_change_step",
                y="proof_change",
                label=r"$|\Delta V[k]|$",
                color="muted",
                width=1.0,
            ),
            Points(
                x="proof_rise_step",
                y="proof_rise",
                label=r"$\Delta V>0$",
                color="bad",
                size=5.0,
            ),
        ),
    )


def _table() -> View:
    return TableView(
        id="proofs",
        title="Proofs",
        help="What is proved, with the number of boxes and the time that it took.",
        key="proof_rows",
        headings=("what", "result", "how"),
    )


def _slices() -> View:
    return ImageView(
        id="proved-slices",
        title="Slices of the proved region",
        help="Starts in planes through the attractor: the green ones are proved, one by one, to "
        "come to it, the violet ones were only seen to.",
        key="proof_slices",
        captions_key="proof_slice_names",
        extent_key="proof_slice_extent",
        missing="not in the basin",
        tints=TINTS,
    )
