"""The control over a double of the runner: what is resolved reaches the engine, and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar
from unittest.mock import ANY, call, create_autospec

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from engine.core.change import Change
from engine.core.errors import LabError
from engine.core.listing import Listing
from engine.core.params import Params, update
from engine.run.branches import Branch, DroppedSteps, Fork
from engine.run.session import Session
from engine.run.snapshot import Failure, Snapshot, Status
from engine.run.spec import RunSpec, SettingsInForce
from engine.storage.presets import Preset
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.run.remake import remake
from tests.gui.fakes import FakeExperiment, FakeParams, runner_double, snapshot


class Desk:
    """A control with its bridge to a runner's double, and what it announced."""

    def __init__(self) -> None:
        self.runner = runner_double()
        self.bridge = Bridge(self.runner)
        self.control = RunControl(self.bridge)
        self.settings: list[tuple[FakeParams, int]] = []
        self.queued: list[bool] = []
        self.control.settings_changed.connect(lambda *settings: self.settings.append(settings))
        self.control.play_queued.connect(self.queued.append)

    def show(self, **known: Any) -> Snapshot:
        """Let the engine make a picture of the run that was started last."""
        picture = snapshot(self.control.params, run_id=self.bridge._run_id, **known)
        self.runner.mailbox.put(picture)
        self.bridge.poll()
        return picture

    def calls(self) -> list[Any]:
        """Return what the runner was asked since the last time."""
        made = list(self.runner.method_calls)
        self.runner.reset_mock()
        return made


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    desk = Desk()
    desk.control.choose(FakeExperiment())
    desk.show(status=Status.PAUSED)
    yield desk
    desk.bridge.close()


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda control: control.toggle_play(), call.play()),
        (lambda control: control.pause(), call.pause()),
        (lambda control: control.step(3), call.step(3)),
        (lambda control: control.back(2), call.back(2)),
        (lambda control: control.run(50), call.run(50)),
        (lambda control: control.seek(7), call.seek(7)),
        (lambda control: control.live(), call.live()),
        (lambda control: control.nudge(1e-3), call.nudge(1e-3)),
        (lambda control: control.reset(), call.start(ANY, FakeParams(), 0, True, None)),
        (lambda control: control.edit_seed(5), call.start(ANY, FakeParams(), 5, True, None)),
        (
            lambda control: control.edit_params(FakeParams(step_size=0.2)),
            call.retune(FakeParams(step_size=0.2)),
        ),
        (
            lambda control: control.restore(FakeParams(depth=4), 2),
            call.start(ANY, FakeParams(depth=4), 2, True, None),
        ),
        (
            lambda control: control.set_value("curvature", 3.0),
            call.start(ANY, FakeParams(curvature=3.0), 0, True, None),
        ),
    ],
)
def test_wishes_reach_the_engine(
    desk: Desk, ask: Callable[[RunControl], object], expected: Any
) -> None:
    desk.runner.reset_mock()
    ask(desk.control)
    assert desk.calls() == [expected]


def test_a_preset_begins_one_run_and_is_undone_at_once(desk: Desk) -> None:
    preset = create_autospec(Preset, instance=True)
    preset.params, preset.seed, preset.title = FakeParams(depth=5, step_size=0.1), 3, "Slow"
    desk.runner.reset_mock()
    desk.control.apply_preset(preset)
    assert desk.calls() == [call.start(ANY, preset.params, 3, False, None)]
    assert desk.queued == [True]
    desk.show(status=Status.RUNNING)
    assert desk.queued == [True, False]
    desk.control.apply_preset(preset)  # which is in force: played from its beginning
    assert desk.calls() == [call.start(ANY, preset.params, 3, False, None)]
    assert desk.control.undo_group.undoText() == "preset “Slow”"
    desk.control.undo_group.undo()
    assert (desk.control.params, desk.control.seed) == (FakeParams(), 0)


def test_a_drag_that_restarts_keeps_one_start_in_flight_and_is_one_undo(desk: Desk) -> None:
    desk.runner.reset_mock()
    for move in range(30):
        desk.control.edit_params(update(FakeParams(), curvature=3.0 + move), "drag 0 w")
    assert desk.runner.start.call_count == 1 and desk.control.is_beginning
    desk.runner.mailbox.put(snapshot(FakeParams(curvature=3.0), run_id=2))
    desk.bridge.poll()
    assert desk.control.snapshot is None and desk.control.is_beginning  # of settings given up
    assert desk.runner.start.call_args == call(ANY, FakeParams(curvature=32.0), 0, True, None)
    desk.runner.mailbox.put(snapshot(desk.control.params, run_id=3))
    desk.bridge.poll()
    assert desk.control.snapshot is not None and not desk.control.is_beginning
    desk.control.undo_group.undo()
    assert desk.control.params == FakeParams() and not desk.control.undo_group.canUndo()


def test_a_run_that_cannot_begin_is_not_beginning(desk: Desk) -> None:
    desk.control.reset(play=True)
    desk.runner.mailbox.put(Failure(run_id=2, message="depth: 3 is not allowed"))
    desk.bridge.poll()
    assert not desk.control.is_beginning and desk.queued == [True, False]


class Other(FakeExperiment):  # type: ignore[misc]
    """Another experiment."""

    listing: ClassVar[Any] = replace(FakeExperiment.listing, id="other")


def test_an_experiment_is_resumed_with_the_settings_it_was_left_with(desk: Desk) -> None:
    desk.control.edit_params(FakeParams(step_size=0.2))
    desk.control.choose(Other(), FakeParams(depth=4), 9)
    assert desk.calls()[-1] == call.start(ANY, FakeParams(depth=4), 9, True, None)
    desk.control.choose(FakeExperiment())
    assert desk.calls() == [call.resume(ANY, FakeParams(step_size=0.2), 0, None)]
    assert desk.control.settings_of_all() == {
        "fake": (FakeParams(step_size=0.2), 0),
        "other": (FakeParams(depth=4), 9),
    }
    assert desk.settings[-1] == (FakeParams(step_size=0.2), 0)


def test_dropped_steps_are_brought_back_by_undo(desk: Desk) -> None:
    run = RunSpec(experiment="fake", params=FakeParams(), steps=20)
    fork = Fork(Branch(run, finished=False))
    desk.runner.reset_mock()
    desk.runner.on_drop(DroppedSteps(fork, 11, 20, None))  # on the engine's thread
    desk.bridge.poll()
    assert [made[0] for made in desk.calls()] == ["call"]  # which parameters it has
    desk.control.undo_group.undo()
    ((_, arguments, _),) = desk.calls()
    assert arguments[0] is fork
    arguments[1](SettingsInForce(FakeParams(step_size=0.1), 4))  # on the engine's thread
    assert desk.control.seed == 0
    desk.bridge.poll()
    assert (desk.control.params, desk.control.seed) == (FakeParams(step_size=0.1), 4)


def test_without_an_experiment_there_is_nothing_to_run(qtbot: QtBot) -> None:
    desk = Desk()
    desk.control.toggle_play()
    desk.control.step()
    assert desk.calls() == [] and not desk.control.is_running and desk.control.seed == 0
    desk.bridge.close()


class OtherParams(FakeParams):
    """Parameters of another experiment."""


class OtherExperiment(FakeExperiment):
    """Another experiment."""

    listing: ClassVar[Listing] = Listing(id="other", title="Other", section="2", summary="Other.")
    parameters: ClassVar[type[Params]] = OtherParams


EXPERIMENTS: tuple[FakeExperiment, ...] = (FakeExperiment(), OtherExperiment())
PLACES = {"start": 1, "resume": 1, "retune": 0}
"""Where the parameters are among the arguments of a command that brings some."""
HEARD = ("experiment_changed", "settings_changed", "restarted", "play_queued")
ACTS: dict[str, Callable[[RunControl], object]] = {
    "choose the first": lambda control: control.choose(EXPERIMENTS[0]),
    "choose the second": lambda control: control.choose(EXPERIMENTS[1]),
    "open a run of the first": lambda control: control.choose(
        EXPERIMENTS[0], FakeParams(step_size=0.7), 3
    ),
    "open a run of the second": lambda control: control.choose(
        EXPERIMENTS[1], OtherParams(step_size=0.9), 4
    ),
    "edit a field of the first": lambda control: control.edit_params(FakeParams(curvature=3.0)),
    "edit a field of the second": lambda control: control.edit_params(OtherParams(step_size=0.1)),
    "adopt from the first": lambda control: control.accept(FakeParams(step_size=0.5)),
    "adopt from the second": lambda control: control.accept(OtherParams(step_size=0.6)),
    "restore a pin of the first": lambda control: control.restore(FakeParams(depth=4), 2),
    "undo": lambda control: control.undo_group.undo(),
    "play": lambda control: control.toggle_play(),
    "run": lambda control: control.run(5),
    "reset": lambda control: control.reset(),
}


GIVEN = {name: act for name, act in ACTS.items() if "adopt" not in name}
"""Without what a run has changed itself, which need not be sent to it."""


def acts_of(names: Iterable[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(names)), min_size=1, max_size=6)


def answers_of(names: Iterable[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(st.sampled_from(HEARD), st.sampled_from(sorted(names))), max_size=4)


def answer_with(control: RunControl, answers: list[tuple[str, str]]) -> None:
    """Let whoever hears a signal act at once, if it is the next one of those to be answered."""
    left = list(answers)

    def answer(signal: str) -> None:
        if left and left[0][0] == signal:
            ACTS[left.pop(0)[1]](control)

    for name in HEARD:
        getattr(control, name).connect(lambda *_, name=name: answer(name))


@given(acts=acts_of(ACTS), answers=answers_of(ACTS))
def test_no_run_begins_with_parameters_of_another_experiment(
    qtbot: QtBot, acts: list[str], answers: list[tuple[str, str]]
) -> None:
    """Also where whoever hears of a change acts at once, as a field does that loses the focus."""
    desk = Desk()
    control = desk.control
    answer_with(control, answers)
    control.choose(EXPERIMENTS[0])
    for act in acts:
        ACTS[act](control)
        assert type(control.params) is control.experiment.parameters
    for name, args, _ in desk.runner.method_calls:
        if name in ("start", "resume"):
            kind = args[0].parameters
            assert type(args[1]) is args[0].parameters
        if name == "retune":
            assert type(args[0]) is kind
    started = [args for name, args, _ in desk.runner.method_calls if name in ("start", "resume")]
    assert desk.bridge._gate.held or started[-1][0].id == control.experiment.id
    desk.bridge.close()


def test_parameters_of_another_experiment_are_refused(desk: Desk) -> None:
    with pytest.raises(LabError, match="Parabola cannot begin with parameters of the kind Other"):
        desk.control.choose(FakeExperiment(), OtherParams())
    assert desk.control.params == FakeParams()


@given(acts=acts_of(GIVEN), answers=answers_of(GIVEN))
def test_the_run_has_what_is_in_force_and_all_heard_of_it_last(
    qtbot: QtBot, acts: list[str], answers: list[tuple[str, str]]
) -> None:
    """Also where whoever hears of a change makes another one before the first is carried out."""
    desk = Desk()
    control = desk.control
    answer_with(control, answers)
    heard: dict[str, Any] = {}
    for name in HEARD:
        getattr(control, name).connect(lambda *values, name=name: heard.update({name: values}))
    control.choose(EXPERIMENTS[0])
    for act in acts:
        GIVEN[act](control)
        assert heard["experiment_changed"] == (control.experiment,)
    while desk.bridge._gate.held:
        desk.show(status=Status.PAUSED)
    sent = [args for name, args, _ in desk.runner.method_calls if name in PLACES]
    names = [name for name, _, _ in desk.runner.method_calls if name in PLACES]
    assert sent[-1][PLACES[names[-1]]] == control.params
    desk.bridge.close()


@given(stop=st.integers(0, 4))
def test_a_replay_that_is_stopped_shows_the_parameters_that_the_run_has(
    qtbot: QtBot, stop: int
) -> None:
    desk = Desk()
    desk.control.choose(FakeExperiment())
    desk.show(status=Status.PAUSED)
    changes = (Change(4, {"step_size": 0.2}), Change(8, {"step_size": 0.1}))
    run = RunSpec(experiment="fake", params=FakeParams(), seed=0, steps=12, changes=changes)
    told: list[bool | Exception] = []
    remake(desk.control, desk.bridge, FakeExperiment(), run, told.append)
    assert desk.control.params.step_size == 0.1
    session, asked = Session(FakeExperiment(), FakeParams(), 0), 0

    def progress(fraction: float, text: str) -> bool:
        nonlocal asked
        asked += 1
        return asked <= stop

    desk.runner.job.call_args.args[0](session, progress)
    desk.bridge.poll()
    for asked_for in desk.runner.call.call_args_list:
        asked_for.args[0](session)
    desk.bridge.poll()
    assert told == [asked <= stop]
    assert desk.control.params == session.params
    desk.bridge.close()
