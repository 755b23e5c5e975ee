"""What is remembered comes back; what is damaged is as if it were not there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray
from pytestqt.qtbot import QtBot

from gui.settings import RECENT, Settings, _remove_dead_lock, default_path
from tests.gui.fakes import FakeExperiment, FakeParams

EXPERIMENT = FakeExperiment()


def _reopened(path: Path) -> Settings:
    return Settings(path)


def test_values_come_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    first = Settings(path)
    params = FakeParams(step_size=0.125, start=(1.0, -2.0, 0.1), matrix=((1.0, 2.0), (3.0, 4.0)))
    first.set_text("theme", "dark")
    first.set_blob("geometry", QByteArray(bytes(range(256))))
    first.set_object("scaled_axis", True)
    first.set_params(EXPERIMENT.id, params, 2**62)
    assert first.save()
    second = _reopened(path)
    assert second.text("theme") == "dark"
    assert second.blob("geometry") == QByteArray(bytes(range(256)))
    assert second.flag("scaled_axis", False) is True
    assert second.params(EXPERIMENT) == (params, 2**62)


@pytest.mark.parametrize("owner", [b"", b"\0\0\0\0", b"half"])
def test_a_lock_that_a_killed_program_left_half_made_is_removed(
    tmp_path: Path, owner: bytes
) -> None:
    lock = tmp_path / "settings.ini.lock"
    lock.write_bytes(owner)
    os.utime(lock, (1e9, 1e9))
    first = Settings(tmp_path / "settings.ini")
    assert not lock.exists()
    first.set_text("theme", "dark")
    assert first.save()


def test_the_lock_of_another_program_stays(tmp_path: Path) -> None:
    lock = tmp_path / "settings.ini.lock"
    lock.write_bytes(f"{os.getpid()}\npython\nhost\n".encode())
    os.utime(lock, (1e9, 1e9))
    _remove_dead_lock(tmp_path / "settings.ini")
    assert lock.exists()
    lock.write_bytes(b"")  # made this moment: its owner writes its name next
    os.utime(lock, (time.time() + 0.05, time.time() + 0.05))
    monkey = create_autospec(time.time, return_value=lock.stat().st_mtime)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gui.settings.time.time", monkey)
        _remove_dead_lock(tmp_path / "settings.ini")
    assert lock.exists()


def test_nothing_is_written_without_a_file(tmp_path: Path) -> None:
    nothing = Settings(None)
    nothing.set_text("theme", "dark")
    assert nothing.text("theme") == "dark"
    assert nothing.save()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{}",
        "[1, 2]",
        '{"seed": -1, "values": {}}',
        '{"seed": true, "values": {}}',
        '{"seed": 1e3, "values": {}}',
        '{"seed": 0, "values": {"step_size": -1}}',
        '{"seed": 0, "values": {"no_such_field": 1}}',
        '{"seed": 0, "values": []}',
        '{"seed": 0, "values": {"step_size": NaN}}',
        '{"seed": 0, "values": {"matrix": [[1], "x"]}}',
        "[" * 100_000,
    ],
)
def test_parameters_no_longer_allowed_are_forgotten(tmp_path: Path, stored: str) -> None:
    kept = Settings(tmp_path / "settings.ini")
    kept.set_text("params/fake", stored)
    assert kept.params(EXPERIMENT) is None


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_file_can_be_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("damaged") / "settings.ini"
    path.write_bytes(b"[General]\ntheme=" + data + b"\nrecent=" + data)
    damaged = Settings(path)
    damaged.text("theme")
    damaged.blob("theme")
    damaged.flag("theme", False)
    assert damaged.params(EXPERIMENT) is None
    assert damaged.recent_files() == []


@pytest.mark.qt_log_ignore("unknown user type")
@pytest.mark.parametrize(
    "value", ["@Variant(\\0\\0\\0\\x7f)", "@ByteArray(abc)", "@Size(1 2)", "@Invalid()", "a, b, c"]
)
def test_a_typed_value_is_not_taken_for_a_text(tmp_path: Path, value: str) -> None:
    path = tmp_path / "settings.ini"
    path.write_text(f"[General]\ngeometry={value}\n", "utf-8")
    assert Settings(path).blob("geometry").isEmpty()


def test_recent_files_are_few_distinct_and_there(tmp_path: Path) -> None:
    kept = Settings(tmp_path / "settings.ini")
    files = [tmp_path / f"run{index}.toml" for index in range(RECENT + 3)]
    for file in files:
        file.write_text("", "utf-8")
        kept.add_recent_file(file)
    kept.add_recent_file(files[5])
    files[-1].unlink()
    recent = kept.recent_files()
    assert recent[0] == files[5]
    assert len(recent) == len(set(recent)) == RECENT - 1
    assert files[-1] not in recent


def test_a_folder_that_cannot_be_written_is_told_not_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    kept = Settings(tmp_path / "file" / "settings.ini")
    kept.set_text("theme", "dark")
    assert kept.text("theme") == "dark"
    assert not kept.save()


def test_the_file_is_in_the_users_configuration() -> None:
    assert default_path().name == "settings.ini"
    assert default_path().parent.name == "lyapunov-lab"


def test_settings_do_not_need_an_application(qtbot: QtBot, tmp_path: Path) -> None:
    assert Settings(tmp_path / "none.ini").text("experiment", "scalar-product") == "scalar-product"
