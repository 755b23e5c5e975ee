"""What shows and sets a run: form, plots, theory, ensemble; filled in once the window shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout

from engine.core.errors import Refusal
from engine.run.snapshot import Snapshot
from gui.compare.pins import Pins
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.settings import Settings
from gui.window.docks import Docks

if TYPE_CHECKING:
    from engine.core.ensemble import Ensemble
    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params
    from engine.core.views import View
    from gui.ensemble.dock import EnsemblePanel
    from gui.form.form import ParamForm
    from gui.panels.digit_panel import DigitPanel
    from gui.plots.area import PlotArea
    from gui.plots.live_window import LiveWindows
    from gui.theory.dock import TheoryPanel
    from gui.widgets.waiting import Waiting

THEORY, ENSEMBLE, DRAWING = "Theory", "Ensemble", "Draw a digit"


class Panels(QObject):
    """The parts that show a run, and the form of its parameters.

    Building them takes as long as all the rest of the window, and before the first run they have
    nothing to show; so they come last.

    Parameters
    ----------
    center : QVBoxLayout
        Gets the plots as its last widget.
    docks : Docks
        Get the form, and theory and ensemble as tabs.
    control, bridge, pins, settings
        Of the window.

    Attributes
    ----------
    said : Signal(str)
        One sentence for the status bar.
    unsaid : Signal(str)
        A sentence that is no longer true.
    hovered : Signal(str)
        What is under the pointer, for as long as it is there; empty when it left.
    waited : Signal
        A run takes its time to begin: what is shown of the last one is no longer true.
    plots : PlotArea
        There from `fill` on, as are `theory`, `ensemble`, `digits` and `windows`.
    """

    said = Signal(str)
    unsaid = Signal(str)
    hovered = Signal(str)
    waited = Signal()

    form: ParamForm
    plots: PlotArea
    theory: TheoryPanel
    ensemble: EnsemblePanel
    digits: DigitPanel
    waiting: Waiting
    windows: LiveWindows
    _ensemble_plots: PlotArea

    def __init__(
        self,
        center: QVBoxLayout,
        docks: Docks,
        control: RunControl,
        bridge: Bridge,
        pins: Pins,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._center = center
        self._docks = docks
        self._tabs = docks.tabs
        self._control = control
        self._bridge = bridge
        self._pins = pins
        self._settings = settings
        self._views: tuple[View, ...] = ()
        self._bounds: tuple[tuple[str, float | None], ...] = ()
        self._refusal: Refusal | None = None
        self._experiment_id = ""
        self.is_filled = False
        self._waiting = QLabel("Loading…")
        self._waiting.setObjectName("hint")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        center.addWidget(self._waiting, 1)

    def fill(self, scaled: bool) -> None:
        """Build everything, for the experiment that is chosen."""
        from gui.ensemble.dock import EnsemblePanel
        from gui.form.form import ParamForm
        from gui.panels.digit_panel import DigitPanel
        from gui.plots.area import PlotArea
        from gui.plots.live_window import LiveWindows
        from gui.theory.dock import TheoryPanel
        from gui.widgets.waiting import Waiting

        self.form = ParamForm()
        empty = self._docks.parameters.widget()
        self._docks.parameters.setWidget(self.form)
        self.form.show()
        empty.deleteLater()
        self.windows = LiveWindows(self)
        self.digits = DigitPanel(self._bridge)
        self.plots, self._ensemble_plots = PlotArea(), PlotArea()
        self.waiting = Waiting(self.plots)
        self.waiting.shown.connect(self.waited)
        self.theory, self.ensemble = TheoryPanel(), EnsemblePanel()
        self._tabs.add(THEORY, self.theory)
        self._tabs.add(ENSEMBLE, self.ensemble)
        self._tabs.add(DRAWING, self.digits)
        self.ensemble.set_pictures(self._ensemble_plots)
        self._center.replaceWidget(self._waiting, self.plots)
        self._waiting.deleteLater()
        self._connect()
        self.is_filled = True
        self.plots.set_axis_scaled(scaled)
        if self._control.has_experiment:
            self.show_experiment(self._control.experiment, self._control.params)

    def _connect(self) -> None:
        control, ensemble, form = self._control, self.ensemble, self.form
        form.params_edited.connect(lambda params, live: control.edit_params(params, form.gesture))
        form.seed_edited.connect(control.edit_seed)
        form.input_rejected.connect(self.said)
        form.input_mended.connect(self.unsaid)
        self.plots.handle_dragged.connect(control.drag_handle)
        self.plots.handle_released.connect(control.end_drag)
        self.plots.stroke_drawn.connect(control.set_value)
        self.plots.hovered.connect(self.hovered)
        self.theory.value_wanted.connect(control.set_value)
        ensemble.run_requested.connect(self._bridge.ensemble)
        ensemble.cancel_requested.connect(self._bridge.cancel)
        ensemble.runs_edited.connect(self._on_runs_edited)
        ensemble.ensemble_shown.connect(self._on_ensemble_shown)
        ensemble.said.connect(self.said)
        ensemble.refused.connect(self.said)
        ensemble.mended.connect(self.unsaid)
        self._pins.changed.connect(self.show_ghosts)
        control.restarted.connect(self.theory.clear)

    def _on_runs_edited(self, runs: int) -> None:
        if not self._control.set_value("ensemble", runs):
            self.ensemble.reject_runs()

    @property
    def views_menu(self) -> QMenu:
        """The menu that shows and hides plots."""
        return self.plots.views_menu()

    def show_experiment(self, experiment: AbstractExperiment[Any, Any], params: Params) -> None:
        """Make ready for another experiment, with its plots as they were left."""
        if not self.is_filled:
            return
        self.save_layout()
        self.windows.close_all()
        self._experiment_id = experiment.id
        self._views, self._bounds = (), ()
        self.form.set_experiment(experiment, params, self._control.seed)
        self._tabs.offer(ENSEMBLE, experiment.has_ensemble)
        self._tabs.offer(DRAWING, self.digits.answers(experiment))
        self._tabs.show_page(THEORY)  # an ensemble in front would be that of another experiment
        self.ensemble.set_experiment(experiment, params)
        self.digits.set_experiment(experiment)
        self.plots.forget()
        self._pins.set_current(experiment.id, params, self._control.seed)
        self.show_views()
        layout = self._settings.blob(f"plots/{experiment.id}")
        if not layout.isEmpty():
            self.plots.restore_layout(bytes(layout.data()))

    def show_settings(self, params: Params, seed: int) -> None:
        """Show parameters and seed that were not edited in the form, and the plots they have."""
        if not self.is_filled:
            return
        if self.form.params != params or self.form.seed != seed:
            self.form.set_experiment(self._control.experiment, params, seed)
        self._pins.set_current(self._control.experiment.id, params, seed)
        self.show_views()

    def show_tab_of(self, params: Params) -> None:
        """Bring the ensemble to the front if the parameters ask for many runs."""
        many = (getattr(params, "ensemble", 1) or 1) > 1 or bool(getattr(params, "step_sizes", ()))
        if self.is_filled and many and self._control.experiment.has_ensemble:
            self._tabs.show_page(ENSEMBLE)

    def show_views(self) -> None:
        """Show the plots of the parameters in force."""
        if not self.is_filled:
            return
        views = self._control.experiment.views(self._control.params)
        if views != self._views:
            self._views = views
            self.plots.set_views(views)
            self.show_ghosts()

    def show_ghosts(self) -> None:
        """Show the pinned runs behind the present one."""
        from gui.plots.area import Ghost

        pins = self._pins.of(self._control.experiment.id)
        self.plots.set_ghosts(
            tuple(Ghost(pin.label, pin.color, pin.trace) for pin in pins if pin.visible)
        )

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a picture of the run; before `fill` there is nothing to show it on."""
        if not self.is_filled:
            return
        self.waiting.show_snapshot(snapshot)
        if snapshot.refusal is not None and snapshot.refusal is not self._refusal:
            self.form.mark(snapshot.refusal)
        self._refusal = snapshot.refusal
        self._show_bounds(snapshot)
        self.plots.show_snapshot(snapshot)
        self.windows.show_snapshot(snapshot)
        self.theory.show_snapshot(snapshot)
        self.ensemble.show_snapshot(snapshot)
        self.digits.show_snapshot(snapshot)

    def explain(self, reason: Refusal | str) -> str:
        """Mark the field whose value was refused, if it is one; gives the sentence for reading."""
        if self.is_filled and isinstance(reason, Refusal):
            self.form.mark(reason)
        return self.in_words(reason)

    def in_words(self, reason: Refusal | str) -> str:
        """Return a reason as a sentence, a refusal with the label of the field."""
        if self.is_filled and isinstance(reason, Refusal):
            return self.form.in_words(reason)
        return str(reason)

    def wait(self) -> None:
        """Say in the middle of the plots, after a moment, that a run is about to begin."""
        if self.is_filled:
            self.waiting.begin()

    def cover_plots(self) -> None:
        """Cover the plots while another experiment is named than the one they show."""
        if self.is_filled:
            self.plots.cover()

    def hold_waiting(self) -> None:
        """Let the moment after which that is said begin anew with the next `wait`."""
        if self.is_filled:
            self.waiting.hold()

    def stop_waiting(self) -> None:
        """Say no longer that a run is about to begin."""
        if self.is_filled:
            self.waiting.end()
            self.plots.uncover()

    def show_windows(self, menu: QMenu) -> None:
        """List the plots that can have a window of their own."""
        if self.is_filled:
            self.windows.fill(menu, self._views)

    def close_windows(self) -> None:
        """Close the plots that have a window of their own."""
        if self.is_filled:
            self.windows.close_all()
            self.plots.leave_screen()

    def _show_bounds(self, snapshot: Snapshot) -> None:
        """Tell the form the bounds, but not their measured values, which change all the time."""
        given = tuple(bound for bound in snapshot.theory if bound.field)
        values = tuple((bound.id, bound.value) for bound in given)
        if values != self._bounds:
            self._bounds = values
            self.form.set_bounds(given)

    def set_axis_scaled(self, scaled: bool) -> None:
        """Draw time as δ·step rather than the step."""
        if self.is_filled:
            self.plots.set_axis_scaled(scaled)

    def reset_layout(self) -> None:
        """Put the plots back where they were at first."""
        if self.is_filled:
            self.plots.reset_layout()

    def show_all(self) -> None:
        """Show the plots that are hidden at first, too."""
        for dock in self.plots.docks.values():
            dock.show()

    def save_layout(self) -> None:
        """Keep the arrangement of the plots of the experiment shown."""
        if self.is_filled and self._experiment_id:
            self._settings.set_blob(f"plots/{self._experiment_id}", self.plots.save_layout())

    def picture(self) -> QPixmap | None:
        """Draw the plots as they are on the screen."""
        return self.plots.grab() if self.is_filled else None

    def _on_ensemble_shown(self, ensemble: Ensemble) -> None:
        self._ensemble_plots.set_views(ensemble.views)
        self._ensemble_plots.show_observation(ensemble.observation)
