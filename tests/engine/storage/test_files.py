"""Files are written whole or not at all, and names from outside stay in their folder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.storage import files

ROOT = Path(__file__).parents[3]


def test_a_new_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with files.atomic(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["run.json"]


def test_an_error_in_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError, match="by the caller"), files.atomic(path) as file:
        file.write(b"half")
        raise RuntimeError("by the caller")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["run.json"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "trace.csv"
    files.write_text(path, "old")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(files.FileError, match=r"^trace\.csv could not be written: No space left"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["trace.csv"]


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(files.FileError, match=r"a\.txt could not be written: No such file"):
        files.write_text(tmp_path / "gone" / "a.txt", "text")


def test_old_leftovers_are_swept_and_young_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    old, young, other = (
        tmp_path / name
        for name in (
            ".run.json.0123456789ab.tmp",
            ".run.json.ba9876543210.tmp",
            ".else.json.0123456789ab.tmp",
        )
    )
    for leftover in (old, young, other):
        leftover.write_text("half")
    for leftover in (old, other):
        os.utime(leftover, (0, 0))
    files.write_text(path, "whole")
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, young.name, other.name])


KILLER = """
import hashlib, os, random, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from engine.storage.files import atomic

path = Path(sys.argv[2])

def write_for_ever(progress):
    for number in range(10**9):
        body = number.to_bytes(8, "little") * 4096
        with atomic(path) as file:
            file.write(hashlib.sha256(body).digest())
            for begin in range(0, len(body), 2048):
                file.write(body[begin : begin + 2048])
                file.flush()
                os.write(progress, b".")
        os.write(progress, b"!")

random.seed(0)
whole = 0
for _ in range(50):
    reader, progress = os.pipe()
    child = os.fork()
    if child == 0:
        write_for_ever(progress)
    left = random.randint(1, 60)
    while left:
        left -= len(os.read(reader, left))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(progress)
    if path.exists():
        data = path.read_bytes()
        assert hashlib.sha256(data[32:]).digest() == data[:32]
        whole += 1
print(whole)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes")
def test_kill_during_a_write_leaves_a_whole_file(tmp_path: Path) -> None:
    """Fifty kills at random places of a write: what is there is always one whole version."""
    command = [sys.executable, "-c", KILLER, str(ROOT), str(tmp_path / "model.bin")]
    whole = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert int(whole) > 25


@pytest.mark.parametrize(
    "name", ["../a", "a/../../b", "/etc/passwd", "..", ".", "", "a\\..\\b", "C:x", "a\0b", "a//b"]
)
def test_names_that_leave_their_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="give a name within its folder"):
        files.inside(tmp_path, name)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "out").symlink_to(tmp_path)
    with pytest.raises(InputError):
        files.inside(tmp_path / "data", "out/secret")
    assert files.inside(tmp_path / "data", "in/plain") == tmp_path / "data" / "in" / "plain"


@given(st.text(max_size=120))
def test_a_safe_name_is_a_plain_name(text: str) -> None:
    name = files.safe_name(text)
    assert name and name == Path(name).name and len(name) <= 81
    assert not name.startswith(".") and name.isascii()
    assert files.safe_name(name) == name


def test_reserved_names_are_changed() -> None:
    assert files.safe_name("con") == "con-"
    assert files.safe_name("LPT1.txt") == "LPT1.txt-"
    assert files.safe_name("δ") == "file"


def test_json_has_no_nan_and_keeps_doubles(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    value = {"a": np.float64(0.1), "b": [np.inf, np.nan, np.int64(3)], "c": np.arange(2), "d": True}
    files.write_json(path, value)
    assert path.read_text().split() == '{ "a": 0.1, "b": [ null, null, 3 ],'.split() + (
        '"c": [ 0, 1 ], "d": true }'.split()
    )
    with pytest.raises(TypeError, match="object has no JSON form"):
        files.to_json(object())


def test_reading_is_bounded_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(InputError, match="give a file of at most 99 bytes"):
        files.read_bytes(path, 99, "run file")
    with pytest.raises(InputError, match="text file in UTF-8"):
        files.read_text(path, 100, "run file")
    with pytest.raises(InputError, match="give the name of a file that exists"):
        files.read_bytes(tmp_path, 100, "run file")


def test_a_folder_that_cannot_be_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="give a folder that can be written to"):
            files.make_folder(path)
    assert files.make_folder(tmp_path / "a" / "b").is_dir()
    assert os.listdir(tmp_path / "a" / "b") == []
