"""The bar above a plot: its legend has a line of its own where it would lose names."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from gui.plots.canvas.layers import tinted
from gui.plots.header import TALL, TALLER, PlotHeader
from gui.plots.legend import draw_swatch
from gui.plots.panes.pane import Entry
from gui.style.theme import DARK, LIGHT, Theme


@pytest.fixture
def header(qtbot) -> PlotHeader:
    made = PlotHeader("Jacobian eigenvalues", "")
    qtbot.addWidget(made)
    made.legend.set_entries(
        (Entry("0", "unit circle", "bound"), Entry("1", "$\\mu_i$", "1")), set()
    )
    made.show()
    return made


def names(header: PlotHeader, width: int, room: int) -> list[str]:
    """Return the names that can be seen at a width in a plot of a height."""
    header.set_room(room)
    header.resize(width, header.sizeHint().height())
    for _ in range(3):
        QApplication.processEvents()
    header.resize(width, header.sizeHint().height())
    QApplication.processEvents()
    return [chip.entry.id for chip in header.legend.chips if chip.isVisible()]


def test_a_wide_header_has_one_line(header) -> None:
    assert names(header, 600, 400) == ["0", "1"]
    assert not header.has_two_lines


def test_a_narrow_header_of_a_tall_plot_has_a_second_line_with_all_names(header) -> None:
    assert names(header, 300, TALL) == ["0", "1"]
    assert header.has_two_lines
    assert header.legend.y() >= header.name.geometry().bottom()
    assert header.name.width() >= header.name.sizeHint().width(), "the name is whole"
    assert header.legend.chips[0].x() == 0, "as the name it begins at the left"


def test_a_low_plot_keeps_its_height_for_the_data(header) -> None:
    names(header, 300, TALL - 1)
    assert not header.has_two_lines


def test_one_name_that_is_lost_is_worth_a_line_only_in_a_plot_that_is_tall_enough(header) -> None:
    width = next(w for w in range(250, 600) if names(header, w, 0) == ["0"])
    names(header, width, TALLER - 1)
    assert not header.has_two_lines
    assert names(header, width, TALLER) == ["0", "1"]
    assert names(header, 600, TALLER) == ["0", "1"]
    assert not header.has_two_lines


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_swatch_of_a_tint_has_the_colour_of_its_cells(theme: Theme) -> None:
    cells = tinted(np.array([[1]], np.uint8), theme, ["good"])
    image = QImage(16, 16, QImage.Format.Format_ARGB32)
    image.fill(theme.color("surface"))
    painter = QPainter(image)
    draw_swatch(painter, QRectF(0, 0, 16, 16), Entry("0", "proved", "good", "tint"), theme)
    painter.end()
    assert image.pixel(8, 8) == cells.pixel(0, 0)
