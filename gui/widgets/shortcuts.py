"""The keys of the window, in one table: menus, key handling and the shortcuts sheet read it.

Plain keys (Space, arrows, letters) are not Qt shortcuts: those would be taken away from the widget
that has the focus. They reach the window only if no child had a use for them. Experiments are
numbered, and a digit alone is so easily typed beside a field that it takes Ctrl to choose one.
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
    Shortcut("previous_preset", "Run", "Previous preset", "Alt+Left"),
    Shortcut("next_preset", "Run", "Next preset", "Alt+Right"),
    Shortcut("gallery", "Run", "Presets as pictures", "Ctrl+G"),
    Shortcut("open", "File", "Open a run", "Ctrl+O"),
    Shortcut("save", "File", "Save the settings", "Ctrl+S"),
    Shortcut("open_session", "File", "Open a session", "Ctrl+Shift+O"),
    Shortcut("save_session", "File", "Save the session", "Ctrl+Shift+S"),
    Shortcut("export", "File", "Export figures and data", "Ctrl+E"),
    Shortcut("quit", "File", "Quit", "Ctrl+Q"),
    Shortcut("undo", "Edit", "Undo", "Ctrl+Z"),
    Shortcut("redo", "Edit", "Redo", "Ctrl+Shift+Z"),
    Shortcut("copy", "Edit", "Copy the plots as a picture", "Ctrl+Shift+C"),
    Shortcut("scaled_axis", "View", "Axis δ·step", "Ctrl+D"),
    Shortcut("maps", "View", "Maps", "Ctrl+M"),
    Shortcut("map_ways", "View", "On a map: back and forward", "Alt+Left, Alt+Right"),
    Shortcut("note_keys", "View", "On a note: write in it, remove it", "F2, Del"),
    Shortcut("larger", "View", "Everything larger", "Ctrl++"),
    Shortcut("smaller", "View", "Everything smaller", "Ctrl+-"),
    Shortcut("usual_size", "View", "Usual size", "Ctrl+0"),
    Shortcut("full_screen", "View", "Page for an audience", "F11"),
    Shortcut("developer", "View", "Frames a second in the status bar", "Ctrl+Shift+D"),
    Shortcut("story_next", "Story", "Reveal the answer, or the next scene", "PgDown", plain=True),
    Shortcut("story_back", "Story", "The scene before", "PgUp", plain=True),
    Shortcut("help", "Help", "What am I looking at?", "F1"),
    Shortcut("shortcuts", "Help", "Keyboard shortcuts", "Ctrl+/"),
)

NUMBERED = 9
"""Experiments that have keys of their own."""


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
    "PgDown": Qt.Key.Key_PageDown,
    "PgUp": Qt.Key.Key_PageUp,
}
_IGNORED_MODIFIERS = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier


def experiment_keys(number: int) -> str:
    """Return the keys of the experiment of a number counted from 1; none beyond the ninth."""
    return f"Ctrl+{number}" if 1 <= number <= NUMBERED else ""


def experiment_number(event: QKeyEvent) -> int:
    """Return the number of the experiment that a key chooses; 0 for other keys."""
    key = event.key()
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if modifiers != Qt.KeyboardModifier.ControlModifier:
        return 0
    return key - Qt.Key.Key_0 if Qt.Key.Key_1 <= key <= Qt.Key.Key_9 else 0


def plain_action(event: QKeyEvent) -> str:
    """Return the action of a plain key, or an empty text."""
    if event.modifiers() & ~_IGNORED_MODIFIERS:
        return ""
    key = event.key()
    for item in SHORTCUTS:
        if item.plain and key == _PLAIN.get(item.keys, ord(item.keys[0])):
            return item.action
    return ""
