"""Commands about trained networks and their data: `eval`, `convert` and `download`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.chosen import LEARNED_FORMATS, trust
from engine.cli.run_options import configure_trust
from engine.cli.terminal import Interrupt, progress_line
from engine.core.errors import InputError
from engine.core.packages import require
from engine.run import replay
from engine.run.spec import RunSpec
from engine.storage import learned
from engine.storage.arrays import load_arrays
from engine.storage.files import is_file, to_json, user_path

DATA_HELP = "digits (bundled), mnist or fashion-mnist (downloaded before), or a folder of IDX files"
EVAL_DATA_HELP = f"{DATA_HELP}; without it the data it was trained on, or digits if that is gone"


def configure_eval(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `eval`."""
    parser.add_argument("model", metavar="MODEL", help="safetensors, npz, pt or onnx file")
    parser.add_argument("--data", metavar="DIR", help=EVAL_DATA_HELP)
    parser.add_argument("--json", action="store_true", help="print JSON")


def evaluate(options: argparse.Namespace) -> int:
    """Evaluate a trained network on its data, or on another set, and say on which."""
    path = _existing(options.model)
    require("torch", what="main.py eval")
    from engine.experiments.mnist import datasets, evaluation

    data = None if options.data is None else datasets.load(options.data)
    numbers = evaluation.evaluate(path, data)
    if options.json:
        print(to_json(numbers))
        return 0
    print(f"data   {numbers['data']} ({numbers['data_is']})")
    for name in ("train", "test"):
        accuracy, loss = numbers[f"{name}_accuracy"], numbers[f"{name}_loss"]
        print(f"{name:5}  accuracy {accuracy:.2%}  loss {loss:.4g}")
    print(f"gap    {100 * numbers['gap']:.2f} points")
    return 0


def configure_convert(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convert`."""
    parser.add_argument("model", metavar="MODEL", help="safetensors, npz or pt file, or checkpoint")
    parser.add_argument("to", metavar="FILE", help="what to write: its ending is .pt or .onnx")
    configure_trust(parser)


def convert(options: argparse.Namespace) -> int:
    """Write a trained network as a PyTorch state_dict or as ONNX."""
    target = user_path(options.to, "FILE")
    if target.suffix.lower() not in (".pt", ".onnx"):
        raise InputError("FILE", target.name, "give a name that ends in .pt or .onnx")
    path = _existing(options.model)
    require("torch", what="main.py convert")
    if path.suffix.lower() in LEARNED_FORMATS:
        run = _learned_of_others(path)
        if run is not None:
            if options.trust:
                trust(run)
            return _convert_learned(run, target)
    from engine.experiments.mnist import model_files, onnx_files

    model = model_files.load(path)
    if target.suffix.lower() == ".pt":
        model_files.save_state_dict(target, model)
        print(f"Written to {target}.")
        return 0
    difference = onnx_files.save_onnx(target, model)
    checked = "not checked: ONNX Runtime is not installed"
    if difference is not None:
        checked = f"ONNX Runtime's scores differ by {difference:.1e} of the largest"
    print(f"Written to {target} ({checked}).")
    return 0


def _learned_of_others(path: Path) -> RunSpec | None:
    """Return the run that goes on from learned parameters; None for those of MNIST."""
    about = load_arrays(path, "MODEL")[1]
    if about.get("experiment") in (None, "mnist"):
        return None
    return learned.to_run(learned.load_learned(path))


def _convert_learned(run: RunSpec, target: Path) -> int:
    session = replay.begin(run)
    try:
        if target.suffix.lower() not in session.experiment.model_endings:
            rule = "convert a network of mnist or of network; others have only npz and safetensors"
            raise InputError("MODEL", run.experiment, rule)
        checked = learned.save_model(session, target)
    finally:
        session.close()
    print(f"Written to {target}{f' ({checked})' if checked else ''}.")
    return 0


def configure_download(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `download`."""
    parser.add_argument("name", metavar="NAME", help="mnist or fashion-mnist")
    parser.add_argument("--to", metavar="DIR", help="folder for the files (default: the user's)")


def download(options: argparse.Namespace) -> int:
    """Fetch a data set, with progress; Ctrl+C leaves no half file."""
    from engine.experiments.mnist import datasets

    folder = None if options.to is None else user_path(options.to, "--to")
    with Interrupt() as interrupt, progress_line(sys.stderr) as show:
        found = datasets.download(
            options.name, folder, lambda done, text: show(done, text) and interrupt.go_on
        )
    print(f"The files of {options.name} are in {found}.")
    return 0


def _existing(name: str) -> Path:
    path = user_path(name, "MODEL")
    if not is_file(path, "MODEL"):
        raise InputError("MODEL", name, "give a file that exists")
    return path
