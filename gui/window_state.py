"""What the window keeps for the next start, and takes back without ever failing to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from gui.window_actions import THEMES

if TYPE_CHECKING:
    from gui.main_window import MainWindow

FIRST_SIZE = (1440, 900)


class WindowState:
    """Saves and restores a window.

    Parameters
    ----------
    window : MainWindow
        Complete but for its plots.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._settings = window.settings

    def restore(self) -> None:
        """Bring back size, layout, theme, and the last experiment with its settings.

        Its run is not begun: that is for after the window shows.
        """
        window, settings = self._window, self._settings
        known = {name for name, _ in THEMES}
        name = settings.text("theme", "system")
        window.set_theme(name if name in known else "system")
        self._resize_first()
        geometry = settings.blob("geometry")
        if not geometry.isEmpty():
            window.restoreGeometry(geometry)
        window.docks.arrange()
        window.docks.restore(settings.blob("docks"))
        window.actions_by_name["scaled_axis"].setChecked(settings.flag("scaled_axis", False))
        self._restore_experiments()

    def _resize_first(self) -> None:
        screen = QGuiApplication.primaryScreen().availableGeometry()
        width = min(FIRST_SIZE[0], screen.width())
        height = min(FIRST_SIZE[1], screen.height())
        self._window.resize(width, height)

    def _restore_experiments(self) -> None:
        window = self._window
        for experiment in window.experiments:
            last = self._settings.params(experiment)
            if last is not None:
                window.control.remember(experiment.id, *last)
        ids = [experiment.id for experiment in window.experiments]
        wanted = self._settings.text("experiment")
        if ids:
            index = ids.index(wanted if wanted in ids else self._first_id(ids))
            window.control.choose(window.experiments[index], begin=False)

    @staticmethod
    def _first_id(ids: list[str]) -> str:
        """Begin with the smallest deep network: it is what the rest builds on."""
        return "scalar-product" if "scalar-product" in ids else ids[0]

    def save(self) -> None:
        """Keep everything for the next start."""
        window, settings = self._window, self._settings
        settings.set_blob("geometry", window.saveGeometry())
        settings.set_blob("docks", window.docks.save())
        checked = window.actions_by_name.themes.checkedAction()
        settings.set_text("theme", "system" if checked is None else checked.data())
        settings.set_object("scaled_axis", window.actions_by_name["scaled_axis"].isChecked())
        window.panels.save_layout()
        if window.control.has_experiment:
            settings.set_text("experiment", window.control.experiment.id)
        for experiment in window.experiments:
            known = window.control.settings_of_all().get(experiment.id)
            if known is not None:
                settings.set_params(experiment, *known)
        settings.save()
