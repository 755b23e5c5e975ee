"""The runner of the benchmarks, by a clock that is told the time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks import __main__ as runner
from tests.benchmarks import catalogue, report
from tests.benchmarks.timing import (
    ROUNDS,
    Measurement,
    Timer,
    by_size,
    rates,
    slope,
)


class Clock:
    """A clock that only work moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[str] = []

    def __call__(self) -> float:
        return self.now

    def work(self, name: str, seconds: float) -> None:
        self.calls.append(name)
        self.now += seconds


def test_contenders_take_turns_and_the_first_is_not_counted() -> None:
    clock = Clock()
    seconds = Timer(clock).in_turns(
        {"ours": lambda: clock.work("ours", 1.0), "peer": lambda: clock.work("peer", 8.0)}
    )
    assert seconds == {"ours": [1.0] * ROUNDS, "peer": [8.0] * ROUNDS}
    assert clock.calls[:6] == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert len(clock.calls) == 2 * (ROUNDS + 1)


def test_a_peer_in_another_process_tells_its_own_seconds() -> None:
    assert Timer(Clock()).in_turns({"peer": lambda: 0.25}) == {"peer": [0.25] * ROUNDS}


def test_work_on_one_thread_is_timed_by_the_processor() -> None:
    wall, processor = Clock(), Clock()
    timer = Timer(wall, processor=processor).by_processor()
    assert timer.once(lambda: processor.work("ours", 2.0)) == 2.0


def test_rates_are_compared_round_by_round() -> None:
    first, peer = rates(
        {"ours": [1.0, 2.0, 4.0], "peer": [3.0, 6.0, 12.0]},
        {"ours": 100.0, "peer": 10.0},
        "steps/s",
        ("ours",),
    )
    assert (first.median, first.peer, first.times_as_fast) == (50.0, False, 1.0)
    assert peer.peer and peer.times_as_fast == pytest.approx(30.0)
    assert peer.is_rate


@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_the_slope_of_a_power_is_its_exponent(power: float, factor: float) -> None:
    sizes = [2.0, 4.0, 8.0, 32.0]
    assert slope(sizes, [factor * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)


def test_costs_by_size_have_a_slope() -> None:
    clock = Clock()
    jobs = {n: lambda n=n: clock.work("job", 1e-3 * n**2) for n in (4, 8, 16)}
    found = by_size(Timer(clock), "n", jobs, "job")
    assert [one.size for one in found] == [4, 8, 16]
    assert report.slopes(found) == {"job, over n": pytest.approx(2.0)}
    assert report.lines(found)[-1] == "  job, over n: slope 2.00"


def results(speed: float) -> dict[str, list[Measurement]]:
    rate = Measurement(name="kernel", unit="steps/s", samples=(speed, speed, 9 * speed))
    time = Measurement(name="start", unit="s", samples=(4.0 / speed,) * 3)
    peer = Measurement(
        name="peer", unit="steps/s", samples=(1.0,), peer=True, times_as_fast=speed, size=None
    )
    cost = [
        Measurement(name="cost", unit="s", samples=(float(n),), size=n, along="n") for n in (1, 2)
    ]
    return {"fake": [rate, time, peer, *cost]}


def test_what_was_measured_is_read_back() -> None:
    written = report.to_json({"cores": 2}, True, results(3.0))
    assert report.from_json(written) == results(3.0)
    table = json.loads(written)
    assert table["slopes"] == {"fake": {"cost, over n": pytest.approx(1.0)}}
    assert table["measurements"]["fake"][0]["median"] == 3.0


def test_changes_are_named() -> None:
    lines = report.compare(results(2.0), results(1.0))
    assert [line.split(":")[1].strip() for line in lines[:2]] == ["kernel", "start"]
    assert all("0.50 x as fast" in line and line.endswith("SLOWER") for line in lines[:2])
    assert all("1.00 x as fast as before" in line for line in lines[2:])
    assert report.compare(results(1.0), results(2.0))[0].endswith("faster")
    assert report.compare({}, results(2.0)) == []


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> catalogue.Benchmark:
    """The only benchmark, which needs no process of its own."""

    def measure(quick: bool, timer: Timer) -> list[Measurement]:
        return results(1.0 if quick else 2.0)["fake"]

    made = catalogue.Benchmark(name="fake", measures="nothing", peers=("peer",), run=measure)
    monkeypatch.setattr(catalogue, "NAMES", ("fake",))
    monkeypatch.setattr(catalogue, "get", lambda name: made)
    return made


def in_this_process(capsys: pytest.CaptureFixture[str], status: int = 0) -> Any:
    """Stand in for `subprocess.run`."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()  # of the runner itself
        assert runner.main(command[3:]) == 0
        return subprocess.CompletedProcess(command, status, capsys.readouterr().out)

    return run


def test_a_run_is_written_and_compared(
    fake: catalogue.Benchmark,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner.subprocess, "run", in_this_process(capsys))
    assert runner.main(["--out", str(tmp_path / "before")]) == 0
    before = tmp_path / "before" / runner.RESULTS
    assert report.from_json(before.read_text("utf-8")) == results(2.0)
    options = ["--quick", "--out", str(tmp_path / "now"), "--compare", str(before)]
    assert runner.main(options) == 0
    assert "0.50 x as fast" in capsys.readouterr().out
    assert (tmp_path / "now" / runner.FIGURE).read_text("utf-8").startswith("<?xml")


def test_a_benchmark_that_fails_is_named_and_the_rest_is_kept(
    fake: catalogue.Benchmark,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner.subprocess, "run", in_this_process(capsys, status=1))
    assert runner.main(["--out", str(tmp_path)]) == 1
    assert "fake (FAILED)" in capsys.readouterr().out
    assert not (tmp_path / runner.RESULTS).exists()


def test_the_benchmarks_are_listed(
    fake: catalogue.Benchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == ["fake", "nothing.", "Peers:", "peer."]


def test_there_is_a_module_for_each_name() -> None:
    folder = Path(catalogue.__file__).parent
    modules = {path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py")}
    assert modules == set(catalogue.NAMES)
