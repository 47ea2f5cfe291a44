"""IDX files, the format of MNIST and its successors (Fashion-MNIST, KMNIST, EMNIST): `idx:PATH_TO_IMAGES_FILE`.

Format, as MNIST's page gives it: two zero bytes, a type (8: unsigned byte), the number of dimensions, then each
dimension as a big-endian 32-bit number, then the bytes. Files may be gzipped. The labels lie beside the pictures
under the same name with `labels-idx1` for `images-idx3`; without that file the set has no labels.
"""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np

from saddlepoint.data.images import Images
from saddlepoint.data.resize import resize_all
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, file_key, shelved
from saddlepoint.errors import DataError, MissingError

_LIMIT = 1 << 31  # bytes that a header may promise
_READING = 1  # part of the cache's key: counts up when the same file would give other pixels


def open_idx(text: str, size: tuple[int, int, int], root: Path, watch: Watch) -> Images:
    """The pictures of the IDX file at `text`, and the labels beside it.

    Raises:
        DataError: a damaged file, or another number of labels than of pictures.
        MissingError: there is no such file.
    """
    path = Path(text).expanduser()
    if not path.is_file():
        raise MissingError("no such file", where=f"idx:{text}", fix="idx:PATH/train-images-idx3-ubyte.gz")
    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    labels_path = beside if beside != path and beside.is_file() else None

    def make(partial: Path) -> Contents:
        pixels = read_idx(path, 3)[..., None]
        labels = None if labels_path is None else read_idx(labels_path, 1).astype(np.int64)
        if labels is not None and len(labels) != len(pixels):
            raise DataError(f"{len(labels):,} labels for {len(pixels):,} pictures", where=str(labels_path))
        resize_all(pixels, allocate(partial, (len(pixels), *size)), watch)
        classes = () if labels is None else tuple(str(label) for label in range(int(labels.max()) + 1))
        return Contents(labels, classes, {"file": path.name, "license": "as the file's"})

    key = file_key([path, *([labels_path] if labels_path else [])])
    shape = "x".join(map(str, size))
    return shelved(root / "sets" / f"idx-{key}-{shape}-{_READING}", path.name, make, watch)


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The bytes of an IDX file as a uint8 array of `dimensions` dimensions.

    Raises:
        DataError: a damaged file, or one with other dimensions.
    """
    head = 4 + 4 * dimensions
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            header = file.read(head)
            if len(header) != head or header[:4] != bytes((0, 0, 8, dimensions)):
                raise ValueError(f"it does not begin as one of {dimensions} dimensions")
            shape = struct.unpack(f">{dimensions}I", header[4:])
            count = math.prod(shape)
            if not 0 < count <= _LIMIT:
                raise ValueError(f"it promises {count:,} bytes")
            # One byte more than promised: a longer file is as wrong as a shorter one, and none is unpacked whole.
            content = file.read(count + 1)
        if len(content) != count:
            raise ValueError("it is longer or shorter than its header says")
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"not an IDX file of unsigned bytes: {error}", where=str(path)) from error
    return np.frombuffer(content, np.uint8).reshape(shape)
