"""Arrays survive the disk bit by bit; pickles, bombs and lies are refused unread."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.core.errors import InputError
from engine.storage import arrays as arrays_io

NAMES = st.text(st.characters(codec="ascii", exclude_characters="/\\:\0"), min_size=1, max_size=9)
NUMBERS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@settings(max_examples=25)
@given(
    arrays=st.dictionaries(NAMES.filter(lambda n: n not in (".", "..", "config.json")), NUMBERS),
    config=st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False)),
)
def test_arrays_and_description_come_back(
    tmp_path: Path, suffix: str, arrays: dict[str, Any], config: dict[str, float]
) -> None:
    path = tmp_path / f"model{suffix}"
    arrays_io.save_arrays(path, arrays, config)
    read, description = arrays_io.load_arrays(path)
    assert description == config
    assert read.keys() == arrays.keys()
    for name, values in arrays.items():
        assert read[name].dtype == values.dtype
        np.testing.assert_array_equal(read[name], values, strict=True)


def test_numpy_reads_what_is_written_and_the_other_way_round(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    matrix = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    arrays_io.save_npz(path, {"w": matrix}, {"step": 3})
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["w"], matrix)
        assert json.loads(str(archive["config.json"])) == {"step": 3}
    np.savez(path, w=matrix, names=np.array(["a", "bc"]))
    read, description = arrays_io.load_npz(path)
    np.testing.assert_array_equal(read["w"], matrix)
    assert read["names"].tolist() == ["a", "bc"] and description == {}
    assert read["w"].flags.writeable


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for suffix in (".npz", ".safetensors"):
        first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
        for path in (first, second):
            arrays_io.save_arrays(path, {"w": np.ones(3)}, {"seed": 1})
        assert first.read_bytes() == second.read_bytes()


class Bomb:
    """Unpickling this would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.path, "executed")


def test_pickles_are_refused_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    payload = pickle.dumps(Bomb(mark))
    npz = tmp_path / "model.npz"
    np.savez(npz, w=np.array([Bomb(mark)], dtype=object))
    with pytest.raises(InputError, match="only arrays of numbers are read, never objects"):
        arrays_io.load_arrays(npz)
    npz.write_bytes(payload)
    with pytest.raises(InputError, match="give an undamaged NPZ file"):
        arrays_io.load_arrays(npz)
    safe = tmp_path / "model.safetensors"
    safe.write_bytes(payload)
    with pytest.raises(InputError, match="give an undamaged safetensors file"):
        arrays_io.load_arrays(safe)
    torch_file = tmp_path / "model.pt"
    torch_file.write_bytes(payload)
    with pytest.raises(InputError, match=r"ends in \.npz or \.safetensors"):
        arrays_io.load_arrays(torch_file)
    assert not mark.exists()


def npy(shape: str, descr: str = "<f8", data: bytes = b"") -> bytes:
    """Make an NPY file with any header."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_decompression_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", {"w.npy": npy("(3750000,)", data=bytes(30_000_000))})
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"give arrays of at most 20 MB in all"):
        arrays_io.load_npz(path, limit=20_000_000)
    assert arrays_io.load_npz(path)[0]["w"].size == 3_750_000


def test_many_members_are_refused(tmp_path: Path) -> None:
    members = {f"{i}.npy": npy("()", data=bytes(8)) for i in range(arrays_io.MEMBER_LIMIT + 1)}
    with pytest.raises(InputError, match="at most 4096 arrays"):
        arrays_io.load_npz(zipped(tmp_path / "a.npz", members, zipfile.ZIP_STORED))


@pytest.mark.parametrize("name", ["../w.npy", "/w.npy", "a/w.npy", "..npy", "w.txt", "C:w.npy"])
def test_names_with_folders_are_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.npz", {name: npy("()", data=bytes(8))})
    with pytest.raises(InputError, match="an array's name holds no folder"):
        arrays_io.load_npz(path)


@pytest.mark.parametrize(
    "data",
    [
        npy("(4,)", data=bytes(8)),
        npy("(1000000000000,)", data=bytes(8)),
        npy("(-1, -1)", data=bytes(8)),
        npy("(" + "1," * 80 + ")", data=bytes(8)),
        npy("(2.0,)", data=bytes(16)),
        npy("(1,)", "<q99", bytes(8)),
        npy("(__import__('os').getpid(),)", data=bytes(8)),
        b"\x93NUMPY\x09\x00" + bytes(20),
        b"",
        b"\x93NUM",
        npy("(1,)" + " " * 20_000, data=bytes(8)),
    ],
)
def test_lying_headers_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="give an undamaged NPZ file") as caught:
        arrays_io.load_npz(zipped(tmp_path / "a.npz", {"w.npy": data}))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_empty_texts_of_any_number_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", {"w.npy": npy("(1000000000000000,)", "<U0")})
    with pytest.raises(InputError, match="only arrays of numbers"):
        arrays_io.load_npz(path)


@settings(max_examples=100)
@given(data=st.data(), suffix=st.sampled_from([".npz", ".safetensors"]))
def test_any_damage_is_one_sentence_or_harmless(
    tmp_path: Path, data: st.DataObject, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    arrays_io.save_arrays(path, {"w": np.arange(8.0), "b": np.ones((2, 2))}, {"seed": 1})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        arrays, _ = arrays_io.load_arrays(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert all(values.dtype.kind in "biufc" for values in arrays.values())


def safetensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "content",
    [
        safetensors({"w": {"dtype": "F64", "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
        safetensors({"w": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8 * 10**12]}}),
        safetensors({"w": {"dtype": "OBJ", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
        safetensors({"w": {"dtype": "F64", "shape": [-1], "data_offsets": [8, 0]}}, bytes(8)),
        safetensors({"w": {"dtype": ["F64"], "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
        safetensors({"w": 3}),
        safetensors([1]),
        safetensors(b"[" * 50_000),
        struct.pack("<Q", 2**60) + b"{}",
        b"short",
    ],
)
def test_lying_safetensors_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="give an undamaged safetensors file") as caught:
        arrays_io.load_safetensors(path)
    assert "\n" not in str(caught.value)


def test_a_large_safetensors_file_and_a_folder_in_a_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    arrays_io.save_safetensors(path, {"w": np.zeros(1000)})
    with pytest.raises(InputError, match="give a file of at most 1 kB"):
        arrays_io.load_safetensors(path, limit=1000)
    entry = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}
    path.write_bytes(safetensors({"../w": entry}, bytes(8)))
    with pytest.raises(InputError, match="an array's name holds no folder"):
        arrays_io.load_safetensors(path)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_learned_numbers_have_the_byte_order_of_the_machine(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    values = np.arange(6, dtype=">f4").reshape(2, 3)
    if suffix == ".npz":
        np.savez(path, w=values, k=np.array([3], ">i8"))
    else:
        arrays_io.save_safetensors(path, {"w": values.astype("<f4"), "k": np.array([3])})
    read, _ = arrays_io.load_numbers(path)
    assert all(array.dtype.isnative and array.flags.writeable for array in read.values())
    np.testing.assert_array_equal(read["w"], values)
    assert read["k"].tolist() == [3]


def test_half_precision_of_either_kind_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    values = np.array([1.0, -2.5, 3.140625], np.float32)
    bits = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    entry = {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}
    path.write_bytes(safetensors({"w": entry}, bits))
    read, _ = arrays_io.load_numbers(path)
    assert read["w"].dtype == np.float32
    np.testing.assert_array_equal(read["w"], values)
    arrays_io.save_safetensors(path, {"w": values.astype(np.float16)})
    np.testing.assert_array_equal(arrays_io.load_safetensors(path)[0]["w"], values)


F64 = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (safetensors({"w": F64}, bytes(9)), "longer than its header says"),
        (safetensors({"w": F64}, bytes(7)), "cut short"),
        (safetensors({"w": {**F64, "dtype": "F8_E4M3"}}, bytes(8)), "has the type F8_E4M3"),
        (safetensors({"w": F64, "v": F64}, bytes(8)), "misplaced"),
        (safetensors({"w": {**F64, "data_offsets": [8, 16]}}, bytes(16)), "misplaced"),
        (safetensors({"w": {**F64, "shape": [1] * 99}}, bytes(8)), "type or shape"),
        (safetensors(b'{"w":' + b"9" * 5000 + b"}"), "too many digits"),
    ],
)
def test_the_true_fault_of_a_safetensors_file_is_named(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        arrays_io.load_safetensors(path)


def test_the_true_fault_of_an_npz_file_is_named(tmp_path: Path) -> None:
    for data, reason in (
        (npy("(2,)", data=bytes(8)), "cut short"),
        (npy("(1,)", data=bytes(9)), "longer than its header says"),
        (b"\x93NUMPY\x04\x00" + bytes(20), "format 4.0, and 1 to 3"),
    ):
        with pytest.raises(InputError, match=reason):
            arrays_io.load_npz(zipped(tmp_path / "a.npz", {"w.npy": data}))


def test_a_small_file_may_not_unpack_without_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a file may unpack to grows with its size, so that learned numbers always fit."""
    monkeypatch.setattr(arrays_io, "NPZ_FREE", 10_000)
    zeros = zipped(tmp_path / "a.npz", {"w.npy": npy("(100000,)", data=bytes(800_000))})
    with pytest.raises(InputError, match="give arrays of at most"):
        arrays_io.load_npz(zeros)
    numbers = np.random.default_rng(0).normal(size=100_000)
    arrays_io.save_npz(tmp_path / "b.npz", {"w": numbers})
    np.testing.assert_array_equal(arrays_io.load_npz(tmp_path / "b.npz")[0]["w"], numbers)


def test_a_file_of_holes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    size = 2 * arrays_io.HOLES_FREE
    entry = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
    path.write_bytes(safetensors({"w": entry}))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size)
    status = path.stat()
    if 512 * status.st_blocks > status.st_size // 2:
        pytest.skip("this file system keeps no holes")
    with pytest.raises(InputError, match="most of it is holes"):
        arrays_io.load_safetensors(path)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_deep_or_huge_description_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    nested: Any = 1
    for _ in range(600):
        nested = [nested]
    for config, reason in (({"a": nested}, "at most 32 deep"), ({"a": 10**400}, "below 1e307")):
        text = json.dumps(config)
        if suffix == ".npz":
            np.savez(path, **{"config.json": np.array(text)})
        else:
            path.write_bytes(safetensors({"__metadata__": {"config.json": text}}))
        with pytest.raises(InputError, match=reason):
            arrays_io.load_arrays(path)


def test_a_broken_description_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for text in ("{", "[1]"):
        with path.open("wb") as file:
            buffer = io.BytesIO()
            np.savez(buffer, **{"config.json": np.array(text)})
            file.write(buffer.getvalue())
        with pytest.raises(InputError, match="give an undamaged model file"):
            arrays_io.load_npz(path)
