"""Plots described as data: drawn live by the window, on paper by `engine.figures.paper`.

A `TimeView` draws recorded series along the step. Every other view draws arrays from the
experiment's observation, by key. Colours are roles, so that a theme and a printed page can choose:
``"1"`` to ``"8"`` (categorical), ``"ramp"`` (one colour of a sequential map per line), ``"bound"``
(a limit of the theory), ``"good"``, ``"bad"``, ``"muted"`` and ``"text"``.
Texts may hold mathtext between dollars. Keys may be missing from an observation: the item is
then not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dash = Literal["solid", "dash", "dot"]
Symbol = Literal["o", "s", "t", "d", "+", "x", "star"]
Colormap = Literal["sequential", "diverging", "gray"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A recorded series drawn along the step.

    A series of width > 1 is drawn as one line per component (coloured by `color="ramp"`, or all
    alike), or only `component`. `magnitude` draws the absolute value, for signed data on log axes.
    """

    key: str
    label: str
    color: str = "1"
    component: int | None = None
    dash: Dash = "solid"
    points: bool = False
    magnitude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A straight line across a plot at a constant, or at the value of a bound or observation key.

    Exactly one of `value`, `bound` (id of a `Bound`), `key` (number in the observation) is set.
    """

    label: str
    value: float | None = None
    bound: str = ""
    key: str = ""
    vertical: bool = False
    color: str = "bound"
    dash: Dash = "dash"

    def __post_init__(self) -> None:
        if (self.value is not None) + bool(self.bound) + bool(self.key) != 1:
            raise ValueError("a rule has exactly one of a value, a bound and a key")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What all views have: stable id, title, one-sentence explanation, shown at first or not."""

    id: str
    title: str
    help: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeView(View):
    """Series against the step k (or δ·k).

    `y_limit` bounds the axis, not the data, so that one wild value does not flatten the rest.
    Predictions are series too, distinguished by their dash.
    """

    y_label: str
    series: tuple[Series, ...]
    rules: tuple[Rule, ...] = ()
    log_y: bool = False
    y_limit: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A polyline through observation arrays `x` and `y`, shape (m,); NaN breaks it.

    With `y` of shape (m, c) there are c lines; `fill_to` names a second y array to shade towards.
    The axes do not reach out to a `ground` that lies under everything else, such as level curves.
    """

    x: str
    y: str
    label: str = ""
    color: str = "1"
    dash: Dash = "solid"
    width: float = 1.5
    fill_to: str = ""
    ground: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Markers at observation arrays `x` and `y`, shape (m,); `values`, if set, colours them."""

    x: str
    y: str
    label: str = ""
    color: str = "1"
    symbol: Symbol = "o"
    size: float = 7.0
    values: str = ""
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A circle: constant or keyed centre (number pair in the observation) and radius."""

    label: str = ""
    radius: float = 1.0
    center_key: str = ""
    radius_key: str = ""
    color: str = "bound"
    dash: Dash = "dash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tint:
    """What a value of an image means, and the role whose colour, paled, its cells have."""

    value: float
    label: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """An image under the other items; `key` has shape (rows, columns), row 0 at the smallest y.

    `extent_key` names four numbers x0, x1, y0, y1 in the observation. `headroom` is the part of the
    colours below the least value: the first is the ground's, from which some must stand out.
    `missing` says what a cell without a value (NaN, blank) means, `at_top` what the greatest does.
    `counts_key` names whole numbers of the same shape that the colours stand for: tables then hold
    these, and only the cells where there are any.
    With `tints` the image has these values only; each has one colour and stands in the legend.
    """

    key: str
    extent_key: str
    label: str = ""
    colormap: Colormap = "sequential"
    headroom: float = 0.0
    missing: str = ""
    at_top: str = ""
    counts_key: str = ""
    tints: tuple[Tint, ...] = ()

    def ends(self, low: float, high: float) -> tuple[float, float]:
        """Return the values of the first and the last colour, from those of the data."""
        return low - self.headroom / (1.0 - self.headroom) * (high - low), high

    def meaning(self, value: float) -> str:
        """Return what a value means, where the image has but a few; else nothing."""
        return next((tint.label for tint in self.tints if tint.value == value), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A point the user drags; moving it calls the experiment's `drag` with the handle's id.

    `x` and `y` are observation keys of numbers or of arrays of shape (m,); for an array the id
    passed on is ``"id:index"``. `axis` limits the direction of movement.
    """

    id: str
    x: str
    y: str
    label: str = ""
    axis: Literal["x", "y", "xy"] = "xy"
    color: str = "2"


Item = Curve | Points | Circle | Heat | Handle | Rule


@dataclass(frozen=True, slots=True)
class Extent:
    """How far an axis reaches: at least over `home`, and to whatever lies within `most`.

    Points that are farther are marked by an arrow at the edge, with the value of the farthest.
    """

    home: tuple[float, float]
    most: tuple[float, float]


CIRCLE_X = Extent((-2.2, 1.8), (-8.0, 4.0))
CIRCLE_Y = Extent((-1.4, 1.4), (-4.0, 4.0))
"""Axes around the unit circle, on which it stays large enough to be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneView(View):
    """Curves, points, circles and images over two continuous axes.

    An axis with a range has these ends whatever the data, one with an extent follows the data
    within it, and one with neither follows the data wherever they go. `drawable` names a parameter
    (kind "matrix", rows x y) to which clicks and strokes on the plot add points.
    """

    x_label: str
    y_label: str
    items: tuple[Item, ...]
    equal: bool = False
    log_x: bool = False
    log_y: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    x_extent: Extent | None = None
    y_extent: Extent | None = None
    drawable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceView(View):
    """The surface of a function of two variables, with curves and points that lie on it.

    `key` has shape (rows, columns): values on a grid from end to end, row 0 at the least y, NaN
    where there is none. `extent_key` names the ends x0, x1, y0, y1. The items have places in the
    plane below and are drawn on the surface above them; what is outside the grid is not drawn.
    """

    key: str
    extent_key: str
    x_label: str
    y_label: str
    z_label: str
    items: tuple[Curve | Points, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView(View):
    """One image, shape (rows, columns), row 0 on top, or a grid of them, shape (m, rows, columns).

    `captions_key` names a list of m texts; `annotate` writes each cell's number into it;
    `row_labels_key` and `column_labels_key` name lists of texts for the axes of a single image.
    With `tints` the images have these values only, as those of `Heat` do, and `missing` says what
    blank cells mean. `extent_key` names four numbers x0, x1, y0, y1 that all images reach over.
    `status_key` names a text that stands where there is no image yet.
    """

    key: str
    colormap: Colormap = "sequential"
    captions_key: str = ""
    annotate: bool = False
    x_label: str = ""
    y_label: str = ""
    row_labels_key: str = ""
    column_labels_key: str = ""
    color_label: str = ""
    tints: tuple[Tint, ...] = ()
    missing: str = ""
    extent_key: str = ""
    status_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarView(View):
    """Bars per category: `categories_key` names m texts, each of `keys` an array of shape (m,).

    `y_limit` holds the ends that the value axis may not pass, None for an open end.
    """

    categories_key: str
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    colors: tuple[str, ...]
    y_label: str
    x_label: str = ""
    y_limit: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView(View):
    """A table: `headings` over a list of rows (lists of texts or numbers) under `key`."""

    key: str
    headings: tuple[str, ...]
