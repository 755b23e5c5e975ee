"""The experiment, its settings and its run: wishes of the user are resolved and carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoGroup, QUndoStack

from engine.core.errors import InputError, LabError, Refusal
from engine.run.snapshot import Status
from gui.run import resolve as r
from gui.run.bridge import Bridge
from gui.run.resolve import Settings
from gui.run.undo import DropCommand, ParamsCommand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params
    from engine.run.branches import DroppedSteps, Fork
    from engine.run.snapshot import Snapshot
    from engine.run.spec import SettingsInForce
    from engine.storage.presets import Preset


def reason_of(error: LabError) -> Refusal | str:
    """Return what an error refuses as a record that a form can show, or else its sentence."""
    return error.refusal if isinstance(error, InputError) else str(error)


class RunControl(QObject):
    """The experiment, its settings and its run; one undo stack an experiment.

    What a wish means is decided by `gui.run.resolve.resolve`; this object keeps its state and
    carries out its actions.

    Attributes
    ----------
    experiment_changed : Signal(AbstractExperiment)
        Another experiment was chosen.
    settings_changed : Signal(Params, int)
        Parameters or seed are now these, whatever changed them.
    restarted : Signal
        A new run begins; what is shown of the old one is no longer true.
    rejected : Signal(Refusal or str)
        What could not be done: a refusal, or a sentence.
    notes_opened : Signal(tuple of Note)
        A run was opened from a file, which has these notes on its plots.
    play_queued : Signal(bool)
        Whether the run will play as soon as it has begun.
    """

    experiment_changed = Signal(object)
    settings_changed = Signal(object, object)
    restarted = Signal()
    rejected = Signal(object)
    play_queued = Signal(bool)
    notes_opened = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._experiment: AbstractExperiment[Any, Any] | None = None
        self._state: r.State | None = None
        self._snapshot: Snapshot | None = None
        self._began: Settings | None = None  # with which a run of this experiment could begin
        self._refusal: Refusal | str | None = None  # why the last one could not
        self._drags = 0
        self.undo_group = QUndoGroup(self)
        self._stacks: dict[str, QUndoStack] = {}
        self._remembered: dict[str, Settings] = {}
        self._starts: dict[str, r.Start] = {}
        bridge.snapshot_ready.connect(self._on_snapshot)
        bridge.dropped.connect(self._on_dropped)
        bridge.rejected.connect(self._on_rejected)
        bridge.failed.connect(self._on_failed)

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
    def _settings(self) -> Settings:
        if self._state is None:
            raise LabError("No experiment is chosen.")
        return self._state.settings

    @property
    def params(self) -> Params:
        """The parameters in force; there must be an experiment."""
        return self._settings.params

    @property
    def seed(self) -> int:
        """The seed in force."""
        return 0 if self._state is None else self._state.settings.seed

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest picture of the run in force, or None before its first."""
        return self._snapshot

    @property
    def is_running(self) -> bool:
        """Whether steps are being made."""
        return self._state is not None and self._state.is_running

    @property
    def is_beginning(self) -> bool:
        """Whether a run was started that has not shown its first step."""
        return self._state is not None and self._state.is_beginning

    # Choosing.

    def choose(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params | None = None,
        seed: int | None = None,
        begin: bool = True,
        start: Mapping[str, NDArray[Any]] | None = None,
    ) -> bool:
        """Take an experiment, with given settings, and begin its run, or resume the one it has.

        Without settings it has those it was left with, and its run is where it was left, paused.
        `start` holds learned parameters to begin from, until other settings are chosen.

        Returns
        -------
        bool
            Whether it is in force: whoever hears of the choice may have begun another run since.

        Raises
        ------
        LabError
            If the parameters are those of another experiment.
        """
        if params is not None and type(params) is not experiment.parameters:
            name = type(params).__name__
            raise LabError(f"{experiment.title} cannot begin with parameters of the kind {name}.")
        if self._experiment is not None and self._state is not None:
            self._remembered[self._experiment.id] = self._state.settings
            self._starts[self._experiment.id] = self._state.start
        is_other = self._experiment is None or self._experiment.id != experiment.id
        resumes = is_other and params is None and seed is None and start is None
        known = self._remembered.get(experiment.id, Settings(experiment.parameters(), 0))
        settings = Settings(
            known.params if params is None else params, known.seed if seed is None else seed
        )
        start = self._starts.get(experiment.id) if resumes else start
        if experiment.id not in self._stacks:
            self._stacks[experiment.id] = QUndoStack(self.undo_group)
        self.undo_group.setActiveStack(self._stacks[experiment.id])
        self._experiment = experiment
        before = self._state or r.State(settings=settings)
        self._state, actions = r.resolve(before, r.Choose(settings, start, resumes, begin))
        self._snapshot = self._began = None
        chosen = self._state.runs
        self.experiment_changed.emit(experiment)
        if self.experiment is not experiment:  # who heard of this one last must hear what came
            self.experiment_changed.emit(self.experiment)
        self._perform(actions, chosen)
        return self._state.runs == chosen

    def remembers(self, experiment_id: str) -> bool:
        """Return whether an experiment was chosen, or its settings are known from elsewhere."""
        return experiment_id in self.settings_of_all()

    def remember(self, experiment_id: str, params: Params, seed: int) -> None:
        """Set what an experiment begins with when it is chosen."""
        self._remembered[experiment_id] = Settings(params, seed)

    def accept(self, params: Params) -> None:
        """Adopt live parameters that the run has changed itself, as a replayed one does."""
        self._do(r.Adopt(params))

    def follow(self) -> None:
        """Adopt the live parameters that the run has, as one does that was stopped on its way."""
        self._fetch_params()

    def settings_of_all(self) -> dict[str, tuple[Params, int]]:
        """Return the settings of all experiments that were chosen."""
        known = dict(self._remembered)
        if self._experiment is not None and self._state is not None:
            known[self._experiment.id] = self._state.settings
        return {name: (settings.params, settings.seed) for name, settings in known.items()}

    # Settings.

    def edit_params(self, params: Params, key: str = "") -> None:
        """Apply parameters the user edited; edits of one key are undone as one."""
        self._edit(r.Edit(Settings(params, self.seed)), key)

    def edit_seed(self, seed: int) -> None:
        """Apply another seed."""
        self._edit(r.Edit(Settings(self.params, seed)))

    def restore(self, params: Params, seed: int, text: str = "settings of a pinned run") -> None:
        """Go back to settings of an earlier run."""
        self._edit(r.Edit(Settings(params, seed)), text=text)

    def apply_preset(self, preset: Preset) -> None:
        """Apply a preset and play it."""
        settings = Settings(preset.params, preset.seed)
        self._edit(r.Preset(settings), text=f"preset “{preset.title}”")

    def begin_at(self, params: Params, text: str) -> None:
        """Put parameters in force and play a new run of them; `text` names the step of undo."""
        self._edit(r.Preset(Settings(params, self.seed)), text=text)

    def drag_handle(self, handle: str, x: float, y: float) -> None:
        """Apply the parameters that the experiment returns for a dragged handle."""
        try:
            params = self.experiment.drag(self.params, handle, x, y)
        except LabError as error:
            self.rejected.emit(reason_of(error))
        else:
            self.edit_params(params, f"drag {self._drags} {handle}")

    def end_drag(self) -> None:
        """End a drag: the next one is undone separately."""
        self._drags += 1

    def set_value(self, name: str, value: Any) -> bool:
        """Set one parameter, such as rows drawn on a plot; returns whether the value is allowed."""
        from engine.core.params import update

        try:
            params = update(self.params, **{name: value})
        except LabError as error:
            self.rejected.emit(reason_of(error))
            return False
        self.edit_params(params)
        return True

    def draw(self, name: str, rows: Sequence[Sequence[float]]) -> None:
        """Add rows drawn on a plot to a parameter; no rows give it its first value again."""
        if rows:
            self.set_value(name, (*getattr(self.params, name), *rows))
        else:
            self.set_value(name, type(self.params).model_fields[name].default)

    def _edit(self, wish: r.Edit | r.Preset, key: str = "", text: str = "") -> None:
        """Put settings in force, and keep the change on the undo stack if it is one."""
        before, after = self._settings, wish.settings
        if type(after.params) is not type(before.params):
            return  # of a field of the experiment before
        stack = self._stacks[self.experiment.id]
        if after != before:
            stack.push(ParamsCommand(before, after, self._restore, key, text))
        if after != before or isinstance(wish, r.Preset):
            self._do(wish)

    def _restore(self, settings: Settings) -> None:
        self._do(r.Restore(settings))

    # Running.

    def reset(self, play: bool = False) -> None:
        """Begin anew with the settings in force."""
        self._do(r.Reset(play))

    def toggle_play(self) -> None:
        """Play or pause; a run that has ended begins anew, one that begins plays as soon as it can.

        A second press takes that back. Where the settings were refused, the reason is given again,
        and the last settings with which a run could begin are played.
        """
        reason, last = self._refusal, self._began
        if reason is None or last is None or last == self._settings:
            self._do(r.TogglePlay())
            return
        self.restore(last.params, last.seed, "settings of the last run")
        self._do(r.Reset(play=True))
        self.rejected.emit(reason)

    def pause(self) -> None:
        """Pause."""
        self._do(r.Pause())

    def step(self, n: int = 1) -> None:
        """Make steps and stay paused."""
        self._do(r.StepForward(n))

    def back(self, n: int = 1) -> None:
        """Show an earlier state."""
        self._do(r.StepBack(n))

    def run(self, n: int) -> None:
        """Run some steps and pause."""
        self._do(r.RunSteps(n))

    def seek(self, step: int) -> None:
        """Show the state of a step."""
        self._do(r.Seek(step))

    def nudge(self, size: float) -> None:
        """Push the shown state by a share of its norm; a run that plays, plays on from there."""
        self._do(r.Nudge(size))

    def live(self) -> None:
        """Show where the run is."""
        self._do(r.GoLive())

    # Resolving.

    def _do(self, wish: r.Wish) -> None:
        if self._state is not None:  # without an experiment there is no run
            self._state, actions = r.resolve(self._state, wish)
            self._perform(actions, self._state.runs)

    def _perform(self, actions: tuple[r.Action, ...], runs: int) -> None:
        """Perform actions of the run that is the `runs`-th.

        Whoever hears of one may begin another run, perhaps of another experiment: then the rest is
        of a run that was given up.
        """
        for action in actions:
            if self._state is None or self._state.runs != runs:
                break
            self._perform_one(action)

    def _perform_one(self, action: r.Action) -> None:
        match action:
            case r.BeginRun():
                self._begin(action)
            case r.SwitchBranch(fork):
                self._switch_branch(fork)
            case r.FetchParams():
                self._fetch_params()
            case r.ShowSettings():
                self.settings_changed.emit(self.params, self.seed)
            case r.ShowRestart():
                self.restarted.emit()
            case r.ShowQueued(queued):
                self.play_queued.emit(queued)
            case _:
                self._command(action)

    def _command(self, action: r.Command) -> None:
        bridge = self._bridge
        match action:
            case r.Retune(params):
                if params == self.params:  # else whoever heard of them gave others, sent already
                    bridge.retune(params)
            case r.Play():
                bridge.play()
            case r.Pause():
                bridge.pause()
            case r.StepForward(n):
                bridge.step(n)
            case r.StepBack(n):
                bridge.back(n)
            case r.RunSteps(n):
                bridge.run(n)
            case r.Seek(step):
                bridge.seek(step)
            case r.GoLive():
                bridge.live()
            case r.Nudge(size):
                bridge.nudge(size)
            case _:
                assert_never(action)

    def _begin(self, run: r.BeginRun) -> None:
        self._snapshot = self._refusal = None
        params, seed = run.settings.params, run.settings.seed
        if run.resumes:
            self._bridge.resume(self.experiment, params, seed, run.start)
        else:
            self._bridge.start(self.experiment, params, seed, run.paused, run.start)

    # What the engine answers.

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        if self._state is None or not self._bridge.is_newest(snapshot):
            return
        if snapshot.experiment != self.experiment.id:
            return  # of the run before, where no run of this experiment was begun yet
        self._snapshot = snapshot
        if snapshot.status is not Status.COMPILING:
            self._began = self._state.settings
        shown = r.Shown(snapshot.status, snapshot.step, snapshot.is_live, snapshot.params)
        self._do(r.Pictured(shown))

    def _on_rejected(self, reason: Refusal | str) -> None:
        self._refusal = reason
        self._on_failed()

    def _on_failed(self) -> None:
        if self._state is not None and not self._bridge.is_starting:
            self._do(r.Failed())

    def _on_dropped(self, dropped: DroppedSteps) -> None:
        experiment_id = dropped.fork.other.run.experiment
        stack = self._stacks.get(experiment_id)
        if stack is not None:
            stack.push(DropCommand(dropped, self._ask_for_branch))
        if dropped.params is None and experiment_id == self.experiment.id:
            self._fetch_params()  # live parameters may have been changed in the dropped steps

    def _ask_for_branch(self, fork: Fork) -> None:
        self._do(r.SwitchBranch(fork))

    def _switch_branch(self, fork: Fork) -> None:
        assert self._state is not None
        orders, runs = self._state.orders, self._state.runs

        def switched(now: SettingsInForce | None) -> None:
            if now is not None:
                settings = Settings(now.params, now.seed)
                self._do(r.BranchSwitched(settings, now.start, orders, runs))

        self._bridge.switch_branch(fork, switched)

    def _fetch_params(self) -> None:
        assert self._state is not None
        orders = self._state.orders

        def fetched(params: Params | Exception) -> None:
            if not isinstance(params, Exception):
                self._do(r.ParamsFetched(params, orders))

        self._bridge.peek(lambda session: session.params, fetched)
