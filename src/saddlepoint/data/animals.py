"""Silhouettes of animals in MNIST's format (Mohammadi 2025, "Animal MNIST"): harder to tell apart than digits.

They are read from the files of an installed package, found by path: the package is not imported. 284 of the pictures
are there twice, each time in one class.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

from saddlepoint.data.digits import set_folder
from saddlepoint.data.frozen_pickle import read_arrays
from saddlepoint.data.images import Images
from saddlepoint.data.resize import resize_all
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved
from saddlepoint.errors import DataError
from saddlepoint.packages import package_file

CLASSES = ("bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra")
COUNT = 10_000
SIDE = 28
PACKAGE = "animal-mnist"
PIXELS, LABELS = (f"animal_mnist/data/Animal_MNIST/animal_{what}_version_3.gz" for what in ("data", "label"))

Size = tuple[int, int, int]


def open_animals(size: Size, root: Path, watch: Watch) -> Images:
    """The 10,000 silhouettes, 1,000 of each animal, an animal after the other.

    Args:
        size: height, width, channels; the originals are 28, 28, 1.
        root: the cache.
        watch: follows the resizing.

    Raises:
        DataError: the package holds something else.
    """

    def make(partial: Path) -> Contents:
        pixels, labels = read_animals(package_file(PACKAGE, PIXELS), package_file(PACKAGE, LABELS))
        resize_all(pixels, allocate(partial, (len(pixels), *size)), watch)
        return Contents(labels, CLASSES, {"package": f"{PACKAGE} {version(PACKAGE)}", "license": "MIT"})

    return shelved(set_folder("animal_mnist", PACKAGE, size, root), "animal_mnist", make, watch)


def read_animals(pixels_file: Path, labels_file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 (10000, 28, 28, 1) and labels int64 (10000,)."""
    pixels, labels = read_arrays(pixels_file), read_arrays(labels_file)
    sound = (
        all(isinstance(array, np.ndarray) for array in (pixels, labels))
        and (pixels.shape, pixels.dtype) == ((COUNT, SIDE, SIDE), np.uint8)
        and (labels.shape, labels.dtype) == ((COUNT,), np.int64)
        and np.unique(labels).tolist() == list(range(len(CLASSES)))
    )
    if not sound:
        raise DataError("not the files of Animal MNIST: wrong shape, type or labels", where=str(pixels_file))
    return pixels[..., None], labels
