"""Frames, memory, age and numbers as short texts."""

from __future__ import annotations

import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from engine.text.numbers import duration, memory, rate, whole
from gui.run import process
from gui.run.frames import KEPT, CostMeter, FrameMeter


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_frames_are_timed() -> None:
    clock = _Clock()
    meter = FrameMeter(clock)
    assert meter.percentile(99) is None
    assert meter.frames_per_second() is None
    for _ in range(101):
        meter.tick()
        clock.now += 0.02
    assert meter.count == 100
    assert meter.frames_per_second() == pytest.approx(50)
    assert meter.percentile(50) == pytest.approx(0.02)


def test_one_slow_frame_is_the_maximum() -> None:
    clock = _Clock()
    meter = FrameMeter(clock)
    for index in range(100):
        meter.tick()
        clock.now += 0.5 if index == 50 else 0.01
    assert meter.percentile(100) == pytest.approx(0.5)
    assert meter.percentile(50) == pytest.approx(0.01)


def test_a_pause_is_no_slow_frame() -> None:
    clock = _Clock()
    meter = FrameMeter(clock)
    for pause in (False, True):
        for _ in range(10):
            meter.tick()
            clock.now += 0.01
        if not pause:
            meter.pause()
            clock.now += 100
    assert meter.percentile(100) == pytest.approx(0.01)


def test_the_cost_of_a_picture_is_learned_without_what_a_pause_took() -> None:
    clock = _Clock()
    meter = CostMeter(clock)
    for _ in range(60):
        meter.tick()
        clock.now += 0.02
    assert meter.seconds == pytest.approx(0.02, rel=1e-6)
    meter.pause()
    clock.now += 100
    meter.tick()
    assert meter.seconds == pytest.approx(0.02, rel=1e-6)
    clock.now += 0.12
    meter.tick()
    assert 0.02 < meter.seconds < 0.12


def test_old_frames_are_forgotten() -> None:
    clock = _Clock()
    meter = FrameMeter(clock)
    for index in range(3 * KEPT):
        meter.tick()
        clock.now += 1.0 if index < KEPT else 0.01
    assert meter.percentile(100) == pytest.approx(0.01)
    meter.clear()
    assert meter.count == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1\u2009000"), (12345678, "12\u2009345\u2009678")],
)
def test_counts(number: int, text: str) -> None:
    assert whole(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "—"),
        (float("inf"), "—"),
        (3.0, "3"),
        (999.9, "1\u2009k"),
        (31_400_000, "31.4\u2009M"),
        (60, "60"),
    ],
)
def test_rates(value: float, text: str) -> None:
    assert rate(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (42, "42 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_memory_text() -> None:
    assert memory(143_000_000) == "143 MB"
    assert memory(2_340_000_000) == "2.34 GB"


def test_memory_is_seen_to_grow() -> None:
    before = process.held_bytes()
    ballast = bytearray(80_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    after = process.held_bytes()
    assert before is not None and after is not None
    assert after - before > 50_000_000
    assert len(ballast) == 80_000_000


def test_files_that_are_only_read_are_not_held(tmp_path: Path) -> None:
    """Memory that a file backs can be had back at any time, and is not in the status bar."""
    path = tmp_path / "large"
    path.write_bytes(bytes(80_000_000))
    before, before_with_files = process.held_bytes(), process.resident_bytes()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        assert sum(pages[::4096]) == 0
        after, after_with_files = process.held_bytes(), process.resident_bytes()
    assert before is not None and after is not None
    assert before_with_files is not None and after_with_files is not None
    assert after_with_files - before_with_files > 50_000_000
    if sys.platform == "linux":
        assert after - before < 10_000_000


def test_age_counts_from_the_start_of_the_process() -> None:
    code = (
        "import time; begin = time.perf_counter();"
        "from gui.run.process import seconds_since_start as age;"
        "first = age(); time.sleep(0.1); second = age();"
        "print(first >= 0, second - first >= 0.08)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
