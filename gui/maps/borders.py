"""The borders of the basins on screen, measured: each with its fit and its error."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from engine.core.arrays import FloatArray
from engine.maps.borders import Fit
from engine.maps.measured import Measured, measured
from engine.maps.picture import CLASSES
from engine.maps.shown import MapShown
from engine.text.numbers import short
from gui.maps.legend import MapLegend
from gui.maps.source import MapSource
from gui.plots.canvas.paint import line_pen, painting, polygon
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px
from gui.typeset.rich_text import fitting_label
from gui.widgets.words import Words, small

HEIGHT = 96.0
"""Pixels of the plots of the fits."""
DOT = 2.6
"""Radius of a point."""


class BorderFits(QWidget):
    """Box dimension and uncertainty exponent in words, and the points that they are fitted to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = Words("muted", fine=True)
        self.plots = FitPlots()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(layout, 4)
        layout.addWidget(self.words)
        layout.addWidget(self.plots)
        self.setAccessibleName("Borders of the basins")
        self.show_measured(None)

    def show_measured(self, found: Measured | None) -> None:
        """Show what is measured; nothing where nothing is."""
        sentences = () if found is None else found.sentences
        self.words.say(". ".join(each.removesuffix(".") for each in sentences))
        self.setAccessibleDescription(self.words.text())
        self.plots.show_fits(
            () if found is None else ((found.dimension, "boxes"), (found.uncertainty, "uncertain"))
        )
        self.setVisible(bool(sentences))


class FitPlots(QWidget):
    """Log-log plots of counts over scales beside one another, each with its line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fits: tuple[tuple[Fit, str], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_fits(self, fits: tuple[tuple[Fit | None, str], ...]) -> None:
        """Show those that there are, each with what was counted."""
        self.fits = tuple((fit, name) for fit, name in fits if fit is not None)
        self.setVisible(bool(self.fits))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a low stripe."""
        return QSize(scaling.whole(200), round(px(HEIGHT)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw them."""
        with painting(self) as painter:
            room = self.width() / max(len(self.fits), 1)
            for number, (fit, name) in enumerate(self.fits):
                box = QRectF(number * room, 0.0, room, float(self.height()))
                self._draw(painter, fit, name, box.adjusted(px(2), px(2), -px(4), -px(2)))

    def _draw(self, painter: QPainter, fit: Fit, name: str, box: QRectF) -> None:
        font, line = small(self.font()), float(self.fontMetrics().height())
        plot = box.adjusted(0.0, line, 0.0, -line)
        painter.setPen(line_pen(ink("border"), 1.0))
        painter.setBrush(ink("surface"))
        painter.drawRoundedRect(plot, px(4), px(4))
        x, y, fitted = np.log(fit.scales), np.log(fit.counts), line_of(fit)
        inner = plot.adjusted(px(7), px(7), -px(7), -px(7))
        low, high = float(min(y.min(), fitted.min())), float(max(y.max(), fitted.max()))
        across = inner.left() + (x - x[0]) / (x[-1] - x[0]) * inner.width()

        def up(values: FloatArray) -> FloatArray:
            return np.asarray(inner.bottom() - (values - low) / (high - low) * inner.height())

        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(line_pen(ink("bound"), px(1.4)))
        painter.drawPolyline(polygon(across, up(fitted)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink("text"))
        for at in zip(across.tolist(), up(y).tolist(), strict=True):
            painter.drawEllipse(QPointF(*at), px(DOT), px(DOT))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ends = f"{short(float(fit.counts[0]), 3)} to {short(float(fit.counts[-1]), 3)}"
        over = fitting_label(f"{name}: {ends}", font, box.width())
        over.draw(painter, box.topLeft(), ink("muted"))
        first, last = fit.range
        below = fitting_label(f"{first:g} to {last:g} cells", font, box.width())
        below.draw(painter, QPointF(box.left(), plot.bottom()), ink("muted"))


def line_of(fit: Fit) -> FloatArray:
    """Return the logarithms of the counts on the fitted line, shape (m,)."""
    x, y = np.log(fit.scales), np.log(fit.counts)
    slope = math.copysign(fit.value, float(y[-1] - y[0]))
    return np.asarray(y.mean() + slope * (x - x.mean()))


class BorderMeasure(QObject):
    """Measures the borders of each map of basins once it is done, beside the window's thread.

    Parameters
    ----------
    source : MapSource
    fits : BorderFits
    legend : MapLegend
        Shows the errors of the shares.
    """

    def __init__(
        self,
        source: MapSource,
        fits: BorderFits,
        legend: MapLegend,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source, self._fits, self._legend = source, fits, legend
        self._number = -1
        source.shown.connect(self._on_shown)

    def forget(self) -> None:
        """Show nothing of the map before."""
        self._number = -1
        self._fits.show_measured(None)
        self._legend.show_errors({})

    def _on_shown(self, shown: MapShown) -> None:
        if shown.state != "done" or shown.spec.kind != "basin":
            if self._number != -1:
                self.forget()
            return
        number = shown.number
        if number == self._number:
            return
        self._number = number
        prepared, outcome = shown.prepared, shown.arrays[CLASSES]

        def then(found: Measured | Exception) -> None:
            if number == self._number and isinstance(found, Measured):
                self._fits.show_measured(found)
                errors = {code: share.error for code, share in found.shares.items()}
                self._legend.show_errors(errors)

        self._source.ask(lambda: measured(prepared, outcome), then)
