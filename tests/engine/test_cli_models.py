"""Trained networks on the command line: evaluated, converted, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import cli


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
    assert cli.main(["eval", str(model)]) == cli.DONE
    assert "gap" in capsys.readouterr().out


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
