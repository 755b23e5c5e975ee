"""The dialog that recomputes the paper: progress, stopping, and the report."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.core.errors import InputError
from gui.settings import Settings
from gui.window.files import RunFiles
from gui.window.reproduce import dialog as module
from gui.window.reproduce.dialog import ReproduceDialog


class Files:
    """Knows a folder, as `RunFiles` does."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self.kept: list[Path] = []

    def folder(self) -> str:
        return self._folder

    def keep_folder(self, path: Path) -> None:
        self.kept.append(path)


@pytest.fixture
def shown(qtbot: QtBot, tmp_path: Path) -> ReproduceDialog:
    files = Files(tmp_path)
    assert all(hasattr(RunFiles, name) for name in ("folder", "keep_folder"))
    assert Settings is not None
    made = ReproduceDialog(files)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_report_is_made_and_can_be_opened(
    shown: ReproduceDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fake(folder: Path, data: str, *, quick: bool, progress) -> str:  # type: ignore[no-untyped-def]
        asked.append((folder, data, quick))
        assert progress(0.5, "1 of 2 studies")
        folder.mkdir()
        (folder / "report.html").write_text("<p>")
        return "All 2 studies have the verdicts that are on record."

    monkeypatch.setattr(module, "reproduce", fake)
    assert not shown.open_button.isEnabled()
    shown.begin_button.click()
    assert shown.is_busy and not shown.folder.isEnabled()
    qtbot.waitUntil(lambda: not shown.is_busy)
    assert asked == [(Path(shown.folder.text()), "", True)]
    assert "on record" in shown.outcome.text()
    assert shown.open_button.isEnabled() and shown.begin_button.isEnabled()


def test_stop_keeps_what_is_done(
    shown: ReproduceDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def fake(folder: Path, data: str, *, quick: bool, progress) -> None:  # type: ignore[no-untyped-def]
        begun.set()
        tick = threading.Event()
        while progress(0.1, "0 of 2 studies"):
            tick.wait(0.01)

    monkeypatch.setattr(module, "reproduce", fake)
    shown.begin()
    qtbot.waitUntil(begun.is_set)
    shown.cancel_button.click()
    qtbot.waitUntil(lambda: not shown.is_busy)
    assert "Finished studies are kept" in shown.outcome.text()


def test_a_refusal_is_one_sentence(
    shown: ReproduceDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(folder: Path, data: str, *, quick: bool, progress) -> None:  # type: ignore[no-untyped-def]
        raise InputError("--out", str(folder), "give an empty folder or that of a report")

    monkeypatch.setattr(module, "reproduce", fake)
    shown.begin()
    qtbot.waitUntil(lambda: not shown.is_busy)
    assert "an empty folder" in shown.outcome.text()
