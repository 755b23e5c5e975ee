"""What the user's wishes mean for the run: a pure function of the wish and of what is known.

`resolve` takes the state of the controls and a wish, and returns the state after it and the actions
to perform, in their order. It knows no Qt: `gui.run.control.RunControl` performs the actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any, TypeAlias

from engine.core.effect import Effect, effect_of
from engine.run.snapshot import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.core.params import Params
    from engine.run.branches import Fork

Start: TypeAlias = "Mapping[str, NDArray[Any]] | None"
"""Learned parameters to begin from."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run begins with."""

    params: Params
    seed: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What of the newest picture decides on what a wish means."""

    status: Status
    step: int
    is_live: bool
    params: Params


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of the run and of what the user wants.

    Attributes
    ----------
    settings : Settings
        In force.
    start : mapping, optional
        Learned parameters that a new run begins from.
    shown : Shown, optional
        The newest picture of the run; None before its first.
    is_beginning : bool
        A run was started that has not made its first picture, but for one of its compiling.
    wants_play : bool
        The user wants the run to go on, even if it paused itself where it converged.
    play_queued : bool
        The run that is beginning will play as soon as it can.
    adopts : bool
        The run was resumed: its first picture shows live parameters that it may have alone.
    orders, runs : int
        How often settings were given and runs begun, by which late answers are recognized.
    """

    settings: Settings
    start: Start = field(default=None, compare=False)
    shown: Shown | None = None
    is_beginning: bool = False
    wants_play: bool = False
    play_queued: bool = False
    adopts: bool = False
    orders: int = 0
    runs: int = 0

    @property
    def is_running(self) -> bool:
        """Whether steps are being made."""
        return self.shown is not None and self.shown.status is Status.RUNNING


# Wishes of the user, the first eight of which are actions too.


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop between two steps."""


@dataclass(frozen=True, slots=True)
class StepForward:
    """Make `n` steps and stay paused."""

    n: int


@dataclass(frozen=True, slots=True)
class StepBack:
    """Show the state `n` steps earlier."""

    n: int


@dataclass(frozen=True, slots=True)
class RunSteps:
    """Run `n` steps and pause."""

    n: int


@dataclass(frozen=True, slots=True)
class Seek:
    """Show the state of a step."""

    step: int


@dataclass(frozen=True, slots=True)
class GoLive:
    """Show the run's own state."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """Push the shown state by a share of its norm."""

    size: float


@dataclass(frozen=True, slots=True)
class SwitchBranch:
    """Put the other branch of the run in force."""

    fork: Fork


@dataclass(frozen=True, slots=True)
class Choose:
    """Take an experiment with these settings, and begin its run or resume the one it has."""

    settings: Settings
    start: Start
    resumes: bool
    begins: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """Put settings in force that the user gave."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class Restore:
    """Put settings in force that were so before, by undo or redo."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class Preset:
    """Put settings in force and play a new run of them."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class TogglePlay:
    """Play or pause."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Begin anew with the settings in force."""

    play: bool


# What happened.


@dataclass(frozen=True, slots=True)
class Adopt:
    """The run has other live parameters than were given to it."""

    params: Params


@dataclass(frozen=True, slots=True)
class Pictured:
    """A picture of the run that was started last."""

    shown: Shown


@dataclass(frozen=True, slots=True)
class Failed:
    """The run could not begin, or stopped with an error."""


@dataclass(frozen=True, slots=True)
class BranchSwitched:
    """Another branch is in force, with these settings; it was asked for after `orders`, `runs`."""

    settings: Settings
    start: Start
    orders: int
    runs: int


@dataclass(frozen=True, slots=True)
class ParamsFetched:
    """The engine answered which parameters the run has; it was asked after `orders`."""

    params: Params
    orders: int


# Actions.


@dataclass(frozen=True, slots=True)
class BeginRun:
    """Start a run, or (`resumes`) resume the one that was put aside."""

    settings: Settings
    start: Start
    paused: bool
    resumes: bool


@dataclass(frozen=True, slots=True)
class Retune:
    """Go on with other live parameters."""

    params: Params


@dataclass(frozen=True, slots=True)
class Play:
    """Run until paused."""


@dataclass(frozen=True, slots=True)
class FetchParams:
    """Request the run's parameters from the engine (`ParamsFetched`)."""


@dataclass(frozen=True, slots=True)
class ShowSettings:
    """Announce the settings in force."""


@dataclass(frozen=True, slots=True)
class ShowRestart:
    """Announce that a new run begins."""


@dataclass(frozen=True, slots=True)
class ShowQueued:
    """Announce whether the run plays as soon as it has begun."""

    queued: bool


_Moves: TypeAlias = Pause | StepForward | StepBack | RunSteps | Seek | GoLive | Nudge
_Given: TypeAlias = Edit | Restore | Preset
_Heard: TypeAlias = Adopt | Pictured | Failed | BranchSwitched | ParamsFetched
Wish: TypeAlias = _Moves | _Given | _Heard | SwitchBranch | Choose | TogglePlay | Reset
Command: TypeAlias = _Moves | Retune | Play
"""Something that the run in force is to do."""
Action: TypeAlias = (
    Command | BeginRun | SwitchBranch | FetchParams | ShowSettings | ShowRestart | ShowQueued
)
Resolved: TypeAlias = tuple[State, tuple[Action, ...]]


def resolve(state: State, wish: Wish) -> Resolved:
    """Return the state after a wish, and the actions that fulfil it, in their order.

    Only a choice brings parameters of another experiment; from anything else they come too late.
    """
    given = _params_of(wish)
    is_foreign = given is not None and type(given) is not type(state.settings.params)
    return (state, ()) if is_foreign else _resolve(wish, state)


def _params_of(wish: Wish) -> Params | None:
    """Return the parameters that a wish brings."""
    match wish:
        case Edit(given) | Restore(given) | Preset(given) | BranchSwitched(given) | Pictured(given):
            return given.params
        case Adopt(params) | ParamsFetched(params):
            return params
    return None


@singledispatch
def _resolve(wish: Any, state: State) -> Resolved:
    raise TypeError(f"no wish: {wish!r}")


@_resolve.register(StepForward)
@_resolve.register(StepBack)
@_resolve.register(Seek)
@_resolve.register(SwitchBranch)
def _(wish: StepForward | StepBack | Seek | SwitchBranch, state: State) -> Resolved:
    """Move the run, which ends the wish to play."""
    return replace(state, wants_play=False), (wish,)


@_resolve.register
def _(wish: GoLive, state: State) -> Resolved:
    return state, (wish,)


@_resolve.register
def _(wish: Nudge, state: State) -> Resolved:
    return state, (wish, *_plays_on(state))


@_resolve.register
def _(wish: Pause, state: State) -> Resolved:
    state, shown = _queue(replace(state, wants_play=False), False)
    return state, (*shown, wish)


@_resolve.register
def _(wish: RunSteps, state: State) -> Resolved:
    state, shown = _queue(replace(state, wants_play=False), state.is_beginning)
    return state, (wish, *shown)


@_resolve.register
def _(wish: TogglePlay, state: State) -> Resolved:
    """Play or pause; a run that has ended begins anew, one that begins plays as soon as it can."""
    if state.is_running or state.play_queued:
        return resolve(state, Pause())
    state, shown = replace(state, wants_play=True), state.shown
    if state.is_beginning:
        state, queued = _queue(state, True)
        return state, (Play(), *queued)
    ended = shown is None or (shown.status in (Status.FINISHED, Status.FAILED) and shown.is_live)
    return _begin(state, play=True) if ended else (state, (Play(),))


@_resolve.register
def _(wish: Reset, state: State) -> Resolved:
    return _begin(state, play=wish.play)


@_resolve.register
def _(wish: Choose, state: State) -> Resolved:
    state = replace(
        state,
        settings=wish.settings,
        start=wish.start,
        orders=state.orders + 1,  # what the run before is asked for comes too late
        runs=state.runs + 1,
        wants_play=False,
        adopts=False,
        shown=None,
    )
    if not wish.begins:
        return state, (ShowSettings(),)
    state, actions = _begin(state, play=False, resumes=wish.resumes)
    return state, (ShowSettings(), *actions)


@_resolve.register
def _(wish: Preset, state: State) -> Resolved:
    shows = () if wish.settings == state.settings else (ShowSettings(),)
    start = state.start if not shows else None
    state, actions = _begin(replace(state, settings=wish.settings, start=start), play=True)
    return state, (*shows, *actions)


@_resolve.register
def _(wish: Edit, state: State) -> Resolved:
    return _apply(state, wish.settings, is_edit=True)


@_resolve.register
def _(wish: Restore, state: State) -> Resolved:
    return _apply(state, wish.settings, is_edit=False)


@_resolve.register
def _(wish: Adopt, state: State) -> Resolved:
    """Show live parameters that the run has changed itself."""
    settings = replace(state.settings, params=wish.params)
    return replace(state, settings=settings), (ShowSettings(),)


@_resolve.register
def _(wish: Pictured, state: State) -> Resolved:
    state, actions = replace(state, shown=wish.shown), tuple[Action, ...]()
    if wish.shown.status is not Status.COMPILING:
        state, actions = _queue(replace(state, is_beginning=False), False)
    if state.adopts and wish.shown.is_live:
        state, adopted = _follow(replace(state, adopts=False), wish.shown.params)
        actions = (*actions, *adopted)
    return state, actions


@_resolve.register
def _(wish: Failed, state: State) -> Resolved:
    return _queue(replace(state, is_beginning=False), False)


@_resolve.register
def _(wish: BranchSwitched, state: State) -> Resolved:
    """Show the settings of the branch in force, unless a run was begun since."""
    if wish.runs != state.runs:
        return state, ()
    params = state.settings.params
    state = replace(state, settings=Settings(params, wish.settings.seed), start=wish.start)
    if wish.orders != state.orders:  # the branch was given other live parameters since
        return state, (FetchParams(),)
    return resolve(state, Adopt(wish.settings.params))


@_resolve.register
def _(wish: ParamsFetched, state: State) -> Resolved:
    return _follow(state, wish.params) if wish.orders == state.orders else (state, ())


def _apply(state: State, settings: Settings, is_edit: bool) -> Resolved:
    """Put settings in force: within the run where that is possible, else by a new one."""
    before, shown = state.settings, state.shown
    if settings == before:
        return state, ()
    # Later pictures show these, or are of before them: none has anything to adopt any more.
    state = replace(state, settings=settings, orders=state.orders + 1, adopts=False)
    effect = effect_of(before.params, settings.params)
    if settings.seed != before.seed:
        effect = Effect.RESTART
    if effect is Effect.NONE and shown is not None:
        return state, (ShowSettings(), Retune(settings.params))
    if effect is Effect.RESTART or not _can_go_on(shown, is_edit):
        state = replace(state, start=None)  # its arrays were made for the old settings
        state, actions = _begin(state, play=state.wants_play or state.is_running)
        return state, (ShowSettings(), *actions)
    # Undo takes effect where the run is, and so gives no steps up.
    goes_live = () if is_edit or shown is None or shown.is_live else (GoLive(),)
    return state, (ShowSettings(), *goes_live, Retune(settings.params), *_plays_on(state))


def _can_go_on(shown: Shown | None, is_edit: bool) -> bool:
    """Return whether the run has begun, has not ended, and has steps worth keeping."""
    if shown is None:
        return False
    if shown.status is Status.RUNNING:
        return True
    if shown.status is Status.FINISHED:  # an earlier step is shown: the run goes on from there
        return is_edit and not shown.is_live
    return shown.status is Status.PAUSED and shown.step > 0


def _begin(state: State, play: bool, resumes: bool = False) -> Resolved:
    state = replace(
        state,
        orders=state.orders + 1,
        runs=state.runs + 1,
        wants_play=play,
        adopts=resumes,
        shown=None,
        is_beginning=True,
    )
    begins = BeginRun(state.settings, state.start, paused=not play, resumes=resumes)
    state, shown = _queue(state, play)
    return state, (begins, ShowRestart(), *shown)


def _queue(state: State, queued: bool) -> Resolved:
    if queued == state.play_queued:
        return state, ()
    return replace(state, play_queued=queued), (ShowQueued(queued),)


def _plays_on(state: State) -> tuple[Action, ...]:
    """Play on, if the run paused only because it had converged."""
    return (Play(),) if state.wants_play and not state.is_running else ()


def _follow(state: State, params: Params) -> Resolved:
    """Show the parameters that the run has."""
    return (state, ()) if params == state.settings.params else resolve(state, Adopt(params))
