"""Which runs stand side by side: the present one with those pinned, or two around a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.core.errors import LabError
from engine.text.mathtext import plain_math, to_plain
from engine.text.numbers import short
from gui.compare.pins import Pins
from gui.lockstep.window import Column, LockstepWindow
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.run.remake import last_params

if TYPE_CHECKING:
    from engine.core.claims import Bound
    from engine.run.spec import RunSpec

AROUND = (0.95, 1.05)
"""Step sizes below and above a bound, in units of it."""


class SideBySide(QObject):
    """Opens windows of runs side by side.

    Parameters
    ----------
    window : QWidget
        Beside which they stand.
    control, bridge, pins
        Of the window.

    Attributes
    ----------
    refused : Signal(str)
        One sentence on what cannot be shown.
    opened : Signal(LockstepWindow)
    """

    refused = Signal(str)
    opened = Signal(object)

    def __init__(self, window: QWidget, control: RunControl, bridge: Bridge, pins: Pins) -> None:
        super().__init__(window)
        self._window = window
        self._control = control
        self._bridge = bridge
        self._pins = pins

    def show_runs(self) -> None:
        """Show the present run beside the pinned ones that are drawn."""
        from engine.run.lockstep import MOST, Side
        from engine.run.spec import RunSpec

        experiment = self._control.experiment
        columns = []
        for pin in self._pins.of(experiment.id):
            if not pin.visible:
                continue
            if pin.changes:
                self.refused.emit(
                    f"“{pin.title}” was changed while it ran, which was not kept with it: "
                    "hide it to show the others."
                )
                return
            run = RunSpec(experiment=experiment.id, params=pin.params, seed=pin.seed)
            side = Side(pin.title, run, pin.trace)
            columns.append(Column(side=side, views=experiment.views(pin.params), color=pin.color))
        if not 1 <= len(columns) < MOST:
            few = "Pin a run, so that there are two" if not columns else f"Show at most {MOST - 1}"
            self.refused.emit(f"{few} to stand side by side.")
            return

        def show(run: RunSpec | Exception) -> None:
            if isinstance(run, LabError):
                self.refused.emit(str(run))
            elif isinstance(run, Exception):
                raise run
            elif run.experiment == experiment.id:
                views = experiment.views(last_params(run))
                present = Column(side=Side("present run", run), views=views)
                self._open("Side by side", [present, *columns])

        self._bridge.peek(lambda session: RunSpec.of(session), show)

    def show_around_bound(self) -> None:
        """Show two runs with the settings in force, with step sizes below and above a bound."""
        from engine.core.params import update
        from engine.run.lockstep import Side
        from engine.run.spec import RunSpec

        control = self._control
        bound = _bound(control)
        if bound is None or bound.value is None:
            self.refused.emit("The theory gives no bound on the step size of this run.")
            return
        experiment, columns = control.experiment, []
        sign = plain_math(bound.symbol) or to_plain(bound.name)
        for share in AROUND:
            size = share * bound.value
            try:
                params = update(control.params, step_size=size)
            except LabError as error:
                self.refused.emit(str(error))
                return
            run = RunSpec(experiment=experiment.id, params=params, seed=control.seed)
            name = f"δ = {share:g} · {sign} = {short(size, 6)}"
            views = experiment.views(params)
            columns.append(Column(side=Side(name, run), views=views))
        self._open(f"Below and above {sign}", columns)

    def _open(self, title: str, columns: list[Column]) -> None:
        window = LockstepWindow(title, columns, self._window)
        window.failed.connect(self._on_failed)
        window.show()
        window.setFocus()
        self.opened.emit(window)

    def close(self) -> None:
        """Close the windows, which ends their runs."""
        for window in self._window.findChildren(LockstepWindow):
            window.close()

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, LabError):
            self.refused.emit(str(error))


def _bound(control: RunControl) -> Bound | None:
    """Return the first bound on the step size that has a value above 0 now."""
    snapshot = control.snapshot
    for bound in () if snapshot is None else snapshot.theory:
        if bound.field == "step_size" and bound.value is not None and bound.value > 0:
            return bound
    return None
