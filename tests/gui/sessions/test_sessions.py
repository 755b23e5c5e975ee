"""A session is saved, opened by another window, and kept aside while one works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from engine.core.listing import Listing
from engine.run.notes import Note
from engine.run.snapshot import Status
from engine.storage import session_file
from engine.storage.story import Scene, Story
from gui.sessions.kept import KeptFiles
from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui import windows
from tests.gui.fakes import FakeExperiment, FakeParams
from tests.gui.sessions.one_run import session_of, steps_in
from tests.registered import only

ROOT = Path(__file__).resolve().parents[3]
Open = Callable[[str], MainWindow]


class Second(FakeExperiment):  # type: ignore[misc]
    id: ClassVar[str] = "second"
    title: ClassVar[str] = "Second"
    listing = Listing(id="second", title="Second", section="test", summary="Another fake.")


@pytest.fixture
def open_window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Open]:
    experiments = FakeExperiment(), Second()
    only(monkeypatch, *experiments)
    opened: list[MainWindow] = []

    def open_window(name: str) -> MainWindow:
        settings = Settings(tmp_path / name / "settings.ini")
        window = windows.open_window(qtbot, experiments, settings)
        opened.append(window)
        qtbot.waitUntil(lambda: step(window) == 0)
        return window

    yield open_window
    for window in opened:
        window.close()


def steps_of(path: Path) -> dict[str, int | None]:
    """Return the steps of each run that a session file holds."""
    return {kept.run.experiment: kept.run.steps for kept in session_file.load(path).runs}


def step(window: MainWindow) -> int:
    shown = window.control.snapshot
    return -1 if shown is None or shown.status is Status.COMPILING else shown.step


def make(window: MainWindow, qtbot: QtBot, count: int) -> None:
    target = step(window) + count
    window.control.step(count)
    qtbot.waitUntil(lambda: step(window) == target)


def save(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    window.sessions.save(path)
    qtbot.waitUntil(lambda: window.status.currentMessage().startswith("Saved"))


def open_file(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    window.files.open(path)
    qtbot.waitUntil(lambda: window.status.currentMessage().startswith("Opened"))


def worked(window: MainWindow, qtbot: QtBot) -> None:
    """Work in a window: changes, a push and pins in one experiment, a look back in another."""
    window.control.edit_params(FakeParams(curvature=1.7))
    qtbot.waitUntil(lambda: step(window) == 0)
    make(window, qtbot, 12)
    qtbot.keyClick(window, Qt.Key.Key_P)
    window.pins.rename(window.pins.all[0].id, "mine")
    window.control.edit_params(FakeParams(curvature=1.7, step_size=0.11))
    make(window, qtbot, 8)
    window.control.nudge(1e-3)
    make(window, qtbot, 5)
    window.open_experiment("second")
    qtbot.waitUntil(lambda: step(window) == 0)
    make(window, qtbot, 9)
    window.control.seek(4)
    qtbot.waitUntil(lambda: window.control.snapshot.cursor == 4)


def test_another_window_has_the_same_runs_pins_and_layout(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    first = open_window("one")
    worked(first, qtbot)
    dock = next(iter(first.panels.plots.docks.values()))
    dock.hide()
    first.actions_by_name["scaled_axis"].setChecked(True)
    first.set_speed(20.0)
    story = Story(title="S", scene=(Scene(title="A", experiment="second", text="Look."),) * 2)
    first.story.take_up(session_file.KeptStory(story, 1))
    path = tmp_path / "work.lyapunov"
    save(first, qtbot, path)
    second = open_window("two")
    open_file(second, qtbot, path)
    assert second.control.experiment.id == "second"
    qtbot.waitUntil(lambda: second.control.snapshot.cursor == 4 and step(second) == 9)
    assert second.panels.plots.docks[dock.objectName()].isHidden()
    assert second.actions_by_name["scaled_axis"].isChecked()
    assert second.transport.speed == 20.0
    assert second.story.kept() == session_file.KeptStory(story, 1)
    assert [(pin.title, pin.trace.last) for pin in second.pins.of("fake")] == [("mine", 12)]
    assert second.settings.recent_files() == [path.resolve()]
    save(second, qtbot, tmp_path / "again.lyapunov")  # also what was not shown again
    before, after = (session_file.load(tmp_path / name) for name in (path, "again.lyapunov"))
    assert {kept.run.experiment: kept.run for kept in after.runs} == {
        kept.run.experiment: kept.run for kept in before.runs
    }
    for window in (first, second):
        window.open_experiment("fake")
        qtbot.waitUntil(lambda window=window: step(window) == 25)
    one, two = first.control.snapshot, second.control.snapshot
    assert two.changes == one.changes
    assert two.params == second.control.params == second.panels.form.params == one.params
    np.testing.assert_array_equal(two.observation["w"], one.observation["w"])


def test_what_cannot_be_opened_is_one_sentence_and_nothing_is_lost(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window("one")
    make(window, qtbot, 7)
    path = tmp_path / "bad.lyapunov"
    path.write_bytes(b"PK no session")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    qtbot.waitUntil(lambda: "bad.lyapunov" in window.message_bar.text.text())
    assert step(window) == 7
    assert path.read_bytes() == b"PK no session"
    window.sessions.restore_last()
    assert "no earlier session" in window.status.currentMessage()  # not a fault
    assert "bad.lyapunov" in window.message_bar.text.text()
    window.sessions.save(tmp_path / "absent" / "x.lyapunov")
    qtbot.waitUntil(lambda: "could not be written" in window.message_bar.text.text())


def test_the_session_of_a_killed_program_can_be_restored(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    killed = open_window("one")
    worked(killed, qtbot)
    killed.sessions.keep()
    kept = tmp_path / "one" / "session.lyapunov"
    qtbot.waitUntil(kept.is_file)
    killed.sessions._await_writing()
    killed.sessions._aside.release()  # as the end of its process does
    again = open_window("one")
    again.actions_by_name["last_session"].trigger()
    qtbot.waitUntil(lambda: step(again) == 9 and again.control.snapshot.cursor == 4)
    again.control.live()
    make(again, qtbot, 3)
    again.close()  # keeps its own beside that of before
    assert steps_of(kept)["second"] == 12
    assert "second" in steps_of(tmp_path / "one" / "last-session.lyapunov")


def test_a_restored_session_is_kept_before_anything_is_done(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    """Its file gives way to the session that is worked on when it is restored."""
    killed = open_window("one")
    make(killed, qtbot, 7)
    killed.sessions.keep()
    kept = tmp_path / "one" / "session.lyapunov"
    qtbot.waitUntil(kept.is_file)
    killed.sessions._await_writing()
    killed.sessions._aside.release()  # as the end of its process does
    again = open_window("one")
    make(again, qtbot, 3)
    again.sessions.restore_last()
    qtbot.waitUntil(lambda: again.status.currentMessage().startswith("Opened"))
    again.sessions._await_writing()
    assert steps_of(kept)["fake"] == 7
    assert steps_of(tmp_path / "one" / "last-session.lyapunov")["fake"] == 3


def test_work_that_is_being_kept_is_kept_when_the_window_closes(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window("one")
    make(window, qtbot, 7)
    window.sessions.keep()
    window.close()  # before the engine has answered
    assert steps_of(tmp_path / "one" / "session.lyapunov")["fake"] == 7


def test_notes_on_plots_come_with_the_session(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    first, path = open_window("one"), tmp_path / "work.lyapunov"
    notes = Note("weight", 3.0, 0.5, "look here"), Note("loss", 0.5, 0.1, "and here")
    make(first, qtbot, 7)
    first.panels.plots.set_notes(notes)
    save(first, qtbot, path)
    (kept,) = session_file.load(path).runs
    assert kept.run.notes == notes
    second = open_window("two")
    second.panels.plots.set_notes((Note("loss", 0.1, 0.1, "of another run"),))
    open_file(second, qtbot, path)
    qtbot.waitUntil(lambda: step(second) == 7)
    assert second.panels.plots.notes == notes


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from gui.sessions.kept import KeptFiles
from tests.gui.sessions.one_run import session_of

kept = KeptFiles(Path(sys.argv[2]))
kept.write(session_of(int(sys.argv[3])))
print("kept", flush=True)
sys.stdin.read(1)  # holds its place until it is killed
"""


def test_two_programs_with_the_same_settings_keep_their_own_sessions(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    command = [sys.executable, "-c", PROGRAM, str(ROOT), str(folder)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    programs = []
    for steps in (1, 2):
        program = subprocess.Popen([*command, str(steps)], **pipes)
        programs.append(program)
        assert program.stdout is not None and program.stdout.readline() == "kept\n"
    names = ("session.lyapunov", "session-2.lyapunov")
    assert [steps_in(folder / name) for name in names] == [1, 2]
    third = KeptFiles(folder)
    assert third.last() is None  # both are at work
    third.release()
    for program in programs:
        program.kill()
        program.communicate()
    assert third.last() == folder / names[1]  # the newest
    third.write(session_of(3))
    assert steps_in(folder / names[0]) == 3
    assert steps_in(folder / "last-session.lyapunov") == 1
    third.release()
