"""A module of the user's own: executed only where it is trusted, and trained like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.cli.commands import main
from engine.core.errors import InputError
from engine.core.params import build
from engine.core.paths import resource
from engine.experiments.network.experiment import Network
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.pictures import answers
from engine.experiments.network.problem import problem_of
from engine.experiments.network.sharpness import look
from engine.maps.catalogue import offered
from engine.run import inputs
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage import runfile, user_code

SMALL: dict[str, Any] = {"data": "moons", "points": 40, "noise": 0.1}
LINEAR = "import torch\ndef make(inputs, outputs):\n    return torch.nn.Linear(inputs, outputs)\n"
TANH = """
import torch
from torch import nn

def make():
    return nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 2))
"""


def written(folder: Path, text: str, *, trusted: bool = True) -> Path:
    path = folder / "own.py"
    path.write_text(text)
    if trusted:
        user_code.trust(user_code.read(path, "module_file"))
    return path


def params_of(path: Path, **changes: Any) -> NetworkParams:
    values = {**SMALL, "form": "module", "module_file": str(path), **changes}
    return build(NetworkParams, values)


def test_the_example_is_trained(tmp_path: Path) -> None:
    text = resource("examples/own_module.py").read_text("utf-8")
    assert 36 <= len(text.splitlines()) <= 44  # it says that it has forty
    path = written(tmp_path, text)
    network = Network()
    state = network.init(params_of(path, step_size=0.5, sharpness_every=5), 0)
    after, chunk = network.advance(state, 10)
    assert after.step == 10 and chunk.high["loss"][-1] < chunk.low["loss"][0]
    assert network.theory(after.params, after)[0].measured is not None


def test_nothing_is_executed_without_trust(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    text = f"open({str(marker)!r}, 'w').close()\n" + LINEAR
    path = written(tmp_path, text, trusted=False)
    network, params = Network(), params_of(path)
    run = RunSpec(experiment="network", params=params, sha256=inputs.fingerprints(network, params))
    runfile.save(tmp_path / "run.toml", run)
    assert runfile.load(tmp_path / "run.toml").sha256["module_file"] == run.sha256["module_file"]
    assert network.code_files(params) == {"module_file": path}
    network.views(params)
    network.theory(params, None)
    with pytest.raises(user_code.UntrustedError, match="--trust"):
        network.init(params, 0)
    with pytest.raises(user_code.UntrustedError):
        network.ensemble(params, 0, 1, lambda done, text: True)
    out = str(tmp_path / "out")
    assert main(["run", str(tmp_path / "run.toml"), "--out", out]) == 2
    assert main(["run", "network", "--module", f"{path}:make", "--out", out]) == 2
    assert not marker.exists()


def test_trust_is_for_what_the_file_holds(tmp_path: Path) -> None:
    path = written(tmp_path, LINEAR)
    Network().init(params_of(path), 0)
    path.write_text(LINEAR + "# changed\n")
    with pytest.raises(user_code.UntrustedError):
        Network().init(params_of(path), 0)


def test_the_command_trains_a_trusted_module(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, TANH, trusted=False)
    small = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    words = ["run", "network", "--module", f"{path}:make", "--trust", *small, "--steps", "3"]
    out = tmp_path / "out"
    assert main([*words, "--figures", "none", "--model", "pt", "--out", str(out)]) == 0
    capsys.readouterr()
    saved = runfile.load(out)
    assert saved.sha256["module_file"] == user_code.read(path, "module_file").sha256
    module = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    module.load_state_dict(torch.load(out / "learned.pt", weights_only=True))
    again = params_of(path, start="file", start_file=str(out / "learned.pt"))
    weights = Network().init(again, 0).weights
    flat = torch.cat([each.detach().reshape(-1) for each in module.parameters()])
    np.testing.assert_array_equal(weights, flat.numpy())
    path.write_text(TANH + "\n")
    assert main(["run", str(out), "--trust", "--out", str(tmp_path / "again")]) == 2
    assert "changed since" in capsys.readouterr().err


BROKEN = {
    "syntax": ("def make(:\n    pass\n", "module_file", "line 1"),
    "import": ("\nimport nowhere_to_be_found\n", "module_file", "line 2"),
    "exit": ("raise SystemExit(3)\n", "module_file", "line 1"),
    "no exception": ("raise BaseException('odd')\n", "module_file", "line 1"),
    "mute": (
        "class Mute(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Mute\n",
        "module_file",
        "line 4",
    ),
    "no names": ("def __getattr__(name):\n    raise KeyError(name)\n", "module_file", "line 2"),
    "in make": ("def make():\n    return 1 / 0\n", "module_file", "line 2"),
    "no module": ("def make():\n    return 7\n", "module_function", "not of int"),
    "no function": ("made = 1\n", "module_function", "defines"),
    "no weights": ("import torch\nmake = torch.nn.Tanh\n", "module_function", "parameters"),
    "shape": (
        "import torch\ndef make():\n    return torch.nn.Linear(2, 3)\n",
        "module_function",
        "outputs of shape",
    ),
    "in forward": (
        TANH.replace("nn.Tanh()", "Own()")
        + "\nclass Own(nn.Module):\n    def forward(self, x):\n        return x.nothing\n",
        "module_file",
        "line 10",
    ),
    "dropout": (TANH.replace("nn.Tanh()", "nn.Dropout(0.5)"), "module_function", "dropout"),
    "statistics": (TANH.replace("nn.Tanh()", "nn.BatchNorm1d(5)"), "module_function", "running"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_errors_of_the_file_are_one_sentence_with_its_line(tmp_path: Path, name: str) -> None:
    text, field, words = BROKEN[name]
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=words) as found:
        Network().init(params_of(path), 0)
    assert found.value.field == field and "\n" not in str(found.value)
    assert "own.py" in str(found.value)


def test_an_error_on_the_way_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    text = (
        "import torch\nclass Own(torch.nn.Linear):\n    def forward(self, x):\n"
        "        if len(x) != 4:\n            raise KeyError('late')\n"
        "        return super().forward(x)\n"
        "def make(inputs, outputs):\n    return Own(inputs, outputs)\n"
    )
    path = written(tmp_path, text)
    with pytest.raises(user_code.UserCodeError, match=r"line 5 of own\.py \(KeyError: 'late'\)"):
        Network().init(params_of(path), 0)


def test_a_module_is_the_network_that_it_builds(tmp_path: Path) -> None:
    """Steps, limits and eigenvalues are those of the same dense network of the program."""
    path = written(tmp_path, TANH)
    shared: dict[str, Any] = {"precision": "float64", "sharpness_every": 2, "eigenvalues": 3}
    own = Network().init(params_of(path, **shared), 3)
    values = {**SMALL, **shared, "depth": 2, "width": 5}
    dense = Network().init(build(NetworkParams, values), 0)
    names = {"0.weight": "W1", "0.bias": "b1", "2.weight": "W2", "2.bias": "b2"}
    arrays = {names[name]: part for name, part in Network().arrays(own).items()}
    dense = Network().with_arrays(dense, arrays)
    (own, rows), (dense, expected) = (Network().advance(each, 6) for each in (own, dense))
    for key in ("loss", "held_loss", "sharpness", "eigenvalues", "limit", "layer_norms"):
        np.testing.assert_allclose(rows.high[key], expected.high[key], rtol=1e-7)


def test_an_ensemble_draws_each_seed_and_steps_back_have_the_same_bits(tmp_path: Path) -> None:
    path = written(tmp_path, TANH)
    params = params_of(path, ensemble=2, step_sizes=(0.1, 0.2))
    made = Network().ensemble(params, 4, 5, lambda done, text: True)
    alone = Network().advance(Network().init(params_of(path, step_size=0.2), 5), 5)[0]
    assert made.columns["seed"] == [4, 5, 4, 5] and set(made.columns["depth"]) == {2}
    loss = Network().record(alone)["loss"]
    assert made.columns["loss"][3] == pytest.approx(float(loss), rel=1e-5)
    assert Network().init(params, 4).weights[0] != Network().init(params, 5).weights[0]
    session = Session(Network(), params_of(path, step_size=0.2), 5)
    session.advance(5)
    np.testing.assert_array_equal(session.state.weights, alone.weights)
    early = Network().advance(Network().init(alone.params, 5), 2)[0]
    np.testing.assert_array_equal(session.state_at(2).weights, early.weights)
    session.close()


def test_networks_that_cannot_be_mapped_over_are_trained_one_by_one(tmp_path: Path) -> None:
    text = (
        "import torch\nclass Own(torch.nn.Linear):\n    def forward(self, x):\n"
        "        made = super().forward(x)\n"
        "        return made if float(made.detach().sum()) > -1e9 else x\n"
        "def make(inputs, outputs):\n    return Own(inputs, outputs)\n"
    )
    path = written(tmp_path, text)
    made = Network().ensemble(params_of(path, ensemble=2), 0, 3, lambda done, text: True)
    assert not made.cancelled


def test_a_module_that_is_linear_in_its_weights_has_the_hessian_of_its_loss(tmp_path: Path) -> None:
    path = written(tmp_path, LINEAR)
    params = params_of(path, precision="float64", scaling="none", held_out=0.0)
    problem = problem_of(params)
    weights = problem.begin(params, 0)
    found = look(problem, params, weights, np.zeros((0, len(weights))), 0, None, 1.0)
    x = np.column_stack([problem.data.inputs, np.ones(problem.data.count)])
    top = np.linalg.eigvalsh(x.T @ x / len(x))[-1]
    assert found is not None and found.eigenvalues[0] == pytest.approx(top, rel=1e-8)


@pytest.mark.parametrize("start", ["he", "identity"])
def test_other_starts_and_depths_are_refused(tmp_path: Path, start: str) -> None:
    path = written(tmp_path, LINEAR)
    with pytest.raises(InputError, match="standard, file"):
        params_of(path, start=start)
    with pytest.raises(InputError, match="depth"):
        params = params_of(path, ensemble=2, depths=(2.0,))
        Network().ensemble(params, 0, 1, lambda done, text: True)


def test_a_module_is_written_as_onnx(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    network = Network()
    state = network.init(params_of(written(tmp_path, TANH), scaling="columns"), 0)
    state, _ = network.advance(state, 3)
    said = network.save_model(state, tmp_path / "own.onnx")
    assert "ONNX Runtime" in said
    session = runtime.InferenceSession(str(tmp_path / "own.onnx"))
    data = state.problem.data
    samples = (data.inputs[:7] * data.divisor + data.shift).astype(np.float32)
    (made,) = session.run(None, {"inputs": samples})
    np.testing.assert_allclose(made, answers(state, data.inputs[:7]), rtol=1e-4, atol=1e-5)
    assert session.get_modelmeta().custom_metadata_map["step"] == "3"


ODD = """
import torch
class Odd(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()
    @staticmethod
    def backward(ctx, g):
        return g
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(2, 2)
    def forward(self, x):
        return torch.linalg.matrix_exp(torch.diag_embed(self.a(x))).diagonal(dim1=1, dim2=2)
def make():
    return Net()
"""


def test_a_module_that_torch_cannot_write_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra onnx")
    network = Network()
    state = network.init(params_of(written(tmp_path, ODD), sharpness_every=0), 0)
    with pytest.raises(InputError, match="state_dict") as refused:
        network.save_model(state, tmp_path / "own.onnx")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "own.onnx").exists()


def test_maps_are_offered_of_a_trusted_module_alone(tmp_path: Path) -> None:
    def kinds(path: Path) -> set[str]:
        return {each.id for each in offered("network", params_of(path), 0)}

    path = written(tmp_path, TANH, trusted=False)
    assert kinds(path) == kinds(tmp_path / "absent.py") == set()
    assert kinds(written(tmp_path, TANH)) == {"trainability"}


def test_a_trusted_module_is_in_maps_of_this_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, TANH, trusted=False)
    small = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    axes = ["--x", "step_size=0.1:10:3:log", "--y", "start_scale=0.5:1:2", "--steps", "4"]
    words = ["map", "trainability", "network", "--module", f"{path}:make", *small, *axes]
    out = tmp_path / "map"
    asked = [*words, "--figures", "none", "--out", str(out)]
    assert main(asked) == 2
    assert "--trust" in capsys.readouterr().err and not out.exists()
    assert main([*asked, "--trust", "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "this process alone" in capsys.readouterr().err
    assert main([*asked, "--trust"]) == 0
    with np.load(out / "map.npz") as arrays:
        errors = arrays["error"]
    network = Network()
    for x, y in ((0, 0), (2, 1)):
        step_size = float(np.sqrt(np.geomspace(0.1, 10, 4)[x] * np.geomspace(0.1, 10, 4)[x + 1]))
        params = params_of(path, step_size=step_size, start_scale=(0.625, 0.875)[y])
        _, chunk = network.advance(network.init(params, 0), 4)
        assert errors[y, x] == pytest.approx(chunk.low["loss"][-1], rel=1e-6)
