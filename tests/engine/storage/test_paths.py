"""Paths that no one expects, given to everything that reads or makes a file: one sentence each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import InputError
from engine.experiments.mnist import checkpoint_files, datasets, model_files
from engine.storage import arrays, files, learned, runfile, runfolder, tables

READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "run file": (runfile.load, ".toml"),
    "run.json": (runfile.load, ".json"),
    "run folder": (runfolder.read, ""),
    "learned npz": (learned.load_learned, ".npz"),
    "learned safetensors": (learned.load_learned, ".safetensors"),
    "arrays": (arrays.load_npz, ".npz"),
    "csv": (lambda path: tables.read_table(path, "x", 9), ".csv"),
    "npy": (lambda path: tables.read_table(path, "x", 9), ".npy"),
    "points": (lambda path: tables.read_thinned(path, "x", 2, 9, 99), ".csv"),
    "images": (datasets.load, ""),
    "model": (model_files.load, ".pt"),
    "checkpoint": (checkpoint_files.read, ".safetensors"),
    "bytes": (lambda path: files.read_bytes(Path(path), 9, "x"), ""),
}
ODD = {
    "long": "n" * 300,
    "long folder": "n" * 300 + "/a",
    "deep": "/".join(["n" * 200] * 40),
    "no user": "~nobody-of-this-name/a",
    "nul": "a\0b",
    "not UTF-8": "caf\udce9",
    "half a pair": "x\ud83d",
    "loop": "loop",
    "file as folder": "file/a",
    "empty": "",
    "dots": "../" * 50 + "nowhere/x",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for _, suffix in READERS.values():
        loop = tmp_path / f"loop{suffix}"
        if not loop.is_symlink():
            loop.symlink_to(loop)
    return tmp_path


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("reader", READERS)
def test_an_odd_path_is_one_sentence(place: Path, reader: str, odd: str) -> None:
    read, suffix = READERS[reader]
    with pytest.raises((InputError, files.FileError)) as caught:
        read(ODD[odd] + suffix)
    assert "\n" not in str(caught.value)


def denied(path: Any, *args: Any, **more: Any) -> Any:
    raise PermissionError(13, "Permission denied", str(path))


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_that_may_not_be_entered_is_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    read, suffix = READERS[reader]
    monkeypatch.setattr(os, "stat", denied)
    with pytest.raises((InputError, files.FileError), match="Permission denied"):
        read(str(place / f"a{suffix}"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_that_nobody_fills_is_not_waited_for(place: Path, reader: str) -> None:
    read, suffix = READERS[reader]
    path = place / f"pipe{suffix}"
    os.mkfifo(path)
    with pytest.raises((InputError, files.FileError)):
        read(str(path))


@pytest.mark.parametrize("odd", sorted(ODD.keys() - {"no user", "empty", "dots", "not UTF-8"}))
def test_a_folder_that_cannot_be_made_is_one_sentence(place: Path, odd: str) -> None:
    for make in (files.make_folder, files.try_folder):
        with pytest.raises(InputError, match="give a folder that can be written to"):
            make(Path(ODD[odd]), "--out")


def test_trying_a_folder_leaves_nothing(tmp_path: Path) -> None:
    files.try_folder(tmp_path / "a" / "b", "checkpoints")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").mkdir()
    files.try_folder(tmp_path / "kept", "checkpoints")
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]
    assert list((tmp_path / "kept").iterdir()) == []
