"""Data of every plot as CSV and NPZ, every step of it, with the bits of the run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import registry
from engine.core.errors import InputError
from engine.core.params import update
from engine.core.views import Heat, PlaneView, Series, TimeView, View
from engine.run.session import Session
from engine.storage import export, runfile
from engine.storage.arrays import load_npz
from engine.storage.view_data import view_arrays, view_rows
from tests.engine.drawn_map import DrawnMap
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only

WEIGHTS = TimeView(
    id="w",
    title="w",
    y_label="w",
    series=(
        Series(key="weights", label="one", component=1),
        Series(key="error", label="e"),
        Series(key="absent", label="not recorded"),
    ),
)


@pytest.fixture(autouse=True)
def drawn_map(monkeypatch: pytest.MonkeyPatch) -> DrawnMap:
    experiment = DrawnMap()
    only(monkeypatch, experiment)
    return experiment


def long_run(steps: int = 9000) -> tuple[Session, dict[str, Any]]:
    """Make a run longer than its exact window, and keep every row of it."""
    session = Session(registry.get("linear-map"), LinearParams(step_size=1.9995), 3)
    rows = {key: [values[0].copy()] for key, values in session.recent().items()}
    for stop in (0, 1, 700, min(steps, 5000), steps):
        n = stop - session.step
        while n > 0:
            made = session.advance(min(n, 1000))
            for key, values in session.recent().items():
                rows[key] += list(values[-made:].copy())
            n -= made
        if stop < steps:
            session.retune(update(session.params, step_size=1.9995 + stop / 1e8))
    return session, {key: np.array(values) for key, values in rows.items()}


def read_csv(path: Path) -> tuple[list[str], np.ndarray[Any, Any]]:
    with path.open(newline="") as file:
        heading, *rows = csv.reader(file)
    return heading, np.array(rows, np.float64)


def test_every_step_is_exported_where_the_plot_has_buckets(tmp_path: Path) -> None:
    session, rows = long_run()
    assert session.trace.view().stride > 1
    assert export.export_view(session, WEIGHTS, tmp_path / "w.csv")
    heading, table = read_csv(tmp_path / "w.csv")
    assert heading == ["step", "weights[1]", "error"]
    np.testing.assert_array_equal(table[:, 0], np.arange(9001))
    np.testing.assert_array_equal(table[:, 1], rows["weights"][:, 1])
    np.testing.assert_array_equal(table[:, 2], rows["error"])
    assert export.export_view(session, WEIGHTS, tmp_path / "w.npz")
    arrays, about = load_npz(tmp_path / "w.npz")
    np.testing.assert_array_equal(arrays["weights[1]"], rows["weights"][:, 1])
    assert runfile.from_table(about["run"]) == runfile.RunSpec.of(session)
    assert about["view"] == "w"


@given(st.integers(0, 2999), st.integers(0, 2999))
def test_any_stretch_has_the_same_bits(first: int, other: int) -> None:
    first, last = sorted((first, other))
    session, rows = SHORT
    blocks = list(export.stream(session, first, last))
    steps = np.concatenate([steps for steps, _ in blocks])
    weights = np.concatenate([block["weights"] for _, block in blocks])
    np.testing.assert_array_equal(steps, np.arange(first, last + 1))
    np.testing.assert_array_equal(weights, rows["weights"][first : last + 1])


def _short() -> tuple[Session, dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        only(patch, DrawnMap())
        return long_run(3000)


SHORT = _short()


def test_a_stretch_is_exported(tmp_path: Path) -> None:
    session, rows = long_run(2000)
    assert export.export_view(session, WEIGHTS, tmp_path / "w.csv", first=690, last=710)
    _, table = read_csv(tmp_path / "w.csv")
    np.testing.assert_array_equal(table[:, 0], np.arange(690, 711))
    np.testing.assert_array_equal(table[:, 2], rows["error"][690:711])


def test_what_keeps_no_old_states_gives_its_buckets(tmp_path: Path, drawn_map: DrawnMap) -> None:
    drawn_map.rewindable = False  # type: ignore[misc]
    session, rows = long_run()
    assert export.export_view(session, WEIGHTS, tmp_path / "w.npz")
    arrays, _ = load_npz(tmp_path / "w.npz")
    assert set(arrays) == {"step", "weights.low[1]", "weights.high[1]", "error.low", "error.high"}
    stride = int(arrays["step"][1])
    np.testing.assert_array_equal(arrays["error.low"][0], rows["error"][:stride].min())


def test_cancelling_leaves_no_file(tmp_path: Path) -> None:
    session, _ = long_run()
    seen: list[float] = []

    def cancel(fraction: float, text: str) -> bool:
        seen.append(fraction)
        return len(seen) < 3

    for name in ("w.csv", "w.npz"):
        seen.clear()
        assert not export.export_view(session, WEIGHTS, tmp_path / name, progress=cancel)
        assert seen == sorted(seen) and 0 < seen[0] < seen[-1] < 1
    assert list(tmp_path.iterdir()) == []


def test_bad_requests_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = long_run(2000)
    with pytest.raises(InputError, match=r"give a name that ends in \.csv, \.dat or \.npz"):
        export.export_view(session, WEIGHTS, tmp_path / "w.xlsx")
    for first, last in ((-1, 5), (7, 6), (0, 2001)):
        with pytest.raises(InputError, match="give steps from 0 to 2000"):
            export.export_view(session, WEIGHTS, tmp_path / "w.csv", first=first, last=last)
    monkeypatch.setattr(export, "EXPORT_VALUES", 1000)
    with pytest.raises(InputError, match="give at most 500 steps at once"):
        export.export_view(session, WEIGHTS, tmp_path / "w.csv")
    assert list(tmp_path.iterdir()) == []


def rows_of(session: Session, name: str, path: Path) -> list[list[str]]:
    view: View = next(v for v in session.experiment.views(session.params) if v.id == name)
    assert export.export_view(session, view, path / f"{name}.csv")
    assert export.export_view(session, view, path / f"{name}.npz")
    with (path / f"{name}.csv").open(newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading[0] == "step" and {row[0] for row in rows} == {str(session.step)}
    return [heading[1:], *(row[1:] for row in rows)]


def test_pictures_are_exported_as_they_are_drawn(tmp_path: Path) -> None:
    session, _ = long_run(100)
    rows = rows_of(session, "plane", tmp_path)
    assert rows[0] == ["item", "line", "x", "y", "value"]
    assert ["family", "2", "-0.5", "-1.5", ""] in rows
    assert ["dots", "0", "0.5", "0.25", "3.0"] in rows
    assert ["ball", "0", "0.5", "0.5", "0.25"] in rows
    assert ["here", "0", "0.25", "", ""] in rows
    assert not any(row[0] == "not there" for row in rows)
    arrays, _ = load_npz(tmp_path / "plane.npz")
    np.testing.assert_array_equal(arrays["family"][:, 1], 2 * np.linspace(-1, 1, 5))
    rows = rows_of(session, "heat", tmp_path)
    assert rows[1] == ["$f$", "0", "0.5", "0.5", "-2.0"] and len(rows) == 7
    rows = rows_of(session, "image", tmp_path)
    assert rows[0] == ["", "0", "1", "2"] and rows[2] == ["b, c", "3.0", "4.0", "5.0"]
    rows = rows_of(session, "grid", tmp_path)
    assert rows[0] == ["image", "caption", "row", "column", "value"]
    assert rows[6] == ["1", "b, c", "0", "1", "5.0"]
    rows = rows_of(session, "bars", tmp_path)
    assert rows == [
        ["category", "one", "none"],
        ["a", "1.0", ""],
        ["b, c", "2.0", ""],
        ["d", "3.0", ""],
    ]
    rows = rows_of(session, "table", tmp_path)
    assert rows == [["name", r"$\delta$"], ["x", "0.5"], ["y", ""]]
    arrays, _ = load_npz(tmp_path / "table.npz")
    assert arrays["table"].tolist() == [["x", "0.5"], ["y", "None"]]


def test_an_earlier_step_is_exported_and_named(tmp_path: Path) -> None:
    session = Session(registry.get("linear-map"), LinearParams(), 3)
    session.advance(100)
    view = next(v for v in session.experiment.views(session.params) if v.id == "plane")
    stopped = Session(registry.get("linear-map"), LinearParams(), 3)
    stopped.advance(40)
    stopped_view = stopped.experiment.observe(stopped.state, stopped.recent())
    for step, named in ((0, 0), (40, 40), (None, 100)):
        for ending in ("csv", "npz"):
            assert export.export_view(session, view, tmp_path / f"p.{ending}", step=step)
        with (tmp_path / "p.csv").open(newline="") as file:
            assert {row["step"] for row in csv.DictReader(file)} == {str(named)}
        arrays, about = load_npz(tmp_path / "p.npz")
        assert about["step"] == named
        if step == 40:
            for key, values in arrays.items():
                np.testing.assert_array_equal(values, stopped_view[key])
    with pytest.raises(InputError, match=r"step: 101"):
        export.export_view(session, view, tmp_path / "p.csv", step=101)


def test_only_the_cells_with_counts_are_in_a_table() -> None:
    heat = Heat(key="level", extent_key="extent", counts_key="visits")
    plane = PlaneView(id="p", title="p", x_label="x", y_label="y", items=(heat,))
    visits = np.array([[0, 3, 0], [0, 0, 12]])
    level = np.where(visits > 0, 0.5, np.nan)
    seen = {"level": level, "extent": np.array([0.0, 3.0, 10.0, 14.0]), "visits": visits}
    rows = list(view_rows(plane, seen))
    assert rows[1:] == [("visits", 0, 1.5, 11.0, 3), ("visits", 0, 2.5, 13.0, 12)]
    assert set(view_arrays(plane, seen)) == set(seen)


def test_the_rows_of_a_pushed_run_are_those_that_were_recorded() -> None:
    session = Session(LinearMap(), LinearParams(), 2)
    session.retune(update(session.params, step_size=0.3))
    session.nudge(0.1)
    for steps in (4, 3, 5):
        session.advance(steps)
        session.nudge(0.01)
    for first in (0, 1, 4, 5, 12):
        blocks = list(export.stream(session, first, 12))
        steps = np.concatenate([block[0] for block in blocks])
        np.testing.assert_array_equal(steps, np.arange(first, 13))
        for key, rows in session.trace.recent().items():
            streamed = np.concatenate([block[1][key] for block in blocks])
            np.testing.assert_array_equal(streamed, rows[first:], err_msg=key)
