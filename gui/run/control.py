"""What the user's wishes mean for the run: go on with a new value, or begin anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoGroup, QUndoStack

from engine.core.effect import Effect, effect_of
from engine.core.errors import LabError
from engine.run.snapshot import Snapshot, Status
from gui.run.bridge import Bridge
from gui.run.undo import DropCommand, ParamsCommand, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params
    from engine.run.branches import DroppedSteps, Fork
    from engine.run.spec import SettingsInForce
    from engine.storage.presets import Preset


class RunControl(QObject):
    """The experiment, its settings and its run; one undo stack an experiment.

    Attributes
    ----------
    experiment_changed : Signal(AbstractExperiment)
        Another experiment was chosen.
    settings_changed : Signal(Params, int)
        Parameters or seed are now these, whoever changed them.
    restarted : Signal
        A new run began; what is shown of the old one is no longer true.
    rejected : Signal(str)
        One sentence on what could not be done.
    play_queued : Signal(bool)
        Whether the run will play as soon as it has begun.
    """

    experiment_changed = Signal(object)
    settings_changed = Signal(object, object)
    restarted = Signal()
    rejected = Signal(str)
    play_queued = Signal(bool)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._experiment: AbstractExperiment[Any, Any] | None = None
        self._params: Params | None = None
        self._seed = 0
        self._wants_play = False
        self._drags = self._orders = self._runs = 0
        self._start: Mapping[str, NDArray[Any]] | None = None
        self._snapshot: Snapshot | None = None
        self.undo_group = QUndoGroup(self)
        self._stacks: dict[str, QUndoStack] = {}
        self._remembered: dict[str, tuple[Params, int]] = {}
        self._starts: dict[str, Mapping[str, NDArray[Any]] | None] = {}
        self._is_pushing = self._resumes = False
        self._is_beginning = self._is_queued = False
        bridge.snapshot_ready.connect(self._on_snapshot)
        bridge.dropped.connect(self._on_dropped)
        for ended in (bridge.rejected, bridge.failed):
            ended.connect(self._on_failed)

    @property
    def experiment(self) -> AbstractExperiment[Any, Any]:
        """The chosen experiment; there must be one."""
        if self._experiment is None:
            raise LabError("No experiment is chosen.")
        return self._experiment

    @property
    def has_experiment(self) -> bool:
        """Whether an experiment was chosen."""
        return self._experiment is not None

    @property
    def params(self) -> Params:
        """The parameters in force; there must be an experiment."""
        if self._params is None:
            raise LabError("No experiment is chosen.")
        return self._params

    @property
    def seed(self) -> int:
        """The seed in force."""
        return self._seed

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest picture of the run, or None before the first."""
        return self._snapshot

    @property
    def is_running(self) -> bool:
        """Whether steps are being made."""
        return self._snapshot is not None and self._snapshot.status is Status.RUNNING

    # Choosing.

    def choose(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params | None = None,
        seed: int | None = None,
        begin: bool = True,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Take an experiment, with given settings, and begin its run, or take up the one it has.

        Without settings it has those it was left with, and its run is where it was left, paused.
        `start` holds learned parameters to begin from, until other settings are chosen.
        """
        if self._experiment is not None and self._params is not None:
            self._remembered[self._experiment.id] = (self._params, self._seed)
            self._starts[self._experiment.id] = self._start
        is_other = self._experiment is None or self._experiment.id != experiment.id
        resumes = is_other and params is None and seed is None and start is None
        known = self._remembered.get(experiment.id, (experiment.parameters(), 0))
        self._experiment = experiment
        self._params = known[0] if params is None else params
        self._seed = known[1] if seed is None else seed
        self._start = self._starts.get(experiment.id) if resumes else start
        self._wants_play = False
        if experiment.id not in self._stacks:
            self._stacks[experiment.id] = QUndoStack(self.undo_group)
        self.undo_group.setActiveStack(self._stacks[experiment.id])
        self.experiment_changed.emit(experiment)
        self.settings_changed.emit(self._params, self._seed)
        self._snapshot = None
        if begin:
            self._restart(play=False, resumes=resumes)

    def remembers(self, experiment_id: str) -> bool:
        """Return whether an experiment was chosen, or its settings are known from elsewhere."""
        return experiment_id in self.settings_of_all()

    def remember(self, experiment_id: str, params: Params, seed: int) -> None:
        """Set what an experiment begins with when it is chosen."""
        self._remembered[experiment_id] = (params, seed)

    def accept(self, params: Params) -> None:
        """Note that the run itself changed its live parameters, as a replayed one does."""
        self._params = params
        self.settings_changed.emit(params, self._seed)

    def settings_of_all(self) -> dict[str, tuple[Params, int]]:
        """Return the settings of all experiments that were chosen."""
        known = dict(self._remembered)
        if self._experiment is not None and self._params is not None:
            known[self._experiment.id] = (self._params, self._seed)
        return known

    # Settings.

    def edit_params(self, params: Params, key: str = "") -> None:
        """Take over parameters the user edited; edits of one key are undone as one."""
        self._push(params, self._seed, key)

    def edit_seed(self, seed: int) -> None:
        """Take over another seed."""
        self._push(self.params, seed)

    def restore(self, params: Params, seed: int, text: str = "settings of a pinned run") -> None:
        """Go back to settings of an earlier run."""
        self._push(params, seed, text=text)

    def apply_preset(self, preset: Preset) -> None:
        """Take over a preset and play it."""
        self._wants_play = True
        self._push(preset.params, preset.seed, text=f"preset “{preset.title}”")
        self.reset(play=True)

    def drag_handle(self, handle: str, x: float, y: float) -> None:
        """Let the experiment answer a dragged handle."""
        try:
            params = self.experiment.drag(self.params, handle, x, y)
        except LabError as error:
            self.rejected.emit(str(error))
        else:
            self.edit_params(params, f"drag {self._drags} {handle}")

    def end_drag(self) -> None:
        """Let what follows be undone apart from what was."""
        self._drags += 1

    def set_value(self, name: str, value: Any) -> bool:
        """Give one parameter a value, for example rows drawn on a plot; tells if it may have it."""
        from engine.core.params import update

        try:
            params = update(self.params, **{name: value})
        except LabError as error:
            self.rejected.emit(str(error))
            return False
        self.edit_params(params)
        return True

    def _push(self, params: Params, seed: int, key: str = "", text: str = "") -> None:
        before, after = Settings(self.params, self._seed), Settings(params, seed)
        if after != before:
            stack = self._stacks[self.experiment.id]
            self._is_pushing = True
            try:
                stack.push(ParamsCommand(before, after, self._apply, key, text))
            finally:
                self._is_pushing = False

    def _apply(self, settings: Settings) -> None:
        """Put settings in force: within the run where that is possible."""
        self._orders += 1
        old, old_seed = self.params, self._seed
        params, seed = settings.params, settings.seed
        if params == old and seed == old_seed:
            return
        self._params, self._seed = params, seed
        self.settings_changed.emit(params, seed)
        effect = effect_of(old, params) if seed == old_seed else Effect.RESTART
        if effect is Effect.NONE and self._snapshot is not None:
            self._bridge.retune(params)
        elif effect is not Effect.RESTART and self._can_go_on():
            if not self._is_pushing and self._snapshot is not None and not self._snapshot.is_live:
                self._bridge.live()  # undo takes effect where the run is, and so drops nothing
            self._bridge.retune(params)
            if self._wants_play and not self.is_running:
                self._bridge.play()  # it had converged, and only therefore stopped
        else:
            self._start = None  # its arrays were made for the old settings
            self._restart(play=self._wants_play or self.is_running)

    def _can_go_on(self) -> bool:
        """Whether there is a run that has begun, has not ended, and whose past is worth keeping."""
        shown = self._snapshot
        if shown is None:
            return False
        if shown.status is Status.RUNNING:
            return True
        if shown.status is Status.FINISHED:  # looked back on, to go on otherwise from there
            return self._is_pushing and not shown.is_live
        return shown.status is Status.PAUSED and shown.step > 0

    # Running.

    def reset(self, play: bool = False) -> None:
        """Begin anew with the settings in force."""
        self._restart(play)

    def toggle_play(self) -> None:
        """Play or pause; a run that has ended begins anew, one that begins plays as soon as it can.

        A second press takes that back.
        """
        if self.is_running or self._is_queued:
            self.pause()
            return
        shown = self._snapshot
        self._wants_play = True
        if self._is_beginning:
            self._bridge.play()
            self._queue_play(True)
        elif shown is None or (shown.status in (Status.FINISHED, Status.FAILED) and shown.is_live):
            self._restart(play=True)
        else:
            self._bridge.play()

    def pause(self) -> None:
        """Pause."""
        self._wants_play = False
        self._queue_play(False)
        self._bridge.pause()

    def step(self, n: int = 1) -> None:
        """Make steps and stay paused."""
        self._wants_play = False
        self._bridge.step(n)

    def back(self, n: int = 1) -> None:
        """Show an earlier state."""
        self._wants_play = False
        self._bridge.back(n)

    def run(self, n: int) -> None:
        """Run some steps and pause."""
        self._wants_play = False
        self._bridge.run(n)
        self._queue_play(self._is_beginning)

    def seek(self, step: int) -> None:
        """Show the state of a step."""
        self._wants_play = False
        self._bridge.seek(step)

    def nudge(self, size: float) -> None:
        """Push the shown state by a share of its norm; a run that plays, plays on from there."""
        self._bridge.nudge(size)
        if self._wants_play and not self.is_running:
            self._bridge.play()  # it had converged, and only therefore stopped

    def live(self) -> None:
        """Show where the run is."""
        self._bridge.live()

    def _restart(self, play: bool, resumes: bool = False) -> None:
        self._orders += 1
        self._runs += 1
        self._wants_play, self._resumes = play, resumes
        self._snapshot = None
        self._is_beginning = True
        if resumes:
            self._bridge.resume(self.experiment, self.params, self._seed, self._start)
        else:
            self._bridge.start(self.experiment, self.params, self._seed, not play, self._start)
        self.restarted.emit()
        self._queue_play(play)

    def _queue_play(self, queued: bool) -> None:
        if queued != self._is_queued:
            self._is_queued = queued
            self.play_queued.emit(queued)

    def _on_failed(self) -> None:
        self._is_beginning = False
        self._queue_play(False)

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        if snapshot.status is not Status.COMPILING:
            self._is_beginning = False
            self._queue_play(False)
        if self._resumes and snapshot.is_live:  # of a replay that was left unfinished, for example
            self._resumes = False
            if snapshot.params != self._params:
                self.accept(snapshot.params)

    # What is given up, and had again.

    def _on_dropped(self, dropped: DroppedSteps) -> None:
        experiment_id = dropped.fork.other.run.experiment
        stack = self._stacks.get(experiment_id)
        if stack is not None:
            stack.push(DropCommand(dropped, self._switch_branch))
        if dropped.params is None and experiment_id == self.experiment.id:
            self._follow_run()  # live parameters may have been changed in what was given up

    def _follow_run(self) -> None:
        """Show the parameters that the run has, unless it is given others meanwhile."""
        orders = self._orders

        def follow(params: Params | Exception) -> None:
            if orders == self._orders and not isinstance(params, Exception):
                if params != self._params:
                    self.accept(params)

        self._bridge.peek(lambda session: session.params, follow)

    def _switch_branch(self, fork: Fork) -> None:
        self._wants_play = False
        run, orders = self._runs, self._orders
        self._bridge.switch_branch(fork, lambda now: self._on_switched(now, run, orders))

    def _on_switched(self, now: SettingsInForce | None, run: int, orders: int) -> None:
        """Show the settings of the branch that is in force now, unless a run was begun since."""
        if now is None or run != self._runs:
            return
        self._seed, self._start = now.seed, now.start
        if orders == self._orders:
            self.accept(now.params)
        else:
            self._follow_run()
