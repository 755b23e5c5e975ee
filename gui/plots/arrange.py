"""The arrangement of plots at first: the most important one largest, no more than can be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from gui.style import scaling
from gui.widgets.dock_shares import resize_docks

AREA = Qt.DockWidgetArea.TopDockWidgetArea
DockT = TypeVar("DockT", bound=QDockWidget)
LEAST_WIDTH, LEAST_HEIGHT = 300, 190
"""Size of a plot below which two rather share a place as tabs, at a scale of 1."""
THREE_COLUMNS = 1500
"""Width of a page from which there are three columns, at a scale of 1."""


def places_for(count: int, size: QSize) -> tuple[int, ...]:
    """Return how many plots stand in each column, the one with the largest plot first.

    Those for which there is no place become tabs.
    """
    width, height = size.width() / scaling.factor(), size.height() / scaling.factor()
    across = min(count, 1 + (width >= 2 * LEAST_WIDTH) + (width >= THREE_COLUMNS), 3)
    down = max(1, min(4, int(height / LEAST_HEIGHT)))
    if across <= 1:
        return (min(count, down),)
    first = 1 if count <= 3 or down == 1 else 2
    rest = count - first
    if across == 2 or rest <= 3:
        return first, min(rest, down)
    second = min((rest + 1) // 2, down)
    return first, second, min(rest - second, down)


def arrange(
    window: QMainWindow,
    shown: Sequence[QDockWidget],
    hidden: Sequence[QDockWidget],
    size: QSize,
) -> dict[QDockWidget, tuple[float, float]]:
    """Arrange docks in two columns: the first dock large at the left, the rest around it.

    Returns
    -------
    dict
        The width and height that each dock is to have, tabs included.
    """
    for dock in (*shown, *hidden):
        dock.setFloating(False)
        window.removeDockWidget(dock)
    counts = places_for(len(shown), size)
    columns: list[list[QDockWidget]] = []
    placed = 0
    for count in counts:
        columns.append(list(shown[placed : placed + count]))
        placed += count
    _stand(window, columns)
    # The last plot of each column but the largest plot gets the tabs.
    hosts = [column[-1] for column in reversed(columns) if column and column[-1] is not shown[0]]
    hosts = hosts or list(shown[:1])
    for index, dock in enumerate([*shown[placed:], *hidden]):
        if hosts:
            window.tabifyDockWidget(hosts[index % len(hosts)], dock)
        else:
            window.addDockWidget(AREA, dock)
    for dock in shown:
        dock.show()
    for dock in hidden:
        dock.hide()
    for dock in hosts:
        dock.raise_()
    sizes = _sizes(columns, size)
    tops = [column[0] for column in columns if column]
    resize_docks(window, tops, [sizes[dock][0] for dock in tops], Qt.Orientation.Horizontal)
    for column in columns:
        heights = [sizes[dock][1] for dock in column]
        resize_docks(window, column, heights, Qt.Orientation.Vertical)
    for index, dock in enumerate([*shown[placed:], *hidden]):
        if hosts:
            sizes[dock] = sizes[hosts[index % len(hosts)]]
    return sizes


def _stand(window: QMainWindow, columns: Sequence[Sequence[QDockWidget]]) -> None:
    for column in columns:
        if column:
            window.addDockWidget(AREA, column[0], Qt.Orientation.Horizontal)
    for column in columns:
        for above, below in pairwise(column):
            window.splitDockWidget(above, below, Qt.Orientation.Vertical)


def columns_of(docks: Iterable[DockT]) -> list[list[DockT]]:
    """Return the docks that stand above each other, from the left and from above."""
    columns: dict[int, list[DockT]] = {}
    for dock in sorted(docks, key=lambda dock: (dock.x(), dock.y())):
        columns.setdefault(dock.x(), []).append(dock)
    return list(columns.values())


def _sizes(
    columns: Sequence[Sequence[QDockWidget]], size: QSize
) -> dict[QDockWidget, tuple[float, float]]:
    shares = {0: (), 1: (1.0,), 2: (0.57, 0.43), 3: (0.42, 0.29, 0.29)}[len(columns)]
    found = {}
    for index, (column, share) in enumerate(zip(columns, shares, strict=True)):
        first = 0.62 if index == 0 and len(column) > 1 else 1 / max(len(column), 1)
        rest = (1 - first) / max(len(column) - 1, 1)
        for place, dock in enumerate(column):
            found[dock] = (share * size.width(), size.height() * (rest if place else first))
    return found
