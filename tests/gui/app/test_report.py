"""A report of a failure says what helps and nothing about the person."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.window.about import ReportDialog
from gui.window.report import Failure, without_paths
from tests.gui.fakes import FakeParams


def _traceback() -> str:
    try:
        raise RuntimeError(f"cannot read {Path.home()}/secret/data.csv")
    except RuntimeError:
        return traceback.format_exc()


def test_it_has_what_is_needed_to_repeat_it() -> None:
    report = Failure(_traceback(), "fake", FakeParams(step_size=0.25), 7).report()
    assert "RuntimeError: cannot read" in report
    assert "experiment: fake" in report
    assert "seed: 7" in report
    assert '"step_size": 0.25' in report
    assert "numpy" in report
    assert "test_report.py" in report


def test_it_has_no_personal_paths() -> None:
    params = FakeParams(source="file", file=str(Path.home() / "thesis" / "points.csv"))
    report = Failure(_traceback(), "fake", params, 0).report()
    assert str(Path.home()) not in report
    assert str(Path(__file__).resolve().parents[3]) not in report
    assert "thesis" not in report and "secret" not in report
    assert "(a path)" in report


def test_paths_of_packages_keep_what_lies_inside() -> None:
    text = 'File "/home/jane/.venv/lib/python3.11/site-packages/numpy/linalg/x.py", line 3, in f'
    assert without_paths(text) == 'File "numpy/linalg/x.py", line 3, in f'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read /media/jane/stick/a.csv: gone", "cannot read …/a.csv: gone"),
        ("No such file: '/srv/Jane Doe/my thesis/a b.csv'", "No such file: '…/a b.csv'"),
        (r"cannot read 'C:\\Users\\Jane Doe\\a.csv'", "cannot read '…/a.csv'"),
        (r"cannot read C:\Users\Jane\a.csv", "cannot read …/a.csv"),
        (r"cannot read \\server\jane\a.csv", "cannot read …/a.csv"),
        ("return a/b/c + x / y / z", "return a/b/c + x / y / z"),
        ('File "engine/run/session.py", line 3', 'File "engine/run/session.py", line 3'),
        (r"text.split('\n\t/')", r"text.split('\n\t/')"),
    ],
)
def test_folders_named_in_messages_are_hidden(text: str, shown: str) -> None:
    assert without_paths(text) == shown


def test_a_report_without_an_experiment() -> None:
    report = Failure("Traceback").report()
    assert "experiment: none" in report
    assert "parameters: {}" in report


def test_it_is_saved_as_it_was_shown(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ReportDialog("what happened\nδ = 1\n")
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.save_to(tmp_path / "report.txt")
    assert (tmp_path / "report.txt").read_text("utf-8") == "what happened\nδ = 1\n"
    assert dialog.outcome.text() == "Saved as report.txt."


def test_a_folder_that_cannot_be_written_is_one_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ReportDialog("what happened")
    qtbot.addWidget(dialog)
    dialog.save_to(tmp_path / "missing" / "report.txt")
    assert dialog.outcome.text().startswith("report.txt could not be written")
    assert not dialog.isModal()
