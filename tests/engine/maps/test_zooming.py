"""The way into a map as an animation."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from engine.core.errors import InputError
from engine.executors.threads import Threads
from engine.maps import zooming
from engine.maps.axis import Axis
from engine.maps.frames import frame
from engine.maps.making import made
from engine.maps.spec import MapSpec
from engine.maps.zooming import CELL, ZoomFilm, between, make
from tests.engine.maps.logistic import LogisticKind, LogisticParams

WHOLE = MapSpec(
    kind="stability",
    experiment="logistic",
    params=LogisticParams(),
    x=Axis(name="rate", low=0.5, high=4.5, count=30),
    y=Axis(name="start", low=0.0, high=1.0, count=20),
    steps=60,
)
FILM = ZoomFilm(
    whole=WHOLE,
    x=Axis(name="rate", low=2.9, high=3.1, count=30),
    y=Axis(name="start", low=0.4, high=0.5, count=20),
    size=(64, 64),
    rate=10,
    seconds=0.3,
)


@pytest.fixture(autouse=True)
def logistic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zooming, "kind", lambda name: LogisticKind("stability"))


def test_frames_go_from_the_whole_map_to_the_part(tmp_path: Path) -> None:
    told: list[str] = []
    with Threads(2) as pool:
        assert make(FILM, tmp_path / "a.gif", pool, lambda share, text: told.append(text) or True)
        with Image.open(tmp_path / "a.gif") as image:
            shown = [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(image)]
            about = json.loads(bytes(image.info["comment"]).decode().partition("\n")[2])
        for number, picture in zip((0, 2), (shown[0], shown[-1]), strict=True):
            prepared = LogisticKind("stability").prepare(FILM.spec(number))
            columns = prepared.spec.x.count
            cells = frame(prepared, made(prepared, pool, zooming.threading.Event()), 1)
            larger = cells.shape[1] // columns
            np.testing.assert_array_equal(picture[::-CELL, ::CELL], cells[::larger, ::larger])
    assert len(shown) == FILM.frames == 3
    assert about["to"]["x"]["low"] == 2.9 and about["from"] == WHOLE.as_table()
    assert [text for text in told if text] == [f"frame {number} of 3" for number in (1, 2, 3)]


@pytest.mark.parametrize("after", [0, 2, 5])
def test_a_cancel_within_a_frame_leaves_nothing(tmp_path: Path, after: int) -> None:
    asked: list[float] = []

    def progress(share: float, text: str) -> bool:
        asked.append(share)
        return len(asked) <= after

    with Threads(2) as pool:
        assert not make(FILM, tmp_path / "a.gif", pool, progress)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1e9, float("nan"), -1.0])
def test_a_length_that_is_none_is_refused(tmp_path: Path, seconds: float) -> None:
    film = ZoomFilm(whole=WHOLE, x=FILM.x, y=FILM.y, size=(64, 64), rate=10, seconds=seconds)
    with Threads(1) as pool, pytest.raises(InputError, match="Seconds"):
        make(film, tmp_path / "a.gif", pool, lambda share, text: True)
    assert list(tmp_path.iterdir()) == []


@given(
    st.booleans(),
    st.floats(0.0, 0.9),
    st.floats(1e-3, 1.0),
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6),
)
def test_an_axis_shrinks_evenly_and_ends_exactly(
    log: bool, begin: float, wide: float, shares: list[float]
) -> None:
    first = Axis(name="x", low=0.1, high=10.0, count=50, log=log)
    low, high = (float(first.at(50 * place)) for place in (begin, min(begin + wide, 1.0)))
    if not low < high:
        return
    last = Axis(name="x", low=low, high=high, count=9, log=log)
    ends = [between(first, last, share, 7) for share in (0.0, 1.0)]
    assert [(axis.low, axis.high) for axis in ends] == [(0.1, 10.0), (low, high)]
    lengths = []
    for share in sorted(shares):
        axis = between(first, last, share, 7)
        assert axis.count == 7 and axis.low <= low * (1 + 1e-9) and axis.high >= high * (1 - 1e-9)
        lengths.append(float(first.place(axis.high) - first.place(axis.low)))
    assert all(after <= before + 1e-9 for before, after in pairwise(lengths))
