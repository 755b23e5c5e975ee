"""What a network learns from: drawn, bundled, and the user's files, good and bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core.errors import InputError, LabError
from engine.core.params import build
from engine.experiments.network.data import files
from engine.experiments.network.data.dataset import Dataset
from engine.experiments.network.data.source import dataset_of
from engine.experiments.network.params import NetworkParams

GOOD = "a,b,y\n1,2,0\n2,1,1\n3,3,0\n4,0,1\n"


def read(path: Path, **changes: Any) -> Dataset:
    values = {"data": "file", "data_file": str(path), "held_out": 0.0, "scaling": "none", **changes}
    return dataset_of(build(NetworkParams, values))


@pytest.mark.parametrize("data", ["teacher", "moons", "spirals", "line", "sines"])
def test_drawn_samples_are_the_same_for_a_seed_and_others_for_another(data: str) -> None:
    params = build(NetworkParams, {"data": data, "points": 50})
    first = dataset_of(params)
    assert (first.count, len(first.held_inputs)) == (40, 10)
    assert dataset_of(params.model_copy(update={"data_seed": 1})).inputs[0, 0] != first.inputs[0, 0]
    again = dataset_of(params.model_copy(update={"step_size": 0.1}))
    np.testing.assert_array_equal(again.inputs, first.inputs)


def test_digits_are_the_first_ones_and_the_held_out_ones() -> None:
    found = dataset_of(build(NetworkParams, {"points": 300}))
    assert found.inputs.shape == (300, 64) and len(found.held_inputs) > 300
    assert found.inputs.mean() == pytest.approx(0.0, abs=1e-12)
    assert found.inputs.std() == pytest.approx(1.0)


def test_constant_columns_become_zero() -> None:
    inputs = np.column_stack([np.full(5, 0.1), np.arange(5.0)])
    data = Dataset(inputs, np.zeros((5, 1)), inputs, np.zeros((5, 1)))
    scaled = data.scaled("columns").inputs
    np.testing.assert_allclose(scaled[:, 0], 0.0, atol=1e-12)
    assert scaled[:, 1].std() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GOOD, "utf-8"),
        (GOOD, "utf-8-sig"),
        (GOOD, "utf-16"),
        (GOOD.replace(",", ";"), "utf-8"),
        ("1,5;2,0;0\n2,0;1,0;1\n3,0;3,0;0\n4,0;0,0;1\n", "utf-8"),
        (GOOD.replace(",", "\t").replace("\n", "\r\n"), "utf-8"),
    ],
)
def test_tables_are_read_right(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(text.encode(encoding))
    found = read(path)
    assert found.inputs.shape == (4, 2)
    np.testing.assert_array_equal(found.targets[:, 0], [0, 1, 0, 1])
    assert read(path, task="classes").classes == ("0", "1")


def test_columns_are_chosen_by_heading_and_by_number(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(GOOD)
    assert read(path, targets="A").targets[:, 0].tolist() == [1, 2, 3, 4]
    several = read(path, targets="2, y")
    assert several.inputs.shape == (4, 1) and several.targets.shape == (4, 2)


def test_arrays_x_and_y_are_read(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, x=np.arange(24).reshape(6, 2, 2), y=np.arange(6))
    found = read(path, held_out=0.5)
    assert found.inputs.shape == (3, 4) and found.held_targets.shape == (3, 1)


BAD = {
    "a hole": ("1,2,0\n1,,1\n", {}, "data_file"),
    "a text": ("1,2,0\n1,two,1\n", {}, "data_file"),
    "ragged": ("1,2,0\n1,2\n", {}, "data_file"),
    "empty": ("", {}, "data_file"),
    "headings alone": ("a,b,y\n", {}, "data_file"),
    "one row": ("1,2,3\n", {}, "data_file"),
    "one column": ("1\n2\n3\n", {}, "data_file"),
    "no such column": (GOOD, {"targets": "z"}, "targets"),
    "column 0": (GOOD, {"targets": "0"}, "targets"),
    "no inputs left": (GOOD, {"targets": "1, 2, 3"}, "targets"),
    "one class only": ("1,2,7\n2,3,7\n", {"task": "classes"}, "targets"),
    "a hole among texts": ("1,2,a\n2,3,\n3,1,b\n", {"task": "classes"}, "data_file"),
    "no number among texts": ("1,2,a\n2,3,nan\n3,1,b\n", {"task": "classes"}, "data_file"),
    "a text among inputs": ("1,2,a\n2,two,b\n3,1,b\n", {"task": "classes"}, "data_file"),
    "one text only": ("1,2,a\n2,3,a\n", {"task": "classes"}, "targets"),
    "two columns of classes": (GOOD, {"task": "classes", "targets": "1, 2"}, "targets"),
    "far too large": ("1,2,0\n1e300,2,1\n", {}, "data_file"),
    "two decimal marks": ("1,5;2.5;0\n2;1;1\n", {}, "data_file"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    text, changes, field = BAD[name]
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InputError) as found:
        read(path, **changes)
    assert found.value.field == field and "\n" not in str(found.value)


def test_very_many_classes_are_a_regression(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("".join(f"{i},{i * 0.1}\n" for i in range(200)))
    with pytest.raises(InputError, match="regression"):
        read(path, task="classes")


def test_ten_million_rows_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"1,2\n")
        file.truncate(10**9)  # a hole of zeros, which takes no room
    with pytest.raises(InputError, match="at most"):
        read(path)


def test_many_short_rows_are_counted_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As 10⁷ rows of 4 bytes are, which the size of the file does not give away."""
    monkeypatch.setattr(files, "MOST_NUMBERS", 1000)
    path = tmp_path / "long.csv"
    path.write_text("a,y\n" + "1,2\n" * 500)
    assert read(path, held_out=0.0).count == 500
    path.write_text("a,y\n" + "1,2\n" * 400 + "no,number\n" + "1,2\n" * 400)
    with pytest.raises(InputError, match="801 rows of 2"):
        read(path)


@pytest.mark.parametrize("arrays", [{"x": [[1.0]]}, {"x": [[1.0], [2.0]], "y": [1.0]}])
def test_npz_files_without_matching_arrays_are_refused(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, **{name: np.array(values) for name, values in arrays.items()})
    with pytest.raises(InputError, match="data_file"):
        read(path)


@pytest.mark.parametrize("name", ["", "nowhere.csv", "folder", "own.xlsx", "own.npz"])
def test_files_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "own.xlsx").write_bytes(b"PK")
    (tmp_path / "own.npz").write_bytes(b"PK")
    with pytest.raises(LabError) as found:
        read(tmp_path / name if name else Path(""))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("column", "names", "places"),
    [
        ("b a c b", ("a", "b", "c"), [1, 0, 2, 1]),
        ("2 ten ten 1", ("1", "2", "ten"), [1, 2, 2, 0]),
        ("10 9 9 10", ("9", "10"), [1, 0, 0, 1]),
    ],
)
def test_texts_are_classes_in_sorted_order_and_numbers_by_size(
    tmp_path: Path, column: str, names: tuple[str, ...], places: list[int]
) -> None:
    path = tmp_path / "own.csv"
    path.write_text("x,y,kind\n" + "".join(f"{i},1,{c}\n" for i, c in enumerate(column.split())))
    found = read(path, task="classes")
    assert found.classes == names and found.targets.tolist() == places
    assert found.inputs[:, 0].tolist() == [0, 1, 2, 3]
    if any(name.isalpha() for name in names):
        with pytest.raises(InputError, match="finite number"):
            read(path)
