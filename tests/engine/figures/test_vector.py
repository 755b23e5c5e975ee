"""SVG and PDF from one drawing are those that matplotlib writes one by one."""

from __future__ import annotations

import re
import zlib
from typing import Any

import numpy as np
import pytest

from engine.core.views import Heat, ImageView, PlaneView, Points, View
from engine.figures import paper
from engine.figures.data import FigureData
from engine.figures.formats import FORMATS
from engine.run.session import Session
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only

CLOSE = 0.5
"""Points that a letter may lie beside its place: each backend measures words by itself."""
VIEWS: tuple[View, ...] = (
    *LinearMap().views(LinearParams()),
    ImageView(id="image", title="Image $R$", key="image", color_label="level", annotate=True),
    PlaneView(
        id="plane",
        title="Plane",
        x_label=r"$\lambda$",
        y_label="y",
        log_x=True,
        items=(
            Heat(key="image", extent_key="extent", label="heat"),
            Points(x="x", y="y", label="p"),
        ),
    ),
)


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> FigureData:
    only(monkeypatch, LinearMap())
    session = Session(LinearMap(), LinearParams(step_size=0.3, width=3), 5)
    session.advance(40)
    drawn: dict[str, Any] = {
        "image": np.arange(12.0).reshape(3, 4) - 5.0,
        "extent": np.array([0.1, 1.0, 0.0, 2.0]),
        "x": np.geomspace(0.1, 1.0, 7),
        "y": np.linspace(0.0, 2.0, 7),
    }
    return FigureData(
        title="Fake",
        run=FigureData.of(session).run,
        step=session.step,
        trace=session.trace.view(),
        observation=drawn,
    )


def contents(pdf: bytes) -> list[str]:
    """Return the words of what draws the page: its largest stream that is no font or image."""
    streams = [
        zlib.decompress(part.partition(b"\nendstream")[0])
        for part in pdf.split(b"stream\n")
        if part[:1] == b"x"
    ]
    pages = [text.decode("latin-1") for text in streams if re.search(rb"\bBT\b", text)]
    return re.findall(r"\([^)]*\)|<[^>]*>|[^\s\[\]]+", max(pages, key=len))


def is_number(word: str) -> bool:
    return re.fullmatch(r"-?\d*\.?\d+", word) is not None


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: str(view.id))
@pytest.mark.parametrize("svg_text", [False, True])
def test_both_files_are_as_if_written_one_by_one(
    view: View, svg_text: bool, data: FigureData
) -> None:
    figure = paper.draw(view, data)
    alone = [paper.render(figure, kind, data, svg_text=svg_text) for kind in FORMATS]
    png, svg, pdf = paper.render_all(figure, FORMATS, data, svg_text=svg_text)
    assert (png, svg) == (alone[0], alone[1])
    words, expected = contents(pdf), contents(alone[2])
    assert len(words) == len(expected)
    for word, other in zip(words, expected, strict=True):
        if is_number(word) and is_number(other):
            assert float(word) == pytest.approx(float(other), abs=CLOSE)
        else:
            assert word == other


def test_the_same_figure_gives_the_same_files(data: FigureData) -> None:
    first, second = (
        paper.render_all(paper.draw(view, data), ("pdf", "svg"), data)
        for view in (VIEWS[0], VIEWS[0])
    )
    assert first == second
    assert first[0].startswith(b"%PDF") and first[1].startswith(b"<?xml")
