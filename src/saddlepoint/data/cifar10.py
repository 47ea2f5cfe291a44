"""CIFAR-10's binary version (Krizhevsky 2009), not its pickled one: `cifar10:PATH`.

PATH is a folder that holds `data_batch_1.bin` … `data_batch_5.bin` (and, left out here, `test_batch.bin`), or one
such file. A picture is 3,073 bytes: the label, then 32 x 32 of red, of green and of blue.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from saddlepoint.data.images import Images
from saddlepoint.data.resize import resize_all
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, file_key, shelved
from saddlepoint.errors import DataError, MissingError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
_RECORD = 1 + 3 * SIDE * SIDE
_READING = 1  # part of the cache's key: counts up when the same files would give other pixels


def open_cifar10(text: str, size: tuple[int, int, int], root: Path, watch: Watch) -> Images:
    """The pictures of the binary files at `text`, in the order of the files' names.

    Raises:
        DataError: a file that is no such file.
        MissingError: there is no such file or folder.
    """
    path = Path(text).expanduser()
    files = [path] if path.is_file() else sorted(path.glob("data_batch_*.bin"))
    if not files:
        raise MissingError(
            "no file data_batch_*.bin",
            where=f"cifar10:{text}",
            fix="unpack cifar-10-binary.tar.gz and name its folder: cifar10:PATH/cifar-10-batches-bin",
        )

    def make(partial: Path) -> Contents:
        parts = [read_cifar10(file) for file in files]
        pixels = np.concatenate([part[0] for part in parts])
        resize_all(pixels, allocate(partial, (len(pixels), *size)), watch)
        labels = np.concatenate([part[1] for part in parts])
        return Contents(labels, CLASSES, {"files": [file.name for file in files], "license": "as the files'"})

    shape = "x".join(map(str, size))
    return shelved(root / "sets" / f"cifar10-{file_key(files)}-{shape}-{_READING}", "cifar10", make, watch)


def read_cifar10(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 (N, 32, 32, 3) and labels int64 (N,) of one file.

    Raises:
        DataError: the file is no whole number of records, or has a label above 9.
    """
    content = np.fromfile(path, np.uint8)
    if len(content) == 0 or len(content) % _RECORD:
        raise DataError(
            f"not a file of CIFAR-10's binary version: {len(content):,} bytes are no whole number of {_RECORD:,}",
            where=str(path),
        )
    records = content.reshape(-1, _RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= len(CLASSES):
        raise DataError(f"not a file of CIFAR-10's binary version: label {labels.max()}", where=str(path))
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1), labels
