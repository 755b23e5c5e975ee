"""Images of handwritten digits (and of clothes): bundled, from a folder, or downloaded on request.

All images are 28 × 28, unsigned bytes, 0 for background, as MNIST has them.
"""

from __future__ import annotations

import hashlib
import http.client
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from engine.core.errors import InputError, LabError
from engine.core.packages import INSTALL
from engine.core.paths import resource
from engine.storage.arrays import load_npz
from engine.storage.files import atomic, is_file, is_folder, make_folder, read_bytes, user_path
from engine.storage.idx import FILES, find_file, read_idx
from engine.text.numbers import whole

SIZE = 28
"""Rows and columns of an image."""
CLASSES = 10
DIGITS = tuple(str(digit) for digit in range(CLASSES))
CLOTHES = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "boot",
)
BUNDLED = "digits"
FASHION_LABELS = (9, 2, 1, 1, 6, 1, 4, 6, 5, 7)
"""The first labels of Fashion-MNIST's test images, 1,000 of each class, as MNIST's are not."""
DOWNLOADS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}
"""Names that `download` knows, with the class of torchvision that lists the addresses."""
DOWNLOAD_LIMIT = 64 * 2**20
"""Bytes that one file may have; the largest of them has 26 million."""
_BLOCK = 1 << 16

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageData:
    """A training and a test set.

    Attributes
    ----------
    name : str
        Short name: ``digits``, ``mnist``, ``fashion-mnist`` or the folder's.
    train_images, test_images : ndarray of uint8, shape (N, 28, 28)
    train_labels, test_labels : ndarray of uint8, shape (N,)
    labels : tuple of str
        Names of the ten classes.
    fingerprint : str
        Hash of everything, by which a checkpoint knows its data again.
    """

    name: str
    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    labels: tuple[str, ...] = DIGITS
    fingerprint: str = field(default="", init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256()
        for values in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(np.ascontiguousarray(values).data)
        object.__setattr__(self, "fingerprint", digest.hexdigest()[:16])


def load(source: str) -> ImageData:
    """Load data by name or folder; the last one loaded is kept.

    Parameters
    ----------
    source : str
        ``digits`` for the bundled ones, ``mnist`` or ``fashion-mnist`` for what was downloaded
        before, anything else is the path of a folder that holds the four IDX files.

    Raises
    ------
    InputError
        If the folder or a file is missing, damaged or does not fit the others.
    """
    if source == BUNDLED:
        return _digits()
    paths = files(source)
    name = source if source in DOWNLOADS else _folder(source).resolve().name
    return _load_files(name, paths, tuple(path.stat().st_mtime_ns for path in paths))


def files(source: str) -> tuple[Path, ...]:
    """Find the four IDX files of a data set that is not bundled, in the order of `FILES`.

    Raises
    ------
    InputError
        If the folder or a file is missing.
    """
    folder = _folder(source)
    if not is_folder(folder, "data"):
        if source in DOWNLOADS:
            raise InputError("data", source, "download it first, or give a folder that holds it")
        raise InputError("data", source, "give digits or a folder that exists")
    return tuple(find_file(folder, name) for name in FILES.values())


def _folder(source: str) -> Path:
    return downloaded(source) if source in DOWNLOADS else user_path(source, "data")


@lru_cache(maxsize=1)
def _load_files(name: str, paths: tuple[Path, ...], _changed: tuple[int, ...]) -> ImageData:
    images = (SIZE, SIZE)
    train_images, train_labels, test_images, test_labels = (
        read_idx(path, shape) for path, shape in zip(paths, (images, (), images, ()), strict=True)
    )
    for path, pictures, labels in (
        (paths[1], train_images, train_labels),
        (paths[3], test_images, test_labels),
    ):
        if len(pictures) != len(labels):
            raise InputError(
                "data",
                path.name,
                f"give one label per image: {whole(len(pictures))}, not {whole(len(labels))}",
            )
        if labels.max() >= CLASSES:
            raise InputError("data", path.name, f"give labels from 0 to 9, not {labels.max()}")
    names = CLOTHES if name == "fashion-mnist" or _is_fashion(test_labels) else DIGITS
    return ImageData(name, train_images, train_labels, test_images, test_labels, names)


def _is_fashion(test_labels: Bytes) -> bool:
    """Return whether these are the labels of Fashion-MNIST, whatever its folder is called."""
    start = test_labels[: len(FASHION_LABELS)]
    counts = np.bincount(test_labels, minlength=CLASSES)
    return start.tolist() == list(FASHION_LABELS) and bool((counts == 1000).all())


@lru_cache(maxsize=1)
def _digits() -> ImageData:
    arrays, _ = load_npz(resource("digits.npz"), what="digits")
    images, labels, test = enlarge(arrays["images"]), arrays["labels"], arrays["test"]
    return ImageData("digits", images[~test], labels[~test], images[test], labels[test])


def enlarge(small: Bytes) -> Bytes:
    """Enlarge 8 × 8 images with values 0 to 16 to 20 × 20 (bilinear), centred in 28 × 28."""
    side = 20
    place = np.clip((np.arange(side) + 0.5) * small.shape[1] / side - 0.5, 0, small.shape[1] - 1)
    below = np.minimum(place.astype(np.int64), small.shape[1] - 2)
    weight = np.zeros((side, small.shape[1]))
    weight[np.arange(side), below] = 1 - (place - below)
    weight[np.arange(side), below + 1] += place - below
    inner = np.einsum("ri,nij,cj->nrc", weight, small * (255 / 16), weight, optimize=True)
    margin = (SIZE - side) // 2
    large = np.zeros((len(small), SIZE, SIZE), np.uint8)
    large[:, margin : margin + side, margin : margin + side] = np.rint(inner)
    return large


def downloaded(name: str) -> Path:
    """Return the folder that `download` fills by default."""
    return Path(platformdirs.user_data_dir("lyapunov-lab", False)) / "data" / name


def download(
    name: str,
    folder: Path | None = None,
    progress: Callable[[float, str], bool] = lambda fraction, text: True,
) -> Path:
    """Fetch the four files of a data set from the addresses that torchvision lists.

    Each file is checked against torchvision's MD5 sum and takes its name only when it is whole;
    a file already there is kept.

    Parameters
    ----------
    name : str
        ``mnist`` or ``fashion-mnist``.
    folder : Path, optional
        Where to put them; `downloaded(name)` by default.
    progress : callable
        Called with the fraction done and a short text; returns False to cancel.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        For an unknown name or a folder that cannot be written to.
    LabError
        If torchvision cannot be imported, no address answers, or it was cancelled.
    """
    if name not in DOWNLOADS:
        raise InputError("download", name, f"give one of {', '.join(DOWNLOADS)}")
    folder = make_folder(downloaded(name) if folder is None else folder, "folder")
    mirrors, resources = _addresses(DOWNLOADS[name])
    for index, (file_name, md5) in enumerate(resources):
        path = folder / file_name
        if is_file(path, "folder") and _has_sum(path, md5):
            continue
        fetch = _Fetch(path, md5, lambda done, i=index: (i + done) / len(resources), progress)  # type: ignore[misc]
        fetch.run([mirror + file_name for mirror in mirrors])
    progress(1.0, "Downloaded.")
    return folder


def _addresses(class_name: str) -> tuple[list[str], list[tuple[str, str]]]:
    try:
        import torchvision.datasets
    except Exception as error:  # a broken build fails in many ways
        remedy = "" if getattr(sys, "frozen", False) else f"install it with: {INSTALL}, or "
        raise LabError(
            f"torchvision cannot be imported ({str(error)[:80]}); "
            f"{remedy}give a folder with the files."
        ) from None
    source = getattr(torchvision.datasets, class_name)
    return list(source.mirrors), list(source.resources)


def _has_sum(path: Path, md5: str) -> bool:
    try:
        data = read_bytes(path, DOWNLOAD_LIMIT, "folder")
    except LabError:  # it is fetched anew
        return False
    return hashlib.md5(data, usedforsecurity=False).hexdigest() == md5


class _Fetch:
    """One file on its way from the first address that answers."""

    def __init__(
        self,
        path: Path,
        md5: str,
        overall: Callable[[float], float],
        progress: Callable[[float, str], bool],
    ) -> None:
        self.path, self.md5, self.overall, self.progress = path, md5, overall, progress

    def run(self, addresses: list[str]) -> None:
        reason = "no address is known"
        for address in addresses:
            try:
                if self._copy(address):
                    return
                reason = "the file that came has another MD5 sum"
            except (OSError, http.client.HTTPException) as error:
                reason = str(getattr(error, "reason", error)) or type(error).__name__
        raise LabError(f"{self.path.name} could not be downloaded: {reason}.")

    def _copy(self, address: str) -> bool:
        digest = hashlib.md5(usedforsecurity=False)
        blocks: list[bytes] = []
        with urllib.request.urlopen(address, timeout=20) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            done = 0
            while block := answer.read(_BLOCK):
                blocks.append(block)
                digest.update(block)
                done += len(block)
                if done > DOWNLOAD_LIMIT:
                    return False
                share = min(1.0, done / total) if total else 0.0
                if not self.progress(self.overall(share), f"Downloading {self.path.name}"):
                    raise LabError("The download was cancelled.")
        if digest.hexdigest() != self.md5:
            return False
        with atomic(self.path) as file:
            file.writelines(blocks)
        return True
