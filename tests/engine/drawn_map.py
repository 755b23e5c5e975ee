"""The fake with a view of every kind, for tests of what is drawn and exported."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.core.experiment import Recent
from engine.core.views import (
    BarView,
    Circle,
    Curve,
    Handle,
    Heat,
    ImageView,
    PlaneView,
    Points,
    Rule,
    Series,
    TableView,
    TimeView,
    View,
)
from tests.engine.linear_map import LinearMap, LinearParams, LinearState


class DrawnMap(LinearMap):
    """Draws everything that can be drawn."""

    def views(self, params: LinearParams) -> tuple[View, ...]:
        return (
            TimeView(
                id="weights",
                title="Weights",
                y_label="$w_i$",
                series=(Series(key="weights", label="$w_i$", color="ramp"),),
                rules=(Rule(label=r"$\lambda$", key="target", color="good"),),
                y_limit=(-5.0, 5.0),
            ),
            TimeView(
                id="error",
                title="Error",
                y_label="$|e|$",
                log_y=True,
                series=(
                    Series(key="error", label="$|e|$"),
                    Series(key="weights", label="one", component=1, color="2", magnitude=True),
                    Series(key="absent", label="not recorded"),
                ),
                rules=(
                    Rule(label=r"$\delta_{\max}$", bound="delta_max"),
                    Rule(label="nowhere", bound="absent"),
                    Rule(label="not on a log axis", value=-1.0),
                ),
            ),
            PlaneView(
                id="plane",
                title="Plane",
                x_label="Re",
                y_label="Im",
                equal=True,
                items=(
                    Circle(label="unit circle"),
                    Circle(label="ball", center_key="center", radius_key="radius"),
                    Curve(x="x", y="y", label="curve", color="2"),
                    Curve(x="x", y="family", label="family", color="ramp"),
                    Points(x="x", y="y", values="values", label="dots", symbol="t"),
                    Points(x="x", y="y", hollow=True, symbol="x"),
                    Handle(id="start", x="radius", y="radius", label="start"),
                    Rule(label="here", key="radius", vertical=True),
                    Curve(x="x", y="absent", label="not there"),
                ),
            ),
            PlaneView(
                id="log-plane",
                title="Log plane",
                x_label="$x$",
                y_label="$y$",
                log_x=True,
                log_y=True,
                x_range=(0.01, 100.0),
                items=(Curve(x="power", y="square", label="$x^2$", fill_to="power"),),
            ),
            PlaneView(
                id="heat",
                title="Heat",
                x_label="$x$",
                y_label="$y$",
                items=(Heat(key="heat", extent_key="extent", label="$f$", colormap="diverging"),),
            ),
            ImageView(
                id="image",
                title="Image",
                key="image",
                annotate=True,
                row_labels_key="names",
                color_label="count",
            ),
            ImageView(id="grid", title="Grid", key="grid", captions_key="names", colormap="gray"),
            BarView(
                id="bars",
                title="Bars",
                categories_key="names",
                keys=("values3", "absent"),
                labels=("one", "none"),
                colors=("1", "2"),
                y_label="height",
            ),
            TableView(id="table", title="Table", key="table", headings=("name", r"$\delta$")),
            TableView(id="empty", title="Empty", key="absent", headings=("name",), shown=False),
        )

    def observe(self, state: LinearState, recent: Recent) -> dict[str, Any]:
        x = np.linspace(-1, 1, 5)
        power = np.logspace(-2, 2, 5)
        return {
            "target": state.params.target,
            "x": x,
            "y": x**2,
            "family": np.stack([x, 2 * x, 3 * x], axis=1),
            "values": np.arange(5.0),
            "values3": [1.0, 2.0, 3.0],
            "center": (0.5, 0.5),
            "radius": 0.25,
            "power": power,
            "square": power**2,
            "heat": np.arange(6.0).reshape(2, 3) - 2,
            "extent": (0.0, 3.0, 0.0, 2.0),
            "image": np.arange(9).reshape(3, 3),
            "grid": np.arange(12.0).reshape(3, 2, 2),
            "names": ["a", "b, c", "d"],
            "table": [["x", 0.5], ["y", None]],
        }
