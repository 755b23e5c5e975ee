"""The window's own small icons, drawn as paths so that they follow the theme and any scale."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QIcon,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QToolButton, QWidget

from engine.core.paths import resource
from gui.style import scaling
from gui.style.theme import current_theme

GRID = 24.0


def _triangle(path: QPainterPath, left: float, right: float, half: float = 6.0) -> None:
    path.addPolygon(
        QPolygonF([QPointF(left, 12 - half), QPointF(right, 12), QPointF(left, 12 + half)])
    )
    path.closeSubpath()


def _play(painter: QPainter) -> None:
    path = QPainterPath()
    _triangle(path, 8, 19, 7)
    painter.fillPath(path, painter.pen().color())


def _pause(painter: QPainter) -> None:
    for x in (7.0, 13.5):
        painter.fillRect(QRectF(x, 5.5, 3.5, 13), painter.pen().color())


def _step(painter: QPainter) -> None:
    path = QPainterPath()
    _triangle(path, 6, 14.5)
    painter.fillPath(path, painter.pen().color())
    painter.fillRect(QRectF(15.5, 6, 2.5, 12), painter.pen().color())


def _mirrored(draw: Callable[[QPainter], None]) -> Callable[[QPainter], None]:
    def drawn(painter: QPainter) -> None:
        painter.translate(GRID, 0)
        painter.scale(-1, 1)
        draw(painter)

    return drawn


def _reset(painter: QPainter) -> None:
    painter.drawArc(QRectF(5, 5, 14, 14), 110 * 16, -290 * 16)
    head = QPolygonF([QPointF(11.6, 1.8), QPointF(11.6, 8.2), QPointF(6.6, 5.0)])
    path = QPainterPath()
    path.addPolygon(head)
    painter.fillPath(path, painter.pen().color())


def _run(painter: QPainter) -> None:
    path = QPainterPath()
    _triangle(path, 4, 11.5)
    _triangle(path, 12, 19.5)
    painter.fillPath(path, painter.pen().color())


def _live(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(12, 12), 7, 7)
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(12, 12), 2.5, 2.5)


def _nudge(painter: QPainter) -> None:
    painter.drawLine(QPointF(3, 12), QPointF(8.5, 12))
    painter.drawPolyline([QPointF(6, 9), QPointF(9, 12), QPointF(6, 15)])
    painter.drawArc(QRectF(-1.5, -10.5, 34, 30), 243 * 16, 62 * 16)
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(15.5, 12), 3.6, 3.6)


def _pin(painter: QPainter) -> None:
    painter.drawLine(QPointF(12, 14), QPointF(12, 20))
    painter.drawLine(QPointF(6.5, 14), QPointF(17.5, 14))
    painter.drawPolyline([QPointF(7.5, 14), QPointF(9.5, 11), QPointF(9.5, 5.5)])
    painter.drawPolyline([QPointF(16.5, 14), QPointF(14.5, 11), QPointF(14.5, 5.5)])
    painter.drawLine(QPointF(8, 5), QPointF(16, 5))


def _next(painter: QPainter) -> None:
    painter.drawPolyline([QPointF(9.5, 6.5), QPointF(15, 12), QPointF(9.5, 17.5)])


def _tiles(painter: QPainter) -> None:
    for x in (5.0, 13.0):
        for y in (5.0, 13.0):
            painter.drawRoundedRect(QRectF(x, y, 6, 6), 1.5, 1.5)


def _list(painter: QPainter) -> None:
    for y in (7.0, 12.0, 17.0):
        painter.drawLine(QPointF(5, y), QPointF(19, y))


def _table(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(4.5, 5.5, 15, 13), 1.5, 1.5)
    for y in (10.0, 14.3):
        painter.drawLine(QPointF(4.5, y), QPointF(19.5, y))
    painter.drawLine(QPointF(10.5, 5.5), QPointF(10.5, 18.5))


def _close(painter: QPainter) -> None:
    painter.drawLine(QPointF(7, 7), QPointF(17, 17))
    painter.drawLine(QPointF(17, 7), QPointF(7, 17))


def _restore(painter: QPainter) -> None:
    painter.drawPolyline([QPointF(10, 6), QPointF(5, 11), QPointF(10, 16)])
    painter.drawPolyline([QPointF(5, 11), QPointF(15, 11), QPointF(18.5, 13), QPointF(18.5, 18.5)])


def _warning(painter: QPainter) -> None:
    painter.drawPolygon([QPointF(12, 4.5), QPointF(20.5, 19), QPointF(3.5, 19)])
    painter.drawLine(QPointF(12, 10), QPointF(12, 14))
    painter.drawPoint(QPointF(12, 16.6))


def _home(painter: QPainter) -> None:
    painter.drawPolyline([QPointF(4.5, 12), QPointF(12, 5), QPointF(19.5, 12)])
    painter.drawPolyline([QPointF(7, 10.5), QPointF(7, 19), QPointF(17, 19), QPointF(17, 10.5)])


_ICONS: dict[str, Callable[[QPainter], None]] = {
    "play": _play,
    "pause": _pause,
    "step": _step,
    "back": _mirrored(_step),
    "reset": _reset,
    "run": _run,
    "live": _live,
    "nudge": _nudge,
    "pin": _pin,
    "table": _table,
    "next": _next,
    "previous": _mirrored(_next),
    "tiles": _tiles,
    "list": _list,
    "close": _close,
    "restore": _restore,
    "warning": _warning,
    "home": _home,
}


def _pixmap(name: str, color: QColor, size: int, scale: float) -> QPixmap:
    pixmap = QPixmap(round(size * scale), round(size * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / GRID, size / GRID)
    pen = QPen(color, 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    _ICONS[name](painter)
    painter.end()
    return pixmap


def icon(name: str, role: str = "text", size: int = 20) -> QIcon:
    """Draw an icon in the colour of a role of the theme, for all screens there are."""
    theme = current_theme()
    ratios = {screen.devicePixelRatio() for screen in QGuiApplication.screens()}
    return _icon(
        name, theme.color(role).name(), theme.strong_border, size, tuple(sorted(ratios | {1.0}))
    )


@lru_cache(maxsize=256)
def _icon(name: str, normal: str, disabled: str, size: int, ratios: tuple[float, ...]) -> QIcon:
    result = QIcon()
    for color, mode in ((normal, QIcon.Mode.Normal), (disabled, QIcon.Mode.Disabled)):
        for ratio in ratios:
            result.addPixmap(_pixmap(name, QColor(color), size, ratio), mode)
    return result


def app_icon() -> QIcon:
    """Load the program's icon."""
    return QIcon(str(resource("icons", "lyapunov-lab.svg")))


class IconButton(QToolButton):
    """A flat button with one of the icons above, redrawn when the theme changes.

    A click with the mouse leaves the keyboard focus where it is, so that Space goes on playing
    and pausing; the Tab key reaches the button.
    """

    def __init__(self, name: str, text: str, tip: str, size: int = 20, role: str = "text") -> None:
        super().__init__()
        self._name, self._size, self._role = name, size, role
        self.setText(text)
        self.setAccessibleName(text)
        self.setToolTip(tip)
        self.setAutoRaise(True)
        scaling.icon(self, size)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._draw()

    def set_icon_name(self, name: str) -> None:
        """Show another icon."""
        if name != self._name:
            self._name = name
            self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Redraw in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() in (
            QEvent.Type.PaletteChange,
            QEvent.Type.StyleChange,
            QEvent.Type.FontChange,
        ):
            self._draw()

    def _draw(self) -> None:
        self.setIcon(icon(self._name, self._role, scaling.whole(self._size)))


def swatch(color: QColor, parent: QWidget) -> QIcon:
    """Draw a filled round swatch of a colour."""
    ratio = parent.devicePixelRatioF()
    ratio *= scaling.factor()
    pixmap = QPixmap(round(14 * ratio), round(14 * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(ratio, ratio)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(QRectF(1, 1, 12, 12))
    painter.end()
    pixmap.setDevicePixelRatio(parent.devicePixelRatioF())
    return QIcon(pixmap)
