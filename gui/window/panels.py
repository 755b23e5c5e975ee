"""What shows and sets a run: form, plots, theory, ensemble, maps, digit pad, single plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from engine.core.errors import Refusal
from engine.run.snapshot import Snapshot
from gui.compare.pins import Pins
from gui.ensemble.dock import EnsemblePanel
from gui.form.form import ParamForm
from gui.form.step_bar import StepBar
from gui.maps.control import MapControl
from gui.maps.middle import Middle
from gui.panels.digit_panel import DigitPanel
from gui.panels.trust import TrustQuestion
from gui.plots.area import Ghost, PlotArea
from gui.plots.live_window import LiveWindows
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.settings import Settings
from gui.theory.dock import TheoryPanel
from gui.widgets.waiting import Waiting
from gui.window.docks import Tabs

if TYPE_CHECKING:
    from engine.core.ensemble import Ensemble
    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params
    from engine.core.views import View
    from engine.run.notes import Note
    from engine.run.session import Session

THEORY, ENSEMBLE, MAPS, DRAWING = "Theory", "Ensemble", "Maps", "Draw a digit"
CLOSE_SECONDS = 2.0
"""Time in which the threads of maps are to end."""


class Panels(QObject):
    """The parts that show a run, and the form of its parameters.

    Importing and building them takes longer than all the rest of the window; so the window shows
    before it imports this module, and gets them complete.

    Parameters
    ----------
    tabs : Tabs
        Get theory, ensemble and digit pad as pages.
    control, bridge, pins, settings
        Of the window; what `control` has open already is shown at once.

    Attributes
    ----------
    message_requested : Signal(str)
        One sentence for the status bar.
    message_cleared : Signal(str)
        A sentence that no longer holds.
    warning_requested : Signal(str)
        One sentence on what the engine refused, for the bar above the plots.
    hovered : Signal(str)
        What is under the pointer, for as long as it is there; empty when it left.
    run_delayed : Signal
        A run takes its time to begin: what is shown of the last one is no longer true.
    views_shown : Signal(tuple of View)
        The plots are now these.
    failed : Signal(str)
        The traceback of a map that could not be made.
    form, middle
        Widgets to be placed by the window.
    plots : PlotArea
        Within the middle.
    theory, ensemble, maps, digits
        Pages of the tabs, or what controls them.
    step_bar : StepBar
        The step size once more, for the page that has no form.
    trust : TrustQuestion
        Asks before a Python file of the user is executed.
    """

    message_requested = Signal(str)
    message_cleared = Signal(str)
    warning_requested = Signal(str)
    hovered = Signal(str)
    run_delayed = Signal()
    views_shown = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        tabs: Tabs,
        control: RunControl,
        bridge: Bridge,
        pins: Pins,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._tabs = tabs
        self._control = control
        self._bridge = bridge
        self._pins = pins
        self._settings = settings
        self._experiment: AbstractExperiment[Any, Any] | None = None
        self._views: tuple[View, ...] = ()
        self._bounds: tuple[tuple[str, float | None], ...] = ()
        self._refusal: Refusal | None = None
        self._layout_before = b""
        self._passed: tuple[int, tuple[Note, ...]] | None = None
        self.form = ParamForm()
        self.step_bar = StepBar(self.form)
        self.plots, self._ensemble_plots = PlotArea(), PlotArea()
        self._arranging = QTimer(self, singleShot=True, interval=0)
        self._arranging.timeout.connect(self.plots.reset_layout)
        self.windows = LiveWindows(self)
        self.maps = MapControl(control, bridge, settings, parent=self)
        self.middle = Middle(self.plots, self.maps.page)
        self.waiting = Waiting(self.plots)
        self.theory, self.ensemble = TheoryPanel(), EnsemblePanel()
        self.ensemble.set_pictures(self._ensemble_plots)
        self.digits = DigitPanel(bridge)
        self.trust = TrustQuestion(control, bridge, parent)
        tabs.add(THEORY, self.theory)
        tabs.add(ENSEMBLE, self.ensemble)
        tabs.add(MAPS, self.maps.panel)
        tabs.add(DRAWING, self.digits)
        self._connect_parts()
        self._connect_run()
        self._connect_maps()
        if control.has_experiment:
            self.show_experiment(control.experiment)
        if control.snapshot is not None:
            self.show_snapshot(control.snapshot)

    def _connect_parts(self) -> None:
        control, ensemble, form = self._control, self.ensemble, self.form
        form.params_edited.connect(lambda params, live: control.edit_params(params, form.gesture))
        form.seed_edited.connect(control.edit_seed)
        form.footer.reset_requested.connect(self.plots.fit_next)
        form.input_rejected.connect(self.message_requested)
        form.input_error_cleared.connect(self.message_cleared)
        self.plots.handle_dragged.connect(control.drag_handle)
        self.plots.handle_released.connect(control.end_drag)
        self.plots.stroke_drawn.connect(control.draw)
        self.plots.hovered.connect(self.hovered)
        self.plots.notes_changed.connect(self._pass_notes)
        self.theory.value_wanted.connect(control.set_value)
        self.waiting.shown.connect(self.run_delayed)
        ensemble.run_requested.connect(self._bridge.ensemble)
        ensemble.cancel_requested.connect(self._bridge.cancel)
        ensemble.runs_edited.connect(self._on_runs_edited)
        ensemble.ensemble_shown.connect(self._on_ensemble_shown)
        ensemble.message_requested.connect(self.message_requested)
        ensemble.refused.connect(self.message_requested)
        ensemble.error_cleared.connect(self.message_cleared)

    def _connect_run(self) -> None:
        control, bridge = self._control, self._bridge
        control.experiment_changed.connect(self.show_experiment)
        control.settings_changed.connect(self.show_settings)
        control.notes_opened.connect(self.plots.set_notes)
        control.restarted.connect(self.theory.clear)
        control.restarted.connect(self.form.unmark)
        control.restarted.connect(self.waiting.begin)
        control.rejected.connect(self._on_refused)
        bridge.failed.connect(self.waiting.end)
        bridge.rejected.connect(self._on_rejected)
        self._pins.changed.connect(self._show_ghosts)
        self._pins.marked.connect(self._show_ghosts)

    def _connect_maps(self) -> None:
        maps = self.maps
        maps.mode_changed.connect(self.middle.set_mode)
        maps.message_requested.connect(self.message_requested)
        maps.hovered.connect(self.hovered)
        maps.failed.connect(self.failed)

    def show_maps(self) -> None:
        """Bring the maps to the front, and the map if there is one."""
        self._tabs.show_page(MAPS)
        if self.maps.page.shown is not None and self.middle.mode == "plots":
            self.maps.set_mode("map")

    def _on_runs_edited(self, runs: int) -> None:
        if not self._control.set_value("ensemble", runs):
            self.ensemble.reject_runs()

    @property
    def views(self) -> tuple[View, ...]:
        """The plots that are shown, hidden ones included."""
        return self._views

    @property
    def views_menu(self) -> QMenu:
        """The menu that shows and hides plots."""
        return self.plots.views_menu()

    def show_experiment(self, experiment: AbstractExperiment[Any, Any]) -> None:
        """Prepare for another experiment, with its plots as they were left."""
        self.save_layout()
        self.windows.close_all()
        params = self._control.params
        if self._experiment is None or self._experiment.id != experiment.id:
            self.theory.forget()
        self._experiment = experiment
        self._views, self._bounds = (), ()
        self.form.set_experiment(experiment, params, self._control.seed)
        self.step_bar.set_bounds(())
        self.step_bar.show_params(params)
        self._tabs.offer(ENSEMBLE, experiment.has_ensemble)
        self._tabs.offer(DRAWING, self.digits.suits(experiment))
        self._tabs.show_page(THEORY)  # an ensemble in front would be that of another experiment
        self.ensemble.set_experiment(experiment, params)
        self.digits.set_experiment(experiment)
        self.maps.set_experiment(experiment)
        self.plots.forget()
        self._pins.set_current(experiment.id, params, self._control.seed)
        self._show_views(params)
        self.bring_back_layout()
        if self._layout_before:
            self.show_audience_layout(True)

    def show_settings(self, params: Params, seed: int) -> None:
        """Show parameters and seed that were not edited in the form, and the plots they have."""
        if self._experiment is not None:
            if self.form.params != params or self.form.seed != seed:
                self.form.set_experiment(self._experiment, params, seed)
            self.step_bar.show_params(params)
            self._pins.set_current(self._experiment.id, params, seed)
            self._show_views(params)
            self.maps.show_settings()

    def show_tab_of(self, params: Params) -> None:
        """Bring the ensemble to the front if the parameters ask for many runs."""
        many = (getattr(params, "ensemble", 1) or 1) > 1 or bool(getattr(params, "step_sizes", ()))
        if many and self._experiment is not None and self._experiment.has_ensemble:
            self._tabs.show_page(ENSEMBLE)

    def _show_views(self, params: Params) -> None:
        """Show the plots that the experiment has with these parameters."""
        if self._experiment is None:
            return
        views = self._experiment.views(params)
        if views != self._views:
            self._views = views
            self.plots.set_views(views)
            self.views_shown.emit(views)
            self._show_ghosts()

    def _show_ghosts(self) -> None:
        """Show the pinned runs behind the present one."""
        pins = () if self._experiment is None else self._pins.of(self._experiment.id)
        self.plots.set_ghosts(
            tuple(
                Ghost(pin.title, pin.color, pin.trace, is_marked=pin.id == self._pins.mark)
                for pin in pins
                if pin.visible or pin.id == self._pins.mark
            )
        )

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a picture of the run."""
        self.waiting.show_snapshot(snapshot)
        if snapshot.refusal is not None and snapshot.refusal is not self._refusal:
            self.form.mark(snapshot.refusal)
        self._refusal = snapshot.refusal
        self._show_bounds(snapshot)
        self.plots.show_snapshot(snapshot)
        self._pass_notes()
        self.windows.show_snapshot(snapshot)
        self.theory.show_snapshot(snapshot)
        self.ensemble.show_snapshot(snapshot)
        self.maps.show_snapshot(snapshot)
        self.digits.show_snapshot(snapshot)

    def _pass_notes(self) -> None:
        """Pass the notes on the plots to the run, with which they go into files and figures."""
        snapshot, notes = self._control.snapshot, self.plots.notes
        if snapshot is None or self._experiment is None:
            return
        name = self._experiment.id
        if snapshot.experiment != name or (self._passed is None and not notes):
            return
        if self._passed != (snapshot.run_id, notes):
            self._passed = (snapshot.run_id, notes)
            self._bridge.peek(lambda session: _take_notes(session, name, notes), lambda _: None)

    def _on_rejected(self, reason: Refusal | str) -> None:
        """Mark the field whose value the engine refused, if it is one, and show the sentence."""
        self.end_waiting()
        if isinstance(reason, Refusal):
            self.form.mark(reason)
        self.warning_requested.emit(self._in_words(reason))

    def _on_refused(self, reason: Refusal | str) -> None:
        """Show why a wish was not carried out, with the field's label in place of its name."""
        self.message_requested.emit(self._in_words(reason))

    def _in_words(self, reason: Refusal | str) -> str:
        return self.form.in_words(reason) if isinstance(reason, Refusal) else reason

    def begin_waiting(self) -> None:
        """Show in the middle of the plots, after a moment, that a run is about to begin."""
        self.waiting.begin()

    def cover_plots(self) -> None:
        """Cover the plots while another experiment is named than the one they show."""
        self.plots.cover()

    def hold_waiting(self) -> None:
        """Count the moment until that is shown from the next `begin_waiting`."""
        self.waiting.hold()

    def end_waiting(self) -> None:
        """Show no longer that a run is about to begin."""
        self.waiting.end()
        self.plots.uncover()

    def show_windows(self, menu: QMenu) -> None:
        """List the plots that can have a window of their own."""
        self.windows.fill(menu, self._views)

    def close(self) -> None:
        """Save the layout, and close the plots that have a window of their own."""
        self.save_layout()
        self.windows.close_all()
        self.maps.close(CLOSE_SECONDS)
        self.plots.leave_screen()

    def _show_bounds(self, snapshot: Snapshot) -> None:
        """Pass bounds to the form when they change; measured values change all the time."""
        given = tuple(bound for bound in snapshot.theory if bound.field)
        values = tuple((bound.id, bound.value) for bound in given)
        if values != self._bounds:
            self._bounds = values
            self.form.set_bounds(given)
            self.step_bar.set_bounds(given)

    def set_axis_scaled(self, scaled: bool) -> None:
        """Draw time as δ·step rather than the step."""
        self.plots.set_axis_scaled(scaled)

    def show_audience_layout(self, on: bool) -> None:
        """Arrange the plots for a page of another size, or as they were before."""
        if on:
            self._layout_before = self.plots.save_layout()
            self.arrange_soon()
        elif self._layout_before:
            self.plots.restore_layout(self._layout_before)
            self._layout_before = b""

    def arrange_soon(self) -> None:
        """Arrange the plots once the page has its size."""
        self._arranging.start()

    def rescale(self) -> None:
        """Arrange the plots anew where they no longer fit at another scale, and back."""
        self.plots.rescale()

    def reset_layout(self) -> None:
        """Put the plots back where they were at first."""
        self.plots.reset_layout()

    def save_layout(self) -> None:
        """Keep the arrangement of the plots of the experiment shown."""
        if self._experiment is not None:
            layout = self._layout_before or self.plots.save_layout()
            self._settings.set_blob(f"plots/{self._experiment.id}", layout)

    def bring_back_layout(self) -> None:
        """Put the plots where the settings say."""
        if self._experiment is None:
            return
        layout = self._settings.blob(f"plots/{self._experiment.id}")
        if not layout.isEmpty():
            self.plots.restore_layout(bytes(layout.data()))

    def picture(self) -> QPixmap:
        """Draw the plots, and the map, as they are on the screen."""
        return self.middle.grab()

    def _on_ensemble_shown(self, ensemble: Ensemble) -> None:
        self._ensemble_plots.set_views(ensemble.views)
        self._ensemble_plots.show_observation(ensemble.observation)


def _take_notes(session: Session, experiment: str, notes: tuple[Note, ...]) -> None:
    """Attach notes to a run, if it is still of that experiment; called on the engine thread."""
    if session.experiment.id == experiment:
        session.notes = notes
