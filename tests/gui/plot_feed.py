"""A run with every kind of view and item, fed by plain arithmetic, for tests of the plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.change import Change
from engine.core.chunk import Chunk
from engine.core.claims import Bound
from engine.core.outcome import Outcome, OutcomeKind
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
from engine.run.snapshot import Snapshot, Status
from engine.run.trace import Trace
from tests.gui.fakes import FakeParams

ERROR = TimeView(
    id="error",
    title="Error",
    help="The distance of each weight from the target.",
    y_label=r"$|w_i - \lambda^{1/L}|$",
    series=(
        Series(key="error", label="$|e|$"),
        Series(key="envelope", label=r"$\rho^k$", color="bound", dash="dash"),
    ),
    rules=(Rule(label=r"$\varepsilon$", value=1e-6, color="muted", dash="dot"),),
    log_y=True,
)
WEIGHTS = TimeView(
    id="weights",
    title="Weights",
    help="Every weight along the steps.",
    y_label="$w_i$",
    series=(Series(key="weights", label="$w_i$", color="ramp"),),
    rules=(Rule(label=r"$\lambda^{1/L}$", value=1.15),),
)
STABILITY = TimeView(
    id="stability",
    title="Stability",
    help="δS/2 is the sharpness in units of the largest that is stable.",
    y_label=r"$\delta S / 2$",
    series=(
        Series(key="stability", label="measured", color="2"),
        Series(key="slow", label="Lanczos", color="3", points=True),
    ),
    rules=(Rule(label="1", value=1.0), Rule(label=r"$\delta_{\max}$", bound="delta_max")),
    y_limit=(0.0, 3.0),
)
SPECTRUM = PlaneView(
    id="spectrum",
    title="Eigenvalues",
    help="Eigenvalues of the update, with the unit circle.",
    x_label="Re",
    y_label="Im",
    items=(
        Circle(label="unit circle"),
        Points(x="eig_re", y="eig_im", label="$1 - \\delta\\lambda_i$", color="1", size=8.0),
        Points(x="bad_re", y="bad_im", label="unstable", color="bad", symbol="x", size=9.0),
    ),
    equal=True,
)
COBWEB = PlaneView(
    id="cobweb",
    title="Cobweb",
    help="The map and the run on it.",
    x_label="$w$",
    y_label="$F(w)$",
    items=(
        Curve(x="grid", y="map", label="$F$", color="1", width=2.0),
        Curve(x="grid", y="grid", color="muted", dash="dash", width=1.0),
        Curve(x="web_x", y="web_y", label="run", color="2", width=1.2),
        Handle(id="start", x="start", y="zero", label="start", axis="x"),
        Rule(label=r"$\delta_c$", value=1.6, vertical=True),
    ),
)
LANDSCAPE = PlaneView(
    id="landscape",
    title="Landscape",
    help="The loss over two weights.",
    x_label="$w_1$",
    y_label="$w_2$",
    items=(
        Heat(key="loss", extent_key="extent", label=r"$\log_{10} f$"),
        Curve(x="valley_x", y="valley_y", color="text", dash="dot", label="minima"),
        Points(x="path_x", y="path_y", values="path_k", label="$w[k]$", size=6.0),
        Handle(id="knots", x="knot_x", y="knot_y", color="2"),
    ),
    x_range=(-2.5, 2.5),
    y_range=(-2.5, 2.5),
)
FIT = PlaneView(
    id="fit",
    title="Fit",
    help="Draw the function to be learnt with the mouse.",
    x_label="$x$",
    y_label="$f$",
    items=(
        Points(x="data_x", y="data_y", label="data", color="8", size=4.0, hollow=True),
        Curve(x="data_x", y="data_f", label=r"$\hat{f}$", color="1", fill_to="zeros", width=2.0),
        Curve(x="data_x", y="parts", label="parts", color="ramp", width=1.0),
        Handle(id="kink", x="kinks", y="kinks_y", axis="x", color="4"),
    ),
    drawable="points",
)
PRODUCT = ImageView(
    id="product",
    title="Product",
    help="The product of all layers.",
    key="matrix",
    colormap="diverging",
    annotate=True,
    x_label="column",
    y_label="row",
    row_labels_key="names",
    column_labels_key="names",
    color_label="$W$",
)
DIGITS = ImageView(
    id="digits",
    title="Filters",
    help="First-layer filters.",
    key="filters",
    colormap="gray",
    captions_key="captions",
)
NORMS = BarView(
    id="norms",
    title="Norms",
    help="Norms by kind.",
    categories_key="kinds",
    keys=("weight_norm", "gradient_norm"),
    labels=("weights", "gradients"),
    colors=("1", "2"),
    y_label="norm",
)
RUNS = TableView(
    id="runs", title="Runs", help="A row per run.", key="rows", headings=("seed", "$f$", "verdict")
)
HIDDEN = TimeView(
    id="hidden",
    title="Step size",
    help="Not shown at first.",
    y_label=r"$\delta$",
    series=(Series(key="step_size", label=r"$\delta$"),),
    shown=False,
)
ALL_VIEWS: tuple[View, ...] = (
    ERROR,
    SPECTRUM,
    COBWEB,
    WEIGHTS,
    LANDSCAPE,
    STABILITY,
    FIT,
    PRODUCT,
    DIGITS,
    NORMS,
    RUNS,
    HIDDEN,
)


def observation(k: int = 0) -> dict[str, Any]:
    """Make arrays for all views; they move with k."""
    rng = np.random.default_rng(0)
    turn = 0.02 * k
    angle = np.linspace(0, 2 * np.pi, 13)[:-1] + turn
    grid = np.linspace(-0.5, 2.2, 240)
    web = [1.9 + 0.05 * np.cos(turn)]
    for _ in range(12):
        web += [web[-1], web[-1] - 0.55 * web[-1] * (web[-1] ** 2 - 2.0)]
    u, v = np.meshgrid(np.linspace(-2.5, 2.5, 96), np.linspace(-2.5, 2.5, 96))
    valley = np.linspace(0.4, 2.5, 80)
    path = np.linspace(0, 1, 24)
    x = np.linspace(0, 1, 101)
    f = np.abs(x - 0.5) + 0.1 * np.sin(9 * x + turn)
    matrix = rng.standard_normal((5, 5)).round(2) * (1 + 0.2 * np.cos(turn))
    return {
        "eig_re": 0.8 * np.cos(angle),
        "eig_im": 0.6 * np.sin(angle),
        "bad_re": np.array([1.15, -1.2]),
        "bad_im": np.array([0.2, -0.1]),
        "grid": grid,
        "map": grid - 0.55 * grid * (grid**2 - 2.0),
        "web_x": np.array(web[:-1]),
        "web_y": np.array(web[1:]),
        "start": web[0],
        "zero": 0.0,
        "loss": np.log10(0.5 * (u * v - 2) ** 2 + 1e-3),
        "extent": [-2.5, 2.5, -2.5, 2.5],
        "valley_x": np.concatenate((valley, [np.nan], -valley)) * 1.0,
        "valley_y": 2 / np.concatenate((valley, [np.nan], -valley)),
        "path_x": 2.2 - 0.9 * path + 0.1 * np.sin(9 * path + turn),
        "path_y": 0.2 + 1.4 * path,
        "path_k": path,
        "knot_x": np.array([-1.5, -0.8, 1.9]),
        "knot_y": np.array([-1.0, 1.2, -1.6]),
        "data_x": x,
        "data_y": np.abs(x - 0.5) + 0.03 * rng.standard_normal(101),
        "data_f": f,
        "zeros": np.zeros(101),
        "parts": np.stack([f * (i + 1) / 6 for i in range(5)], axis=1),
        "kinks": np.array([0.2, 0.5, 0.8]),
        "kinks_y": np.zeros(3),
        "matrix": matrix,
        "names": [f"r{i + 1}" for i in range(5)],
        "filters": rng.standard_normal((16, 6, 6)),
        "captions": [f"filter {i + 1}" for i in range(16)],
        "kinds": ["W", "V", "b", "c", "d"],
        "weight_norm": np.array([2.1, 1.4, 0.4, 0.9, 0.1]),
        "gradient_norm": np.array([0.8, 0.2, 0.3, 0.1, 0.05]) * (1.2 + np.cos(turn)),
        "rows": [[i, 3.2e-5 * 2.0**i, "holds" if i % 3 else "violated"] for i in range(12)],
    }


class Feed:
    """A growing trace and its snapshots.

    Parameters
    ----------
    lines : int
        Width of the series "weights".
    swing : float
        Size of the oscillation that never dies out; 0 for a run that converges.
    """

    def __init__(self, lines: int = 20, swing: float = 0.0, run_id: int = 1) -> None:
        self.lines, self.swing, self.run_id = lines, swing, run_id
        self.frame = 0
        first = {key: values[0] for key, values in self.series(np.arange(1)).items()}
        self.trace = Trace(first)

    def series(self, k: np.ndarray) -> Mapping[str, FloatArray]:
        """Return all series at steps k, shape (m,)."""
        index = np.arange(self.lines)
        sign = 1.0 - 2.0 * (k % 2)
        fade = np.exp(-k / 60.0)
        wave = (sign * (0.3 * fade + self.swing))[:, None] * (1 + index / self.lines)
        weights = 1.15 + 0.04 * index * fade[:, None] + wave
        slow = np.where(k % 50 == 0, 0.9 + 0.1 * fade, np.nan)
        return {
            "weights": weights,
            "error": np.abs(weights[:, 0] - 1.15) + 1e-14,
            "envelope": 2.0 * 0.96 ** k.astype(float),
            "stability": 1.0 + 0.5 * fade + 0.1 * sign * (fade + self.swing),
            "slow": slow,
            "step_size": np.full(len(k), 0.5),
        }

    def advance(self, n: int) -> Feed:
        """Go on for n steps."""
        last = self.trace.last
        for begin in range(last + 1, last + n + 1, 4096):
            k = np.arange(begin, min(begin + 4096, last + n + 1))
            self.trace.add(Chunk.exact(begin, self.series(k)))
        return self

    def snapshot(self, **given: Any) -> Snapshot:
        """Take a picture of the run; `given` replaces its fields."""
        self.frame += 1
        last = self.trace.last
        fields: dict[str, Any] = {
            "run_id": self.run_id,
            "frame": self.frame,
            "status": Status.RUNNING,
            "experiment": "fake",
            "params": FakeParams(),
            "seed": 0,
            "step": last,
            "cursor": last,
            "target": None,
            "trace": self.trace.view(),
            "observation": observation(last),
            "outcome": Outcome(kind=OutcomeKind.CONVERGING, step=last, message=""),
            "theory": (
                Bound(id="delta_max", name="", symbol="", value=1.25, source="Proposition 1"),
            ),
            "claims": (),
            "changes": (),
            "steps_per_second": 0.0,
        }
        return Snapshot(**{**fields, **given})


def change(step: int, **values: Any) -> Change:
    """Make a change of live parameters."""
    return Change(step, values)
