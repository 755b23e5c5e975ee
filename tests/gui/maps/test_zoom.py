"""The dialog that makes a film of a zoom."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from engine.executors.threads import Threads
from engine.maps import catalogue, making, zooming
from gui.maps.history import Part
from gui.maps.zoom import ZoomDialog
from tests.engine.maps.logistic import LogisticKind
from tests.engine.maps.test_zooming import FILM, WHOLE


@pytest.fixture
def dialog(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> ZoomDialog:
    for module in (catalogue, zooming):
        monkeypatch.setattr(module, "kind", lambda name: LogisticKind("stability"))
    monkeypatch.setattr(making, "pool_for", lambda prepared: Threads(1))
    made = ZoomDialog(WHOLE, Part(FILM.x, FILM.y))
    qtbot.addWidget(made)
    made.film.pixels.setCurrentIndex(0)
    made.film.rate.setCurrentText("10")
    made.film.format.setCurrentText("GIF")
    return made


def test_a_zoom_is_saved(dialog: ZoomDialog, qtbot: QtBot, tmp_path: Path) -> None:
    dialog.film.seconds.setText("0.2")
    dialog.save(tmp_path / "zoom")
    assert not dialog.save_button.isEnabled()
    qtbot.waitUntil(lambda: dialog.outcome.text() == "Saved zoom.gif: 2 frames.", timeout=20_000)
    with Image.open(tmp_path / "zoom.gif") as image:
        assert image.size == (640, 360)


def test_what_is_refused_or_cancelled_is_one_sentence(
    dialog: ZoomDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    for text, words in (("x", "number of seconds"), ("0", "seconds"), ("1e9", "seconds")):
        dialog.film.seconds.setText(text)
        dialog.save(tmp_path / "a.gif")
        assert words in dialog.outcome.text() and dialog.save_button.isEnabled()
    dialog.film.seconds.setText("30")
    dialog.save(tmp_path / "a.gif")
    dialog._background._on_cancelled()
    assert dialog.outcome.text() == "Cancelled; nothing was written."
    dialog.film.seconds.setText("0.2")
    dialog.save(tmp_path / "absent" / "a.gif")
    qtbot.waitUntil(lambda: "could not be written" in dialog.outcome.text(), timeout=20_000)
    qtbot.waitUntil(lambda: list(tmp_path.iterdir()) == [], timeout=20_000)


def test_the_ends_of_the_film_are_read_in_one_way(dialog: ZoomDialog) -> None:
    (text,) = (label.text() for label in dialog.findChildren(QLabel) if "film" in label.text())
    for axis in (FILM.x, FILM.y):
        assert f"{axis.name} from {axis.low:.4g} to {axis.high:.4g}" in text
