"""A long run of a report goes on from its checkpoint, to the same findings."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from engine.experiments.mnist import checkpoints
from engine.reproduce import making
from engine.reproduce.carry import Options, carry_out
from engine.reproduce.catalogue import study
from engine.reproduce.findings import Findings
from engine.reproduce.study import Check, RunPlan, Study

TINY = {"filters": 1, "width": 1, "depth": 1, "batch_size": 720, "epochs": 6}
STUDY = Study(
    id="tiny",
    title="A tiny network",
    section="nowhere",
    says="It learns.",
    run=(RunPlan(experiment="mnist", params=TINY, claims=("biases-move-little",)),),
    check=(Check(what="gap", value="run.final.gap", at_most=100.0),),
)


class Stop(threading.Event):
    """Is set when there is a checkpoint in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def is_set(self) -> bool:
        return any(self.folder.glob("*/step-*.safetensors"))


def found(folder: str, stop: threading.Event) -> Findings | None:
    findings = carry_out(Options(keep=folder, pictures=False), STUDY, stop)
    return None if findings is None else dataclasses.replace(findings, seconds=0.0)


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SHORT_EPOCH_SECONDS", -1.0)
    whole = found("", threading.Event())
    assert whole is not None and not whole.error and not list(tmp_path.iterdir())
    assert found(str(tmp_path), Stop(tmp_path)) is None
    (kept,) = tmp_path.glob("tiny-run-*")
    assert list(kept.glob("step-*"))
    (text,) = [run.file for run in whole.runs]
    assert "resume = false" in text and str(tmp_path) not in text
    resumed = found(str(tmp_path), threading.Event())
    assert resumed == whole
    assert not list(tmp_path.iterdir())  # nothing needs it any more


def test_a_failure_does_not_keep_what_may_be_at_fault(tmp_path: Path) -> None:
    bad = STUDY.model_copy(update={"check": (Check(what="x", value="run.nothing", equals=1),)})
    findings = carry_out(Options(keep=str(tmp_path), pictures=False), bad, threading.Event())
    assert findings is not None and "nothing" in findings.error
    assert not list(tmp_path.iterdir())


def test_the_share_done_goes_on_while_a_long_study_is_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(making.time, "monotonic", lambda: now[0])
    clock = making._Clock({"long": 80.0, "a": 10.0, "b": 10.0}, 2)
    shares = []
    for seconds, done in ((10, "a"), (10, "b"), (20, None), (20, "long")):
        now[0] += seconds
        clock.share()
        if done:
            clock.done(done)
        shares.append(clock.share())
    assert shares == pytest.approx([0.2, 0.4, 0.8, 1.0])


def test_the_seconds_of_a_study_count_the_data_that_were_asked_for() -> None:
    figure = study("reproduce", "figure-5")
    without = making._seconds(figure, Options())
    assert making._seconds(figure, Options(data="mnist")) > 10 * without
    assert making._seconds(figure, Options(data="mnist", quick=True)) > figure.seconds
