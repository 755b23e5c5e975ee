"""Reading what a shared object needs, whole files and broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.system import elf, libraries

FOLDER = libraries.qt_folder()
assert FOLDER is not None
PLUGIN = FOLDER / "Qt" / "plugins" / "platforms" / "libqminimal.so"
CONTENT = PLUGIN.read_bytes()


def test_a_plugin_names_its_libraries_and_where_qt_lies() -> None:
    found = elf.read(PLUGIN)
    assert {"libQt6Gui.so.6", "libQt6Core.so.6", "libc.so.6"} <= set(found.needed)
    assert (FOLDER / "Qt" / "lib").resolve() in [folder.resolve() for folder in found.folders]


@given(st.lists(st.tuples(st.integers(0, 1023), st.binary(min_size=1, max_size=8)), max_size=4))
def test_a_damaged_file_is_read_or_refused(changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(CONTENT)
    for place, values in changes:
        content[place : place + len(values)] = values
    check(bytes(content))


@given(st.integers(0, len(CONTENT)))
def test_a_truncated_file_is_read_or_refused(length: int) -> None:
    check(CONTENT[:length])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    check(b"\x7fELF\x02\x01" + content)


def check(content: bytes) -> None:
    try:
        found = elf.parse(content, Path("/somewhere"))
    except ValueError:
        return
    assert all(isinstance(name, str) for name in found.needed)


def test_a_text_is_no_shared_object(tmp_path: Path) -> None:
    path = tmp_path / "libx.so"
    path.write_text("INPUT(libx.so.1)")
    with pytest.raises(ValueError, match="libx"):
        elf.read(path)
