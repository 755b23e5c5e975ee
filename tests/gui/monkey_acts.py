"""What the random user can do; each action says what it did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QSpinBox,
    QWidget,
)

from gui.app.drive import wait_until
from tests.gui.monkey_hands import MODIFIERS, is_file_dialog
from tests.gui.monkey_panels import PanelActs

NONSENSE = (
    *("1e400", "", "-", "nan", "π", "inf", "-1", "0", "1", "2", "3", "7", "0.5", "1e-3", "1e-300"),
    *("99999999999999999999999", "9223372036854775807", "0x10", "1,5", "1e5", "10k", "½", "1/3"),
    *("1, 2, 3", "[[1, 2], [3, 4]]", "sin(x)", "x**2", "import os", "'", "\\", "%s", "{0}", "  5 "),
    *("tiny", "digits", "mnist", "/", "~", "0.3", "0.9", "1.1", "10", "20", "-0", "+4", "1e", "e5"),
)
KEYS = (
    *("Space", "Right", "Left", "Up", "Down", "R", "L", "N", "U", "Plus", "Minus", "P", "Tab"),
    *("Return", "Escape", "Backspace", "Delete", "Home", "End", "PageUp", "PageDown", "Backtab"),
    *("1", "2", "3", "4", "5", "6", "7", "8", "9", "F1", "F11", "A", "Period"),
)
PATIENCE_SECONDS = 0.3
"""A slow run need not show all the pictures that are waited for."""
COMMANDS = ("Z", "Y", "Z", "Z", "S", "O", "E", "D", "A", "C", "V", "X", "Slash")


class Acts(PanelActs):
    """Random actions in a window.

    Attributes
    ----------
    folder : Path
        For settings and all files.
    """

    folder: Path

    def choices(self) -> tuple[Callable[[], str], ...]:
        """Return the actions, each as often as it is likely."""
        weights = (
            (self.click_somewhere, 14),
            (self.press_key, 12),
            (self.press_command, 6),
            (self.type_somewhere, 12),
            (self.drag_somewhere, 8),
            (self.turn_wheel, 5),
            (self.use_transport, 14),
            (self.choose_preset, 4),
            (self.choose_experiment, 2),
            (self.use_menu, 6),
            (self.use_combo, 3),
            (self.use_ensemble, 3),
            (self.draw_digit, 2),
            (self.use_plot, 6),
            (self.resize_window, 1),
            (self.change_speed, 2),
            (self.close_something, 4),
            (self.open_file, 1),
            (self.wait, 4),
        )
        return tuple(action for action, count in weights for _ in range(count))

    # Anything, anywhere.

    def click_somewhere(self) -> str:
        """Click whatever is there."""
        found = self.eyes.widget(self.random.choice((QWidget, QAbstractButton)))
        if found is None:
            return "nothing to click"
        widget, box = found
        if self._is_left_alone(widget):
            return "left alone"
        point, button = self.eyes.point(box), self.eyes.button()
        modifiers, double = self.random.choice(MODIFIERS), self.random.random() < 0.15
        what = f"click {self.eyes.name(widget)} {point.toTuple()} {button.name} {modifiers.name}"
        self.hands.click(widget, point, button, modifiers, double)
        return what + (" twice" if double else "")

    def _is_left_alone(self, widget: QWidget) -> bool:
        return is_file_dialog(widget.window())

    def drag_somewhere(self) -> str:
        """Drag from somewhere to somewhere, also out of the widget."""
        found = self.eyes.widget()
        if found is None or self._is_left_alone(found[0]):
            return "nothing to drag"
        widget, box = found
        wide = box.adjusted(-40, -40, 40, 40) if self.random.random() < 0.3 else box
        path = [
            self.eyes.point(box),
            *(self.eyes.point(wide) for _ in range(self.random.randint(1, 6))),
        ]
        button, modifiers = self.eyes.button(), self.random.choice(MODIFIERS)
        what = f"drag {self.eyes.name(widget)} {[p.toTuple() for p in path]} {button.name}"
        self.hands.drag(widget, path, button, modifiers)
        return what

    def turn_wheel(self) -> str:
        """Turn the wheel somewhere."""
        found = self.eyes.widget()
        if found is None:
            return "nothing to turn over"
        widget, box = found
        turn = self.random.choice((120, -120, 240, -360, 15, -15, 1200, -1200))
        what = f"wheel {turn} over {self.eyes.name(widget)}"
        self.hands.wheel(widget, self.eyes.point(box), turn, self.random.choice(MODIFIERS))
        return what

    def press_key(self) -> str:
        """Press a key, perhaps many times."""
        name = self.random.choice(KEYS)
        times = self.random.choice((1, 1, 1, 2, 5))
        for _ in range(times):
            self.hands.key(Qt.Key[f"Key_{name}"])
        return f"key {name} × {times}"

    def press_command(self) -> str:
        """Press a key with Ctrl."""
        name = self.random.choice(COMMANDS)
        modifiers = Qt.KeyboardModifier.ControlModifier
        shift = name in "ZC" and self.random.random() < 0.4
        if shift:
            modifiers |= Qt.KeyboardModifier.ShiftModifier
        self.hands.key(Qt.Key[f"Key_{name}"], modifiers)
        return f"Ctrl{'+Shift' if shift else ''}+{name}"

    def type_somewhere(self) -> str:
        """Type sense or nonsense into a field, and leave it somehow."""
        found = self.eyes.widget(self.random.choice((QLineEdit, QLineEdit, QSpinBox)))
        if found is None or self._is_left_alone(found[0]):
            return "nothing to type in"
        widget, box = found
        name, text = self.eyes.name(widget), self.random.choice(NONSENSE)
        self.hands.click(widget, box.center())
        self.hands.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.hands.key(Qt.Key.Key_Delete)
        self.hands.type(text)
        end = self.random.choice(("Return", "Tab", "Escape", "", "Up", "Return"))
        if end:
            self.hands.key(Qt.Key[f"Key_{end}"])
        return f"type {text!r} {end} in {name}"

    def use_transport(self) -> str:
        """Press one of the buttons that carry the run, or scrub."""
        transport = self.window.transport
        buttons = [w for w in transport.findChildren(QAbstractButton) if w.isEnabled()]
        widget = self.random.choice([*buttons, transport.scrub, transport.scrub])
        if QApplication.activeModalWidget() is not None or not widget.isVisible():
            return "no transport"
        what = f"transport {self.eyes.name(widget)}"
        if isinstance(widget, QAbstractSlider):
            count = self.random.randint(1, 5)
            self.hands.drag(widget, [self.eyes.point(widget.rect()) for _ in range(count)])
        else:
            self.hands.click(widget, widget.rect().center())
        return what

    def choose_preset(self) -> str:
        """Choose a preset of the experiment that is open."""
        offered = self.window.header.presets
        if not offered.count() or QApplication.activeModalWidget() is not None:
            return "no presets"
        index = self.random.randrange(offered.count())
        offered.setCurrentIndex(index)
        offered.activated.emit(index)
        return f"preset {offered.itemText(index)!r}"

    def choose_experiment(self) -> str:
        """Open another experiment."""
        if QApplication.activeModalWidget() is not None:
            return "no other experiment"
        chosen = self.random.choice(self.window.experiments).id
        self.window.experiment_panel.experiment_chosen.emit(chosen)
        return f"experiment {chosen}"

    def use_menu(self) -> str:
        """Trigger an action of the menu bar, submenus included."""
        if QApplication.activeModalWidget() is not None:
            return "no menu"
        menu: QMenu = self.random.choice(
            [a.menu() for a in self.window.menuBar().actions() if a.menu() is not None]
        )
        words = []
        while True:
            menu.aboutToShow.emit()
            usable = [a for a in menu.actions() if a.isEnabled() and not a.isSeparator()]
            if not usable:
                return f"nothing in menu {words}"
            action = self.random.choice(usable)
            words.append(action.text())
            below = action.menu()
            if below is None:
                break
            menu = below
        with self.hands.at_work():
            action.trigger()
        return f"menu {' > '.join(words)}"

    def use_combo(self) -> str:
        """Choose something in a box with choices."""
        found = self.eyes.widget(QComboBox)
        if found is None or self._is_left_alone(found[0]):
            return "nothing to choose"
        box = found[0]
        assert isinstance(box, QComboBox)
        if not box.count():
            return "an empty choice"
        name, index = self.eyes.name(box), self.random.randrange(box.count())
        box.setCurrentIndex(index)
        box.activated.emit(index)
        return f"choose {index} in {name}"

    def resize_window(self) -> str:
        """Return the window another size."""
        width, height = self.random.randint(400, 2200), self.random.randint(300, 1300)
        self.window.resize(width, height)
        return f"resize to {width} × {height}"

    def change_speed(self) -> str:
        """As fast as can be, or slow."""
        speed = self.random.choice((None, 0.05, 1.0, 20.0, 1e5))
        self.window.set_speed(speed)
        return f"speed {speed}"

    def close_something(self) -> str:
        """Close a window beside the main one."""
        others = [
            top
            for top in QApplication.topLevelWidgets()
            if top.isVisible() and top is not self.window
        ]
        if not others:
            return "nothing to close"
        chosen = self.random.choice(others)
        name = self.eyes.name(chosen)
        chosen.close()
        return f"close {name}"

    def open_file(self) -> str:
        """Open a file that was saved before, by dropping it."""
        known = sorted(path for path in self.folder.rglob("*") if path.is_file())
        if not known or QApplication.activeModalWidget() is not None:
            return "nothing to open"
        path = self.random.choice(known)
        self.window.files.open(path)
        wait_until(lambda: not self.window.files.background.is_busy, 20)
        return f"open {path.relative_to(self.folder)}"

    def wait(self) -> str:
        """Let a run that goes on show some more pictures."""
        control, wanted, shown = self.window.control, self.random.randint(1, 8), set()

        def enough() -> bool:
            if control.snapshot is not None:
                shown.add(control.snapshot.frame)
            return len(shown) > wanted or not control.is_running

        wait_until(enough, PATIENCE_SECONDS)
        return "wait"

    # Files.

    def new_path(self, *_: Any, **__: Any) -> tuple[str, str]:
        """Answer a dialog that asks where to save, now and then with nothing."""
        name = self.random.choice(("a.toml", "b", "c.npz", "d.csv", "e.svg", "f.safetensors", ""))
        self.hands.answers.append(f"save as {name!r}")
        return (str(self.folder / name) if name else "", "")

    def old_path(self, *_: Any, **__: Any) -> tuple[str, str]:
        """Answer a dialog that asks what to open."""
        known = sorted(path for path in self.folder.rglob("*") if path.is_file())
        path = self.random.choice(known) if known else None
        self.hands.answers.append(f"open {path and path.name}")
        return ("" if path is None else str(path), "")

    def new_folder(self, *_: Any, **__: Any) -> str:
        """Answer a dialog that asks for a folder."""
        self.hands.answers.append("into runs")
        return str(self.folder / "runs")

    @staticmethod
    def file_dialog() -> QFileDialog | None:
        """Find a dialog that lists files."""
        tops = QApplication.topLevelWidgets()
        return next((t for t in tops if isinstance(t, QFileDialog) and t.isVisible()), None)

    def answer_file_dialog(self, dialog: QFileDialog) -> str:
        """Choose a file there, or none."""
        known = sorted(path for path in self.folder.rglob("*") if path.is_file())
        if not known or self.random.random() < 0.4:
            dialog.reject()
            return "no file"
        path = str(self.random.choice(known))
        dialog.fileSelected.emit(path)
        dialog.reject()
        return f"file {path}"
