from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import struct
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import InputError, LabError
from engine.experiments.mnist.datasets import (
    CLOTHES,
    DIGITS,
    FASHION_LABELS,
    download,
    enlarge,
    load,
)
from engine.storage.idx import FILES, read_idx
from engine.text.numbers import whole


def idx(values: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def small_set(seed: int = 0, train: int = 30, test: int = 20) -> dict[str, bytes]:
    random = np.random.default_rng(seed)
    return {
        FILES["train images"]: idx(random.integers(0, 256, (train, 28, 28))),
        FILES["train labels"]: idx(random.integers(0, 10, train)),
        FILES["test images"]: idx(random.integers(0, 256, (test, 28, 28))),
        FILES["test labels"]: idx(random.integers(0, 10, test)),
    }


def write(folder: Path, files: dict[str, bytes], packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (folder / name).write_bytes(data)
    return folder


def test_the_bundled_digits_are_split_by_class_and_centred() -> None:
    data = load("digits")
    assert data.train_images.shape == (1437, 28, 28) and data.train_images.dtype == np.uint8
    assert data.test_images.shape == (360, 28, 28)
    assert np.bincount(data.test_labels).tolist() == [36] * 10
    assert not data.train_images[:, :4].any() and not data.train_images[:, :, 24:].any()
    assert data.labels == DIGITS


def test_enlarging_keeps_constants_and_is_symmetric() -> None:
    full = np.full((1, 8, 8), 16, np.uint8)
    assert (enlarge(full)[0, 4:24, 4:24] == 255).all()
    image = np.random.default_rng(0).integers(0, 17, (3, 8, 8)).astype(np.uint8)
    flipped = enlarge(np.ascontiguousarray(image[:, ::-1]))
    difference = flipped[:, ::-1].astype(int) - enlarge(image)
    assert np.abs(difference).max() <= 1  # rounding of halves


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_is_read_packed_or_not(tmp_path: Path, packed: bool) -> None:
    files = small_set()
    data = load(str(write(tmp_path / "set", files, packed)))
    assert data.name == "set" and data.train_images.flags.writeable
    assert idx(data.train_images) == files[FILES["train images"]]
    assert idx(data.test_labels) == files[FILES["test labels"]]


def test_torchvisions_layout_is_known_and_the_path_names_no_classes(tmp_path: Path) -> None:
    write(tmp_path / "old-fashioned" / "FashionMNIST" / "raw", small_set(1))
    data = load(str(tmp_path / "old-fashioned"))
    assert data.labels == DIGITS
    assert len(data.train_images) == 30


@pytest.mark.parametrize(("first", "names"), [(FASHION_LABELS, CLOTHES), ((7, 2, 1), DIGITS)])
def test_clothes_are_known_by_their_labels(
    tmp_path: Path, first: tuple[int, ...], names: tuple[str, ...]
) -> None:
    rest = np.repeat(np.arange(10), 1000).tolist()
    for label in first:
        rest.remove(label)
    files = small_set(test=10_000)
    files[FILES["test labels"]] = idx(np.array([*first, *rest]))
    assert load(str(write(tmp_path, files))).labels == names


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_names_with_a_dot_and_folders_of_the_same_name_are_read(
    tmp_path: Path, dotted: bool, nested: bool, packed: bool
) -> None:
    for name, data in small_set().items():
        spelt = name.replace("-idx", ".idx") if dotted else name
        write(tmp_path / spelt if nested else tmp_path, {spelt: data}, packed)
    assert len(load(str(tmp_path)).test_images) == 20


def test_a_header_of_more_than_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 10**6, 28, 28)))
    with pytest.raises(InputError, match=f"1 to {whole(342_392)} items, not {whole(10**6)}"):
        read_idx(path, (28, 28))
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 342_392, 28, 28)))
    with pytest.raises(InputError, match="it holds 0 of"):
        read_idx(path, (28, 28))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    first = load(str(write(tmp_path, small_set(0)))).fingerprint
    import os

    write(tmp_path, small_set(1))
    for path in tmp_path.iterdir():
        os.utime(path, ns=(1, 1))
    assert load(str(tmp_path)).fingerprint != first


def damaged(name: str, files: dict[str, bytes]) -> dict[str, bytes]:
    images, labels = FILES["train images"], FILES["train labels"]
    changes = {
        "truncated": {images: files[images][:-1]},
        "within header": {images: files[images][:10]},
        "empty": {images: b""},
        "too long": {labels: files[labels] + b"\0"},
        "no idx": {images: b"not an idx file at all"},
        "float type": {images: b"\0\0\x0d\x03" + files[images][4:]},
        "other shape": {images: idx(np.zeros((30, 28, 27)))},
        "swapped": {images: files[labels], labels: files[images]},
        "other count": {labels: idx(np.zeros(29))},
        "label 10": {labels: idx(np.full(30, 10))},
        "no items": {labels: idx(np.zeros(0))},
        "huge": {images: b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 28, 28)},
    }
    return {**files, **changes[name]}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("truncated", "a whole file (it holds 23\u2009519 of 23\u2009520 bytes)"),
        ("within header", "it ends within its header"),
        ("empty", "begins with the bytes 00000803"),
        ("too long", "ends where its header says"),
        ("no idx", "begins with the bytes 00000803"),
        ("float type", "begins with the bytes 00000803"),
        ("other shape", "images of 28 × 28 pixels, not 28 × 27"),
        ("swapped", "begins with the bytes 00000803"),
        ("other count", "one label per image: 30, not 29"),
        ("label 10", "labels from 0 to 9, not 10"),
        ("no items", "1 to 1\u2009000\u2009000 items, not 0"),
        ("huge", "1 to 1\u2009000\u2009000 items, not 2\u2009147\u2009483\u2009648"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_bad_file_is_named_in_one_sentence(
    tmp_path: Path, name: str, says: str, packed: bool
) -> None:
    folder = write(tmp_path, damaged(name, small_set()), packed)
    with pytest.raises(InputError) as caught:
        load(str(folder))
    sentence = str(caught.value)
    assert caught.value.field == "data" and says in sentence
    assert sentence.endswith(".") and "\n" not in sentence and str(tmp_path) not in sentence


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, small_set(), packed=True)
    path = folder / f"{FILES['train images']}.gz"
    packed = path.read_bytes()
    for broken in (packed[: len(packed) // 2], packed[:200] + b"\xff" * 50 + packed[250:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"give (an undamaged|a whole) file"):
            load(str(folder))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "labels.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"\0\0\x08\x01" + struct.pack(">I", 10))
        for _ in range(200):
            file.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(InputError, match="ends where its header says"):
        read_idx(path, ())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    ("source", "says"),
    [("no/such/folder", "a folder that exists"), ("", "holds train-images-idx3-ubyte")],
)
def test_a_missing_folder_or_file_is_said(
    tmp_path: Path, source: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=says):
        load(source or ".")


def test_mnist_itself(mnist_dir: Path) -> None:
    data = load(str(mnist_dir))
    assert data.train_images.shape == (60000, 28, 28) and data.test_images.shape == (10000, 28, 28)
    assert np.bincount(data.test_labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    root = tmp_path / "served"
    root.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}/", root
        web.shutdown()
        thread.join()


def pretend_torchvision(
    monkeypatch: pytest.MonkeyPatch, address: str, files: dict[str, bytes]
) -> None:
    resources = [
        (f"{name}.gz", hashlib.md5(gzip.compress(data, mtime=0)).hexdigest())
        for name, data in files.items()
    ]
    source = types.SimpleNamespace(mirrors=[address + "gone/", address], resources=resources)
    datasets = types.ModuleType("torchvision.datasets")
    datasets.MNIST = source  # type: ignore[attr-defined]
    package = types.ModuleType("torchvision")
    package.datasets = datasets  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", datasets)


def test_download_takes_the_next_address_and_checks_the_sum(
    tmp_path: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, root = server
    files = small_set(3)
    pretend_torchvision(monkeypatch, address, files)
    for name, data in files.items():
        (root / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
    seen: list[float] = []
    folder = download("mnist", tmp_path / "got", lambda done, text: seen.append(done) or True)
    assert load(str(folder)).train_images.shape == (30, 28, 28)
    assert seen == sorted(seen) and seen[-1] == 1.0

    (root / f"{FILES['test labels']}.gz").write_bytes(gzip.compress(b"altered", mtime=0))
    (folder / f"{FILES['test labels']}.gz").unlink()
    with pytest.raises(LabError, match="another MD5 sum"):
        download("mnist", folder)
    assert not (folder / f"{FILES['test labels']}.gz").exists()


def test_download_can_be_cancelled_and_leaves_nothing_half(
    tmp_path: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, root = server
    files = small_set(4)
    pretend_torchvision(monkeypatch, address, files)
    for name, data in files.items():
        (root / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
    with pytest.raises(LabError, match="cancelled"):
        download("mnist", tmp_path / "got", lambda done, text: False)
    assert list((tmp_path / "got").iterdir()) == []


def test_download_says_when_torchvision_or_the_network_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_torchvision(monkeypatch, "http://127.0.0.1:1/", small_set())
    with pytest.raises(LabError, match="could not be downloaded"):
        download("mnist", tmp_path / "a")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(LabError, match="torchvision cannot be imported"):
        download("mnist", tmp_path / "b")
    with pytest.raises(InputError, match="give one of mnist, fashion-mnist"):
        download("imagenet", tmp_path / "c")
