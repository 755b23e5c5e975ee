"""The line that shows a newcomer what to try first, and goes when it was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from engine.core.views import Handle, PlaneView, View
from gui.settings import Settings
from gui.style import scaling
from gui.style.icons import IconButton
from gui.typeset.sentence import Sentence

if TYPE_CHECKING:
    from engine.core.claims import Bound
    from engine.core.params import Params
    from engine.run.snapshot import Snapshot

LIMIT, HANDLES = "limit", "handles"
KEY = "hints"
"""Where the settings keep which hints were followed or dismissed."""
FIELD, BOUND = "step_size", "delta_max"
"""The field and the bound of the first hint."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to try: what it is remembered by, and its sentence with mathtext."""

    id: str
    text: str


class HintBar(QFrame):
    """One hint, with a button that dismisses it; hidden while there is none.

    Attributes
    ----------
    dismissed : Signal
        The user does not want to see the hint.
    """

    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hintBar")
        self.text = Sentence("text")
        self.close_button = IconButton("close", "Dismiss the hint", "Show it no more", size=14)
        self.close_button.clicked.connect(self.dismissed)
        row = QHBoxLayout(self)
        scaling.margins(row, 10, 3, 4, 3)
        scaling.spacing(row, 8)
        row.addWidget(self.text, 1)
        row.addWidget(self.close_button)
        self._has_room, self._has_hint = True, False
        self.hide()

    def set_room(self, has_room: bool) -> None:
        """Set whether there is room for the bar."""
        self._has_room = has_room
        self.setVisible(self._has_hint and has_room)

    def show_hint(self, hint: Hint | None) -> None:
        """Show a hint, or hide the bar."""
        self._has_hint = hint is not None
        if hint is not None:
            self.text.say(hint.text)
            self.setAccessibleName(self.text.accessibleName())
        self.setVisible(self._has_hint and self._has_room)


class Hints(QObject):
    """Decides which hint is shown: the first that is true here and was not followed yet.

    Parameters
    ----------
    bar : HintBar
        Shows it.
    settings : Settings
        Keep what was followed or dismissed.
    """

    def __init__(self, bar: HintBar, settings: Settings) -> None:
        super().__init__(bar)
        self._bar = bar
        self._settings = settings
        self._limit: Bound | None = None
        self._params: Params | None = None
        self._views: tuple[View, ...] = ()
        self._shown: Hint | None = None
        bar.dismissed.connect(self._on_dismissed)

    @property
    def shown(self) -> Hint | None:
        """The hint that is shown."""
        return self._shown

    @property
    def _done(self) -> list[str]:
        kept = self._settings.object(KEY)
        return [item for item in kept if isinstance(item, str)] if isinstance(kept, list) else []

    def forget(self) -> None:
        """Show no hint until something is known of another experiment."""
        self._limit, self._views, self._params = None, (), None
        self._show()

    def show_views(self, views: Sequence[View]) -> None:
        """Take the plots that are shown."""
        self._views = tuple(views)
        self._show()

    def show_snapshot(self, params: Params, snapshot: Snapshot) -> None:
        """Take a run once its plots show it: before that there is nothing that could be dragged."""
        if snapshot.observation:
            self.show_run(params, snapshot.theory)

    def show_run(self, params: Params, theory: Sequence[Bound]) -> None:
        """Take the parameters in force and what the theory says of them."""
        limit = next((item for item in theory if (item.id, item.field) == (BOUND, FIELD)), None)
        has_limit = limit is not None and limit.value is not None
        passed = self._is_below and has_limit and not _is_below(params, limit)
        if (limit, params) == (self._limit, self._params):
            return
        self._limit, self._params = limit, params
        if passed and self._shown is not None and self._shown.id == LIMIT:
            self.follow(LIMIT)
        self._show()

    @property
    def _is_below(self) -> bool:
        return _is_below(self._params, self._limit)

    def follow(self, hint_id: str) -> None:
        """Note that a hint was followed, and show it no more."""
        if hint_id not in self._done:
            self._settings.set_object(KEY, [*self._done, hint_id])
        self._show()

    def _on_dismissed(self) -> None:
        if self._shown is not None:
            self.follow(self._shown.id)

    def _show(self) -> None:
        done = self._done
        offered = (hint for hint in (self._limit_hint(), self._handle_hint()) if hint is not None)
        self._shown = next((hint for hint in offered if hint.id not in done), None)
        self._bar.show_hint(self._shown)

    def _limit_hint(self) -> Hint | None:
        if not self._is_below or self._limit is None:
            return None
        text = rf"Drag $\delta$ past the red mark ${self._limit.symbol}$, {_named(self._limit)}."
        return Hint(LIMIT, text)

    def _handle_hint(self) -> Hint | None:
        if self._params is None:
            return None  # there is no run yet, and no handle
        shown = (view for view in self._views if isinstance(view, PlaneView) and view.shown)
        has_handles = any(isinstance(item, Handle) for view in shown for item in view.items)
        if not has_handles:
            return None
        return Hint(HANDLES, "Drag the round handles on the plots: the run follows.")


def _named(bound: Bound) -> str:
    return f"the {bound.name[:1].lower()}{bound.name[1:]}"


def _is_below(params: Params | None, limit: Bound | None) -> bool:
    """Return whether a run's step size is one below a limit that is known."""
    if limit is None or limit.value is None or getattr(params, "step_rule", "fixed") != "fixed":
        return False
    size = getattr(params, FIELD, None)
    return isinstance(size, int | float) and size <= limit.value
