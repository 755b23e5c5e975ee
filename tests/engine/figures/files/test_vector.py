"""The files written from one drawing are those that matplotlib writes one by one."""

from __future__ import annotations

import io
import re
import zlib
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from engine.core.views import Heat, ImageView, PlaneView, Points, View
from engine.figures import paper, style
from engine.figures.data import FigureData
from engine.figures.files.record import POINTS
from engine.figures.formats import FORMATS
from engine.run.session import Session
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only

CLOSE = 0.5
"""Points that a letter may lie beside its place."""
FAINT = 1.0
"""Levels of 255 by which pixels may differ on average: letters may lie half a pixel aside."""
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


def contents(pdf: bytes) -> tuple[list[str], list[float]]:
    """Return the words of what draws the page and its numbers but the smallest, each sorted."""
    streams = [
        zlib.decompress(part.partition(b"\nendstream")[0])
        for part in pdf.split(b"stream\n")
        if part[:1] == b"x"
    ]
    pages = [text.decode("latin-1") for text in streams if re.search(rb"\bBT\b", text)]
    page = re.sub(r"\)\s+-?\d*\.?\d+\s+\(", "", max(pages, key=len))  # kerns
    words = re.findall(r"\([^)]*\)|<[^>]*>|[^\s\[\]]+", page)
    numbers = [float(word) for word in words if is_number(word) and abs(float(word)) > CLOSE]
    return sorted(word for word in words if not is_number(word)), sorted(numbers)


def is_number(word: str) -> bool:
    return re.fullmatch(r"-?\d*\.?\d+", word) is not None


def by_matplotlib(figure: Figure, kind: str, about: dict[str, Any], svg_text: bool) -> bytes:
    """Return the file that matplotlib writes at a pixel a point."""
    buffer = io.BytesIO()
    with style.paper(svg_text):
        figure.savefig(buffer, format=kind, dpi=POINTS, metadata=about)
    return buffer.getvalue()


def pixels(png: bytes) -> NDArray[np.int_]:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"), np.int_)


@pytest.mark.parametrize(
    ("view", "svg_text"), [(VIEWS[0], True), *((view, False) for view in VIEWS)]
)
def test_the_files_are_those_of_matplotlib(view: View, svg_text: bool, data: FigureData) -> None:
    figure = paper.draw(view, data)
    figure.set_size_inches(6, 4)  # whole points, to which matplotlib rounds the height of images
    png, svg, pdf = paper.render_all(figure, FORMATS, data, dpi=POINTS, svg_text=svg_text)
    about = paper.about(data)
    expected = {
        kind: by_matplotlib(figure, kind, paper._metadata(kind, about), svg_text)
        for kind in FORMATS
    }
    assert svg == expected["svg"]
    words, numbers = contents(pdf)
    others, of_others = contents(expected["pdf"])
    assert words == others
    assert numbers == pytest.approx(of_others, abs=CLOSE)
    drawn, reference = pixels(png), pixels(expected["png"])
    assert drawn.shape == reference.shape
    assert np.abs(drawn - reference).mean() < FAINT


def test_the_same_figure_gives_the_same_files(data: FigureData) -> None:
    first, second = (
        paper.render_all(paper.draw(view, data), ("pdf", "svg"), data)
        for view in (VIEWS[0], VIEWS[0])
    )
    assert first == second
    assert first[0].startswith(b"%PDF") and first[1].startswith(b"<?xml")
