"""Plots of the convex shapes."""

from __future__ import annotations

from engine.core.views import (
    BarView,
    Curve,
    Handle,
    Heat,
    Item,
    PlaneView,
    Points,
    Rule,
    Series,
    TableView,
    TimeView,
    View,
)
from engine.experiments.convex_shape.params import ShapeParams

_CHORD: tuple[Item, ...] = (
    Curve(x="chord_x", y="chord_y", label="worst chord", color="bad"),
    Points(x="chord_middle_x", y="chord_middle_y", color="bad", symbol="x"),
)


def all_views(params: ShapeParams) -> tuple[View, ...]:
    """List the plots of a picture, the most telling first."""
    if params.picture == "build-up":
        return (*_build_up_views(), *_common_views(params))
    if params.picture == "level-curves":
        return (*_level_views(), *_common_views(params))
    if params.dimensions == 1:
        return (*_line_parts_views(), *_common_views(params))
    return (*_plane_parts_views(), *_common_views(params))


def _build_up_views() -> tuple[View, ...]:
    return (
        PlaneView(
            id="build-up",
            title="Build-up",
            help="The first-order estimate and what each layer adds. Drag a kink along x to move "
            "its bias, a diamond up or down to change its weight.",
            x_label="x",
            y_label="f(x)",
            items=(
                Curve(x="x", y="f", label="f", color="muted", dash="dash", width=2.0),
                Curve(
                    x="x",
                    y="stages",
                    label=r"$\hat f$ with 0, 1, 2, ... layers",
                    color="ramp",
                    width=1.0,
                ),
                Curve(x="estimate_x", y="estimate_y", label=r"$\hat f$", color="1", width=2.0),
                Handle(id="kink", x="kink_x", y="kink_y", label="kinks", axis="x", color="1"),
                Handle(id="weight", x="lever_x", y="lever_y", label="weights", axis="y", color="4"),
                *_CHORD,
            ),
        ),
        PlaneView(
            id="slopes",
            title="Slopes",
            help="Each layer multiplies the slope beyond its kink by 1 + w.",
            x_label="x",
            y_label="slope",
            items=(
                Curve(x="x", y="f_slope", label="f", color="muted", dash="dash"),
                Curve(x="slope_x", y="slope_y", label=r"$\hat f$", color="1"),
            ),
        ),
        PlaneView(
            id="error",
            title="Error over x",
            help="Estimate minus function.",
            x_label="x",
            y_label=r"$\hat f(x) - f(x)$",
            items=(
                Curve(x="x", y="error", color="1"),
                Rule(label="0", value=0.0, color="muted"),
            ),
        ),
    )


def _level_views() -> tuple[View, ...]:
    return (
        PlaneView(
            id="levels",
            title="Level curves (Figure 2)",
            help="Exact level curves and kink lines. Drag a line to change b, the tip of a normal "
            "to change that column of V, the tip of an increment to change that column of W.",
            x_label="$x_1$",
            y_label="$x_2$",
            items=(
                Heat(key="heat", extent_key="extent", label=r"$\hat f$"),
                Curve(x="level_x", y="level_y", label="level curves", color="text", width=1.2),
                Curve(x="kink_x", y="kink_y", label="kink lines", color="bound", dash="dash"),
                Curve(x="V_x", y="V_y", label="normals V", color="2", width=2.0),
                Curve(x="W_x", y="W_y", label="increments W", color="3", width=2.0),
                Handle(id="b", x="line_x", y="line_y", label="b", color="bound"),
                Handle(id="V", x="V_tip_x", y="V_tip_y", label="V", color="2"),
                Handle(id="W", x="W_tip_x", y="W_tip_y", label="W", color="3"),
                *_CHORD,
            ),
            equal=True,
        ),
        _surface_view(r"Surface of $\hat f$"),
        PlaneView(
            id="gradients",
            title="Cells and gradients",
            help="The cells between the kink lines and the gradient on each, on a common scale.",
            x_label="$x_1$",
            y_label="$x_2$",
            items=(
                Curve(x="kink_x", y="kink_y", label="kink lines", color="bound", dash="dash"),
                Curve(x="gradient_x", y="gradient_y", label="gradients", color="1", width=2.0),
            ),
            equal=True,
        ),
        TableView(
            id="cells",
            title="Gradients",
            help="Centre of each cell and the gradient there.",
            key="cells",
            headings=("x1", "x2", "gradient in x1", "gradient in x2"),
            shown=False,
        ),
    )


def _surface_view(title: str) -> View:
    return PlaneView(
        id="surface",
        title=title,
        help="Seen from the azimuth and elevation among the parameters; heights are scaled.",
        x_label="across",
        y_label="up",
        items=(
            Heat(key="surface", extent_key="surface_extent"),
            Curve(x="floor_x", y="floor_y", color="muted", width=1.0),
            Curve(x="wire_x", y="wire_y", color="text", width=0.6),
            Curve(x="mark_x", y="mark_y", label="kinks", color="bound", width=2.0),
        ),
        equal=True,
    )


def _line_parts_views() -> tuple[View, ...]:
    parts: list[Item] = []
    for name, color in (("r", "1"), ("s", "2")):
        parts += [
            Curve(x="x", y=name, label=name, color=color, dash="dash"),
            Curve(
                x=f"{name}_estimate_x",
                y=f"{name}_estimate_y",
                label=rf"$\hat {name}$",
                color=color,
                width=2.0,
            ),
            Points(x=f"{name}_corner_x", y=f"{name}_corner_y", color=color, size=5.0),
        ]
    return (
        PlaneView(
            id="parts",
            title="f = r - s",
            help="Both convex parts (dashed) and the networks that approximate them; dots are "
            "kinks.",
            x_label="x",
            y_label="r and s",
            items=(*parts, *_CHORD),
        ),
        PlaneView(
            id="function",
            title="The function and the difference of both networks",
            help="What the two networks together make of f.",
            x_label="x",
            y_label="f(x)",
            items=(
                Curve(x="x", y="f", label="f", color="muted", dash="dash", width=2.0),
                Curve(x="x", y="f_estimate", label=r"$\hat r - \hat s$", color="3"),
            ),
        ),
        PlaneView(
            id="curvature",
            title="Second derivatives",
            help="The least second derivative of f decides on alpha: r needs one above 0.",
            x_label="x",
            y_label="second derivative",
            items=(
                Curve(x="x", y="f_bend", label="f", color="muted", dash="dash"),
                Curve(x="x", y="r_bend", label="r", color="1"),
                Points(x="least_x", y="least_y", label="least", color="bad"),
                Rule(label=r"$-\alpha$", key="minus_alpha"),
                Rule(label="0", value=0.0, color="muted"),
            ),
        ),
        PlaneView(
            id="slopes",
            title="Slopes of the networks",
            help="Both rise with x, as those of convex functions do.",
            x_label="x",
            y_label="slope",
            items=tuple(
                Curve(
                    x=f"{name}_slope_x", y=f"{name}_slope_y", label=rf"$\hat {name}$", color=color
                )
                for name, color in (("r", "1"), ("s", "2"))
            ),
            shown=False,
        ),
        PlaneView(
            id="error",
            title="Error over x",
            help="Difference of both networks minus f.",
            x_label="x",
            y_label="error",
            items=(
                Curve(x="x", y="error", color="3"),
                Rule(label="0", value=0.0, color="muted"),
            ),
            shown=False,
        ),
    )


def _plane_parts_views() -> tuple[View, ...]:
    titles = {"r": "Convex part r", "s": "Convex part s", "f": "f and the difference of both"}
    planes = [_part_plane(name, title) for name, title in titles.items()]
    error = PlaneView(
        id="error",
        title="Error",
        help="Difference of both networks minus f.",
        x_label="x",
        y_label="y",
        items=(Heat(key="error_heat", extent_key="extent", label="error", colormap="diverging"),),
        equal=True,
        shown=False,
    )
    return (planes[2], _surface_view("Surface"), planes[0], planes[1], error)


def _part_plane(name: str, title: str) -> View:
    items: list[Item] = [
        Heat(key=f"{name}_heat", extent_key="extent", label=name),
        Curve(
            x=f"{name}_x",
            y=f"{name}_y",
            label=f"level curves of {name}",
            color="muted",
            dash="dash",
        ),
        Curve(x=f"{name}_level_x", y=f"{name}_level_y", label="of the networks", color="text"),
    ]
    if name == "f":
        items.append(Points(x="least_x", y="least_y", label="least curvature", color="bad"))
    else:
        items.append(
            Curve(
                x=f"{name}_kink_x",
                y=f"{name}_kink_y",
                label="kink lines",
                color="bound",
                dash="dot",
                width=1.0,
            )
        )
    return PlaneView(
        id=f"part-{name}",
        title=title,
        help="Level curves of the function (dashed) and, at the same heights, of what the "
        "networks make of it.",
        x_label="x",
        y_label="y",
        items=tuple(items),
        equal=True,
    )


def _common_views(params: ShapeParams) -> tuple[View, ...]:
    found: list[View] = []
    if params.picture != "level-curves":
        found.append(_error_view(params))
    networks = ("r", "s") if params.picture == "decomposition" else (r"$\hat f$",)
    found.append(
        TimeView(
            id="violation",
            title="Violation of convexity",
            help="Height of the worst random chord's point above the chord, since the networks "
            "last changed; 0 as long as W, V, b >= 0 and c > 0.",
            y_label="height",
            series=tuple(
                Series(key="violation", label=name, color=str(index + 1), component=index)
                for index, name in enumerate(networks)
            ),
        )
    )
    found.append(
        TimeView(
            id="smallest",
            title="Smallest parameters",
            help="Smallest entries of W, V, b and c: the nonnegativity that convexity rests on.",
            y_label="smallest entry",
            series=tuple(
                Series(key="smallest", label=name, color=str(index + 1), component=index)
                for index, name in enumerate(("W", "V", "b", "c"))
            ),
            rules=(Rule(label="0", value=0.0),),
            shown=False,
        )
    )
    if params.picture == "build-up":
        found.append(
            BarView(
                id="weights",
                categories_key="layer",
                keys=("layer_weight",),
                labels=("w",),
                colors=("4",),
                title="Weights of the layers",
                help="How far each layer is from the identity (Theorem 3).",
                y_label="w",
                x_label="layer",
                shown=False,
            )
        )
    return tuple(found)


def _error_view(params: ShapeParams) -> View:
    names = ("r", "s", "f") if params.picture == "decomposition" else ("f",)
    series = [
        Series(
            key=key,
            label=f"{label} of {name}",
            color=str(index + 1),
            component=index,
            dash="solid" if key == "error" else "dash",
        )
        for key, label in (("error", "root mean square"), ("largest_error", "largest"))
        for index, name in enumerate(names)
    ]
    return TimeView(
        id="errors",
        title="Error against the number of layers",
        help="Each step adds a layer (a kink line for two inputs) until there are L.",
        y_label="error",
        series=tuple(series),
        log_y=True,
    )
