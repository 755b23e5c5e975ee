"""The maps of an experiment: what is asked for, looked at and chosen, and the run that is on them.

Connects the panel that asks, the page that shows, what makes maps, and the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from engine.core.arrays import FloatArray
from engine.core.effect import Effect, changed_fields, effect_of
from engine.core.errors import InputError, LabError
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params, update
from engine.maps.axis import Axis
from engine.maps.export import command
from engine.maps.kind import Offer
from engine.maps.picture import POINTS
from engine.maps.place import place_of, point_of
from engine.maps.ready import ReadyMap, ready_maps
from engine.maps.shown import Look, MapFailed, MapShown, finest
from engine.maps.spec import MapSpec
from engine.run.snapshot import Snapshot
from gui.maps import export
from gui.maps.dock import MAP, PLOTS, MapsPanel
from gui.maps.form import Wanted
from gui.maps.history import History, Part
from gui.maps.layers import RunLayer
from gui.maps.page import MapPage, axis_between
from gui.maps.search import SEARCHED, CurveSearch
from gui.maps.source import MapSource
from gui.plots.canvas.range import Ends, data_ends, padded
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.settings import Settings
from gui.style.theme import current_theme, theme_signals

GESTURE_MS = 700
"""Rest after which the next zoom or pan is another part to go back to."""
REQUEST_MS = 40
"""Time between two requests while one zooms, pans or drags a parameter."""
OFFER_MS = 300
"""Rest in the parameters after which it is found out anew what maps there are."""
QUICK = 2.0
"""Seconds up to which a map is made anew by itself when the parameters change."""
LEAST_DIGITS = 4
"""Significant digits of a parameter chosen on a map at least."""
PATH = 2000
"""Points of the run that are kept on a map of starts."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A kind of map that an experiment has.

    Attributes
    ----------
    title, help : str
    offer : Offer
    """

    title: str
    help: str
    offer: Offer


def offers_of(experiment: str, params: Params, seed: int) -> dict[str, Offered]:
    """Find the kinds of map that an experiment has at some parameters, by id."""
    from engine.maps.catalogue import KINDS, kind

    found: dict[str, Offered] = {}
    for kind_id in KINDS:
        each = kind(kind_id)
        offer = each.offer(experiment, params, seed)
        if offer is not None:
            found[kind_id] = Offered(each.title, each.help, offer)
    return found


class MapControl(QObject):
    """The maps of the experiment that is open.

    Parameters
    ----------
    control, bridge : RunControl, Bridge
        Of the run.
    settings : Settings
        Where what was asked for is kept.
    source : MapSource, optional
        What makes maps.

    Attributes
    ----------
    mode_changed : Signal(str)
        The middle of the window is to show "plots", "map" or "both".
    message_requested : Signal(str)
        One sentence for the status bar.
    hovered : Signal(str)
        What is below the pointer.
    failed : Signal(str)
        The traceback of an error that is no one's input.
    panel, page : MapsPanel, MapPage
    """

    mode_changed = Signal(str)
    message_requested = Signal(str)
    hovered = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        control: RunControl,
        bridge: Bridge,
        settings: Settings,
        source: MapSource | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._control, self._bridge, self._settings = control, bridge, settings
        self.source = source or MapSource(parent=self)
        self.panel, self.page = MapsPanel(), MapPage()
        self.search = CurveSearch(self.source, self)
        self.history = History()
        self._experiment: AbstractExperiment[Any, Any] | None = None
        self._offers: dict[str, Offered] = {}
        self._asked = 0
        self._wanted: Wanted | None = None
        self._layer = ""
        self._made_of: tuple[Params, int] | None = None
        self._searched = ""
        self._is_edited = False  # whether the form asks for another map than that on screen
        self._free: frozenset[str] = frozenset()
        self._seconds = math.inf
        self._mode = PLOTS
        self._place: tuple[float, ...] = (math.nan, math.nan)
        self._placed_for: object = None
        self._path = np.empty((0, 2))
        self._run_id = -1
        self._is_peeking = False
        self._gesture = QTimer(self, singleShot=True, interval=GESTURE_MS)
        self._request = QTimer(self, singleShot=True, interval=REQUEST_MS)
        self._request.timeout.connect(self._make_if_wanted)
        self._is_wanted = self._fits = False
        self._asking = QTimer(self, singleShot=True, interval=OFFER_MS)
        self._asking.timeout.connect(self._ask_offers)
        self._connect()

    def _connect(self) -> None:
        panel, page, source = self.panel, self.page, self.source
        panel.seen.connect(self._on_seen)
        panel.make_requested.connect(self.make)
        panel.cancel_requested.connect(self._on_cancel)
        panel.go_on_requested.connect(self._go_on)
        panel.mode_chosen.connect(self.set_mode)
        panel.layer_chosen.connect(self._on_layer_chosen)
        panel.ready_chosen.connect(self.make_ready)
        panel.follow_toggled.connect(lambda on: self._check_params())
        panel.export_menu_wanted.connect(self._fill_export)
        panel.form.kind_chosen.connect(self._on_kind_chosen)
        panel.form.edited.connect(self._on_edited)
        page.zoomed.connect(self._on_zoomed)
        page.picked.connect(self._on_picked)
        page.hovered.connect(self.hovered)
        page.back_requested.connect(lambda: self._go(self.history.back()))
        page.forward_requested.connect(lambda: self._go(self.history.forward()))
        page.home_requested.connect(self._go_home)
        page.close_requested.connect(lambda: self.set_mode(PLOTS))
        page.again_requested.connect(self._make_again)
        page.menu_wanted.connect(self._fill_export)
        panel.search_toggled.connect(self._on_search_toggled)
        self.search.found.connect(self.page.set_branches)
        self.search.said.connect(self.panel.say_search)
        source.shown.connect(self._on_shown)
        source.failed.connect(self._on_failed)
        theme_signals().changed.connect(self._show_look)
        page.canvas.installEventFilter(self)

    # The experiment and its run.

    def set_experiment(self, experiment: AbstractExperiment[Any, Any]) -> None:
        """Begin with an experiment: no map is shown until one is asked for."""
        self.save()
        self.source.forget()
        self.search.stop()
        self._experiment = experiment
        self._offers, self._wanted, self._made_of = {}, None, None
        self._layer, self._seconds, self._is_wanted = "", math.inf, False
        self._is_edited = False
        self.history = History()
        self.page.clear()
        self.page.say("")
        self._show_history()
        self.panel.forget_map()
        self.panel.show_none("")
        self.panel.set_ready(ready_maps(experiment.id))
        self._restore()
        self.set_mode(PLOTS)
        if self.panel.isVisible():
            self._ask_offers()

    def show_settings(self) -> None:
        """Take other parameters of the run: the map may be that of others then."""
        self._asking.start()
        self._check_params()
        self._show_run()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show where the run is."""
        if snapshot.run_id != self._run_id:
            self._run_id = snapshot.run_id
            self._path = np.empty((0, 2))
        self._show_run()
        self._peek()

    def set_mode(self, mode: str) -> None:
        """Show the plots, the map or both in the middle of the window."""
        if mode != PLOTS and self.page.shown is None and self._made_of is None:
            mode = PLOTS
        self.panel.mode.set_value(mode)
        self.panel.mode.setEnabled(self._made_of is not None)
        if mode != self._mode:
            self._mode = mode
            self.mode_changed.emit(mode)

    @property
    def mode(self) -> str:
        """What the middle of the window shows."""
        return self._mode

    def close(self, timeout: float) -> None:
        """Keep what was asked for, and end the threads."""
        self.save()
        self.search.stop()
        self.source.close(timeout)

    # What there is to ask for.

    def _on_seen(self) -> None:
        if self._experiment is not None and not self._offers:
            self._ask_offers()

    def _ask_offers(self) -> None:
        if self._experiment is None or not self.panel.isVisible():
            return
        self._asking.stop()
        self._asked += 1
        asked, experiment = self._asked, self._experiment.id
        params, seed = self._control.params, self._control.seed

        def then(found: dict[str, Offered] | Exception) -> None:
            if asked == self._asked:
                self._take_offers(found)

        self.source.ask(lambda: offers_of(experiment, params, seed), then)

    def _take_offers(self, found: dict[str, Offered] | Exception) -> None:
        if isinstance(found, Exception):
            sentence = str(found) if isinstance(found, LabError) else "Maps are not available."
            self.panel.show_none(sentence)
            return
        is_first = not self._offers
        self._offers = found
        if not found:
            self.panel.show_none("This experiment has no maps with these parameters.")
            return
        self.panel.show_none("")
        form = self.panel.form
        form.list_kinds({kind_id: each.title for kind_id, each in found.items()})
        wanted = self._wanted
        if wanted is not None and wanted.kind in found and not self._is_edited:
            form.choose_kind(wanted.kind)
        refill = is_first or self._made_of is None or not self._is_edited
        self._offer(str(form.kind.currentData()), refill=refill)
        self._name_page()
        if self.history.present is not None:
            self.page.show_part(self.history.present)

    def _offer(self, kind_id: str, refill: bool) -> None:
        """Show what a kind offers, and its numbers unless the user's are there already."""
        each = self._offers[kind_id]
        form, offer, made = self.panel.form, each.offer, self._made(kind_id)
        self.panel.show_search(kind_id)
        if made is not None:  # its axes are listed even where they are not offered any more
            offer = replace(
                offer,
                x_names=tuple(dict.fromkeys((*offer.x_names, made.x.name))),
                y_names=tuple(dict.fromkeys((*offer.y_names, made.y.name))),
            )
        form.offer(each.help, offer)
        if not refill:
            return
        usual = Wanted(kind=kind_id, x=offer.x, y=offer.y, steps=offer.steps, options=offer.options)
        if made is not None:
            form.fill(replace(made, options={**offer.options, **made.options}))
            return
        wanted = self._wanted
        form.fill(wanted if wanted is not None and _suits(wanted, usual, offer) else usual)

    def _made(self, kind_id: str) -> Wanted | None:
        """Return what the map on screen was made with; None where it is not of that kind."""
        wanted, part = self._wanted, self.history.present
        if self._made_of is None or wanted is None or part is None or wanted.kind != kind_id:
            return None
        return replace(wanted, x=part.x, y=part.y)

    def _on_edited(self) -> None:
        self._is_edited = True
        self.panel.forget_ready()

    def _on_kind_chosen(self, kind_id: str) -> None:
        self.panel.forget_ready()
        self._is_edited = self._made(kind_id) is None
        self._offer(kind_id, refill=True)

    # Making maps.

    def make(self) -> None:
        """Make the map that the form asks for."""
        self.panel.show_error("")
        self.panel.form.clear_errors()
        try:
            wanted = self.panel.form.read()
        except InputError as error:
            self.message_requested.emit(str(error))
            return
        self._begin(wanted)

    def make_ready(self, ready: ReadyMap) -> None:
        """Make a ready map, with its parameters in the run too."""
        spec = ready.spec
        options = dict(spec.options)  # those not named are as usual at the parameters of the map
        wanted = Wanted(kind=spec.kind, x=spec.x, y=spec.y, steps=spec.steps, options=options)
        self._made_of = None
        self._control.restore(spec.params, spec.seed, f"map “{ready.title}”")
        self._begin(wanted)
        if spec.kind in self._offers:
            self.panel.form.choose_kind(spec.kind)
            self._offer(spec.kind, refill=True)

    def _begin(self, wanted: Wanted) -> None:
        """Make a map; another part of the same one is added to the history."""
        part, before = Part(wanted.x, wanted.y), self._wanted
        same = (
            before is not None
            and self.history.present is not None
            and (before.kind, before.x.name, before.y.name)
            == (wanted.kind, wanted.x.name, wanted.y.name)
        )
        if same:
            self.history.go_to(part)
        else:
            self.history.begin(part)
        offered = self._offers.get(wanted.kind)
        self._fits = wanted.kind == "orbit" and offered is not None and wanted.y == offered.offer.y
        self._wanted, self._is_edited = wanted, False
        self._request_map()
        if self._mode == PLOTS:
            self.set_mode(MAP)

    def _request_map(self) -> None:
        """Request the present part of the map, with the parameters in force."""
        part, wanted = self.history.present, self._wanted
        if part is None or wanted is None or self._experiment is None:
            return
        self._is_wanted = False
        self._wanted = replace(wanted, x=part.x, y=part.y)
        params, seed = self._control.params, self._control.seed
        if self._made_of != (params, seed) or self._searched != wanted.kind:
            self.search.stop()  # its branches are those of other parameters
        self._made_of, self._searched = (params, seed), wanted.kind
        self._name_page()
        self.page.say("")
        self.page.show_part(part)
        self._show_history()
        self.panel.begin()
        self.panel.mode.setEnabled(True)
        spec = MapSpec(
            kind=wanted.kind,  # type: ignore[arg-type]
            experiment=self._experiment.id,
            params=params,
            seed=seed,
            x=part.x,
            y=part.y,
            steps=wanted.steps,
            options=wanted.options,
        )
        self.source.make(spec, self._look(), self.panel.scheduler.text().strip())
        self._show_run()

    def _name_page(self) -> None:
        wanted = self._wanted
        offered = self._offers.get(wanted.kind) if wanted is not None else None
        if offered is not None:
            self.page.name(offered.title, offered.help, offered.offer.labels)

    def _look(self) -> Look:
        part = self.history.present
        ends = None if part is None else (part.y.low, part.y.high)
        look = Look(current_theme(), self._layer, ends)
        is_orbit = self._wanted is not None and self._wanted.kind == "orbit"
        return replace(look, rows=self.page.rows) if is_orbit else look

    def _show_look(self) -> None:
        if self._made_of is not None:
            self.source.show_look(self._look())

    def _make_soon(self) -> None:
        """Request the map now, or after a moment if that was done just before."""
        self._is_wanted = True
        if not self._request.isActive():
            self._request.start()
            self._make_if_wanted()

    def _make_if_wanted(self) -> None:
        if self._is_wanted:
            self._request.start()
            self._request_map()

    def _on_search_toggled(self, on: bool) -> None:
        shown = self.page.shown
        if not on:
            self.search.stop()
        elif shown is not None and shown.state == "done":
            self._search(shown)

    def _search(self, shown: MapShown) -> None:
        """Search on a map that is done, where that is wanted."""
        part = self.history.present
        if part is not None and shown.spec.kind in SEARCHED and self.panel.search.isChecked():
            self.search.begin(replace(shown.spec, x=part.x, y=part.y))

    def _make_again(self) -> None:
        self._request_map()

    def _on_cancel(self) -> None:
        self._is_wanted = False
        self.source.cancel()

    def _go_on(self) -> None:
        """Make what is missing of the map on screen, with the parameters that it was begun with."""
        shown = self.page.shown
        if shown is not None:
            self.panel.begin()
            self.source.make(shown.spec, self._look(), self.panel.scheduler.text().strip())

    def _on_shown(self, shown: MapShown) -> None:
        if shown.state == "done":
            self._seconds = shown.seconds
            self._search(shown)
        if shown.spec.kind not in SEARCHED:
            self.search.stop()
        self._free = self._free_of(shown)
        self.page.show_map(shown)
        self.panel.show_map(shown)
        self._fit_observable(shown)
        if shown.layer == POINTS and shown.look.rows != self.page.rows:
            self._show_look()  # the page got its height meanwhile
        self._check_params()
        self._show_run()

    def _fit_observable(self, shown: MapShown) -> None:
        """Fit the upward axis of an orbit diagram to its points, where that was left as offered."""
        part, wanted = self.history.present, self._wanted
        if not self._fits or part is None or wanted is None or shown.layer != POINTS:
            return
        self._fits = shown.state == "making"
        ends = data_ends([np.asarray(shown.arrays[POINTS], np.float64)])
        if ends is None or part.y.log:
            return
        fitted = replace(part, y=axis_between(part.y, padded(*ends)))
        if fitted == part:
            return
        self.history.begin(fitted)
        self._wanted = replace(wanted, y=fitted.y)
        self.panel.form.up.show_axis(fitted.y)
        self.page.show_part(fitted)
        self._show_look()

    def _on_failed(self, failure: MapFailed) -> None:
        self.panel.end()
        if failure.error is None:
            self.panel.show_error("The map could not be made.")
            self.failed.emit(failure.traceback)
            return
        error, wanted = failure.error, self._wanted
        sentence = str(error)
        refusal = error.refusal if isinstance(error, InputError) else None
        if refusal is None or wanted is None or not self.panel.form.refuse(refusal, wanted):
            self.panel.show_error(sentence)
        self.page.say(sentence)
        self.message_requested.emit(sentence)

    def _on_layer_chosen(self, layer: str) -> None:
        self._layer = layer
        part = self.history.present
        if part is not None:
            self.page.show_part(part)
        self._show_look()

    # Parts.

    def _on_zoomed(self, x: Ends | None, y: Ends | None) -> None:
        present = self.history.present
        if present is None:
            return
        try:
            part = Part(axis_between(present.x, x), axis_between(present.y, y))
        except InputError:
            return  # closer than numbers can be told apart
        self._fits = False
        self.history.go_to(part, moves_on=self._gesture.isActive())
        self._gesture.start()
        self._show_part(part, present)

    def _go(self, part: Part | None) -> None:
        if part is not None:
            self._gesture.stop()
            self._show_part(part, None)

    def _go_home(self) -> None:
        home, present = self.history.home, self.history.present
        if home is not None and home != present:
            self._gesture.stop()
            self.history.go_to(home)
            self._show_part(home, None)

    def _show_part(self, part: Part, before: Part | None) -> None:
        """Show a part at once as far as it is drawn, and ask for it."""
        self.page.show_part(part)
        self.panel.forget_ready()
        self.panel.form.across.show_axis(part.x)
        self.panel.form.up.show_axis(part.y)
        self._show_history()
        is_orbit = self._wanted is not None and self._wanted.kind == "orbit"
        if is_orbit and before is not None and before.x == part.x and self._layer_is_points:
            self._show_look()
            return
        self._make_soon()

    @property
    def _layer_is_points(self) -> bool:
        shown = self.page.shown
        return shown is not None and shown.layer == POINTS

    def _show_history(self) -> None:
        history = self.history
        self.page.set_history(back=history.can_go_back, forward=history.can_go_forward)

    # The run on the map.

    def _free_of(self, shown: MapShown) -> frozenset[str]:
        """Return the parameters that a point of the map decides on."""
        part = Part(shown.spec.x, shown.spec.y)
        try:
            x = float(part.x.at(part.x.count / 2))
            y = float(part.y.at(part.y.count / 2))
            return frozenset(shown.prepared.start_at(x, y))
        except LabError:
            return frozenset({part.x.name, part.y.name})

    def _check_params(self) -> None:
        """Make the map anew if it is quick, or say so, where the parameters are others by now."""
        if self._made_of is None or self._experiment is None:
            return
        (params, seed), now = self._made_of, self._control.params
        other = set(changed_fields(params, now)) - self._free
        other = {name for name in other if _matters(now, name)}
        is_same = not other and seed == self._control.seed
        if is_same:
            self.page.say("")
        elif self.panel.follow.isChecked() and self._seconds <= QUICK and self._mode != PLOTS:
            self._make_soon()
        else:
            self.page.say("This map was made with other parameters.", can_repeat=True)

    def _show_run(self) -> None:
        """Show where the run is: at its parameters, or at its start with its path."""
        part = self.history.present
        if part is None or self._mode == PLOTS or self._experiment is None:
            return
        key = (self._control.params, self._control.seed, part.x.name, part.y.name)
        if key != self._placed_for:
            self._placed_for = key
            self._place = place_of(self._experiment, key[0], key[1], key[2:])
        x, y = self._place
        if self._wanted is not None and self._wanted.kind == "orbit":
            y = math.nan  # what is seen of a run changes from step to step
        self.page.show_run(RunLayer(x, y, self._path))

    def _peek(self) -> None:
        """Request where the run is, on a map of starts, once the answer before is there."""
        wanted = self._wanted
        if wanted is None or wanted.kind != "basin" or self._mode == PLOTS or self._is_peeking:
            return
        names, run_id = (wanted.x.name, wanted.y.name), self._run_id
        self._is_peeking = True

        def then(point: FloatArray | Exception | None) -> None:
            self._is_peeking = False
            if isinstance(point, Exception) or point is None or run_id != self._run_id:
                return
            if not len(self._path) or not np.array_equal(self._path[-1], point):
                self._path = np.vstack([self._path[-PATH:], point[None]])
                self._show_run()

        self._bridge.peek(lambda session: point_of(session, names), then)

    def _on_picked(self, x: float, y: float) -> None:
        """Begin the run of a point, or steer the one that goes on if that is enough."""
        shown, part = self.page.shown, self.history.present
        if shown is None or part is None:
            return
        x, y = middle_of(part.x, x), y if shown.spec.kind == "orbit" else middle_of(part.y, y)
        try:
            params = update(self._control.params, **shown.prepared.start_at(x, y))
        except LabError as error:
            self.message_requested.emit(str(error))
            return
        if effect_of(self._control.params, params) is Effect.RESTART:
            self._control.begin_at(params, "start from the map")
        else:
            self._control.edit_params(params)

    # Files.

    def _fill_export(self, menu: QMenu) -> None:
        shown = self.page.shown
        for text, kind in (
            ("Figure (PNG, SVG, PDF)…", "figure"),
            ("Data (NPZ)…", "data"),
            ("Shares of the classes (CSV)…", "shares"),
        ):
            action = menu.addAction(text)
            action.setEnabled(shown is not None)
            action.triggered.connect(lambda checked=False, kind=kind: self._ask_file(kind))
        menu.actions()[-1].setVisible(shown is None or bool(shown.picture.swatches))
        copy = menu.addAction("Copy the command")
        copy.setToolTip("The command that makes this map without a window")
        copy.setEnabled(shown is not None)
        copy.triggered.connect(self._copy_command)

    def _ask_file(self, kind: str) -> None:
        shown = self.page.shown
        if shown is None:
            return
        dialog = QFileDialog(self.page, "Export the map")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(export.FILTERS[kind]))
        dialog.setDefaultSuffix(export.SUFFIXES[kind])
        dialog.selectFile(f"{shown.spec.experiment}-{shown.spec.kind}.{export.SUFFIXES[kind]}")
        dialog.fileSelected.connect(lambda path: self.export_to(kind, Path(path)))
        dialog.open()

    def export_to(self, kind: str, path: Path) -> None:
        """Write the map to a file, beside the window's thread."""
        shown = self.page.shown
        if shown is None:
            return
        copy = finest(shown)

        def then(result: Exception | None) -> None:
            if isinstance(result, LabError):
                self.message_requested.emit(str(result))
            elif isinstance(result, Exception):
                self.message_requested.emit(f"{path.name} could not be written.")
            else:
                self.message_requested.emit(f"{path.name} is written.")

        self.source.ask(lambda: export.write(kind, path, copy), then)

    def _copy_command(self) -> None:
        shown = self.page.shown
        if shown is not None:
            part = self.history.present
            spec = shown.spec if part is None else replace(shown.spec, x=part.x, y=part.y)
            QGuiApplication.clipboard().setText(command(spec))
            self.message_requested.emit("The command is in the clipboard.")

    # What is kept.

    def save(self) -> None:
        """Keep what was asked for last."""
        if self._experiment is None or self._wanted is None:
            return
        wanted = self._wanted
        kept = {
            "kind": wanted.kind,
            "x": _table(wanted.x),
            "y": _table(wanted.y),
            "steps": wanted.steps,
            "options": dict(wanted.options),
            "layer": self._layer,
        }
        self._settings.set_object(f"maps/{self._experiment.id}", kept)

    def _restore(self) -> None:
        """Take what `save` kept; anything unexpected is as if it were not there."""
        assert self._experiment is not None
        kept = self._settings.object(f"maps/{self._experiment.id}")
        try:
            self._wanted = Wanted(
                kind=str(kept["kind"]),
                x=_axis(kept["x"]),
                y=_axis(kept["y"]),
                steps=int(kept["steps"]),
                options={str(key): float(value) for key, value in kept["options"].items()},
            )
            self._layer = str(kept["layer"])
        except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
            self._wanted, self._layer = None, ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Draw the density of an orbit diagram for another height of the page."""
        if event.type() == QEvent.Type.Resize and self._layer_is_points:
            QTimer.singleShot(0, self, self._show_look)
        return False


def middle_of(axis: Axis, value: float) -> float:
    """Return the middle of the cell that a value lies in, in digits that the cell can tell apart.

    It is rounded by at most a twentieth of the cell's width, to no less than four digits.
    """
    place = float(axis.place(value))
    if not 0 <= place < axis.count:
        return value
    low, middle, high = axis.at(math.floor(place) + np.array([0.0, 0.5, 1.0])).tolist()
    width = high - low
    if not width > 0.0 or abs(middle) < 1e-9 * width:
        return float(middle) if width <= 0.0 else 0.0
    digits = math.floor(math.log10(abs(middle))) - math.floor(math.log10(width)) + 2
    return float(f"{middle:.{min(max(digits, LEAST_DIGITS), 17)}g}")


def _suits(wanted: Wanted, usual: Wanted, offer: Offer) -> bool:
    """Return whether what was asked for before can still be."""
    return (
        wanted.kind == usual.kind
        and wanted.x.name in offer.x_names
        and wanted.y.name in offer.y_names
        and set(wanted.options) <= set(offer.options)
    )


def _matters(params: Params, name: str) -> bool:
    """Return whether a parameter has an effect on a map: those of an ensemble have none."""
    from engine.core.params import describe

    specs = {spec.name: spec for spec in describe(type(params))}
    return not specs[name].for_ensemble


def _table(axis: Axis) -> dict[str, Any]:
    return {
        "name": axis.name,
        "low": axis.low,
        "high": axis.high,
        "count": axis.count,
        "log": axis.log,
    }


def _axis(kept: Mapping[str, Any]) -> Axis:
    return Axis(
        name=str(kept["name"]),
        low=float(kept["low"]),
        high=float(kept["high"]),
        count=int(kept["count"]),
        log=bool(kept["log"]),
    )
