"""What the actions of the window's menus and keys do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from gui.compare.pins import Pins
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.sessions.sessions import Sessions
from gui.story.player import StoryPlayer
from gui.window.actions import Actions
from gui.window.dialogs import WindowDialogs
from gui.window.docks import Docks
from gui.window.files import RunFiles
from gui.window.transport import Transport


class Commands(QObject):
    """Connects the actions with those who carry them out.

    Parameters
    ----------
    actions : Actions
        The actions.
    settle : callable
        Opens the experiment that is named, so that every command is about that one.

    Attributes
    ----------
    message_requested : Signal(str)
        A sentence for the status bar.
    """

    message_requested = Signal(str)

    def __init__(
        self, actions: Actions, settle: Callable[[], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._settle = settle

    def bind(self, name: str, handler: Callable[[], object]) -> None:
        """Connect an action to a function, called once the experiment that is named is open."""

        def carry_out() -> None:
            self._settle()
            handler()

        # The argument "checked" is not for the handlers.
        self._actions[name].triggered.connect(lambda checked=False: carry_out())

    def bind_run(self, control: RunControl, transport: Transport) -> None:
        """Connect what drives a run, and undo."""
        self.bind("undo", control.undo_group.undo)
        self.bind("redo", control.undo_group.redo)
        self.bind("play", control.toggle_play)
        self.bind("step", control.step)
        self.bind("back", control.back)
        self.bind("reset", control.reset)
        self.bind("live", control.live)
        self.bind("run", transport.ask_run)
        self.bind("nudge", transport.ask_nudge)
        self.bind("faster", lambda: transport.change_speed(1))
        self.bind("slower", lambda: transport.change_speed(-1))

    def bind_transport(self, control: RunControl, bridge: Bridge, transport: Transport) -> None:
        """Connect what the transport asks for."""
        for asked in transport.requests:
            asked.connect(self._settle)  # what follows is about the experiment named
        transport.play_toggled.connect(control.toggle_play)
        transport.step_requested.connect(control.step)
        transport.back_requested.connect(control.back)
        transport.reset_requested.connect(control.reset)
        transport.run_requested.connect(control.run)
        transport.seek_requested.connect(control.seek)
        transport.live_requested.connect(control.live)
        transport.nudge_requested.connect(control.nudge)
        transport.nudge_offered.connect(self._actions.show_nudge)
        transport.speed_changed.connect(bridge.set_speed)
        transport.refused.connect(self.message_requested)

    def bind_files(self, files: RunFiles) -> None:
        """Connect opening and saving."""
        self.bind("open", files.ask_open)
        self.bind("save", files.ask_save)
        menu = self._actions.recent_menu
        menu.aboutToShow.connect(lambda: files.show_recent(menu))

    def bind_sessions(self, sessions: Sessions) -> None:
        """Connect the saving and opening of sessions."""
        self.bind("open_session", sessions.ask_open)
        self.bind("save_session", sessions.ask_save)
        self.bind("last_session", sessions.restore_last)

    def bind_dialogs(self, dialogs: WindowDialogs) -> None:
        """Connect the dialogs."""
        self.bind("export", dialogs.show_export)
        self.bind("animation", dialogs.show_animation)
        self.bind("live_page", dialogs.ask_live_page)
        self.bind("compare", dialogs.show_comparison)
        self.bind("side_by_side", dialogs.show_side_by_side)
        self.bind("around_bound", dialogs.show_around_bound)
        self.bind("reproduce", dialogs.show_reproduce)
        self.bind("help", dialogs.show_help)
        self.bind("stories", dialogs.show_stories)
        self.bind("shortcuts", dialogs.show_shortcuts)
        self.bind("about", dialogs.show_about)

    def bind_story(self, player: StoryPlayer, dialogs: WindowDialogs) -> None:
        """Connect the playing of stories."""

        def open_story() -> None:
            path = dialogs.ask_story()
            if path is not None:
                player.play_file(path)

        self.bind("tour", player.play_tour)
        self.bind("story", open_story)
        self.bind("story_next", player.forward)
        self.bind("story_back", player.back)
        player.playing_changed.connect(self._actions.show_story)
        self._actions.show_story(False)

    def bind_pins(self, control: RunControl, pins: Pins, docks: Docks) -> None:
        """Connect the pinning of runs."""
        self.bind("pin", lambda: self._pin_run(control, pins, docks))
        self.bind("unpin", lambda: pins.clear(control.experiment.id))

    def _pin_run(self, control: RunControl, pins: Pins, docks: Docks) -> None:
        snapshot = control.snapshot
        if snapshot is None or snapshot.step == 0:
            self.message_requested.emit("There is nothing to pin yet: make some steps first.")
            return
        pin = pins.add(snapshot)
        docks.show_pins()
        self.message_requested.emit(f"Pinned: {pin.label}.")
