"""Tables from files: what is read, and the one sentence for what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.core.errors import InputError
from engine.storage.tables import read_table


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 5)),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_both_formats_return_what_was_written(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("table")
    np.save(folder / "a.npy", table)
    lines = [",".join(repr(float(x)) for x in row) for row in table]
    (folder / "a.csv").write_text("\n".join(lines) + "\n\n", "utf-8")
    np.testing.assert_array_equal(read_table(folder / "a.npy", "target", 25), table)
    np.testing.assert_array_equal(read_table(folder / "a.csv", "target", 25), table)


@pytest.mark.parametrize(
    "text", ["1;2\n3;4", "1\t2\n3\t4", "1 2\n3 4", "a,b\n1,2\n3,4", "\ufeff1,2\n3,4"]
)
def test_common_forms_of_csv(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, "utf-8")
    np.testing.assert_array_equal(read_table(tmp_path / "a.csv", "x", 9), [[1, 2], [3, 4]])


def cell(text, row, column):
    rule = f"give a finite number in row {row}, column {column} of a.csv."
    return f"x: {text!r} is not allowed; {rule}"


RAGGED = "x: '1 cells' is not allowed; give 2 cells in line 2 of a.csv, as in the others."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,2\n3,", cell("", 2, 2)),
        ("1,\n3,4", cell("", 1, 2)),
        ("1,2\n\n3,4", RAGGED),
        ("1,2\n3,no", cell("no", 2, 2)),
        ("a,b\n3,no", cell("no", 2, 2)),
        ("1,2\n3,nan", cell("nan", 2, 2)),
        ("1,inf\n3,4", cell("inf", 1, 2)),
        ("1,2\n3,_0", cell("_0", 2, 2)),
        ("1,2\n3", RAGGED),
        ("", "x: 'a.csv' is not allowed; give a file with at least one row of numbers."),
        ("a,b", "x: 'a.csv' is not allowed; give a file with at least one row of numbers."),
        ("1,2,3\n" * 4, "x: 'a.csv' is not allowed; give at most 9 numbers, it holds 12."),
        ("1,2\n" * 99, "x: 'a.csv' is not allowed; give at most 9 numbers in at most 288 bytes."),
    ],
)
def test_bad_csv_gets_one_sentence(tmp_path, text, sentence):
    (tmp_path / "a.csv").write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / "a.csv", "x", 9)
    assert str(caught.value) == sentence


def test_bad_files_get_one_sentence(tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"1,\xff")
    (tmp_path / "a.npy").write_bytes(b"nothing")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.ones((2, 2, 2)))
    np.save(tmp_path / "complex.npy", np.ones((2, 2), complex))
    np.save(tmp_path / "nan.npy", np.array([[1.0, np.nan]]))
    np.save(tmp_path / "short.npy", np.ones((3, 3)))
    data = (tmp_path / "short.npy").read_bytes()
    (tmp_path / "short.npy").write_bytes(data[:-8])
    for name in (
        "latin.csv",
        "a.npy",
        "objects.npy",
        "cube.npy",
        "complex.npy",
        "nan.npy",
        "short.npy",
        "none.npy",
        "none.csv",
        "table.xlsx",
    ):
        with pytest.raises(InputError, match=r"^x: .* is not allowed; .*\.$"):
            read_table(tmp_path / name, "x", 100)


def test_a_hundred_million_entries_are_refused_from_the_header(tmp_path):
    path = tmp_path / "huge.npy"
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10_000, 10_000)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 8 * 10**8)  # sparse: takes no room
    with pytest.raises(InputError, match="it holds 100\u2009000\u2009000"):
        read_table(path, "target", 4096)
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(2 * 10**8)
    with pytest.raises(InputError, match="at most 4\u2009096 numbers"):
        read_table(path, "target", 4096)


def test_fortran_order_and_integers_are_read(tmp_path):
    table = np.asfortranarray(np.arange(6).reshape(2, 3))
    np.save(tmp_path / "a.npy", table)
    read = read_table(tmp_path / "a.npy", "x", 6)
    np.testing.assert_array_equal(read, table)
    assert read.dtype == np.float64
    assert read.flags.c_contiguous
    np.save(tmp_path / "v.npy", np.arange(3.0))
    assert read_table(tmp_path / "v.npy", "x", 6).shape == (3, 1)
