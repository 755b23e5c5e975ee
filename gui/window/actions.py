"""The window's actions and menus; what they do is connected by `Commands`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence, QUndoGroup
from PySide6.QtWidgets import QMainWindow, QMenu

from engine.core.registry import Listed
from engine.text.mathtext import to_plain
from gui.widgets.shortcuts import (
    experiment_keys,
    experiment_number,
    keys_of,
    native_text,
    plain_action,
)

if TYPE_CHECKING:
    from engine.storage.presets import Preset

THEMES = (("system", "As the &system"), ("light", "&Light"), ("dark", "&Dark"))

_TEXTS = {
    "open": "&Open…",
    "save": "&Save settings…",
    "open_session": "Open sess&ion…",
    "save_session": "Save sessio&n…",
    "last_session": "Restore &last session",
    "export": "&Export…",
    "animation": "Ani&mation…",
    "live_page": "Li&ve page…",
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
    "compare": "&Compare runs…",
    "side_by_side": "Runs side b&y side",
    "around_bound": "Below and above the b&ound",
    "previous_preset": "Pre&vious preset",
    "next_preset": "Ne&xt preset",
    "gallery": "Presets as pictu&res…",
    "scaled_axis": "Axis &δ·step",
    "maps": "&Maps",
    "reset_layout": "Reset &layout",
    "tour": "&Tour in ten scenes",
    "story": "Open a st&ory…",
    "story_next": "&Next scene",
    "story_back": "&Scene before",
    "reproduce": "&Reproduce the paper…",
    "larger": "Lar&ger",
    "smaller": "S&maller",
    "usual_size": "Usual si&ze",
    "full_screen": "Page for an &audience",
    "developer": "&Developer view",
    "help": "&What am I looking at?",
    "stories": "Writing a stor&y",
    "shortcuts": "&Keyboard shortcuts",
    "about": "&About Lyapunov Lab",
}
_CHECKABLE = ("scaled_axis", "full_screen", "developer")
_OF_A_RUN = (
    "save export animation live_page maps play step back reset run nudge live pin unpin compare"
    " side_by_side around_bound help previous_preset next_preset gallery"
).split()
_FILE_MENU = (
    *("open", "save", "-", "open_session", "save_session", "last_session"),
    *("-", "export", "animation", "live_page", "-", "quit"),
)
_RUNS = ("pin", "unpin", "compare", "side_by_side", "around_bound")
_REPEATED = ("step", "back", "faster", "slower")
_MORE_KEYS = {"redo": ("Ctrl+Y",), "larger": ("Ctrl+=",)}
"""Keys that do the same, for other habits and keyboards."""
_ROLES = {"about": QAction.MenuRole.AboutRole, "quit": QAction.MenuRole.QuitRole}


class Actions(QObject):
    """All actions by name, and the menus that hold them.

    Parameters
    ----------
    window : QMainWindow
        Whose menu bar is filled.
    undo_group : QUndoGroup
        What Undo and Redo act on.

    Attributes
    ----------
    experiment_chosen : Signal(str)
        The experiment of this id was chosen in the Run menu.
    experiment_browsed : Signal(int)
        The keys of the experiment of this number, counted from 1, were pressed.
    preset_chosen : Signal(Preset)
        A preset was chosen in the Run menu.
    theme_chosen : Signal(str)
        A theme was chosen: "system", "light" or "dark".
    recent_menu, data_menu, windows_menu : QMenu
        Menus whose entries are added by those who know them.
    """

    experiment_chosen = Signal(str)
    experiment_browsed = Signal(int)
    preset_chosen = Signal(object)
    theme_chosen = Signal(str)

    def __init__(self, window: QMainWindow, undo_group: QUndoGroup) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QAction] = {}
        for name, text in _TEXTS.items():
            self._actions[name] = self._make(name, text)
        self._actions |= {name: self._make(name, name.title()) for name in ("undo", "redo")}
        self._follow(undo_group)
        self._themes = QActionGroup(window)
        self._fill()
        self._experiments_menu.triggered.connect(
            lambda action: self.experiment_chosen.emit(action.data())
        )
        self._presets_menu.triggered.connect(lambda action: self.preset_chosen.emit(action.data()))
        self._themes.triggered.connect(lambda action: self.theme_chosen.emit(action.data()))

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def handle_key(self, event: QKeyEvent) -> bool:
        """Trigger the action of a plain key, or choose an experiment; returns whether it did."""
        number = experiment_number(event)
        if number:
            self.experiment_browsed.emit(number)
            return True
        name = plain_action(event)
        held = event.isAutoRepeat() and name not in _REPEATED
        if name and not held:
            self._actions[name].trigger()
        return bool(name)

    def _make(self, name: str, text: str) -> QAction:
        action = QAction(text, self._window)
        action.setObjectName(name)
        action.setCheckable(name in _CHECKABLE)
        action.setMenuRole(_ROLES.get(name, QAction.MenuRole.NoRole))
        self._set_keys(action, name)
        self._window.addAction(action)  # its keys work also without the menu bar
        return action

    def _follow(self, undo_group: QUndoGroup) -> None:
        """Update the texts of Undo and Redo; Qt's own actions would not settle the experiment."""
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
        keys = [QKeySequence(text) for text in (shortcut.keys, *_MORE_KEYS.get(name, ()))]
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
        file_menu = self._menu("&File", _FILE_MENU)
        self.recent_menu = QMenu("Open &recent", file_menu)
        file_menu.insertMenu(self._actions["save"], self.recent_menu)
        self.data_menu = QMenu("&Get data", file_menu)
        file_menu.insertMenu(self._actions["quit"], self.data_menu)
        file_menu.insertSeparator(self._actions["quit"])
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
        run_menu = self._menu("&Run", (*run, "-", *_RUNS, "-"))
        self._experiments_menu = run_menu.addMenu("&Experiments")
        self._presets_menu = run_menu.addMenu("Pre&sets")
        self._presets_menu.setToolTipsVisible(True)
        for name in ("previous_preset", "next_preset", "gallery"):
            run_menu.addAction(self._actions[name])
        self._view_menu = self._menu("&View", ("scaled_axis", "maps"))
        self._plots_menu = self._view_menu.addMenu("&Plots")
        self._panels_menu = self._view_menu.addMenu("P&anels")
        self.windows_menu = self._view_menu.addMenu("Plot in a &window of its own")
        theme_menu = self._view_menu.addMenu("&Theme")
        for name, text in THEMES:
            action = theme_menu.addAction(text)
            action.setData(name)
            action.setCheckable(True)
            self._themes.addAction(action)
        self._view_menu.addSeparator()
        size_menu = self._view_menu.addMenu("Si&ze")
        for name in ("larger", "smaller", "usual_size"):
            size_menu.addAction(self._actions[name])
        for name in ("reset_layout", "full_screen", "developer"):
            self._view_menu.addAction(self._actions[name])
        tools = ("tour", "story", "story_next", "story_back", "-", "reproduce")
        self._menu("&Tools", tools)
        self._menu("&Help", ("help", "stories", "shortcuts", "-", "about"))

    def set_run_enabled(self, enabled: bool) -> None:
        """Enable or disable the actions that need an experiment."""
        for name in _OF_A_RUN:
            self._actions[name].setEnabled(enabled)

    def show_story(self, playing: bool) -> None:
        """Enable the way through a story while one is played."""
        for name in ("story_next", "story_back"):
            self._actions[name].setEnabled(playing)

    def show_experiments(self, experiments: Sequence[Listed]) -> None:
        """List the experiments in the Run menu."""
        for number, experiment in enumerate(experiments, start=1):
            keys = native_text(experiment_keys(number))
            text = f"{experiment.title}\t{keys}" if keys else experiment.title
            action = self._experiments_menu.addAction(text)
            action.setData(experiment.id)
            action.setToolTip(experiment.listing.summary)

    def show_presets(self, presets: Sequence[Preset]) -> None:
        """List the presets of an experiment in the Run menu."""
        self._presets_menu.clear()
        for preset in presets:
            action = self._presets_menu.addAction(preset.title)
            action.setData(preset)
            action.setToolTip(to_plain(preset.description))
        self._presets_menu.setEnabled(bool(presets))

    def show_panels(self, actions: Sequence[QAction]) -> None:
        """List the switches of the panels in the View menu."""
        self._panels_menu.addActions(list(actions))

    def show_plots(self, menu: QMenu) -> None:
        """Put the plots' own menu in the View menu, in the place kept for it."""
        action = self._plots_menu.menuAction()
        action.setVisible(False)
        menu.setTitle("&Plots")
        self._view_menu.insertMenu(action, menu)

    @property
    def experiments_menu(self) -> QMenu:
        """The menu of the experiments."""
        return self._experiments_menu

    def show_nudge(self, enabled: bool, tip: str) -> None:
        """Enable or disable the nudge; the tip says why not."""
        self._actions["nudge"].setEnabled(enabled)
        self._actions["nudge"].setToolTip(tip)

    @property
    def theme(self) -> str:
        """Name of the theme that is checked."""
        checked = self._themes.checkedAction()
        return THEMES[0][0] if checked is None else str(checked.data())

    def set_theme(self, name: str) -> None:
        """Check the theme of this name."""
        for action in self._themes.actions():
            action.setChecked(action.data() == name)
