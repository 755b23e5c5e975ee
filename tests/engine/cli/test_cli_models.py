"""Trained networks on the command line: evaluated, converted, refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.cli import commands as cli
from engine.core.params import update
from engine.core.registry import get
from engine.experiments.mnist import datasets, model_files
from engine.experiments.mnist.datasets import FILES
from engine.run.session import Session
from engine.storage.learned import load_learned, save_learned


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "digits"
    command = f"run mnist --preset tiny --steps 60 --figures none --model safetensors --out {out}"
    assert cli.main(command.split()) == cli.DONE
    (found,) = out.glob("*.safetensors")
    return found


def test_a_model_is_evaluated_and_converted(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["eval", str(model), "--json"]) == cli.DONE
    direct = json.loads(capsys.readouterr().out)
    assert direct["test_accuracy"] > 0.8
    for ending in ("pt", "onnx"):
        target = tmp_path / f"model.{ending}"
        assert cli.main(["convert", str(model), str(target)]) == cli.DONE
        capsys.readouterr()
        assert cli.main(["eval", str(target), "--json"]) == cli.DONE
        again = json.loads(capsys.readouterr().out)
        assert again["test_accuracy"] == pytest.approx(direct["test_accuracy"], abs=0.003)
        for key in ("data", "seed", "step", "settings"):
            assert again["about"][key] == direct["about"][key]
    assert cli.main(["eval", str(model)]) == cli.DONE
    said = capsys.readouterr().out
    assert "gap" in said
    assert said.startswith("data   digits (the data it was trained on)\n")


def test_a_model_is_evaluated_on_the_data_it_was_trained_on(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    digits = datasets.load("digits")
    sets = (
        digits.train_images[:500],
        digits.train_labels[:500],
        digits.test_images[:100],
        digits.test_labels[:100],
    )
    for name, values in zip(FILES.values(), sets, strict=True):
        header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
        (own / name).write_bytes(header + values.tobytes())
    stored = load_learned(model)
    run = replace(stored.run, params=update(stored.run.params, data=str(own)))
    found = Session(get("mnist"), run.params, run.seed, stored.arrays)
    save_learned(found, tmp_path / "own.safetensors")
    one = model_files.load(tmp_path / "own.safetensors")
    model_files.save_state_dict(tmp_path / "own.pt", one)
    found.close()
    capsys.readouterr()
    for name in ("own.safetensors", "own.pt"):
        assert cli.main(["eval", str(tmp_path / name)]) == cli.DONE
        assert "data   own (the data it was trained on)" in capsys.readouterr().out
        assert cli.main(["eval", str(tmp_path / name), "--data", "digits"]) == cli.DONE
        assert "data   digits (as asked for)" in capsys.readouterr().out
    shutil.rmtree(own)
    assert cli.main(["eval", str(tmp_path / "own.pt")]) == cli.DONE
    said = capsys.readouterr().out
    assert said.startswith("data   digits (bundled; ")
    assert "which it was trained on, cannot be read here" in said


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("eval nothing.safetensors", "MODEL: 'nothing.safetensors' is not allowed"),
        ("eval {model} --data /nowhere", "data: '/nowhere' is not allowed"),
        ("convert {model} model.txt", "FILE: 'model.txt' is not allowed"),
        ("download cifar", "download: 'cifar' is not allowed; give one of mnist, fashion-mnist."),
    ],
)
def test_bad_input_is_one_sentence(
    command: str, sentence: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.main(command.format(model=model).split()) == cli.BAD_INPUT
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
