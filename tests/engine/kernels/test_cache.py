"""The cache of compiled kernels: damage to a file costs a compilation and nothing else."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels import cache
from engine.kernels.cache import Files
from engine.kernels.jit import kernel

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own; what was cached of the place is forgotten before and after."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    forget_the_place()
    yield tmp_path / "cache"
    forget_the_place()


def forget_the_place():
    cache.user_folder.cache_clear()
    cache._stamps.cache_clear()


def compiled():
    """Compile a kernel as a new process would; return whether it came from the cache."""

    def triple(x):
        return 3.0 * x

    made = kernel(triple)
    assert made(2.0) == 6.0
    return sum(made.stats.cache_hits.values()) == 1


LOADED = """
import sys
import numpy as np
from engine.kernels.jit import kernel
def combine(a):
    made = np.empty(2)
    made[0], made[1] = a @ a, np.exp(a[0])
    return made
made = kernel(combine)
value = made(np.array([0.3, 0.7]))
hits, imported = sum(made.stats.cache_hits.values()), "numba.np.arraymath" in sys.modules
print(hits, imported, value.tobytes().hex())
"""


def test_a_kept_kernel_needs_none_of_what_compiling_needs(tmp_path):
    """Arrays, BLAS and functions of C are found without numba's implementations of them."""
    path, environment = tmp_path / "combine.py", {**os.environ, "PYTHONPATH": str(ROOT)}
    path.write_text(LOADED)
    environment["NUMBA_CACHE_DIR"] = str(tmp_path / "cache")
    command = [sys.executable, str(path)]
    first, second = (
        subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    )
    assert (first[:2], second[:2]) == (["0", "True"], ["1", "False"])
    assert first[2] == second[2]


def only_file(folder):
    (path,) = folder.rglob("*.nbc")
    return path


def test_a_kernel_is_compiled_once(folder):
    assert [compiled(), compiled()] == [False, True]
    assert not list(folder.rglob("*.tmp"))


def nonsense(content):
    data = b"whole, but no pickle"
    return hashlib.sha256(data).digest() + data


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[:10],
        lambda content: b"garbage" * 1000,
        lambda content: content[:-50] + bytes([content[-50] ^ 1]) + content[-49:],
        nonsense,
    ],
    ids=["emptied", "halved", "cut by one", "head only", "garbage", "one bit", "no pickle"],
)
def test_a_damaged_file_is_compiled_again_and_replaced(folder, damage):
    compiled()
    path = only_file(folder)
    path.write_bytes(damage(path.read_bytes()))
    assert [compiled(), compiled()] == [False, True]


def test_a_file_that_was_removed_is_compiled_again(folder):
    compiled()
    only_file(folder).unlink()
    assert [compiled(), compiled()] == [False, True]


def test_a_folder_in_place_of_a_file_costs_a_compilation_each_time(folder):
    compiled()
    path = only_file(folder)
    path.unlink()
    path.mkdir()
    assert [compiled(), compiled()] == [False, False]


def test_without_a_place_to_write_kernels_are_compiled_each_time(folder):
    folder.write_bytes(b"")  # a file: no folder can be made in it, not even by root
    assert [compiled(), compiled()] == [False, False]


def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        assert [compiled(), compiled()] == [False, False]
        assert not list(folder.rglob("*.nbc*"))
    assert [compiled(), compiled()] == [False, True]


def test_without_a_home_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache.platformdirs, "user_cache_dir", lambda *_: "~/.cache/lyapunov-lab")
    monkeypatch.chdir(tmp_path)
    forget_the_place()
    try:
        assert cache.user_folder() is None
        assert [compiled(), compiled()] == [False, False]
    finally:
        forget_the_place()
    assert not list(tmp_path.iterdir())


def test_another_compiler_has_a_folder_of_its_own(folder, monkeypatch):
    compiled()
    monkeypatch.setattr(cache, "compiler_digest", lambda: "another compiler")
    forget_the_place()
    assert not compiled()
    assert len(list(folder.iterdir())) == 2


def test_the_folders_of_old_compilers_are_removed(folder, monkeypatch):
    for number in range(cache.KEPT + 3):
        old = folder / f"kernels-{number}" / "scalar"
        old.mkdir(parents=True)
        (old / "kernel.nbc").write_bytes(b"")
        os.utime(old.parent, (number, number))
    compiled()
    assert len(list(folder.iterdir())) == cache.KEPT
    assert not (folder / "kernels-0").exists()


def test_the_forms_used_last_are_kept(tmp_path):
    def form(number):
        return {str(number): 0}

    files = [Files(tmp_path, tmp_path, "kernel", str(number)) for number in range(30)]
    for number, each in enumerate(files):
        each.save("key", form(number))
        os.utime(tmp_path / each._file("key"), (number, number))
        assert files[0].load("key") == form(0)  # notes that it is in use
    kept = [each.load("key") == form(number) for number, each in enumerate(files)]
    assert sum(kept) == cache.FORMS_KEPT
    assert kept[0]
    assert all(kept[-cache.FORMS_KEPT + 1 :])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    files = Files(folder, folder / "none", "kernel", "stamp")
    files.save("key", {"code": bytes(range(64))})
    return files, only_file(folder)


@given(data=st.data())
def test_no_damage_is_mistaken_for_a_kernel(saved, data):
    files, path = saved
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))])
    damaged = data.draw(st.sampled_from([whole[:place], flipped, flipped + whole[place + 1 :]]))
    try:
        path.write_bytes(damaged)
        assert files.load("key") is None
    finally:
        path.write_bytes(whole)
    assert files.load("key") == {"code": bytes(range(64))}


def test_another_processor_or_other_sources_are_a_miss(tmp_path):
    files = Files(tmp_path, tmp_path / "none", "kernel", "stamp")
    files.save(("float64", "one processor"), 1)
    assert files.load(("float64", "another")) is None
    assert Files(tmp_path, tmp_path, "kernel", "new").load(("float64", "one processor")) is None
    files.save(("float64", "another"), 2)
    assert files.load(("float64", "one processor")) == 1


def test_what_a_process_that_was_killed_left_is_removed(tmp_path):
    files = Files(tmp_path, tmp_path, "kernel", "stamp")
    old, new = (tmp_path / f"kernel.0.nbc.{age}.tmp" for age in ("old", "new"))
    old.write_bytes(b"half")
    new.write_bytes(b"half, and still being written")
    os.utime(old, (0, 0))
    files.save("key", 1)
    assert not old.exists()
    assert new.exists()


def test_kernels_that_came_with_the_program_are_read_where_they_lie(tmp_path):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    Files(shipped, shipped, "kernel", "stamp").save("key", "shipped")
    files = Files(own, shipped, "kernel", "stamp")
    assert files.load("key") == "shipped"
    own.mkdir()
    only_file(shipped).write_bytes(b"")
    assert files.load("key") is None
    files.save("key", "own")
    assert files.load("key") == "own"


def test_two_processes_compile_the_same_kernels_at_once(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from engine.kernels.jit import kernel\n\n\n"
        "@kernel\ndef double(x):\n    return x + x\n\n\n"
        "assert (double(2.0), double(2)) == (4.0, 4)\n"
        "print(sum(double.stats.cache_hits.values()))\n",
        "utf-8",
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }

    def start():
        return subprocess.Popen(
            [sys.executable, str(program)], env=environment, text=True, stdout=subprocess.PIPE
        )

    both = [start(), start()]
    answers = [process.communicate()[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert set(answers) <= {"0", "1", "2"}
    after = start()
    assert after.communicate()[0].strip() == "2"
    assert len(list((tmp_path / "cache").rglob("*.nbc"))) == 2
