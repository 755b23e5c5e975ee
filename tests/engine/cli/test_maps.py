"""`main.py map`: what it writes, what it refuses, and that a killed one goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from engine.cli import commands as cli
from engine.cli import maps
from engine.cli.output import BAD_INPUT, DONE, INTERRUPTED
from engine.cli.terminal import Interrupt
from engine.executors.threads import Threads
from engine.maps import zooming
from engine.maps.axis import Axis
from engine.maps.frames import Zoom
from engine.maps.kinds import trainability
from engine.maps.spec import MapSpec
from engine.maps.store import MapFolder
from tests.engine.executors.dask_cluster import local_cluster
from tests.engine.linear_map import LinearParams

ROOT = Path(__file__).resolve().parents[3]
AXES = ("--x", "step_size=0.01:0.4:9:log", "--y", "eigenvalue_high=1:30:7")
MAP = ("map", "trainability", "least-squares", *AXES, "--steps", "40")


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make whole runs on threads, too: processes have tests of their own."""
    monkeypatch.setattr(maps, "pool_for", lambda *_: Threads(2))


def command(folder: Path, *more: str) -> list[str]:
    return [*MAP, "--figures", "none", *more, "--out", str(folder)]


def test_a_map_is_written_with_figures_and_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "map"
    given = [*MAP, "--figures", "svg,png", "--frames", "3", "--out", str(out)]
    assert cli.main(given) == DONE
    said = capsys.readouterr().out
    names = ["map.json", "map.npz", "figures/map.svg", "figures/map.png"]
    names += [f"frames/frame-000{place}.png" for place in range(3)]
    assert f"Written to {out}: {', '.join(names)}" in said
    assert {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} == set(names)
    result = json.loads((out / "map.json").read_text())
    with np.load(out / "map.npz") as arrays:
        assert arrays["outcome"].shape == (7, 9)
        assert arrays["x"][0] > 0.01
        assert np.count_nonzero(arrays["outcome"] == 0) == result["classes"][0]["cells"]
    coarse, fine = (imread(out / "frames" / f"frame-000{place}.png") for place in (0, 2))
    assert coarse.shape == fine.shape
    assert len(np.unique(coarse.reshape(-1, 4), axis=0)) <= len(
        np.unique(fine.reshape(-1, 4), axis=0)
    )


def test_frames_come_closer_to_a_point(tmp_path: Path) -> None:
    out = tmp_path / "map"
    zoom = [*MAP, "--figures", "none", "--frames", "2", "--zoom", "0.2:10:3", "--out", str(out)]
    assert cli.main(zoom) == DONE
    first, last = (imread(out / "frames" / f"frame-000{place}.png") for place in (0, 1))
    assert first.shape == last.shape
    assert (first != last).any()


@pytest.mark.parametrize("done", [True, False])
def test_a_zoom_becomes_a_film(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], done: bool
) -> None:
    out, film = tmp_path / "map", tmp_path / "new" / "zoom.gif"
    asked = ["--figures", "none", "--zoom", "0.2:10:3", "--film", str(film), "--size", "64x128"]
    with mock.patch.object(zooming, "make", autospec=True, return_value=done) as make:
        code = cli.main([*MAP, *asked, "--seconds", "0.2", "--rate", "20", "--out", str(out)])
    wanted, path, *_ = make.call_args.args
    assert path == film and film.parent.is_dir()
    assert (wanted.size, wanted.rate, wanted.frames) == ((64, 128), 20, 4)
    assert wanted.x.high - wanted.x.low < 0.4 / 2 and wanted.whole.x.high == 0.4
    assert wanted.spec(0).x.low == 0.01 and wanted.spec(3).x.count == 32
    said = capsys.readouterr()
    assert (code, str(film) in said.out) == ((DONE, True) if done else (INTERRUPTED, False))
    assert not (out / "frames").exists()


@given(
    value=st.floats(0.011, 0.39),
    factor=st.floats(1.1, 1e6),
    count=st.integers(2, 9),
    log=st.booleans(),
)
def test_the_point_of_a_zoom_keeps_its_place(
    value: float, factor: float, count: int, log: bool
) -> None:
    axis = Axis(name="x", low=0.01, high=0.4, count=50, log=log)
    spec = MapSpec(kind="stability", experiment="", params=LinearParams(), x=axis, y=axis, steps=1)
    made = list(Zoom(x=value, y=value, factor=factor).specs(spec, count))
    places = [float(each.x.place(value)) for each in made]
    assert places == pytest.approx([float(axis.place(value))] * count, abs=1e-3)
    widths = [each.x.high - each.x.low for each in made]
    assert widths == sorted(widths, reverse=True)


def test_a_finished_map_is_not_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(command(tmp_path, "--json")) == DONE
    first = json.loads(capsys.readouterr().out)
    monkeypatch.setattr(maps, "pool_for", None)
    assert cli.main(command(tmp_path, "--json")) == DONE
    assert json.loads(capsys.readouterr().out) == first


def test_what_is_not_given_is_as_in_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preset's parameters, the suggested axes, other steps and a seed."""
    monkeypatch.setattr(trainability, "CELLS", 3)
    chosen = ["map", "trainability", "scalar-product", "--preset", "period-2", "--set", "depth=2"]
    chosen += ["--seed", "5", "--steps", "3", "--figures", "none", "--out", str(tmp_path)]
    assert cli.main(chosen) == DONE
    spec = json.loads((tmp_path / "map.json").read_text())["spec"]
    assert (spec["seed"], spec["steps"], spec["params"]["depth"]) == (5, 3, 2)
    assert spec["x"]["name"] == "step_size"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--x", "step_size"), ("axis", "step_size", "low:high:count")),
        (("--x", "step_size=1:0.1:9"), ("step_size", "lower end first")),
        (("--x", "step_size=0.1:1:0"), ("step_size", "0", "1 to")),
        (("--x", "step_size=0:1:9:log"), ("step_size", "above 0")),
        (("--x", "step_size=-1:1:9"), ("step_size", "-0.8888", "finite number")),
        (("--x", "step_size=nan:1:9"), ("step_size",)),
        (("--x", "delta=0.1:1:9"), ("x", "delta", "give one of", "step_size")),
        (("--y", "step_size=0.1:1:9"), ("y", "step_size", "another")),
        (("--set", "step_size=-1"), ("step_size", "-1")),
        (("--set", "nothing=1"), ("parameter", "nothing")),
        (("--preset", "nothing"), ("nothing",)),
        (("--steps", "0"), ("--steps", "0", "1 to")),
        (("--steps", "many"), ("--steps", "many")),
        (("--seed", "-1"), ("--seed", "-1")),
        (("--option", "window"), ("--option", "window", "name=value")),
        (("--option", "window=3"), ("--option", "window", "none")),
        (("--workers", "0"), ("--workers", "0", "1 to 1024")),
        (("--frames", "99"), ("--frames", "99", "1 to 12")),
        (("--zoom", "0.1:10:5"), ("--zoom", "--frames")),
        (("--film", "a.mp4"), ("--film", "--zoom")),
        (("--zoom", "0.1:10:5", "--film", "a.avi"), (".mp4", ".gif", ".webp")),
        (("--zoom", "0.1:10:5", "--film", "a.mp4", "--size", "9x9"), ("9x9", "64")),
        (("--zoom", "0.1:10:5", "--film", "a.mp4", "--seconds", "0"), ("--seconds", "0")),
        (("--zoom", "0.1:10:5", "--film", "a.gif", "--rate", "60"), ("--rate", "60", "50")),
        (("--zoom", "0.1:10:5", "--film", "/dev/null/a.mp4"), ("--film", "null")),
        (("--frames", "2", "--seconds", "3"), ("--seconds", "--film")),
        (("--frames", "2", "--zoom", "0.1:10"), ("--zoom", "x:y:factor")),
        (("--frames", "2", "--zoom", "0.1:10:1"), ("--zoom", "above 1")),
        (("--frames", "2", "--zoom", "0.1:99:5"), ("--zoom", "99", "y from 1 to 30")),
        (("--figures", "gif"), ("--figures", "gif", "svg, png, pdf")),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: tuple[str, ...], words: tuple[str]
) -> None:
    assert cli.main([*MAP, "--out", str(tmp_path / "map"), *given]) == BAD_INPUT
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for word in words:
        assert word in said
    assert not (tmp_path / "map").exists()


@pytest.mark.parametrize("kind", ["", "horoscope"])
def test_an_unknown_kind_is_bad_input(kind: str, tmp_path: Path) -> None:
    assert cli.main(["map", kind, "least-squares", "--out", str(tmp_path)]) == BAD_INPUT


def test_an_address_without_a_scheduler_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert cli.main(command(tmp_path, "--scheduler", "tcp://127.0.0.1:1")) == BAD_INPUT
    assert "--scheduler" in capsys.readouterr().err


def test_the_folder_of_something_else_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").touch()
    assert cli.main(command(tmp_path)) == BAD_INPUT
    assert "--out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_experiment_lists_its_maps(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "least-squares"]) == DONE
    assert "\n  trainability: " in capsys.readouterr().out
    assert cli.main(["list", "least-squares", "--json"]) == DONE
    listed = {each["kind"]: each for each in json.loads(capsys.readouterr().out)[0]["maps"]}
    assert "step_size" in listed["trainability"]["x"]


def test_an_interrupted_map_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    assert cli.main(command(whole)) == DONE
    fill = maps._fill

    def interrupted(half: object, made: object, show: object) -> None:
        def until(done: float, text: str) -> bool:
            if done > 0.3:
                os.kill(os.getpid(), signal.SIGINT)
            return True

        fill(half, made, until)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(maps, "_fill", interrupted)
        assert cli.main(command(tmp_path / "parts")) == INTERRUPTED
    said = capsys.readouterr().err
    assert "of 63 cells are there" in said
    assert cli.main(command(tmp_path / "parts")) == DONE
    for name in ("map.npz",):
        assert (tmp_path / "parts" / name).read_bytes() == (whole / name).read_bytes()


KILLED = """
import os, signal, sys, traceback
root, moments, *command = sys.argv[1:]
sys.path.insert(0, root)
from engine.cli import commands as cli, maps
from engine.executors.threads import Threads
from engine.maps import store

left = [0]

def counted(function):
    def call(*values, **more):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*values, **more)
    return call

maps.pool_for = lambda *_: Threads(2)
store.making.put = counted(store.making.put)
store.HalfMade._sum = counted(store.HalfMade._sum)
os.replace = counted(os.replace)

def run(at):
    left[0] = at
    try:
        os._exit(cli.main(command))
    except BaseException:
        traceback.print_exc()
        os._exit(70)

for at in moments.split(","):
    process = os.fork() or run(int(at))
    print("status", os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""
"""Runs a command in a process of its own for each moment at which it is killed."""


def test_a_map_that_is_killed_at_any_moment_and_made_again_is_the_same(tmp_path: Path) -> None:
    """Between and within tiles, and while files take their names; each time the same command."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert cli.main(command(whole)) == DONE
    moments = random.Random(7)
    chosen = (1, *(moments.randint(2, 90) for _ in range(4)))
    given = [sys.executable, "-c", KILLED, str(ROOT), ",".join(map(str, chosen)), *command(parts)]
    made = subprocess.run(given, capture_output=True, text=True, check=True)
    found = [line.split()[1] for line in made.stdout.splitlines() if line.startswith("status ")]
    assert len(found) == len(chosen) and {*found} <= {f"{DONE}", f"{-signal.SIGKILL}"}, made
    assert found.count(f"{-signal.SIGKILL}") >= 2
    assert cli.main(command(parts)) == DONE
    assert (parts / "map.npz").read_bytes() == (whole / "map.npz").read_bytes()
    assert {path.name for path in parts.iterdir()} == {"map.npz", "map.json"}


def test_the_first_interrupt_ends_a_map_before_its_first_tile(tmp_path: Path) -> None:
    asked = Interrupt()
    asked.go_on = False
    stop = maps._Asked(asked)
    assert stop.is_set()


def test_a_large_map_is_drawn_thinned(tmp_path: Path) -> None:
    from engine.maps.frames import MOST, thinned
    from tests.engine.maps.test_store import region

    prepared = region()
    big = {"outcome": np.zeros((2 * MOST + 1, 50), "u1")}
    assert thinned(prepared, big)["outcome"].shape == (MOST * 2 // 3 + 1, 17)
    assert MapFolder(tmp_path, prepared).path == tmp_path


def test_a_map_on_a_cluster_has_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(command(tmp_path / "here")) == DONE
    monkeypatch.undo()
    with local_cluster(1) as machines:
        assert cli.main(command(tmp_path / "there", "--scheduler", machines.address)) == DONE
    here, there = (tmp_path / place / "map.npz" for place in ("here", "there"))
    assert here.read_bytes() == there.read_bytes()


@pytest.mark.parametrize("more", [(), ("--set", "ensemble=3")])
def test_only_an_ensemble_of_a_run_is_made_on_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    """And where no scheduler answers nothing is written."""
    out = tmp_path / "run"
    given = ["run", "least-squares", "--scheduler", "tcp://127.0.0.1:1", *more, "--out", str(out)]
    assert cli.main(given) == BAD_INPUT
    assert "--scheduler" in capsys.readouterr().err
    assert not out.exists()
