"""The keys of the window, in one table: menus, key handling and the shortcuts sheet read it.

Plain keys (Space, arrows, letters, digits) are not Qt shortcuts: those would be taken away from
the widget that has the focus. They reach the window only if no child had a use for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A key for an action: `plain` keys are handled by the window itself."""

    action: str
    group: str
    text: str
    keys: str
    plain: bool = False


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("play", "Run", "Play or pause", "Space", plain=True),
    Shortcut("step", "Run", "One step", "Right", plain=True),
    Shortcut("back", "Run", "One step back", "Left", plain=True),
    Shortcut("reset", "Run", "Reset to step 0", "R", plain=True),
    Shortcut("live", "Run", "Jump to where the run is", "L", plain=True),
    Shortcut("run", "Run", "Run N steps", "N", plain=True),
    Shortcut("nudge", "Run", "Nudge: push the state by a little", "U", plain=True),
    Shortcut("faster", "Run", "Faster", "+", plain=True),
    Shortcut("slower", "Run", "Slower", "-", plain=True),
    Shortcut("pin", "Run", "Pin this run", "P", plain=True),
    Shortcut("open", "File", "Open a run", "Ctrl+O"),
    Shortcut("save", "File", "Save the settings", "Ctrl+S"),
    Shortcut("export", "File", "Export figures and data", "Ctrl+E"),
    Shortcut("quit", "File", "Quit", "Ctrl+Q"),
    Shortcut("undo", "Edit", "Undo", "Ctrl+Z"),
    Shortcut("redo", "Edit", "Redo", "Ctrl+Shift+Z"),
    Shortcut("copy", "Edit", "Copy the plots as a picture", "Ctrl+Shift+C"),
    Shortcut("scaled_axis", "View", "Axis δ·step", "Ctrl+D"),
    Shortcut("full_screen", "View", "Full screen", "F11"),
    Shortcut("help", "Help", "What am I looking at?", "F1"),
    Shortcut("shortcuts", "Help", "Keyboard shortcuts", "Ctrl+/"),
)


def keys_of(action: str) -> Shortcut | None:
    """Find the shortcut of an action."""
    return next((item for item in SHORTCUTS if item.action == action), None)


def native_text(keys: str) -> str:
    """Write keys as this system does."""
    arrows = {"Right": "→", "Left": "←"}
    return arrows.get(keys) or QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


_PLAIN = {
    "Space": Qt.Key.Key_Space,
    "Right": Qt.Key.Key_Right,
    "Left": Qt.Key.Key_Left,
    "+": Qt.Key.Key_Plus,
    "-": Qt.Key.Key_Minus,
}
_IGNORED_MODIFIERS = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier


def plain_digit(event: QKeyEvent) -> int:
    """Return the digit 1 to 9 of a plain key, the number of an experiment; 0 for other keys."""
    key = event.key()
    if event.modifiers() & ~_IGNORED_MODIFIERS or not Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
        return 0
    return key - Qt.Key.Key_0


def plain_action(event: QKeyEvent) -> str:
    """Return the action of a plain key, or an empty text."""
    if event.modifiers() & ~_IGNORED_MODIFIERS:
        return ""
    key = event.key()
    for item in SHORTCUTS:
        if item.plain and key == _PLAIN.get(item.keys, ord(item.keys[0])):
            return item.action
    return ""
