"""Images of a folder of IDX files, as MNIST and its relatives are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.experiments.network.data.dataset import Dataset
from engine.experiments.network.params import NetworkParams
from engine.storage.files import is_folder, user_path
from engine.storage.idx import FILES, find_file, read_idx
from engine.text.numbers import whole

FIELD = "data_folder"
MOST_NUMBERS = 16_000_000
"""Pixels that a network may learn from: 20,000 images of MNIST."""
MOST_HELD = 8_000_000
"""Pixels of the images that are held out, the first ones."""


def paths(params: NetworkParams) -> tuple[Path, ...]:
    """Find the four files, in the order of `engine.storage.idx.FILES`.

    Raises
    ------
    InputError
        If the folder or one of them is missing.
    """
    if not params.data_folder.strip():
        raise InputError(FIELD, params.data_folder, "name a folder with IDX files")
    folder = user_path(params.data_folder, FIELD)
    if not is_folder(folder, FIELD):
        raise InputError(FIELD, params.data_folder, "give a folder that exists")
    return tuple(find_file(folder, name, FIELD) for name in FILES.values())


def read(params: NetworkParams) -> Dataset:
    """Read the first images, pixels from 0 to 1, and those that are held out.

    Raises
    ------
    InputError
        If a file is missing or damaged, does not fit the others, or has fewer images.
    """
    images, labels, held_images, held_labels = paths(params)
    pixels, classes = read_idx(images, (None, None), FIELD), read_idx(labels, (), FIELD)
    side = pixels.shape[1:]
    held, held_classes = read_idx(held_images, side, FIELD), read_idx(held_labels, (), FIELD)
    for path, some, many in ((labels, classes, pixels), (held_labels, held_classes, held)):
        if len(some) != len(many):
            rule = f"give one label per image: {whole(len(many))}, not {whole(len(some))}"
            raise InputError(FIELD, path.name, rule)
    size = side[0] * side[1]
    most = min(len(pixels), MOST_NUMBERS // size)
    if params.points > most:
        rule = f"give at most {whole(most)} of these images"
        raise InputError("points", params.points, rule)
    chosen, kept = classes[: params.points], held_classes[: max(MOST_HELD // size, 1)]
    values = np.unique(np.concatenate([chosen, kept]))
    if len(np.unique(chosen)) < 2:
        raise InputError(FIELD, labels.name, "give labels of two classes or more")
    return Dataset(
        _flat(pixels[: params.points]),
        np.searchsorted(values, chosen),
        _flat(held[: len(kept)]),
        np.searchsorted(values, kept),
        tuple(str(value) for value in values),
        (1, *side),
    )


def _flat(images: NDArray[np.uint8]) -> FloatArray:
    """Return a row of pixels from 0 to 1 for each image."""
    return np.asarray(images.reshape(len(images), -1) / 255.0)
