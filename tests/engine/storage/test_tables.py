"""Tables from files: what is read, and the one sentence for what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.core.errors import InputError
from engine.storage.files import FileError
from engine.storage.tables import LINE_LIMIT, read_table, read_thinned


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
    np.testing.assert_array_equal(read_table(folder / "a.npy", "target", 25).values, table)
    np.testing.assert_array_equal(read_table(folder / "a.csv", "target", 25).values, table)


@pytest.mark.parametrize(
    "text",
    [
        "1;2\n3;4",
        "1\t2\n3\t4",
        "1 2\n3 4",
        "  1   2\n 3  4 ",
        "a,b\n1,2\n3,4",
        "\ufeff1,2\n3,4",
        "1, 2\r3, 4",
        "1,2\n\n3,4\n\n",
        "# made by hand\n1,2\n  # and on\n3,4",
        "1.0D0,.2d+01\n3,4.",
        '"1","2"\n"3","4"',
        '"2019","2020"\n1,2\n3,4',
        '"a, in mm","b"\n1,2\n3,4',
        "1,0;2\n3;4,0",
        "1,0\t2\n3\t4,0",
    ],
)
def test_common_forms_of_csv(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, "utf-8")
    np.testing.assert_array_equal(read_table(tmp_path / "a.csv", "x", 9).values, [[1, 2], [3, 4]])


def cell(text, row, column):
    rule = f"give a finite number in row {row}, column {column} of a.csv."
    return f"x: {text!r} is not allowed; {rule}"


def commas(text, row, column):
    return cell(text, row, column).replace("finite number", "number without commas")


MARKS = (
    "a finite number in row 2, column 2",
    "all cells one decimal mark, unlike in row 2, column 2",
)
RAGGED = "x: '1 cells' is not allowed; give 2 cells in line 2 of a.csv, as in the others."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,2\n3,", cell("", 2, 2)),
        ("1,\n3,4", cell("", 1, 2)),
        ('"1,200.5",2\n3,4', commas("1,200.5", 1, 1)),
        ("1,200;2\n3,5;4\n1,000,000;5", commas("1,000,000", 3, 1)),
        ("1,2 3\n4 5", cell("2 3", 1, 2)),
        ("1,5;2\n3;4.5", cell("4.5", 2, 2).replace(*MARKS)),
        ('1,"2\n3,4', "x: '1,\"2' is not allowed; close all quotes in line 1 of a.csv."),
        ("1,2\n3,no", cell("no", 2, 2)),
        ("a,b\n3,no", cell("no", 2, 2)),
        ("1,2\n3,nan", cell("nan", 2, 2)),
        ("1,inf\n3,4", cell("inf", 1, 2)),
        ("1,2\n3,_0", cell("_0", 2, 2)),
        ("1,2\n3", RAGGED),
        ("", "x: 'a.csv' is not allowed; give a file with at least one row of numbers."),
        ("a,b", "x: 'a.csv' is not allowed; give a file with at least one row of numbers."),
        ("1,2,3\n" * 4, "x: 'a.csv' is not allowed; give at most 9 numbers; it has 4 rows of 3."),
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
    read = read_table(tmp_path / "a.npy", "x", 6).values
    np.testing.assert_array_equal(read, table)
    assert read.dtype == np.float64
    assert read.flags.c_contiguous
    np.save(tmp_path / "v.npy", np.arange(3.0))
    assert read_table(tmp_path / "v.npy", "x", 6).values.shape == (3, 1)
    np.save(tmp_path / "big.npy", table.astype(">i4"))
    np.testing.assert_array_equal(read_table(tmp_path / "big.npy", "x", 6).values, table)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_what_is_said_of_a_table(tmp_path, encoding):
    (tmp_path / "a.csv").write_text("größe,x\n1,2\n3,4\n5,6\n", encoding)
    table = read_table(tmp_path / "a.csv", "x", 9)
    assert table.names == ("größe", "x")
    assert table.size_in_words == "3 rows of 2 columns"
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4], [5, 6]])


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path):
    (tmp_path / "a.csv").write_text("1" * (LINE_LIMIT + 1))
    with pytest.raises(InputError, match="lines of at most"):
        read_thinned(tmp_path / "a.csv", "x", 2, 5, 10**9)


@given(st.integers(1, 40), st.integers(1, 12))
def test_rows_are_taken_at_equal_distances(tmp_path_factory, rows, most):
    path = tmp_path_factory.mktemp("thin") / "a.csv"
    path.write_text("x;y\n" + "".join(f"{i};{2 * i}\n\n# {i}\n" for i in range(rows)))
    table = read_thinned(path, "x", 2, most, 10**6)
    assert table.rows == rows and len(table.values) == min(rows, most)
    if most > 1:
        assert table.values[0, 0] == 0 and table.values[-1, 0] == rows - 1
    np.testing.assert_array_equal(table.values[:, 1], 2 * table.values[:, 0])


def quoted(text, quotes):
    return f'"{text}"' if quotes else text


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(2, 5)),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    ),
    st.sampled_from([",", ";", "\t", " "]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_numbers_come_back_whatever_parts_them(
    tmp_path_factory, table, delimiter, quotes, end, decimal_comma
):
    path = tmp_path_factory.mktemp("forms") / "a.csv"
    mark = "," if decimal_comma and delimiter in ";\t" else "."
    rows = [[quoted(repr(float(x)).replace(".", mark), quotes) for x in row] for row in table]
    rows.insert(0, [quoted(f"name {i}", True) for i in range(table.shape[1])])
    path.write_text(end.join(delimiter.join(row) for row in rows), newline="")
    read = read_table(path, "x", 25)
    np.testing.assert_array_equal(read.values, table)
    assert len(read.names) == table.shape[1]


DAMAGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)


@given(st.sampled_from(["a.csv", "b.csv", "a.npy"]), DAMAGES, st.floats(0, 1))
def test_any_damage_is_one_sentence_or_a_table(tmp_path_factory, name, damages, cut):
    path = tmp_path_factory.mktemp("damage") / name
    if name == "a.npy":
        np.save(path, np.arange(12.0).reshape(4, 3))
    else:
        text = 'x,"y, z",w\n1,-2e3,3D1\n# no\n4,"5",6\n'
        path.write_text(text, "utf-16" if name == "b.csv" else "utf-8")
    data = bytearray(path.read_bytes())
    for place, value in damages:
        data[int(place * (len(data) - 1))] = value
    path.write_bytes(data[: round(cut * len(data))])
    try:
        table = read_table(path, "x", 20)
    except (InputError, FileError) as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(table.values).all() and table.values.ndim == 2


def npy_file(path, header, version=1, data=bytes(24)):
    head = header.encode()
    size = len(head).to_bytes(2 if version == 1 else 4, "little")
    path.write_bytes(b"\x93NUMPY" + bytes((version, 0)) + size + head + data)
    return path


LIES = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }[",
    "{'descr': {}, 'fortran_order': False, 'shape': (3,), }",
    "{{}: 1, 'descr': '<f8', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",), }",
    "(" * 3000,
    "{'descr': '<f8', 'fortran_order': 2, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)*10**9, }",
    "{'descr': '<f8', 'fortran_order': False, 'descr': '<f8', 'shape': (3,), }",
    "'" * 3,
    "\x00" * 40,
    "",
]


@pytest.mark.parametrize("header", LIES)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_forged_header_is_one_sentence(tmp_path, header, version):
    path = npy_file(tmp_path / "a.npy", header, version)
    with pytest.raises(InputError, match="undamaged NPY file") as caught:
        read_table(path, "x", 100)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("length", ["3", "3L"])
def test_headers_of_all_versions_are_read(tmp_path, version, length):
    """Python 2 wrote an L behind whole numbers."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({length},), }}   \n"
    path = npy_file(tmp_path / "a.npy", header, version)
    assert read_table(path, "x", 3).values.shape == (3, 1)


def test_the_true_reason_is_named(tmp_path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
    for data, reason in ((bytes(25), "too long"), (bytes(23), "cut short")):
        with pytest.raises(InputError, match=reason):
            read_table(npy_file(tmp_path / "a.npy", header, data=data), "x", 9)
