"""The plots of a recorded run, described as data."""

from __future__ import annotations

from engine.core.views import Rule, Series, TableView, TimeView, View
from engine.experiments.trace.params import TraceParams


def views(params: TraceParams) -> tuple[View, ...]:
    """Describe the plots, the most telling first."""
    title = params.described.title
    limit = Series(
        key="limit",
        label=rf"limit, ${params.described.sharpness_formula}$",
        color="bound",
        dash="dash",
    )
    symbol = params.symbol
    every = symbol.replace(r"\max", "i")
    return (
        TimeView(
            id="sharpness",
            title="Sharpness",
            help=f"As the log has it; dashed, the largest that is stable under {title}.",
            y_label=f"${symbol}$",
            series=(Series(key="sharpness", label=f"${symbol}$", points=True), limit),
        ),
        TimeView(
            id="loss",
            title="Loss",
            help="As the log has it, on a log axis.",
            y_label="$f$",
            series=(Series(key="loss", label="", points=True),),
            log_y=True,
        ),
        TimeView(
            id="stability",
            title="Stability",
            help=f"The sharpness over the largest that is stable under {title}.",
            y_label=rf"${symbol}$ / limit",
            series=(Series(key="stability", label="", points=True),),
            rules=(Rule(label="limit", value=1.0, color="bad"),),
        ),
        TimeView(
            id="eigenvalues",
            title="Eigenvalues",
            help="Those that the log has, the largest first, with the limit.",
            y_label=f"${every}$",
            series=(
                Series(key="eigenvalues", label=f"${every}$", color="ramp", points=True),
                limit,
            ),
            shown=False,
        ),
        TableView(
            id="status",
            title="Recording",
            help="What the log holds, and the phases with the steps at which they began.",
            key="status",
            headings=("Quantity", "Value"),
            shown=False,
        ),
    )
