"""Logs of training runs: read from every form, set against the limit, refused in one sentence."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.edge import Edge
from engine.core.claims import Verdict
from engine.core.errors import InputError, LabError
from engine.core.params import build
from engine.experiments.trace import recording
from engine.experiments.trace.experiment import Trace
from engine.experiments.trace.lines import rows_of
from engine.experiments.trace.params import EXAMPLE_LOG, TraceParams
from engine.experiments.trace.recording import recording_of
from engine.run import inputs
from engine.run.session import Session

TRACE = Trace()
STEPS = np.arange(0, 50, 5)
LOSS = np.linspace(1.0, 0.1, 10)
SHARPNESS = np.linspace(2.0, 6.5, 10)


def params_of(file: Path | str, **changes: Any) -> TraceParams:
    return build(TraceParams, {"file": str(file), **changes})


def write(path: Path) -> None:
    columns = {"iteration": STEPS, "train_loss": LOSS, "lambda_max": SHARPNESS}
    if path.suffix == ".csv":
        rows = "\n".join(
            f"{k},{a!r},{b!r}"
            for k, a, b in zip(STEPS, LOSS.tolist(), SHARPNESS.tolist(), strict=True)
        )
        path.write_text("Iteration,Train loss,lambda_max\n" + rows + "\n")
    elif path.suffix == ".npz":
        np.savez(path, **columns)
    elif path.suffix == ".npy":
        np.save(path, np.column_stack([STEPS, LOSS, SHARPNESS]))
    elif path.suffix == ".safetensors":
        safetensors.numpy.save_file(columns, path)
    else:
        lines = [
            json.dumps({"step": int(k), "loss": a, "eigs": [b - 1, b], "note": "x"})
            for k, a, b in zip(STEPS, LOSS, SHARPNESS, strict=True)
        ]
        path.write_text("\n".join(lines) + '\n{"step": 50, "lo')


@pytest.mark.parametrize("ending", ["csv", "npy", "npz", "safetensors", "jsonl"])
def test_every_form_is_read_alike(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"log.{ending}"
    write(path)
    found = recording_of(params_of(path))
    np.testing.assert_array_equal(found.steps, STEPS)
    np.testing.assert_allclose(found.loss, LOSS)
    np.testing.assert_allclose(found.sharpness, SHARPNESS)


def test_the_bundled_log_comes_to_its_edge_and_hovers_there() -> None:
    params = TraceParams()
    state, chunk = TRACE.advance(TRACE.init(params, 0), 10_000)
    assert state.step == 1000
    edge = state.recording.edge_at(state.step)
    assert 100 < (edge.onset or 0) < 200 and edge.mean == pytest.approx(1.0, abs=0.03)
    assert TRACE.claims(params, state, chunk.low)[0].verdict is Verdict.HOLDS
    assert "edge of stability since k = 140" in TRACE.outcome(state, chunk.low).phase
    assert TRACE.theory(params, state)[0].value == pytest.approx(5.0)


def test_another_optimiser_has_another_limit() -> None:
    state = TRACE.init(TraceParams(optimiser="heavy-ball", momentum=0.5), 0)
    assert state.recording.limit == 3.0
    assert state.recording.edge_at(1000).onset is None


@given(st.lists(st.floats(0.1, 2.0), min_size=2, max_size=40))
def test_the_edge_at_a_step_is_that_of_the_looks_so_far(ratios: list[float]) -> None:
    edges, edge = [], Edge()
    for step, ratio in enumerate(ratios):
        edge = edge.seen(step, ratio, 1.0)
        edges.append(edge)
    assert edges[-1].looks == len(ratios)
    for before, after in pairwise(edges):  # once begun it stays, or is left
        assert after.onset == before.onset or before.onset is None or after.onset is None
        assert after.onset is not None or before.onset is None or after.left is not None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.csv", "step,loss\n0,1\n"),
        ("log.csv", "step,loss\n0,1\n0,2\n"),
        ("log.csv", "step,loss\n0.5,1\n1,2\n"),
        ("log.csv", "step,loss\n0,1\n99999999,2\n"),
        ("log.csv", "a,b\n0,1\n1,2\n"),
        ("log.csv", "1,2,3,4\n1,2,3,4\n"),
        ("log.csv", "step,lr,loss\n0,0,1\n1,1,2\n"),
        ("log.csv", ""),
        ("log.jsonl", ""),
        ("log.jsonl", "[1, 2]\n[3, 4]\n"),
        ("log.jsonl", '{"step": 0}\n{"step": 1}\n'),
        ("log.jsonl", '{"loss": 1e400}\n{"loss": ' + "9" * 400 + "}\n"),
        ("log.jsonl", '{"loss": 1e200}\n{"loss": 2}\n'),
        ("log.jsonl", "{" * 5000 + "\n\n"),
        ("log.jsonl", '{"loss": [[1.0]]}\n{"loss": [[2.0]]}\n'),
        ("log.jsonl", '{"loss": ' + "[" * 600 + "1" + "]" * 600 + "}\n"),
        ("log.npz", "PK"),
        ("log.pt", "x"),
    ],
)
def test_what_is_no_log_is_refused_in_one_sentence(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(LabError) as found:
        recording_of(params_of(path))
    assert "\n" not in str(found.value)


def test_columns_that_nobody_asks_for_are_not_made(tmp_path: Path) -> None:
    """Another key a row would take the square of the rows."""
    path, rows = tmp_path / "log.jsonl", 1500
    path.write_text("".join(f'{{"loss": {k}, "k{k}": 1}}\n' for k in range(rows)))
    with mock.patch.object(recording, "_column", wraps=recording._column) as made:
        assert recording_of(params_of(path)).last == rows - 1
    assert made.call_count == 1


def test_a_log_that_goes_away_as_it_is_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can be read"):
        rows_of(tmp_path / "gone.jsonl")


def test_columns_of_other_lengths_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "log.npz", loss=np.ones(4), sharpness=np.ones(5))
    with pytest.raises(InputError, match="one row a step"):
        recording_of(params_of(tmp_path / "log.npz"))


def test_gaps_and_overflows_are_not_measured(tmp_path: Path) -> None:
    np.savez(tmp_path / "log.npz", loss=[1.0, np.inf, 2.0], sharpness=[1.0, np.nan, 3.0])
    state = TRACE.init(params_of(tmp_path / "log.npz", interval=2), 0)
    state, chunk = TRACE.advance(state, 9)
    assert state.step == 4
    np.testing.assert_array_equal(chunk.low["loss"], [np.nan, np.nan, np.nan, 2.0])
    assert state.recording.edge_at(4).looks == 2


def test_a_run_of_the_bundled_log_says_so_and_one_of_a_file_does_not(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    write(path)
    for params, is_example in ((TraceParams(), True), (params_of(path), False)):
        session = Session(TRACE, params, 0)
        session.advance(20)
        message = TRACE.outcome(session.state, session.recent()).message
        rows = dict(TRACE.observe(session.state, session.recent())["status"])
        assert (EXAMPLE_LOG in message) == is_example
        assert rows["Log"] == (EXAMPLE_LOG if is_example else "log.csv")


def log_of(path: Path, **columns: Any) -> Path:
    np.savez(path / "log.npz", **columns)
    return path / "log.npz"


def test_the_count_begins_anew_where_the_step_size_changes(tmp_path: Path) -> None:
    sizes = np.repeat([0.1, 0.21], [50, 350])
    file = log_of(tmp_path, loss=np.geomspace(1, 0.1, 400), sharpness=np.full(400, 10.0), lr=sizes)
    params = params_of(file)
    state, chunk = TRACE.advance(TRACE.init(params, 0), 1000)
    edge = state.recording.edge_at(399)
    assert (edge.begun, edge.looks, edge.came_from_below) == (50, 350, False)
    assert state.recording.edge_at(49).looks == 50
    assert TRACE.claims(params, state, chunk.low)[0].verdict is Verdict.NOT_APPLICABLE


def test_a_change_between_two_looks_leaves_no_old_count(tmp_path: Path) -> None:
    file = log_of(tmp_path, sharpness=[1.0, np.nan, np.nan, 2.0], lr=[0.1, 0.1, 0.2, 0.2])
    recording = recording_of(params_of(file))
    assert recording.edge_at(1).looks == 1
    assert recording.edge_at(2) == Edge(begun=2)
    assert recording.edge_at(3).looks == 1


def test_a_loss_that_is_not_known_is_compared_with_none(tmp_path: Path) -> None:
    losses = [np.nan, 5.0, 4.9, np.nan, 4.8]
    file = log_of(tmp_path, loss=losses, sharpness=np.full(5, 10.0), lr=np.full(5, 0.3))
    edge = recording_of(params_of(file)).edge_at(4)
    assert (edge.begun_loss, edge.catapult) == (5.0, None)


@given(
    st.lists(st.tuples(st.floats(0.1, 2.0), st.floats(0.1, 9.0), st.booleans()), min_size=2),
)
def test_unknown_losses_make_no_catapult(looks: list[tuple[float, float, bool]]) -> None:
    """A catapult takes two known losses, of which the later is the larger."""
    edge, known = Edge(), []
    for step, (ratio, loss, is_known) in enumerate(looks):
        edge = edge.seen(step, ratio, loss if is_known else np.nan)
        known += [loss] if is_known else []
    if edge.catapult is not None:
        assert max(known) > known[0]


def test_the_decay_of_the_mean_square_is_not_in_a_log() -> None:
    params = build(TraceParams, {"optimiser": "adam"})
    state, chunk = TRACE.advance(TRACE.init(params, 0), 1000)
    claim = TRACE.claims(params, state, chunk.low)[0]
    lamps = {lamp.name: lamp for lamp in claim.assumptions}
    assert lamps["P changes slowly"].on is None
    assert claim.verdict in (Verdict.UNDECIDED, Verdict.NOT_APPLICABLE)


def lines_of(first: int, last: int) -> str:
    rows = [
        {"step": k, "loss": 1.0 / (k + 1), "sharpness": 4.0 + 0.01 * k} for k in range(first, last)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_rows_are_read_on_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(lines_of(0, 10))
    session = Session(TRACE, params_of(path), 0)
    assert session.advance(100) == 9 and session.finished
    assert TRACE.waits(session.state) and "so far" in session.outcome().message
    texts = lines_of(10, 20), '{"step": 20, "lo', 'ss": 0.5}', "\n"
    with path.open("a") as file:
        for text, rows in zip(texts, (10, 0, 1, 0), strict=True):
            file.write(text)
            file.flush()
            session.finished = False
            assert session.advance(100) == rows
    assert session.step == 20 and session.recent()["loss"][-1] == 0.5
    session.rewind(5)
    assert session.advance(100) == 15
    session.close()


def test_a_run_of_a_log_that_has_grown_since_can_be_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"loss": 1.0, "sharpness": 2.0}\n' * 3)
    for follows in (True, False):
        session = Session(TRACE, params_of(path, follow=follows), 0)
        with path.open("a") as file:
            file.write('{"loss": 0.5, "sharpness": 2.0}\n')
        if follows:
            inputs.check(TRACE, session.params, session.inputs)
        else:
            with pytest.raises(InputError, match="has changed"):
                inputs.check(TRACE, session.params, session.inputs)


@pytest.mark.parametrize("after", [lines_of(0, 4), lines_of(3, 40), lines_of(0, 12) + "[]\n"])
def test_a_log_that_is_written_anew_is_not_mixed_with_the_old(tmp_path: Path, after: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(lines_of(0, 10))
    session = Session(TRACE, params_of(path), 0)
    session.advance(9)
    path.write_text(after)
    assert session.advance(100) == 0
    assert session.state.trouble and not TRACE.waits(session.state)
    assert session.state.trouble in session.outcome().message
    assert session.recent()["loss"][-1] == 0.1
    session.rewind(3)
    assert session.advance(6) == 6
    session.close()


@given(st.lists(st.integers(1, 60), max_size=8))
def test_a_file_in_pieces_is_read_as_one(cuts: list[int]) -> None:
    """However a text arrives, the rows are those of the whole."""
    import tempfile

    from engine.experiments.trace.lines import Lines

    text = lines_of(0, 4) + '\n{"step": 4, "note": "é"}\r\n' + lines_of(5, 6).rstrip()
    data, place = text.encode(), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        path.write_bytes(b"")
        lines = Lines(path)
        for cut in [*cuts, len(data)]:
            with path.open("ab") as file:
                file.write(data[place : place + cut])
            place += cut
            rows = lines.rows()
    assert [row["step"] for row in rows] == [0, 1, 2, 3, 4, 5]
