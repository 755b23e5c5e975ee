"""The hands of the random user: events as a window system sends them, with their popups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QMenu, QWidget
from shiboken6 import isValid

NESTED_MS = 10
"""How often a loop inside an event, such as that of a menu, is looked for."""
MODIFIERS = (
    *(Qt.KeyboardModifier.NoModifier,) * 5,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class Hands:
    """Sends events to what is on the screen, and answers the menus that wait within an event.

    Parameters
    ----------
    random : Random
        Of the present action; set anew for each.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.answers: list[str] = []
        self._busy = 0
        self._nested = QTimer(interval=NESTED_MS)
        self._nested.timeout.connect(self._on_nested)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Send events; whatever waits within one is answered."""
        self._busy += 1
        self._nested.start()
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy:
                self._nested.stop()

    def _on_nested(self) -> None:
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            self.answer_menu(popup)
        elif popup is not None:
            popup.close()
        elif isinstance(modal := QApplication.activeModalWidget(), QDialog):
            modal.reject()

    def answer_menu(self, menu: QMenu) -> None:
        """Choose something of an open menu with the keyboard, or leave it."""
        downs = self.random.randrange(8)
        for _ in range(downs):
            QTest.keyClick(menu, Qt.Key.Key_Down)
        chosen = menu.activeAction()
        text = "" if chosen is None else chosen.text()
        takes = self.random.random() < 0.7 and chosen is not None
        self.answers.append(f"menu: {text if takes else 'left'}")
        QTest.keyClick(menu, Qt.Key.Key_Return if takes else Qt.Key.Key_Escape)
        if menu.isVisible() and not takes:
            menu.close()

    def click(
        self,
        widget: QWidget,
        at: QPoint,
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        double: bool = False,
    ) -> None:
        """Click a point of a widget through its window."""
        window, place = self._place(widget, at)
        with self.at_work():
            QTest.mouseMove(window, place)
            QTest.mouseClick(window, button, modifiers, place)
            if double and isValid(window):
                QTest.mouseDClick(window, button, modifiers, place)

    def drag(
        self,
        widget: QWidget,
        path: list[QPoint],
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Press at the first point, move along the others, release at the last."""
        window, place = self._place(widget, path[0])
        with self.at_work():
            QTest.mouseMove(window, place)
            QTest.mousePress(window, button, modifiers, place)
            for point in path[1:]:
                if not (isValid(window) and isValid(widget)):
                    return
                place = widget.window().mapFromGlobal(widget.mapToGlobal(point))
                QTest.mouseMove(window, place)
            if isValid(window):
                QTest.mouseRelease(window, button, modifiers, place)

    def wheel(self, widget: QWidget, at: QPoint, turn: int, modifiers: Qt.KeyboardModifier) -> None:
        """Turn the wheel over a point."""
        window, place = self._place(widget, at)
        with self.at_work():
            QTest.mouseMove(window, place)
            QTest.wheelEvent(window, place, QPoint(0, turn), QPoint(0, 0), modifiers)

    def key(
        self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        """Press a key where the focus is."""
        receiver = self.receiver()
        if receiver is not None and isValid(receiver):
            with self.at_work():
                QTest.keyClick(receiver, key, modifiers)

    def type(self, text: str) -> None:
        """Type a text where the focus is, over what is selected there."""
        for letter in text:
            receiver = self.receiver()
            if receiver is None or not isValid(receiver):
                return
            with self.at_work():
                if letter.isascii():
                    QTest.keyClicks(receiver, letter)
                elif hasattr(receiver, "insert"):
                    receiver.insert(letter)

    @staticmethod
    def receiver() -> QWidget | None:
        """Return what gets the keys."""
        popup = QApplication.activePopupWidget()
        if popup is not None:
            return popup.focusWidget() or popup
        focused = QApplication.focusWidget()
        return focused or QApplication.activeWindow()

    @staticmethod
    def _place(widget: QWidget, at: QPoint) -> tuple[QWindow, QPoint]:
        top = widget.window()
        handle = top.windowHandle()
        assert handle is not None, f"{type(top).__name__} has no window"
        return handle, widget.mapTo(top, at)


class Eyes:
    """Find what can be seen, and points on it.

    Parameters
    ----------
    random : Random
        Of the present action; set anew for each.
    window : QWidget
        The main one.
    """

    def __init__(self, random: Random, window: QWidget) -> None:
        self.random = random
        self.window = window

    def top(self) -> QWidget:
        modal = QApplication.activeModalWidget()
        if modal is not None:
            return modal
        others = [
            top
            for top in QApplication.topLevelWidgets()
            if top.isVisible() and top.windowHandle() is not None and top is not self.window
        ]
        if others and self.random.random() < 0.3:
            return self.random.choice(others)
        return self.window

    def widget(self, kind: type[QWidget] = QWidget) -> tuple[QWidget, QRect] | None:
        """Find a widget that can be seen, all classes alike however many there are of one."""
        top = self.top()
        found: dict[str, list[QWidget]] = {}
        for widget in top.findChildren(kind):
            if widget.window() is top and widget.isVisible() and widget.isEnabled():
                found.setdefault(type(widget).__name__, []).append(widget)
        while found:
            name = self.random.choice(sorted(found))
            widget = self.random.choice(found.pop(name))
            region = widget.visibleRegion()
            if not region.isEmpty():
                return widget, region.boundingRect()
        return None

    def point(self, box: QRect) -> QPoint:
        return QPoint(
            self.random.randint(box.left(), max(box.left(), box.right())),
            self.random.randint(box.top(), max(box.top(), box.bottom())),
        )

    @staticmethod
    def name(widget: QWidget) -> str:
        name = widget.accessibleName() or widget.objectName() or widget.windowTitle()
        text = getattr(widget, "text", None)
        text = text() if callable(text) and isinstance(widget, QAbstractButton) else ""
        return f"{type(widget).__name__} {name or text!r}"

    def button(self) -> Qt.MouseButton:
        buttons = Qt.MouseButton
        return self.random.choices(
            (buttons.LeftButton, buttons.RightButton, buttons.MiddleButton), (12, 3, 1)
        )[0]


def is_file_dialog(widget: QWidget) -> bool:
    """Return whether a window lists the files of this machine, which a random user may delete."""
    return isinstance(widget, QFileDialog)
