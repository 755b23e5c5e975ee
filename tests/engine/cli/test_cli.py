"""The command line: what it writes, what it says, and how it leaves."""

from __future__ import annotations

import csv
import io
import json
import signal
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli import commands as cli
from engine.cli import headless, terminal
from engine.core.ensemble import Ensemble, Progress
from engine.core.errors import InputError
from engine.core.params import param
from engine.figures import album
from engine.figures.sheets import Look, Sheet
from engine.run.trace import WINDOW, TraceView
from engine.storage import recording, runfile, runfolder
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only


class ManyParams(LinearParams):
    """The fake's parameters with an ensemble."""

    ensemble: int = param(1, "Runs at once.", ge=1, le=100)


class Fake(LinearMap):
    """The fake with an ensemble that can be cancelled, and a rule over several parameters."""

    parameters = ManyParams
    has_ensemble = True
    default_steps = 30
    ask_before_step: int | None = None

    def init(self, params: Any, seed: int) -> Any:
        if params.target == 13:
            raise InputError("target", params.target, "13 is not lucky with this seed")
        return super().init(params, seed)

    def ensemble(self, params: Any, seed: int, steps: int, progress: Progress) -> Ensemble:
        seeds = list(range(seed, seed + params.ensemble))
        cancelled = not progress(0.5, "half of the runs")
        names = ["a", 'b "quoted", with comma']
        return Ensemble(
            columns={
                "seed": seeds,
                "error": [0.5] * len(seeds),
                "note": (names * 50)[: len(seeds)],
            },
            summary={"fraction": np.float64(0.25)},
            cancelled=cancelled,
        )


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    experiment = Fake()
    only(monkeypatch, experiment)
    return experiment


def run(out: Path, *options: str) -> dict[str, Any]:
    """Run the fake without figures and return its `run.json`."""
    status = cli.main(
        ["run", "linear-map", "--out", str(out), "--figures", "none", "--seed", "1", *options]
    )
    assert status == cli.DONE
    result: dict[str, Any] = json.loads((out / "run.json").read_text())
    return result


def test_run_json_keeps_its_contract(tmp_path: Path) -> None:
    result = run(tmp_path / "out", "--steps", "50", "--set", "step_size=0.5")
    assert result["experiment"] == "linear-map"
    assert result["params"] == {"step_size": 0.5, "target": 2.0, "width": 2, "ensemble": 1}
    assert (result["seed"], result["steps"], result["format"]) == (1, 50, 1)
    assert result["changes"] == []
    assert result["outcome"]["kind"] == "converged" and result["outcome"]["step"] == 50
    assert result["outcome"]["message"].startswith("error ")
    assert result["final"]["weights"] == pytest.approx([2.0, 2.0])
    (bound,) = result["theory"]
    assert bound["name"] == "Largest stable step" and bound["symbol"] == r"\delta_{\max}"
    assert bound["value"] == 2.0 and bound["source"] == "test"
    assert result["claims"] == []
    assert result["versions"]["numpy"] == np.__version__
    assert result["files"] == ["run.json", "run.toml", "trace.npz", "trace.csv"]
    assert result["trace"] == {"full": True, "stride": 1, "last": 50, "note": "every step"}


def test_trace_files_hold_every_step_exactly(tmp_path: Path) -> None:
    run(tmp_path, "--steps", "5000")
    with np.load(tmp_path / "trace.npz") as archive:
        steps, weights, error = archive["step"], archive["weights"], archive["error"]
    np.testing.assert_array_equal(steps, np.arange(5001))
    assert weights.shape == (5001, 2) and error.shape == (5001,)
    start = np.random.default_rng(1).normal(size=2)
    np.testing.assert_array_equal(weights[0], start)
    np.testing.assert_allclose(weights[40], 2 + 0.9**40 * (start - 2), rtol=1e-12)
    with (tmp_path / "trace.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "weights[0]", "weights[1]", "error"]
    table = np.array(rows[1:], np.float64)
    np.testing.assert_array_equal(table[:, 1:3], weights)
    np.testing.assert_array_equal(table[:, 3], error)


def test_a_long_run_is_written_as_minima_and_maxima(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording.Recorder.__init__, "__defaults__", (3000,))
    result = run(tmp_path, "--steps", "20000", "--set", "step_size=1.999")
    trace = result["trace"]
    assert (
        trace["full"] is False and trace["stride"] == 32 and "smallest and largest" in trace["note"]
    )
    with np.load(tmp_path / "trace.npz") as archive:
        low, high, steps = archive["weights.low"], archive["weights.high"], archive["step"]
        recent, recent_steps = archive["recent.weights"], archive["recent.step"]
    assert len(low) == 20000 // 32 + 1 and steps[1] == 32
    assert (low[:100] < 2).all() and (high[:100] > 2).all()
    assert recent_steps[-1] == 20000 and len(recent) == len(recent_steps) == WINDOW
    start = np.random.default_rng(1).normal(size=2)
    np.testing.assert_allclose(low[0], 2 - np.abs(start - 2), rtol=1e-12)
    header = (tmp_path / "trace.csv").read_text().partition("\n")[0]
    assert header == "step,weights.low[0],weights.low[1],weights.high[0],weights.high[1]," + (
        "error.low,error.high"
    )


@pytest.mark.parametrize("limit", [10**6, 3000])
def test_a_run_folder_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(recording.Recorder.__init__, "__defaults__", (limit,))
    traces: list[TraceView] = []
    monkeypatch.setattr(
        headless.runfolder,
        "save_trace",
        lambda folder, recorder, *tables: (
            traces.append(recorder.session.trace.view()),
            recording.save_trace(folder, recorder, *tables),
        )[1],
    )
    result = run(tmp_path, "--steps", "9000", "--set", "step_size=1.99")
    folder = runfolder.read(tmp_path)
    assert folder.result == result and folder.run == runfile.load(tmp_path / "run.toml")
    (kept,) = traces
    assert (folder.trace.last, folder.trace.stride) == (kept.last, kept.stride)
    assert folder.trace.recent_first == kept.recent_first
    for part in ("low", "high", "recent"):
        for key, values in getattr(kept, part).items():
            np.testing.assert_array_equal(getattr(folder.trace, part)[key], values)


STEPS, ZEROS = np.arange(31), np.zeros(31)


@pytest.mark.parametrize(
    ("arrays", "last"),
    [
        ({"step": STEPS, "error": ZEROS}, None),
        ({"step": STEPS[1:], "error": ZEROS[1:]}, 30),
        ({"step": STEPS, "error": np.full(31, np.inf)}, 30),
        ({"step": STEPS, "error": ZEROS[:7]}, 30),
        ({"step": np.array(3), "error": ZEROS}, 30),
        ({"step": STEPS[::-1], "error": ZEROS}, 30),
        ({"step": STEPS, "error": ZEROS.astype(np.float32)}, 30),
        ({"step": STEPS, "error": np.zeros((31, 1, 1))}, 30),
        ({"step": STEPS}, 30),
        ({}, 30),
    ],
)
def test_damaged_traces_are_refused(
    tmp_path: Path, arrays: dict[str, Any], last: int | None
) -> None:
    run(tmp_path)
    about = None if last is None else {"full": True, "stride": 1, "last": last}
    recording.save_npz(tmp_path / "trace.npz", arrays, about)
    with pytest.raises(InputError, match="give a trace written by this program"):
        runfolder.read(tmp_path)


def test_incomplete_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give a folder that holds a run\.json"):
        runfolder.read(tmp_path)
    run(tmp_path)
    (tmp_path / "trace.npz").unlink()
    with pytest.raises(InputError, match="give the name of a file that exists"):
        runfolder.read(tmp_path)


def test_a_bucket_count_that_lies_allocates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trace.npz"
    arrays = {"step": np.arange(3), "error.low": np.zeros(3), "error.high": np.zeros(3)}
    for last, stride in ((10**18, 1), (-1, 1), (2, 0), (5, 2)):
        recording.save_npz(path, arrays, {"full": False, "stride": stride, "last": last})
        with pytest.raises(InputError, match="give a trace written by this program"):
            recording.load_trace(path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["run", "linear", "--out", "D"], "experiment: 'linear' is not allowed; give one of"),
        (["run", "linear-map", "--out", "D", "--set", "width=0"], "give a whole number >= 1"),
        (["run", "linear-map", "--out", "D", "--set", "step_size=nan"], "a finite number > 0"),
        (["run", "linear-map", "--out", "D", "--set", "colour=1"], "parameter: 'colour'"),
        (["run", "linear-map", "--out", "D", "--set", "target=13"], "13 is not lucky"),
        (["run", "linear-map", "--out", "D", "--steps", "-1"], "--steps: -1 is not"),
        (["run", "linear-map", "--out", "D", "--steps", "1.5"], "--steps: '1.5' is not"),
        (["run", "linear-map", "--out", "D", "--steps", "many"], "--steps: 'many' is not"),
        (["run", "linear-map", "--out", "D", "--steps", "inf"], "--steps: 'inf' is not"),
        (["run", "linear-map", "--out", "D", "--seed", "-4"], "--seed: -4 is not allowed"),
        (["run", "linear-map", "--out", "D", "--preset", "x"], "preset: 'x' is not allowed"),
        (["run", "linear-map", "--out", "D", "--device", "cuda"], "give auto or cpu"),
        (["run", "linear-map", "--out", "D", "--device", "tpu"], "--device: invalid choice"),
        (["run", "linear-map", "--out", "D", "--figures", "gif"], "--figures: 'gif'"),
        (["run", "linear-map"], "the following arguments are required: --out"),
        (["run", "linear-map", "--out", "D", "--frobnicate"], "unrecognized arguments"),
        (["run", "gone.toml", "--out", "D"], "give the name of a file that exists"),
        (["list", "nothing"], "experiment: 'nothing' is not allowed"),
        (["dance"], "invalid choice: 'dance'"),
        ([], "required: COMMAND"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(options) == cli.BAD_INPUT
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert sentence in said.err
    assert not (tmp_path / "D").exists()


def test_other_peoples_folders_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert cli.main(["run", "linear-map", "--out", str(tmp_path)]) == cli.BAD_INPUT
    assert "give an empty folder or that of a former run" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert cli.main(["run", "linear-map", "--out", str(tmp_path / "thesis.tex")]) == cli.BAD_INPUT


def test_a_former_run_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    run(tmp_path, "--set", "ensemble=3")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "old.svg").write_text("")
    (tmp_path / "figures" / "notes.txt").write_text("")
    (tmp_path / "notes.txt").write_text("")
    run(tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert names == {
        "run.json",
        "run.toml",
        "trace.npz",
        "trace.csv",
        "figures",
        "figures/notes.txt",
        "notes.txt",
    }


def test_an_ensemble_adds_its_table(tmp_path: Path) -> None:
    result = run(tmp_path, "--set", "ensemble=3")
    assert result["final"]["ensemble"] == {"fraction": 0.25}
    assert "ensemble.csv" in result["files"]
    with (tmp_path / "ensemble.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["seed", "error", "note"]
    assert rows[2] == ["2", "0.5", 'b "quoted", with comma']


def test_tables_for_tex_are_written_beside_those_for_programs(tmp_path: Path) -> None:
    result = run(tmp_path, "--steps", "20", "--set", "ensemble=3", "--tables", "csv,dat")
    for name in ("trace", "ensemble"):
        assert {f"{name}.csv", f"{name}.dat", f"{name}.tex"} <= set(result["files"])
    assert (tmp_path / "trace.dat").read_text().startswith("{step} {weights[0]} {weights[1]}")
    assert (tmp_path / "trace.tex").read_text().count("addplot") == 3
    again = run(tmp_path, "--steps", "20", "--tables", "none")
    assert again["files"] == ["run.json", "run.toml", "trace.npz"]
    assert {path.name for path in tmp_path.iterdir()} == set(again["files"])
    assert cli.main(["run", "linear-map", "--tables", "xls", "--out", "x"]) == cli.BAD_INPUT


def test_replaying_the_run_file_gives_the_same_files(tmp_path: Path) -> None:
    run(tmp_path / "a", "--steps", "300", "--set", "step_size=1.5")
    for name in ("run.toml", "run.json", ""):
        options = ["run", str(tmp_path / "a" / name), "--figures", "none"]
        assert cli.main([*options, "--out", str(tmp_path / "b")]) == cli.DONE
        for file in ("run.json", "run.toml", "trace.npz", "trace.csv"):
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert cli.main([*options, "--out", str(tmp_path / "b"), "--preset", "x"]) == cli.BAD_INPUT
    options = ["run", str(tmp_path / "a"), "--set", "width=3", "--steps", "1e2", "--seed", "9"]
    assert cli.main([*options, "--figures", "none", "--out", str(tmp_path / "b")]) == cli.DONE
    changed = json.loads((tmp_path / "b" / "run.json").read_text())
    assert (changed["params"]["width"], changed["params"]["step_size"]) == (3, 1.5)
    assert (changed["steps"], changed["seed"]) == (100, 9)


def test_live_changes_of_a_run_file_are_made(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'experiment = "linear-map"\nsteps = 40\n[params]\nstep_size = 0.5\n'
        "[[changes]]\nstep = 10\nvalues = { step_size = 1.0 }\n"
    )
    status = cli.main(["run", str(path), "--out", str(tmp_path / "D"), "--figures", "none"])
    assert status == cli.DONE
    result = json.loads((tmp_path / "D" / "run.json").read_text())
    assert result["changes"] == [{"step": 10, "values": {"step_size": 1.0}}]
    assert result["params"]["step_size"] == 0.5
    with np.load(tmp_path / "D" / "trace.npz") as archive:
        error = archive["error"]
    assert error[10] == pytest.approx(error[0] / 1024)
    assert (error[11:] == 0).all()


def test_divergence_is_an_outcome(tmp_path: Path) -> None:
    result = run(tmp_path, "--set", "step_size=5", "--steps", "1000")
    assert result["outcome"]["kind"] == "diverged"
    assert 0 < result["outcome"]["step"] < 100 == result["steps"] / 10
    with np.load(tmp_path / "trace.npz") as archive:
        assert np.isfinite(archive["weights"]).all()
        assert archive["step"][-1] == result["outcome"]["step"]


def test_a_failure_is_told_and_what_there_is_written(
    tmp_path: Path, fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.fail_at = 500
    options = ["run", "linear-map", "--out", str(tmp_path), "--figures", "none"]
    assert cli.main([*options, "--steps", "1000"]) == cli.FAILED
    assert "RuntimeError: the fake was told to fail" in capsys.readouterr().err
    folder = runfolder.read(tmp_path)
    assert folder.result["outcome"]["kind"] == "failed"
    assert 0 < folder.trace.last < 500
    assert folder.run.steps == folder.trace.last


def test_ctrl_c_keeps_what_there_is(
    tmp_path: Path, fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    """The interrupt arrives within a kernel call; the run ends after it."""
    advance = fake.advance

    def interrupted(state: Any, n: int, stride: int = 1) -> Any:
        if state.step > 100:
            signal.raise_signal(signal.SIGINT)
        return advance(state, n, stride)

    fake.advance = interrupted  # type: ignore[method-assign]
    before = signal.getsignal(signal.SIGINT)
    options = ["run", "linear-map", "--out", str(tmp_path), "--figures", "none"]
    assert cli.main([*options, "--steps", "10000000"]) == cli.INTERRUPTED == 130
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr()
    assert "cancelled after" in said.err
    folder = runfolder.read(tmp_path)
    assert folder.result["outcome"]["kind"] == "cancelled"
    assert 100 < folder.trace.last < 10_000_000
    assert folder.run.steps == folder.trace.last


def test_a_run_that_ends_on_a_cycle_says_which() -> None:
    outcome = {"kind": "oscillating", "step": 1000, "message": "It repeats itself.", "period": 2}
    outcome |= {"orbit": [1.15194996, 1.57835139], "orbit_of": "w"}
    result = {
        "experiment": "scalar-product",
        "outcome": outcome,
        "theory": [],
        "claims": [],
        "final": {},
    }
    assert "  period 2, orbit of w: 1.15195, 1.57835" in headless.describe(result).splitlines()


def test_a_cancelled_ensemble_is_a_cancelled_run(tmp_path: Path) -> None:
    run_file = runfile.RunSpec(
        experiment="linear-map", params=ManyParams(ensemble=4), seed=0, steps=3
    )
    job = headless.Job(run=run_file, folder=tmp_path)
    result = headless.execute(job, lambda fraction, text: text != "half of the runs")
    assert result["outcome"]["kind"] == "cancelled"
    assert (tmp_path / "ensemble.csv").is_file()


def test_json_goes_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(tmp_path, "--json")
    assert json.loads(capsys.readouterr().out) == result


def test_a_summary_is_printed_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "--steps", "1000")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("linear-map: converged at step 1\u2009000: error ")
    assert lines[1] == "  Largest stable step: 2 (test)"
    assert lines[2] == f"Written to {tmp_path}: run.json, run.toml, trace.npz, trace.csv"


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == cli.DONE
    assert capsys.readouterr().out == "linear-map  Linear map (test)\n"
    assert cli.main(["list", "linear-map"]) == cli.DONE
    text = capsys.readouterr().out
    assert "  step_size = 0.1  Step size (a finite number > 0 and <= 10)\n" in text
    assert cli.main(["list", "--json"]) == cli.DONE
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["id"] == "linear-map" and entry["params"][0]["name"] == "step_size"
    assert entry["params"][0]["default"] == 0.1


def test_help_and_version_leave_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--help"], ["--version"], ["run", "--help"]):
        assert cli.main(options) == cli.DONE
    assert "EXPERIMENT|FILE" in capsys.readouterr().out


def test_ctrl_c_while_figures_are_drawn_leaves_out_the_rest(
    tmp_path: Path, fake: Fake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is kept, with the figure that was begun."""
    drawn = album.files_of

    def interrupted(sheet: Sheet, look: Look) -> list[bytes]:
        signal.raise_signal(signal.SIGINT)
        return drawn(sheet, look)

    monkeypatch.setattr(album, "files_of", interrupted)
    options = ["run", "linear-map", "--steps", "9", "--figures", "svg", "--out", str(tmp_path)]
    assert cli.main(options) == cli.INTERRUPTED
    assert "left out" in capsys.readouterr().err
    result = runfolder.read(tmp_path).result
    assert result["outcome"]["kind"] != "cancelled"
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["weights.svg"]
    assert [name for name in result["files"] if "/" in name] == ["figures/weights.svg"]


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    times = iter(range(100))
    monkeypatch.setattr(terminal.time, "monotonic", lambda: float(next(times)))
    screen = Terminal()
    with terminal.progress_line(screen) as show:
        show(0.0, "starting")  # takes as long as it takes
        next(times)
        assert show(0.25, "25 of 100 steps")
        assert "left" not in screen.getvalue()
        show(0.5, "50 of 100 steps")
    assert " 50%  50 of 100 steps, 2 s left" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")
    with terminal.progress_line(screen) as show:
        show(1.0, "all steps")
        show(0.25, "figures")
        assert show(0.5, "half of the figures")
    assert " 50%  half of the figures, 2 s left" in screen.getvalue()
    silent = io.StringIO()
    with terminal.progress_line(silent) as show:
        assert show(0.5, "half")
    assert silent.getvalue() == ""


ODD = st.text(max_size=12) | st.sampled_from(
    [
        "--set",
        "--steps",
        "--seed",
        "--preset",
        "--figures",
        "--json",
        "--",
        "-",
        "=",
        "width=",
        "=3",
    ]
)


@settings(max_examples=150)
@given(st.sampled_from(["run", "list"]), st.lists(ODD, max_size=5))
def test_any_command_line_is_answered_in_one_line(command: str, options: list[str]) -> None:
    """Whatever is typed is carried out or refused; nothing is a traceback."""
    said, told = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(told):
        status = cli.main([command, *options])
    assert status in (cli.DONE, cli.BAD_INPUT)
    assert told.getvalue().count("\n") == (status == cli.BAD_INPUT)


@settings(max_examples=60)
@given(
    st.sampled_from(["step_size", "target", "width", "ensemble"]),
    st.floats().map(repr) | st.integers().map(str) | st.text(max_size=8),
)
def test_any_setting_is_run_or_refused(tmp_path: Path, name: str, text: str) -> None:
    options = ["run", "linear-map", "--figures", "none", "--steps", "3", "--out", str(tmp_path)]
    told = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(told):
        status = cli.main([*options, "--set", f"{name}={text}"])
    assert status in (cli.DONE, cli.BAD_INPUT)
    assert told.getvalue().count("\n") == (status == cli.BAD_INPUT)
    if status == cli.DONE:
        result = json.loads((tmp_path / "run.json").read_text())
        assert runfile.from_result(result).params.model_dump()[name] == result["params"][name]
