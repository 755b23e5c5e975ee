"""The points that are fitted: shapes, typed functions, drawn points and files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.experiments.piecewise_fit import samples


def test_the_function_of_figure_4():
    found = samples.of_shape("figure 4", 101)
    slopes = np.diff(found.y) / np.diff(found.x)
    x = 0.5 * (found.x[1:] + found.x[:-1])
    expected = np.select([x < 0.3, x < 0.5, x < 0.7], [1.0, -2.0, 1.0], -1.0)
    np.testing.assert_allclose(slopes, expected, atol=1e-12)
    assert found.y[0] == 0
    assert found.lipschitz == pytest.approx(2.0)


@pytest.mark.parametrize("shape", samples.SHAPES)
def test_shapes_cover_the_unit_interval(shape):
    found = samples.of_shape(shape, 50)
    assert (found.x[0], found.x[-1], found.x.size) == (0, 1, 50)
    steepest = np.abs(np.diff(found.y) / np.diff(found.x)).max()
    assert steepest <= found.lipschitz * (1 + 1e-9)
    if shape == "convex":
        assert (np.diff(found.y, 2) > 0).all()


def test_typed_functions():
    found = samples.of_expression("sin(2*pi*x)", 11)
    np.testing.assert_allclose(found.y, np.sin(2 * np.pi * found.x), atol=1e-15)
    assert found.lipschitz == pytest.approx(2 * np.pi, rel=1e-12)
    for text, reason in (
        ("1/x", "unlike at 0"),
        ("log(x - 0.5)", "unlike at 0"),
        ("1e9*x", "unlike at 1"),
        ("x*y", "'y' is not known"),
    ):
        with pytest.raises(InputError, match=reason):
            samples.of_expression(text, 11)


@given(st.floats(0.5, 60.0), st.floats(-3.0, 3.0))
def test_the_lipschitz_constant_is_the_supremum_of_the_slope(rate, shift):
    """sin(ax + b) is steepest where ax + b is a multiple of pi, or else at an end."""
    text = f"sin({rate!r}*x + {shift!r})" if shift >= 0 else f"sin({rate!r}*x - {-shift!r})"
    found = samples.of_expression(text, 21)
    inside = np.floor((rate + shift) / np.pi) >= np.ceil(shift / np.pi)
    expected = rate if inside else rate * max(abs(np.cos(shift)), abs(np.cos(rate + shift)))
    assert found.lipschitz == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("text", ["sqrt(x)", "sqrt(abs(x - 0.3))", "sqrt(abs(x - 0.31234567))"])
def test_a_slope_without_bound_has_no_constant(text):
    assert samples.of_expression(text, 21).lipschitz is None


def test_kinks_count_from_both_sides():
    assert samples.of_expression("abs(x - 0.5) + x", 21).lipschitz == pytest.approx(2, rel=1e-9)
    assert samples.of_expression("max(x, 3*x - 1.2)", 21).lipschitz == pytest.approx(3, rel=1e-9)


def test_drawn_points_are_sorted_and_averaged():
    found = samples.of_points(((0.5, 1), (0.0, 0), (0.5, 3), (1.0, 4)))
    assert found.x.tolist() == [0, 0.5, 1]
    assert found.y.tolist() == [0, 2, 4]
    assert found.lipschitz == 4
    assert "1 points shared an x" in found.note
    for rows in ((), ((0, 0), (0, 1), (1, 1)), ((0, 0), (2, 1), (1, 1)), ((0, 0, 0),)):
        with pytest.raises(InputError, match="points"):
            samples.of_points(rows)


def written(folder, text, name="data.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_is_scaled_to_the_unit_square(tmp_path):
    path = written(tmp_path, "time,value\n10, 5\n30,1\n\n20,3\n")
    found = samples.of_file(path)
    assert found.x.tolist() == [0, 0.5, 1]
    assert found.y.tolist() == [1, 0.5, 0]
    assert "x is shown as (x - 10) / 20" in found.note
    flat = samples.of_file(written(tmp_path, "0 2\n1 2\n2 2\n"))
    assert flat.y.tolist() == [0, 0, 0]


BAD = {
    "1,2\n2,x\n3,4": "row 2, column 2 of data.csv",
    "1,2\n2,nan\n3,4": "row 2",
    "1,2\n2\n3,4": "line 2",
    "1,2,3\n2,2,3\n3,4,5": "line 1",
    "1,2\n2,inf\n3,4": "row 2",
    "1,2\n2,1e200\n3,4": "numbers between",
    "1,2\n1,3\n1,4": "three rows of different x",
    "": "one row",
    "x,y\n": "one row",
    "x,y\na,b\n1,2": "row 2",
    "1,1_0\n2,2\n3,3": "row 1",
    "1,nan\n2,2\n3,3\n4,4": "row 1",
    "1,x\n2,2\n3,3\n4,4": "row 1",
    "10,5\n30;1\n20,3": "1 cells",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_gets_one_sentence(tmp_path, text):
    with pytest.raises(InputError, match=BAD[text]) as caught:
        samples.of_file(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_what_is_no_csv_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="exists"):
        samples.of_file(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"ends in \.csv"):
        samples.of_file(written(tmp_path, "1 2", "data.npy"))
    (tmp_path / "binary.csv").write_bytes(b"\xff\x00\x01")
    with pytest.raises(InputError, match="UTF-8"):
        samples.of_file(tmp_path / "binary.csv")


def test_a_million_rows_are_thinned_out_with_a_sentence(tmp_path):
    rows = 10**6
    text = "\n".join(f"{i},{i % 7}" for i in range(rows))
    found = samples.of_file(written(tmp_path, text))
    assert found.x.size == samples.MOST_POINTS
    assert (found.x[0], found.x[-1]) == (0, 1)
    assert "2\u2009000 of 1\u2009000\u2009000 rows were taken" in found.note
