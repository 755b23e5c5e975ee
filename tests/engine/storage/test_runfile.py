"""Run files: readable, strict, and replayed to the same bits."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.change import Change, Nudge
from engine.core.errors import InputError
from engine.core.params import Params, param, update
from engine.core.registry import get
from engine.run import replay
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage import runfile
from engine.storage.files import FileError
from engine.storage.toml import COMMAS_LIMIT
from engine.text.numbers import whole
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only

HEAD = 'format = 1\nexperiment = "linear-map"\n'


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> LinearMap:
    experiment = LinearMap()
    only(monkeypatch, experiment)
    return experiment


STEP_SIZES = st.floats(1e-300, 10, exclude_min=True)
NUDGES = st.builds(Nudge, size=st.floats(1e-14, 1.0), seed=st.integers(0, runfile.SEED_LIMIT))
RUNS = st.builds(
    lambda params, seed, steps, changes: RunSpec(
        experiment="linear-map", params=params, seed=seed, steps=steps, changes=changes
    ),
    st.builds(
        LinearParams,
        step_size=STEP_SIZES,
        target=st.floats(allow_nan=False, allow_infinity=False),
        width=st.integers(1, 8),
    ),
    st.integers(0, runfile.SEED_LIMIT),
    st.none() | st.integers(0, runfile.STEPS_LIMIT),
    st.dictionaries(
        st.integers(0, 10**12), STEP_SIZES | st.lists(NUDGES, min_size=1, max_size=2), max_size=4
    ).map(lambda table: tuple(change for k in sorted(table) for change in _changes(k, table[k]))),
)


def _changes(step: int, what: float | list[Nudge]) -> list[Change]:
    if isinstance(what, float):
        return [Change(step, {"step_size": what})]
    return [Change(step, {"step_size": 1.0}), *(Change(step, nudge=nudge) for nudge in what)]


@given(RUNS)
def test_a_run_file_comes_back(run: RunSpec) -> None:
    assert runfile.loads(runfile.dumps(run)) == run


class ManyParams(Params):
    """A field of every kind."""

    number: float = param(1.0, "A number.")
    whole: int = param(1, "A whole number.")
    flag: bool = param(False, "A switch.")
    text: str = param("", "A text.")
    some: tuple[float, ...] = param((), "Numbers.")
    rows: tuple[tuple[float, ...], ...] = param((), "Rows.")
    maybe: float | None = param(None, "A number or nothing.")


REALS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        ManyParams,
        number=REALS,
        whole=st.integers(-(2**63), 2**63 - 1),
        flag=st.booleans(),
        text=st.text(),
        some=st.lists(REALS, max_size=4).map(tuple),
        rows=st.lists(st.lists(REALS, max_size=3).map(tuple), max_size=3).map(tuple),
        maybe=st.none() | REALS,
    )
)
def test_every_kind_of_parameter_comes_back(params: ManyParams) -> None:
    class Many(LinearMap):
        parameters = ManyParams  # type: ignore[assignment]

    with pytest.MonkeyPatch.context() as patch:
        only(patch, Many())
        run = RunSpec(experiment="linear-map", params=params)
        assert runfile.loads(runfile.dumps(run)) == run


def test_a_person_can_read_it() -> None:
    run = RunSpec(
        experiment="linear-map",
        params=LinearParams(step_size=0.5),
        seed=3,
        steps=200,
        changes=(Change(100, {"step_size": 0.25}), Change(100, nudge=Nudge(1e-6, 3))),
    )
    text = runfile.dumps(run)
    assert text == (
        "# Linear map (test): a run of Lyapunov Lab\n"
        'format = 1\nexperiment = "linear-map"\nseed = 3\nsteps = 200\n\n'
        "[params]\nstep_size = 0.5  # Step size\ntarget = 2.0  # Target\n"
        "width = 2  # Number of coordinates\nensemble = 1  # Number of runs\n\n"
        "[[changes]]\nstep = 100\nvalues = { step_size = 0.25 }\n\n"
        "[[changes]]\nstep = 100\nnudge = { size = 1e-06, seed = 3 }\n"
    )
    assert tomllib.loads(text)["changes"] == [
        {"step": 100, "values": {"step_size": 0.25}},
        {"step": 100, "nudge": {"size": 1e-6, "seed": 3}},
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("format = 2", "format: 2 is not allowed; this version reads format 1"),
        ("format = 0", "format: 0 is not allowed; give 1"),
        (HEAD + "speed = 3", "'speed' is not allowed; it has only the keys format, experiment"),
        ("format = 1", "name one under the key experiment"),
        ('experiment = "linear"', "experiment: 'linear' is not allowed; give one of linear-map"),
        (HEAD + "seed = -1", "seed: -1 is not allowed; give a whole number from 0"),
        (HEAD + "seed = true", "seed: True is not allowed"),
        (HEAD + "steps = 1.5", "steps: 1.5 is not allowed"),
        (HEAD + "params = 3", "params: 3 is not allowed; give a table"),
        (HEAD + "[params]\ndepth = 3", "parameter: 'depth' is not allowed"),
        (HEAD + "[params]\nstep_size = nan", "step_size: nan is not allowed"),
        (HEAD + "[params]\nstep_size = 0", "step_size: 0 is not allowed; give a finite number > 0"),
        (HEAD + '[params]\nstep_size = "-3"', "step_size: -3.0 is not allowed"),
        (HEAD + "[params]\nwidth = 2.5", "width: 2.5 is not allowed; give a whole number"),
        (HEAD + "changes = 1", "changes: 1 is not allowed"),
        (
            HEAD + "[[changes]]\nstep = 1",
            "give tables with the key step and either values or nudge",
        ),
        (
            HEAD + "[[changes]]\nstep = 1\nvalues = {}\nnudge = {}",
            "give tables with the key step and either values or nudge",
        ),
        (
            HEAD + "[[changes]]\nstep = 1\nnudge = { size = 1e-6 }",
            "{'size': 1e-06} is not allowed; give a table with the keys size and seed",
        ),
        (
            HEAD + '[[changes]]\nstep = 1\nnudge = { size = "1", seed = 0 }',
            "changes.nudge.size: '1' is not allowed; give a number",
        ),
        (
            HEAD + "[[changes]]\nstep = 1\nnudge = { size = 3, seed = 0 }",
            "nudge.size: 3.0 is not allowed; give a number from 10⁻¹⁴ to 1",
        ),
        (
            HEAD + "[[changes]]\nstep = 1\nnudge = { size = 1e-6, seed = -1 }",
            "changes.nudge.seed: -1 is not allowed; give a whole number from 0",
        ),
        (
            HEAD + "[[changes]]\nstep = 1\nvalues = { width = 3 }",
            "changes.width: 3 is not allowed; it can only be set before a run starts",
        ),
        (
            HEAD + "[[changes]]\nstep = 1\nvalues = { step_size = -1 }",
            "step_size: -1 is not allowed",
        ),
        (
            HEAD + "[[changes]]\nstep = 5\nvalues = {}\n[[changes]]\nstep = 5\nvalues = {}",
            "changes.step: 5 is not allowed; give a whole number from 6",
        ),
        ("format = ", "give a TOML text"),
        ("x = " + "[" * 5000, "give a TOML text"),
        ("", "name one under the key experiment"),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        runfile.loads(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "key",
    ["x" + ".x" * 10**6, "a = 1\nx = { " + '"y" . ' * 20 + "z", "'y'\t." * 15 + "'z'"],
    ids=["many", "in a table", "quoted"],
)
def test_a_key_of_very_many_parts_is_refused_before_it_fills_the_memory(key: str) -> None:
    with pytest.raises(InputError, match="give keys of few parts joined by dots"):
        runfile.loads(f"{key} = 1")


def test_a_whole_number_too_long_to_be_read_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"give a TOML text \(a whole number has too many digits"):
        runfile.loads(HEAD + "seed = " + "9" * 5000)


@pytest.mark.parametrize("nested", ["[" * 600 + "]" * 600, "{a=" * 100 + "1" + "}" * 100])
def test_deep_lists_are_one_sentence(tmp_path: Path, nested: str) -> None:
    with pytest.raises(InputError, match=r"at most 32 deep|nested too deep"):
        runfile.loads(HEAD + f"[params]\nstep_size = {nested}")
    (tmp_path / "run.json").write_text('{"params": ' + "[" * 600 + "]" * 600 + "}")
    with pytest.raises(InputError, match="at most 32 deep"):
        runfile.load(tmp_path)


@pytest.mark.parametrize("number", ["1" + "0" * 400, "0x" + "F" * 500, "0b" + "1" * 2000])
@pytest.mark.parametrize("key", ["seed", "steps", "format"])
def test_whole_numbers_beyond_floats_are_one_sentence(number: str, key: str) -> None:
    with pytest.raises(InputError, match=r"a whole number of .* bits"):
        runfile.loads(f'experiment = "linear-map"\n{key} = {number}')
    with pytest.raises(InputError, match=r"a whole number of .* bits"):
        runfile.loads(HEAD + f"[params]\nstep_size = {number}")


def test_the_line_at_fault_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'steps = 1 2' is not allowed.*line 4"):
        runfile.loads(HEAD + "seed = 0\nsteps = 1 2\n[params]\n")
    (tmp_path / "run.json").write_text('{\n "format": 1,\n "seed": 1 2\n}')
    with pytest.raises(InputError, match=r"'\"seed\": 1 2' is not allowed.*line 3"):
        runfile.load(tmp_path)


def test_a_list_that_would_take_half_a_minute_is_refused() -> None:
    with pytest.raises(InputError, match=f"at most {whole(COMMAS_LIMIT)} commas"):
        runfile.loads(HEAD + "[params]\nx = [" + "1," * (COMMAS_LIMIT + 1) + "]")


def test_many_changes_are_checked_one_by_one_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new value is checked, and not the whole of the parameters again."""
    update_all = create_autospec(runfile.update, side_effect=runfile.update)
    monkeypatch.setattr(runfile, "update", update_all)
    entries = [
        {"step": step, "values": {"step_size": 0.1 + step * 1e-6}} for step in range(1, 3000)
    ]
    run = runfile.from_table({"experiment": "linear-map", "changes": entries})
    assert [change.values["step_size"] for change in run.changes[:2]] == [0.1 + 1e-6, 0.1 + 2e-6]
    assert len(run.changes) == 2999 and not update_all.called
    entries[5]["values"] = {"step_size": -1.0}
    with pytest.raises(InputError, match=r"step_size: -1\.0 is not allowed"):
        runfile.from_table({"experiment": "linear-map", "changes": entries})


WHOLE = (
    HEAD + "seed = 3\nsteps = 20\n\n[params]\nstep_size = 0.5  # δ\nwidth = 2\n\n"
    "[[changes]]\nstep = 4\nvalues = { step_size = 0.25 }\n"
)
JUNK = ["[", "]", "{", "}", '"', "'", "=", ".", "\n", "1e999", "0x", "nan", "\x00", "\ud800", "é"]


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE)), st.sampled_from(JUNK)), max_size=3),
    st.integers(0, len(WHOLE) + 9),
    st.integers(0, len(WHOLE)),
)
def test_any_damage_to_a_run_file_is_one_sentence_or_a_run(
    damages: list[tuple[int, str]], end: int, hole: int
) -> None:
    text = WHOLE[:hole] + WHOLE[hole + len(damages) :]
    for place, junk in damages:
        text = text[:place] + junk + text[place:]
    try:
        run = runfile.loads(text[:end])
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert run.experiment == "linear-map"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the name of a file that exists"):
        runfile.load(tmp_path / "gone.toml")
    with pytest.raises(InputError, match="give the name of a file that exists"):
        runfile.load(tmp_path)  # a folder without run.json
    (tmp_path / "run.json").write_text("[1")
    with pytest.raises(InputError, match="give a JSON text"):
        runfile.load(tmp_path)
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(InputError, match="give a JSON object"):
        runfile.load(tmp_path)
    with pytest.raises(FileError):
        runfile.save(
            tmp_path / "gone" / "run.toml", RunSpec.of(Session(LinearMap(), LinearParams()))
        )


@given(
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    sizes=st.lists(st.floats(0.01, 2.3), min_size=4, max_size=4),
    chunk=st.integers(1, 50),
)
def test_replay_has_the_same_bits(cuts: list[int], sizes: list[float], chunk: int) -> None:
    """Record a run with live changes, save, open, and carry it out in other chunks."""
    first = Session(get("linear-map"), LinearParams(step_size=sizes[0]), 7)
    for steps, size in zip(cuts, sizes, strict=False):
        first.retune(update(first.params, step_size=size))
        if steps % 2 and first.state.diverged_at is None:
            first.nudge(0.1 / steps)
        first.advance(steps)
    run = runfile.loads(runfile.dumps(RunSpec.of(first)))
    again = replay.begin(run)
    replay.carry_out(run, again, lambda n: again.advance(min(n, chunk)))
    assert again.step == first.step and again.params == first.params
    state: Any = again.state
    np.testing.assert_array_equal(state.weights, first.state.weights)
    for key, rows in first.recent().items():
        np.testing.assert_array_equal(again.recent()[key], rows)
    assert RunSpec.of(again) == RunSpec.of(first)


def test_a_run_that_ends_early_is_not_carried_on() -> None:
    run = RunSpec(
        experiment="linear-map",
        params=LinearParams(step_size=9.0),
        steps=1000,
        changes=(Change(500, {"step_size": 0.1}),),
    )
    session = replay.begin(run)
    replay.carry_out(run, session)
    assert session.state.diverged_at == session.step < 500
    assert session.changes == ()


def test_steps_default_to_the_experiment() -> None:
    run = RunSpec(experiment="linear-map", params=LinearParams())
    assert replay.target_of(run) == LinearMap.default_steps


def test_two_runs_in_a_folder_keep_their_starts_apart(tmp_path: Path) -> None:
    names = {"first.toml": 1.0, "second.toml": 2.0, "run.toml": 3.0}
    for name, value in names.items():
        start = {"weights": np.full(2, value)}
        run = RunSpec(experiment="linear-map", params=LinearParams(), start=start)
        runfile.save(tmp_path / name, run)
    for name, value in names.items():
        start = runfile.load(tmp_path / name).start
        assert start is not None
        np.testing.assert_array_equal(start["weights"], np.full(2, value))
    assert (tmp_path / runfile.START).exists()
