"""The maps panel: what map to make, how far it is, and what its colours mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.maps.picture import layers_of
from engine.maps.ready import ReadyMap
from engine.maps.shown import MapShown, MapWaits, State
from engine.text.mathtext import to_plain
from engine.text.numbers import duration, whole
from gui.maps.borders import BorderFits
from gui.maps.form import MapForm
from gui.maps.legend import MapLegend
from gui.maps.search import SEARCHED
from gui.style import scaling
from gui.widgets.cards import Link
from gui.widgets.controls import Foot, QuietCombo, QuietScrollArea, Segments, Switch
from gui.widgets.focus import FieldLabel
from gui.widgets.words import Words

PLOTS, MAP, BOTH = "plots", "map", "both"
"""What the middle of the window shows."""


class MapsPanel(QWidget):
    """Asks for maps, and shows what came of it.

    Attributes
    ----------
    seen : Signal
        The panel is on the screen.
    make_requested, cancel_requested : Signal
    go_on_requested : Signal
        The map that was cancelled is to be completed.
    mode_chosen : Signal(str)
        The user wants the plots, the map, or both in the middle of the window.
    layer_chosen : Signal(str)
        Name of the field that is to be drawn.
    ready_chosen : Signal(ReadyMap)
    follow_toggled : Signal(bool)
    search_toggled : Signal(bool)
        Branches are to be searched for, or to be taken away.
    help_requested : Signal
    export_menu_wanted : Signal(QMenu)
        The menu of exports opens, to be filled.
    """

    seen = Signal()
    make_requested = Signal()
    cancel_requested = Signal()
    go_on_requested = Signal()
    mode_chosen = Signal(str)
    layer_chosen = Signal(str)
    ready_chosen = Signal(object)
    follow_toggled = Signal(bool)
    search_toggled = Signal(bool)
    help_requested = Signal()
    export_menu_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: dict[str, str] = {}
        self.mode = Segments((PLOTS, MAP, BOTH))
        self.mode.set_names("Show", "What the middle of the window shows")
        self.mode.set_value(PLOTS)
        self.ready = QuietCombo()
        self.ready.setAccessibleName("Ready maps")
        self.ready_text = Words("muted", fine=True)
        self.form = MapForm()
        self.layer = QuietCombo()
        self.layer.setAccessibleName("Colour")
        self.follow = Switch()
        self.follow.setChecked(True)
        self.follow.setAccessibleName("Follow the parameters")
        self.follow.setToolTip("Make a quick map anew whenever the parameters of the run change")
        self.search = Switch()
        self.search.setAccessibleName("Branches")
        self.search.setToolTip(
            "Search for cycles and for where they begin or lose stability, and draw that on the map"
        )
        self.scheduler = QLineEdit()
        self.scheduler.setPlaceholderText("this machine")
        self.scheduler.setAccessibleName("Cluster")
        self.scheduler.setToolTip("Address of a Dask scheduler, as tcp://host:8786")
        self.search_text = Words("muted", fine=True)
        self.make = self._button("Make map", "Make the map with the parameters in force", True)
        self.cancel = self._button("Cancel", "Stop, and keep what is made so far")
        self.go_on = self._button("Go on", "Make what is missing of the map")
        self.go_on.setAccessibleName("Go on with the map")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the map")
        self.state = Words("muted", fine=True)
        self.error = Words("bad", fine=True)
        self.legend = MapLegend()
        self.borders = BorderFits()
        self.export = self._button("Export", "Write the map to a file, or copy its command")
        self._export_menu = QMenu(self.export)
        self.export.setMenu(self._export_menu)
        self.none = Words("muted")
        self.about = Link("About maps")
        self.about.setToolTip("What maps show, and how to look closer")
        self._lay_out()
        self._connect()
        self.set_ready(())
        self.forget_map()
        self.say_search("")
        self.show_none("")

    def _lay_out(self) -> None:
        self._wishes = QWidget()
        wishes = QVBoxLayout(self._wishes)
        wishes.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(wishes, 8)
        wishes.addWidget(self.ready)
        wishes.addWidget(self.ready_text)
        wishes.addWidget(self.form)
        self._search_label = FieldLabel("Branches", self.search)
        wishes.addLayout(_row(self._search_label, self.search))
        wishes.addLayout(_row(FieldLabel("Cluster", self.scheduler), self.scheduler, wide=True))
        wishes.addLayout(_row(FieldLabel("Follow the parameters", self.follow), self.follow))
        self._results = QWidget()
        results = QVBoxLayout(self._results)
        results.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(results, 8)
        self._layer_label = FieldLabel("Colour", self.layer)
        results.addLayout(_row(self._layer_label, self.layer, wide=True))
        results.addWidget(self.legend)
        results.addWidget(self.borders)
        results.addLayout(_row(QWidget(), self.export))
        links = _row(QWidget(), self.about)
        body = QWidget()
        column = QVBoxLayout(body)
        scaling.margins(column, 12, 10, 12, 12)
        scaling.spacing(column, 8)
        column.addWidget(self.mode)
        column.addWidget(self.none)
        column.addWidget(self._wishes)
        column.addWidget(self._results)
        column.addLayout(links)
        column.addStretch(1)
        area = QuietScrollArea()
        area.setWidget(body)
        rigid = _Rigid()
        parts = QVBoxLayout(rigid)
        parts.setContentsMargins(0, 0, 0, 0)
        parts.setSpacing(0)
        parts.addWidget(area, 1)
        parts.addWidget(Foot(self._made_foot(), area))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(rigid)
        scaling.least(self, width=280)

    def _made_foot(self) -> QWidget:
        """Make the part that does not scroll: the buttons, and how far the map is."""
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        scaling.margins(foot, 12, 6, 12, 8)
        scaling.spacing(foot, 6)
        buttons = QHBoxLayout()
        scaling.spacing(buttons, 8)
        buttons.addWidget(self.make, 1)
        buttons.addWidget(self.cancel, 1)
        buttons.addWidget(self.go_on, 1)
        foot.addLayout(buttons)
        foot.addWidget(self.bar)
        foot.addWidget(self.state)
        foot.addWidget(self.search_text)
        foot.addWidget(self.error)
        return self._foot

    def _connect(self) -> None:
        self.make.clicked.connect(lambda: self.make_requested.emit())
        self.cancel.clicked.connect(self._on_cancel)
        self.go_on.clicked.connect(lambda: self.go_on_requested.emit())
        self.mode.chosen.connect(self.mode_chosen)
        self.follow.toggled.connect(self.follow_toggled)
        self.search.toggled.connect(self.search_toggled)
        self.about.clicked.connect(lambda: self.help_requested.emit())
        self.layer.activated.connect(lambda index: self.layer_chosen.emit(self.layer.currentData()))
        self.ready.activated.connect(self._on_ready)
        self._export_menu.aboutToShow.connect(self._on_export_menu)

    def _button(self, text: str, tip: str, primary: bool = False) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAccessibleName(text if "map" in text else f"{text} map")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if primary:
            button.setProperty("primary", True)
        return button

    def showEvent(self, event: QShowEvent) -> None:
        """Emit `seen`."""
        super().showEvent(event)
        self.seen.emit()

    # What can be asked for.

    def show_none(self, sentence: str) -> None:
        """Show why there are no maps, or (empty) the form."""
        self.none.say(sentence)
        self.none.setVisible(bool(sentence))
        self._wishes.setVisible(not sentence)
        self._foot.setVisible(not sentence)

    def set_ready(self, maps: Sequence[ReadyMap]) -> None:
        """List maps that are ready to be made."""
        self.ready.clear()
        self.ready.addItem("Ready maps…", None)
        for each in maps:
            self.ready.addItem(to_plain(each.title), each)
        self.ready.setVisible(bool(maps))
        self.say_ready("")

    def say_ready(self, sentence: str) -> None:
        """Show what is to be seen in a ready map."""
        self.ready_text.say(sentence)
        self.ready_text.setVisible(bool(sentence))

    def show_search(self, kind_id: str) -> None:
        """Show the switch of the search where a kind of map has one."""
        name = SEARCHED.get(kind_id, "")
        self._search_label.setText(name)
        self.search.setAccessibleName(name)
        for widget in (self.search, self._search_label):
            widget.setVisible(bool(name))

    def say_search(self, sentence: str) -> None:
        """Show how far the search for branches is, or what came of it; nothing if empty."""
        self.search_text.say(sentence)
        self.search_text.setVisible(bool(sentence))

    def forget_ready(self) -> None:
        """Show that what is asked for is no longer a ready map."""
        self.ready.setCurrentIndex(0)
        self.say_ready("")

    # What came of it.

    def show_error(self, sentence: str) -> None:
        """Show why a map cannot be made, where that is no matter of an axis; none if empty."""
        self.error.say(sentence)
        self.error.setVisible(bool(sentence))

    def begin(self) -> None:
        """Show that a map is awaited."""
        self.show_error("")
        self.form.clear_errors()
        self._let("making")

    def show_waiting(self, waits: MapWaits) -> None:
        """Show that kernels are compiled first, and how many are, or that nothing was made."""
        self._let("making" if waits.state == "making" else "done")
        self.state.say(waits.sentence)
        self.state.show()

    def show_map(self, shown: MapShown) -> None:
        """Show progress, layers and legend."""
        self._let(shown.state)
        self.bar.setVisible(shown.state == "making")
        self.bar.setValue(round(1000 * shown.done))
        self.state.say(_state_text(shown))
        self.state.show()
        self._show_layers(layers_of(shown.prepared.fields), shown.layer)
        self.legend.show_map(shown)
        self._results.show()

    def forget_map(self) -> None:
        """Show no map."""
        self._let("done")
        self.bar.hide()
        self.state.hide()
        self.show_error("")
        self.legend.show_map(None)
        self._results.hide()

    def end(self) -> None:
        """Show that nothing is awaited any more."""
        self._let("done")
        self.bar.hide()

    def _let(self, state: State) -> None:
        """Offer to cancel what is being made, or to go on with what was cancelled."""
        self.cancel.setEnabled(state == "making")
        self.cancel.setVisible(state != "cancelled")
        self.go_on.setVisible(state == "cancelled")

    def _show_layers(self, layers: Mapping[str, str], chosen: str) -> None:
        if dict(layers) != self._layers:
            self._layers = dict(layers)
            self.layer.clear()
            for name, text in layers.items():
                plain = to_plain(text)
                self.layer.addItem(plain[:1].upper() + plain[1:], name)
        self.layer.setCurrentIndex(max(0, self.layer.findData(chosen)))
        for widget in (self.layer, self._layer_label):
            widget.setVisible(len(layers) > 1)

    def _on_cancel(self) -> None:
        self.end()
        self.state.say("Cancelling…")
        self.cancel_requested.emit()

    def _on_ready(self, index: int) -> None:
        chosen = self.ready.itemData(index)
        if chosen is None:
            self.say_ready("")
            return
        self.say_ready(chosen.description)
        self.ready_chosen.emit(chosen)

    def _on_export_menu(self) -> None:
        self._export_menu.clear()
        self.export_menu_wanted.emit(self._export_menu)


class _Rigid(QWidget):
    """Parts of which one scrolls: they fit any height, so that the page itself need not scroll."""

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Return False: what is higher for a width is within the part that scrolls."""
        return False


def _row(name: QWidget, field: QWidget, wide: bool = False) -> QHBoxLayout:
    row = QHBoxLayout()
    scaling.spacing(row, 8)
    row.addWidget(name, 1)
    row.addWidget(field, 2 if wide else 0)
    return row


def _state_text(shown: MapShown) -> str:
    """Describe how far a map is."""
    percent = f"{100 * shown.done:.0f} %" if shown.done < 0.995 or shown.done == 1.0 else "99 %"
    if shown.state == "cancelled":
        return f"Cancelled at {percent}"
    if shown.state == "making":
        left = "" if shown.seconds_left is None else f" · {duration(shown.seconds_left)} left"
        return f"{percent}{left}"
    cells = whole(shown.known.size)
    what = "columns" if shown.spec.kind == "orbit" else "cells"
    seconds = shown.seconds
    took = f"{seconds:.1f} s" if seconds < 10.0 else duration(seconds)
    return f"{cells} {what} in {took}"
