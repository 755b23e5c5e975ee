"""The maps of an experiment: what is asked for, looked at and chosen, and the run that is on them.

Connects the panel that asks, the page that shows, what makes maps, and the run.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from engine.core.effect import changed_fields
from engine.core.errors import InputError, LabError
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params
from engine.maps.picture import POINTS
from engine.maps.ready import ReadyMap, ready_maps
from engine.maps.shown import Look, MapFailed, MapShown
from engine.run.snapshot import Snapshot
from gui.maps.borders import BorderMeasure
from gui.maps.dock import MAP, PLOTS, MapsPanel
from gui.maps.files import MapFiles
from gui.maps.form import Wanted
from gui.maps.history import History, Part
from gui.maps.kept import table_of, wanted_of
from gui.maps.offers import Asked, OfferForm
from gui.maps.page import MapPage, axis_between
from gui.maps.search import SEARCHED, CurveSearch
from gui.maps.source import MapSource
from gui.maps.track import OnScreen, RunTrack
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
        self._control, self._settings = control, settings
        self.source = source or MapSource(parent=self)
        self.panel, self.page = MapsPanel(), MapPage()
        self.search = CurveSearch(self.source, self)
        self.borders = BorderMeasure(self.source, self.panel.borders, self.panel.legend, self)
        self.offers = OfferForm(self.panel, self.source, control, self._asked, self)
        self.track = RunTrack(self.page, control, bridge, self._screen, self)
        self.history = History()
        self.files = MapFiles(self.page, self.source, lambda: self.history, self)
        self._experiment: AbstractExperiment[Any, Any] | None = None
        self._wanted: Wanted | None = None
        self._layer = self._searched = ""
        self._made_of: tuple[Params, int] | None = None
        self._free: frozenset[str] = frozenset()
        self._seconds = math.inf
        self._mode = PLOTS
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
        panel.export_menu_wanted.connect(self.files.fill)
        self.offers.came.connect(self._on_offered)
        page.zoomed.connect(self._on_zoomed)
        page.picked.connect(self.track.pick)
        page.hovered.connect(self.hovered)
        page.back_requested.connect(lambda: self._go(self.history.back()))
        page.forward_requested.connect(lambda: self._go(self.history.forward()))
        page.home_requested.connect(self._go_home)
        page.close_requested.connect(lambda: self.set_mode(PLOTS))
        page.again_requested.connect(self._request_map)
        page.menu_wanted.connect(self.files.fill)
        for part in (self.track, self.files):
            part.message_requested.connect(self.message_requested)
        panel.search_toggled.connect(self._on_search_toggled)
        self.search.found.connect(self.page.set_branches)
        self.search.said.connect(self.panel.say_search)
        source.shown.connect(self._on_shown)
        source.waits.connect(panel.show_waiting)
        source.waits.connect(lambda waits: page.say(waits.sentence))
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
        self._wanted, self._made_of = None, None
        self._layer, self._seconds, self._is_wanted = "", math.inf, False
        self.offers.forget()
        self.history = History()
        self.page.clear()
        self.page.say("")
        self._show_history()
        self.panel.forget_map()
        self.borders.forget()
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
        self.track.show()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show where the run is."""
        self.track.follow(snapshot)

    def _screen(self) -> OnScreen | None:
        """Return the map that the run is shown on."""
        part, wanted, experiment = self.history.present, self._wanted, self._experiment
        if part is None or wanted is None or experiment is None or self._mode == PLOTS:
            return None
        return OnScreen(experiment, wanted.kind, part)

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
        if not self.offers.found:
            self._ask_offers()

    def _ask_offers(self) -> None:
        if self._experiment is not None and self.panel.isVisible():
            self._asking.stop()
            self.offers.ask(self._experiment.id)

    def _asked(self) -> Asked:
        """Return what was asked for last, and whether the map on screen is of it."""
        part, wanted = self.history.present, self._wanted
        if wanted is None or part is None:
            return Asked(wanted, is_made=False)
        return Asked(replace(wanted, x=part.x, y=part.y), is_made=self._made_of is not None)

    def _on_offered(self) -> None:
        self._name_page()
        if self.history.present is not None:
            self.page.show_part(self.history.present)

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
        self.offers.choose(spec.kind)

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
        offered = self.offers.found.get(wanted.kind)
        self._fits = wanted.kind == "orbit" and offered is not None and wanted.y == offered.offer.y
        self._wanted, self.offers.is_edited = wanted, False
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
        spec = self._wanted.spec(self._experiment.id, params, seed)
        self.source.make(spec, self._look(), self.panel.scheduler.text().strip())
        self.track.show()

    def _name_page(self) -> None:
        wanted = self._wanted
        offered = self.offers.found.get(wanted.kind) if wanted is not None else None
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
        self.track.show()

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
        self.page.set_history(back=self.history.can_go_back, forward=self.history.can_go_forward)

    # The parameters of the run.

    def _free_of(self, shown: MapShown) -> frozenset[str]:
        """Return the parameters that a point of the map decides on; found once a map."""
        before, x, y = self.page.shown, shown.spec.x, shown.spec.y
        if before is not None and before.prepared is shown.prepared:
            return self._free
        try:
            middle = (float(axis.at(axis.count / 2)) for axis in (x, y))
            return frozenset(shown.prepared.start_at(*middle))
        except LabError:
            return frozenset({x.name, y.name})

    def _check_params(self) -> None:
        """Make the map anew if it is quick, or say so, where the parameters are others by now."""
        if self._made_of is None or self._experiment is None:
            return
        (params, seed), now = self._made_of, self._control.params
        other = (name for name in changed_fields(params, now) if name not in self._free)
        is_same = not any(_matters(now, name) for name in other) and seed == self._control.seed
        if is_same:
            self.page.say("")
        elif self.panel.follow.isChecked() and self._seconds <= QUICK and self._mode != PLOTS:
            self._make_soon()
        else:
            self.page.say("This map was made with other parameters.", can_repeat=True)

    # What is kept.

    def save(self) -> None:
        """Keep what was asked for last."""
        if self._experiment is not None and self._wanted is not None:
            kept = table_of(self._wanted, self._layer)
            self._settings.set_object(f"maps/{self._experiment.id}", kept)

    def _restore(self) -> None:
        assert self._experiment is not None
        kept = self._settings.object(f"maps/{self._experiment.id}")
        self._wanted, self._layer = wanted_of(kept)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Draw the density of an orbit diagram for another height of the page."""
        if event.type() == QEvent.Type.Resize and self._layer_is_points:
            QTimer.singleShot(0, self, self._show_look)
        return False


def _matters(params: Params, name: str) -> bool:
    """Return whether a parameter has an effect on a map: those of an ensemble have none."""
    from engine.core.params import describe

    specs = {spec.name: spec for spec in describe(type(params))}
    return not specs[name].for_ensemble
