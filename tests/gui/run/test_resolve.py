"""What wishes mean for the run: the pure function, case by case and by its invariants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import create_autospec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.effect import Effect, effect_of
from engine.run.branches import Branch, Fork
from engine.run.snapshot import Status
from gui.run import resolve as r
from gui.run.resolve import Settings, Shown, State, resolve
from tests.gui.fakes import FakeParams

PARAMS = FakeParams()
LIVE = FakeParams(step_size=0.2)
OTHER = FakeParams(curvature=3.0)
ENSEMBLE = FakeParams(ensemble=30)
ARRAYS: dict[str, Any] = {}
FORK = Fork(create_autospec(Branch, instance=True))


def at(status: Status, step: int = 10, cursor: int | None = None, **known: Any) -> State:
    """Make the state of a run whose newest picture has this status."""
    shown = Shown(status, step, cursor is None or cursor == step, PARAMS)
    return State(settings=Settings(PARAMS, 0), shown=shown, **known)


def edited(state: State, params: FakeParams, seed: int = 0) -> r.Resolved:
    return resolve(state, r.Edit(Settings(params, seed)))


def begun(actions: tuple[r.Action, ...]) -> r.BeginRun | None:
    """Return the one start among some actions, if there is one."""
    starts = [action for action in actions if isinstance(action, r.BeginRun)]
    assert len(starts) <= 1
    return starts[0] if starts else None


def test_a_live_edit_goes_on_within_the_run() -> None:
    state, actions = edited(at(Status.PAUSED), LIVE)
    assert actions == (r.ShowSettings(), r.Retune(LIVE))
    assert state.settings.params == LIVE and state.shown is not None


def test_an_edit_of_what_only_an_ensemble_reads_never_restarts_a_run() -> None:
    for status in (Status.PAUSED, Status.RUNNING, Status.FINISHED):
        for step in (0, 10):
            _, actions = edited(at(status, step), ENSEMBLE)
            assert actions == (r.ShowSettings(), r.Retune(ENSEMBLE))


def test_a_live_edit_before_the_first_step_and_after_the_end_begins_anew() -> None:
    for state in (at(Status.PAUSED, 0), at(Status.FINISHED), at(Status.FAILED)):
        assert begun(edited(state, LIVE)[1]) is not None


def test_an_ended_run_goes_on_from_an_earlier_step() -> None:
    _, actions = edited(at(Status.FINISHED, 10, cursor=4), LIVE)
    assert actions == (r.ShowSettings(), r.Retune(LIVE))
    _, actions = resolve(at(Status.FINISHED, 10, cursor=4), r.Restore(Settings(LIVE, 0)))
    assert begun(actions) is not None


def test_undo_of_a_live_edit_takes_effect_where_the_run_is() -> None:
    _, actions = resolve(at(Status.PAUSED, 10, cursor=4), r.Restore(Settings(LIVE, 0)))
    assert actions == (r.ShowSettings(), r.GoLive(), r.Retune(LIVE))


@pytest.mark.parametrize("settings", [Settings(OTHER, 0), Settings(PARAMS, 7)])
@pytest.mark.parametrize("wants_play", [False, True])
def test_a_structural_edit_begins_anew_and_plays_if_the_run_was_to_play(
    settings: Settings, wants_play: bool
) -> None:
    before = replace(at(Status.PAUSED, wants_play=wants_play), start=ARRAYS)
    state, actions = resolve(before, r.Edit(settings))
    assert begun(actions) == r.BeginRun(settings, None, paused=not wants_play, resumes=False)
    assert state.is_beginning and state.shown is None and state.start is None
    assert state.play_queued == wants_play


def test_a_change_to_a_run_that_had_converged_plays_on() -> None:
    converged = at(Status.PAUSED, wants_play=True)
    assert edited(converged, LIVE)[1][-1] == r.Play()
    assert resolve(converged, r.Nudge(1e-6))[1] == (r.Nudge(1e-6), r.Play())
    running = at(Status.RUNNING, wants_play=True)
    assert edited(running, LIVE)[1][-1] == r.Retune(LIVE)
    assert resolve(running, r.Nudge(1e-6))[1] == (r.Nudge(1e-6),)


def test_play_toggles() -> None:
    paused, running = at(Status.PAUSED), at(Status.RUNNING, wants_play=True)
    state, actions = resolve(paused, r.TogglePlay())
    assert actions == (r.Play(),) and state.wants_play
    state, actions = resolve(running, r.TogglePlay())
    assert actions == (r.Pause(),) and not state.wants_play


@pytest.mark.parametrize("status", [Status.FINISHED, Status.FAILED])
def test_play_of_a_run_that_has_ended_begins_anew_unless_an_earlier_step_is_shown(
    status: Status,
) -> None:
    start = begun(resolve(at(status), r.TogglePlay())[1])
    assert start is not None and not start.paused
    assert resolve(at(status, 10, cursor=3), r.TogglePlay())[1] == (r.Play(),)


def test_play_of_a_run_that_begins_is_queued_and_can_be_taken_back() -> None:
    state, _ = resolve(at(Status.PAUSED), r.Reset(play=False))
    state, actions = resolve(state, r.TogglePlay())
    assert actions == (r.Play(), r.ShowQueued(True)) and state.wants_play
    state, actions = resolve(state, r.TogglePlay())
    assert actions == (r.ShowQueued(False), r.Pause()) and not state.wants_play


def test_the_first_picture_ends_the_beginning() -> None:
    state, _ = resolve(at(Status.PAUSED), r.Reset(play=True))
    compiling = Shown(Status.COMPILING, 0, True, PARAMS)
    state, actions = resolve(state, r.Pictured(compiling))
    assert state.is_beginning and actions == ()
    state, actions = resolve(state, r.Pictured(replace(compiling, status=Status.RUNNING)))
    assert not state.is_beginning and actions == (r.ShowQueued(False),)


def test_a_run_that_cannot_begin_plays_no_more() -> None:
    state, _ = resolve(at(Status.PAUSED), r.Reset(play=True))
    state, actions = resolve(state, r.Failed())
    assert not state.is_beginning and actions == (r.ShowQueued(False),)


def test_a_resumed_run_shows_the_parameters_it_has() -> None:
    state, actions = resolve(
        at(Status.PAUSED), r.Choose(Settings(PARAMS, 3), None, resumes=True, begins=True)
    )
    start = begun(actions)
    assert start is not None and start.resumes and start.paused
    past = Shown(Status.PAUSED, 20, False, LIVE)
    state, actions = resolve(state, r.Pictured(past))
    assert state.settings.params == PARAMS  # a step that is looked at has those of its time
    state, actions = resolve(state, r.Pictured(replace(past, is_live=True)))
    assert state.settings == Settings(LIVE, 3) and actions == (r.ShowSettings(),)
    state, _ = resolve(state, r.Pictured(Shown(Status.PAUSED, 21, True, PARAMS)))
    assert state.settings == Settings(LIVE, 3)


def test_a_choice_may_begin_nothing() -> None:
    choice = r.Choose(Settings(OTHER, 3), None, resumes=False, begins=False)
    state, actions = resolve(at(Status.RUNNING, wants_play=True), choice)
    assert actions == (r.ShowSettings(),) and state.shown is None and not state.wants_play


def test_a_preset_plays_one_new_run() -> None:
    for preset in (Settings(PARAMS, 0), Settings(LIVE, 0), Settings(OTHER, 5)):
        state, actions = resolve(at(Status.PAUSED), r.Preset(preset))
        assert begun(actions) == r.BeginRun(preset, None, paused=False, resumes=False)
        assert state.wants_play and state.settings == preset
        assert (r.ShowSettings() in actions) == (preset != Settings(PARAMS, 0))


def test_settings_given_while_a_branch_is_computed_stay() -> None:
    state, actions = resolve(at(Status.PAUSED, wants_play=True), r.SwitchBranch(FORK))
    assert actions == (r.SwitchBranch(FORK),) and not state.wants_play
    done = r.BranchSwitched(Settings(LIVE, 4), ARRAYS, state.orders, state.runs)
    after, actions = resolve(state, done)
    assert after.settings == Settings(LIVE, 4) and actions == (r.ShowSettings(),)
    later, _ = edited(state, FakeParams(step_size=0.1))
    after, actions = resolve(later, done)
    assert after.settings == Settings(FakeParams(step_size=0.1), 4)
    assert actions == (r.FetchParams(),)
    later, _ = edited(state, OTHER)
    assert resolve(later, done) == (later, ())


def test_a_late_answer_changes_nothing() -> None:
    state = at(Status.PAUSED)
    asked = r.ParamsFetched(LIVE, state.orders)
    after, actions = resolve(state, asked)
    assert after.settings.params == LIVE and actions == (r.ShowSettings(),)
    assert resolve(after, asked) == (after, ())
    later, _ = edited(state, FakeParams(step_size=0.1))
    assert resolve(later, asked) == (later, ())


class OtherParams(FakeParams):
    """Parameters of another experiment."""


def test_parameters_of_another_experiment_are_never_adopted() -> None:
    state = at(Status.PAUSED)
    assert resolve(state, r.Adopt(OtherParams())) == (state, ())
    assert resolve(state, r.ParamsFetched(OtherParams(), state.orders)) == (state, ())


@pytest.mark.parametrize("begins", [True, False])
def test_an_answer_to_the_run_before_a_choice_changes_nothing(begins: bool) -> None:
    state = at(Status.PAUSED)
    asked = r.ParamsFetched(LIVE, state.orders)
    choice = r.Choose(Settings(FakeParams(), 0), None, resumes=False, begins=begins)
    chosen, _ = resolve(state, choice)
    assert not chosen.adopts and resolve(chosen, asked) == (chosen, ())


def test_what_is_no_wish_is_refused() -> None:
    with pytest.raises(TypeError, match="no wish"):
        resolve(at(Status.PAUSED), r.FetchParams())  # type: ignore[arg-type]


PARAMETERS = st.builds(
    FakeParams,
    step_size=st.sampled_from([0.1, 0.2]),
    curvature=st.sampled_from([2.0, 3.0]),
    ensemble=st.sampled_from([20, 30]),
)
SETTINGS = st.builds(Settings, PARAMETERS, st.sampled_from([0, 7]))
SHOWN = st.builds(
    Shown, st.sampled_from(sorted(Status)), st.integers(0, 20), st.booleans(), PARAMETERS
)
MOVES = st.one_of(
    st.builds(r.StepForward, st.integers(1, 5)),
    st.builds(r.StepBack, st.integers(1, 5)),
    st.builds(r.RunSteps, st.integers(1, 5)),
    st.builds(r.Seek, st.integers(0, 20)),
    st.just(r.Pause()),
    st.just(r.GoLive()),
    st.just(r.Nudge(1e-6)),
    st.just(r.SwitchBranch(FORK)),
)
GIVEN = st.one_of(
    st.builds(r.Edit, SETTINGS), st.builds(r.Restore, SETTINGS), st.builds(r.Preset, SETTINGS)
)
EVENTS = st.one_of(st.builds(r.Pictured, SHOWN), st.just(r.Failed()))
WISHES = st.one_of(
    MOVES,
    GIVEN,
    EVENTS,
    st.just(r.TogglePlay()),
    st.builds(r.Reset, st.booleans()),
    st.builds(r.Choose, SETTINGS, st.none(), st.booleans(), st.booleans()),
    st.builds(r.Adopt, PARAMETERS),
)
STATES = st.builds(
    State,
    settings=SETTINGS,
    shown=st.none() | SHOWN,
    is_beginning=st.booleans(),
    wants_play=st.booleans(),
    play_queued=st.booleans(),
    adopts=st.booleans(),
)


@given(state=STATES, wish=WISHES)
def test_a_wish_begins_one_run_at_most_with_the_settings_in_force(
    state: State, wish: r.Wish
) -> None:
    after, actions = resolve(state, wish)
    start = begun(actions)
    assert after.runs - state.runs == (start is not None)
    if start is not None:
        assert start.settings == after.settings and after.is_beginning
        assert after.shown is None and after.wants_play == after.play_queued == (not start.paused)
        assert not any(isinstance(action, r.Retune | r.Play) for action in actions)


@given(state=STATES, wish=WISHES)
def test_changed_settings_are_announced_before_anything_is_done(state: State, wish: r.Wish) -> None:
    after, actions = resolve(state, wish)
    announced = r.ShowSettings() in actions
    assert announced or after.settings == state.settings
    if announced and not isinstance(wish, r.Pictured):
        assert actions[0] == r.ShowSettings()


@given(state=STATES, wish=WISHES)
def test_every_change_of_what_is_queued_is_announced_and_nothing_else(
    state: State, wish: r.Wish
) -> None:
    after, actions = resolve(state, wish)
    shown = [action.queued for action in actions if isinstance(action, r.ShowQueued)]
    assert shown == ([after.play_queued] if after.play_queued != state.play_queued else [])


@given(state=STATES, wish=st.one_of(MOVES, EVENTS, st.builds(r.Adopt, PARAMETERS)))
def test_nothing_but_a_choice_of_settings_or_play_begins_a_run(state: State, wish: r.Wish) -> None:
    assert begun(resolve(state, wish)[1]) is None


@given(state=STATES, settings=SETTINGS, is_edit=st.booleans())
def test_a_run_is_retuned_only_by_what_may_change_during_it(
    state: State, settings: Settings, is_edit: bool
) -> None:
    wish = r.Edit(settings) if is_edit else r.Restore(settings)
    after, actions = resolve(state, wish)
    assert after.settings == settings
    if settings == state.settings:
        assert actions == ()
        return
    retunes = [action for action in actions if isinstance(action, r.Retune)]
    assert (begun(actions) is None) == (retunes == [r.Retune(settings.params)])
    if retunes:
        assert settings.seed == state.settings.seed
        assert effect_of(state.settings.params, settings.params) is not Effect.RESTART


@given(wishes=st.lists(st.one_of(MOVES, st.builds(r.Edit, SETTINGS), EVENTS), max_size=20))
def test_a_run_that_nobody_plays_stays_paused_whatever_is_edited(wishes: list[Any]) -> None:
    state = at(Status.PAUSED)
    for wish in wishes:
        if isinstance(wish, r.Pictured) and wish.shown.status is Status.RUNNING:
            continue  # nobody plays it
        state, actions = resolve(state, wish)
        start = begun(actions)
        assert start is None or start.paused
        assert r.Play() not in actions and not state.wants_play


LIVE_EDITS = st.builds(
    lambda step_size, ensemble: r.Edit(
        Settings(FakeParams(step_size=step_size, ensemble=ensemble), 0)
    ),
    st.sampled_from([0.1, 0.2, 0.3]),
    st.sampled_from([20, 30]),
)


@given(
    own=st.sampled_from([PARAMS, LIVE]),
    is_live=st.booleans(),
    wishes=st.lists(
        st.one_of(LIVE_EDITS, st.just(r.Seek(3)), st.just(r.GoLive()), st.none()), max_size=12
    ),
)
def test_controls_and_a_resumed_run_agree_whatever_is_edited_before_its_pictures_come(
    own: FakeParams, is_live: bool, wishes: list[Any]
) -> None:
    """The engine follows at once, and its pictures come late (None: the oldest comes now)."""
    choice = r.Choose(Settings(PARAMS, 0), None, resumes=True, begins=True)
    state, _ = resolve(at(Status.PAUSED), choice)
    params, coming = own, [Shown(Status.PAUSED, 10, is_live, own)]
    for wish in [None, *wishes, r.GoLive()]:
        if wish is None:
            state, actions = resolve(state, r.Pictured(coming.pop(0))) if coming else (state, ())
        else:
            state, actions = resolve(state, wish)
        for action in actions:
            if isinstance(action, r.BeginRun):
                params, is_live, coming = action.settings.params, True, []
            elif isinstance(action, r.Retune):
                params, is_live = action.params, True
            elif isinstance(action, r.Seek | r.GoLive):
                is_live = isinstance(action, r.GoLive)
            else:
                continue
            coming.append(Shown(Status.PAUSED, 10, is_live, params))
    for shown in coming:
        state, actions = resolve(state, r.Pictured(shown))
        assert not any(isinstance(action, r.Retune | r.BeginRun) for action in actions)
    assert state.settings.params == params


@given(state=STATES, wish=WISHES)
def test_a_failure_or_a_first_picture_leaves_nothing_beginning(state: State, wish: r.Wish) -> None:
    state, _ = resolve(state, wish)
    for event in (r.Failed(), r.Pictured(Shown(Status.PAUSED, 0, True, PARAMS))):
        after, _ = resolve(state, event)
        assert not after.is_beginning and not after.play_queued
