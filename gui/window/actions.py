"""The window's actions and menus; what they do is connected by the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence, QUndoGroup
from PySide6.QtWidgets import QMainWindow, QMenu

from engine.core.registry import Listed
from engine.text.mathtext import to_plain
from gui.widgets.shortcuts import keys_of, native_text, plain_action

if TYPE_CHECKING:
    from engine.storage.presets import Preset

THEMES = (("system", "As the &system"), ("light", "&Light"), ("dark", "&Dark"))

_TEXTS = {
    "open": "&Open…",
    "save": "&Save settings…",
    "export": "&Export…",
    "quit": "&Quit",
    "copy": "&Copy plots as a picture",
    "play": "&Play or pause",
    "step": "&Step",
    "back": "Step &back",
    "reset": "&Reset",
    "run": "Run &N steps",
    "nudge": "N&udge",
    "live": "Jump to &live",
    "faster": "&Faster",
    "slower": "S&lower",
    "pin": "&Pin this run",
    "unpin": "&Unpin all",
    "scaled_axis": "Axis &δ·step",
    "reset_layout": "Reset &layout",
    "full_screen": "&Full screen",
    "help": "&What am I looking at?",
    "shortcuts": "&Keyboard shortcuts",
    "about": "&About Lyapunov Lab",
}
_CHECKABLE = ("scaled_axis", "full_screen")
_OF_A_RUN = "save export play step back reset run nudge live pin unpin help".split()
_REPEATED = ("step", "back", "faster", "slower")
_ROLES = {"about": QAction.MenuRole.AboutRole, "quit": QAction.MenuRole.QuitRole}


class Actions:
    """All actions by name, in menus; menus that change are kept.

    Parameters
    ----------
    window : QMainWindow
        Whose menu bar is filled.
    undo_group : QUndoGroup
        What Undo and Redo act on.
    """

    def __init__(self, window: QMainWindow, undo_group: QUndoGroup) -> None:
        self._window = window
        self._actions: dict[str, QAction] = {}
        for name, text in _TEXTS.items():
            self._actions[name] = self._make(name, text)
        self._actions |= {name: self._make(name, name.title()) for name in ("undo", "redo")}
        self._follow(undo_group)
        self.themes = QActionGroup(window)
        self._fill()

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def handle_key(self, event: QKeyEvent) -> str:
        """Trigger the action of a plain key; returns the name of one that is none of these."""
        name = plain_action(event)
        held = event.isAutoRepeat() and name not in _REPEATED
        if name in self._actions and not held:
            self._actions[name].trigger()
        return name

    def _make(self, name: str, text: str) -> QAction:
        action = QAction(text, self._window)
        action.setObjectName(name)
        action.setCheckable(name in _CHECKABLE)
        action.setMenuRole(_ROLES.get(name, QAction.MenuRole.NoRole))
        self._set_keys(action, name)
        return action

    def _follow(self, undo_group: QUndoGroup) -> None:
        """Let Undo and Redo say what they would do; those of Qt would do it before all others."""
        undo, redo = self._actions["undo"], self._actions["redo"]
        undo.setEnabled(undo_group.canUndo())
        redo.setEnabled(undo_group.canRedo())
        undo_group.canUndoChanged.connect(undo.setEnabled)
        undo_group.canRedoChanged.connect(redo.setEnabled)
        undo_group.undoTextChanged.connect(lambda text: undo.setText(f"Undo {text}".rstrip()))
        undo_group.redoTextChanged.connect(lambda text: redo.setText(f"Redo {text}".rstrip()))

    @staticmethod
    def _set_keys(action: QAction, name: str) -> None:
        shortcut = keys_of(name)
        if shortcut is None:
            return
        if shortcut.plain:  # shown, but left to the window's key handling
            action.setText(f"{action.text()}\t{native_text(shortcut.keys)}")
            return
        keys = [QKeySequence(shortcut.keys)]
        if name == "redo":
            keys.append(QKeySequence("Ctrl+Y"))
        action.setShortcuts(keys)

    def _menu(self, title: str, names: Sequence[str]) -> QMenu:
        menu = self._window.menuBar().addMenu(title)
        menu.setToolTipsVisible(True)
        for name in names:
            if name == "-":
                menu.addSeparator()
            else:
                menu.addAction(self._actions[name])
        return menu

    def _fill(self) -> None:
        self.file_menu = self._menu("&File", ("open", "save", "export", "-", "quit"))
        self.recent_menu = QMenu("Open &recent", self.file_menu)
        self.file_menu.insertMenu(self._actions["save"], self.recent_menu)
        self.data_menu = QMenu("&Get data", self.file_menu)
        self.file_menu.insertMenu(self._actions["quit"], self.data_menu)
        self.file_menu.insertSeparator(self._actions["quit"])
        self._menu("&Edit", ("undo", "redo", "-", "copy"))
        run = (
            "play",
            "step",
            "back",
            "reset",
            "-",
            "run",
            "nudge",
            "live",
            "-",
            "faster",
            "slower",
        )
        self.run_menu = self._menu("&Run", (*run, "-", "pin", "unpin", "-"))
        self.experiments_menu = self.run_menu.addMenu("&Experiments")
        self.presets_menu = self.run_menu.addMenu("Pre&sets")
        self.presets_menu.setToolTipsVisible(True)
        self.view_menu = self._menu("&View", ("scaled_axis",))
        self.plots_menu = self.view_menu.addMenu("&Plots")
        self.panels_menu = self.view_menu.addMenu("P&anels")
        self.windows_menu = self.view_menu.addMenu("Plot in a &window of its own")
        theme_menu = self.view_menu.addMenu("&Theme")
        for name, text in THEMES:
            action = theme_menu.addAction(text)
            action.setData(name)
            action.setCheckable(True)
            self.themes.addAction(action)
        self.view_menu.addSeparator()
        for name in ("reset_layout", "full_screen"):
            self.view_menu.addAction(self._actions[name])
        self._menu("&Help", ("help", "shortcuts", "-", "about"))

    def set_run_enabled(self, enabled: bool) -> None:
        """Let the actions that need an experiment be used, or not."""
        for name in _OF_A_RUN:
            self._actions[name].setEnabled(enabled)

    def show_experiments(self, experiments: Sequence[Listed]) -> None:
        """List the experiments in the Run menu; an action's data is the id."""
        for number, experiment in enumerate(experiments, start=1):
            keys = f"\t{number}" if number < 10 else ""
            action = self.experiments_menu.addAction(experiment.title + keys)
            action.setData(experiment.id)
            action.setToolTip(experiment.listing.summary)

    def show_presets(self, presets: Sequence[Preset]) -> None:
        """List the presets of an experiment in the Run menu; an action's data is the preset."""
        self.presets_menu.clear()
        for preset in presets:
            action = self.presets_menu.addAction(preset.title)
            action.setData(preset)
            action.setToolTip(to_plain(preset.description))
        self.presets_menu.setEnabled(bool(presets))

    def show_panels(self, actions: Sequence[QAction]) -> None:
        """List the switches of the panels in the View menu."""
        self.panels_menu.addActions(list(actions))

    def show_plots(self, menu: QMenu | None) -> None:
        """Put the plots' own menu in the View menu."""
        action = self.plots_menu.menuAction()
        action.setVisible(menu is None)
        if menu is not None:
            menu.setTitle("&Plots")
            self.view_menu.insertMenu(action, menu)

    def set_theme(self, name: str) -> None:
        """Check the theme that was chosen."""
        for action in self.themes.actions():
            action.setChecked(action.data() == name)
