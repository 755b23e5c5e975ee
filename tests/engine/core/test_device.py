"""Devices that a machine lacks: refused where they are asked for, left where a file has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.cli import commands as cli
from engine.core.device import DEVICES, choose, explain_memory, is_there
from engine.core.errors import InputError, LabError
from engine.core.params import build
from engine.core.registry import get
from engine.run import replay
from engine.run.spec import RunSpec
from engine.storage import runfile

NOTICE = "This machine has no CUDA device: the run is made on the CPU."
TINY = {"width": 2, "depth": 2, "hessian_count": 0}


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def run_of(experiment: str, **values: object) -> RunSpec:
    return RunSpec(experiment=experiment, params=build(get(experiment).parameters, values), steps=4)


@pytest.mark.usefixtures("no_gpu")
def test_a_missing_device_is_one_sentence_with_what_is_allowed() -> None:
    assert [name for name in DEVICES if is_there(name)] == ["auto", "cpu"]
    assert choose("auto") == choose("cpu") == torch.device("cpu")
    with pytest.raises(InputError) as caught:
        choose("cuda")
    expected = (
        "device: 'cuda' is not allowed; give auto or cpu, as this machine has no CUDA device."
    )
    assert str(caught.value) == expected
    with pytest.raises(InputError, match="give cpu, as this machine has no CUDA device"):
        choose("cuda", ("cpu", "cuda"))
    with pytest.raises(InputError, match="no MPS device"):
        choose("mps")


def test_a_device_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose("cuda", ("cpu", "cuda")) == choose("auto") == torch.device("cuda")
    run = run_of("matrix-product", device="cuda", **TINY)
    assert replay.on_this_machine(run) == (run, "")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("experiment", ["matrix-product", "double-matrix", "mnist"])
def test_a_run_from_another_machine_moves_to_the_cpu(experiment: str) -> None:
    run = run_of(experiment, device="cuda")
    moved, notice = replay.on_this_machine(run)
    assert notice == NOTICE
    assert moved.params.model_dump() == {**run.params.model_dump(), "device": "cpu"}
    assert replay.on_this_machine(moved) == (moved, "")


def test_experiments_without_a_device_are_left_alone() -> None:
    run = run_of("scalar-product")
    assert replay.on_this_machine(run) == (run, "")


@pytest.mark.usefixtures("no_gpu")
def test_a_file_runs_where_its_device_is_missing_but_an_option_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "run.toml", tmp_path / "out"
    runfile.save(path, run_of("matrix-product", device="cuda", ensemble=3, **TINY))
    command = ["run", str(path), "--out", str(out), "--figures", "none"]
    assert cli.main(command) == cli.DONE
    assert capsys.readouterr().err == f"{NOTICE}\n"
    assert json.loads((out / "run.json").read_text())["params"]["device"] == "cpu"
    for option in (["--device", "cuda"], ["--set", "device=cuda"]):
        assert cli.main([*command, *option]) == cli.BAD_INPUT
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "give cpu, as this machine has no CUDA device" in said


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (MemoryError(), "The memory is too small"),
        (torch.OutOfMemoryError("CUDA out of memory."), "The GPU's memory is too small"),
        (RuntimeError("DefaultCPUAllocator: not enough memory"), "The memory is too small"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when"), "The memory is too small"),
    ],
)
def test_memory_that_runs_out_is_one_sentence(error: Exception, begins: str) -> None:
    with pytest.raises(LabError) as caught, explain_memory("give a smaller depth", "this"):
        raise error
    assert str(caught.value) == f"{begins} for this: give a smaller depth."
    with pytest.raises(RuntimeError, match="shape"), explain_memory("give a smaller depth"):
        raise RuntimeError("wrong shape")
