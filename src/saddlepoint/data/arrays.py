"""Pictures that are arrays already: an .npz file, or an array in memory.

An .npz holds `images`, uint8 (N, H, W), (N, H, W, C) or (N, C, H, W), and may hold `labels`, whole numbers (N,), and
`classes`, their names (K,). C is 1, 3 or 4; a shape that could be read both ways has its channels last.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import DataError, SaddleError
from .decode import Decoded, decode_array
from .images import Images
from .layout import shown
from .listing import Entry, Listing
from .policy import Policy
from .report import Skip

_LARGEST = 4 << 30  # bytes, expanded; unlike folders and zips, an array is read into memory
_CHANNELS = (1, 3, 4)


class ArrayStorage:
    """Pictures in an array, named `images[0]`, `images[1]`, …

    Args:
        images: the array with its labels.
    """

    def __init__(self, images: Images) -> None:
        self.images, self.name = images, images.name

    def survey(self, policy: Policy) -> Listing:
        """All pictures, hashed; see `Storage.survey`."""
        images = self.images
        entries = []
        for number, pixels in enumerate(images.pixels):
            label = None if images.labels is None else images.classes[images.labels[number]]
            digest = hashlib.sha256(np.ascontiguousarray(pixels).data)
            digest.update(repr((pixels.shape, label)).encode())
            entries.append(Entry(f"images[{number}]", pixels.nbytes, 0, digest.hexdigest(), label))
        return Listing(entries, classes=images.classes)

    def load(self, entry: Entry, policy: Policy, size: tuple[int, int] | None, channels: int | None) -> Decoded | Skip:
        """One picture, resized and converted."""
        number = int(entry.name[len("images[") : -1])
        return decode_array(self.images.pixels[number], policy, size=size, channels=channels)


def read_npz(path: Path) -> Images:
    """The pictures of an .npz file, in memory.

    Raises:
        DataError: damaged, too large, without usable `images`, or holding pickled objects, which could run code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = [name.removesuffix(".npy") for name in archive.namelist()]
            if "images" not in found:
                others = ", ".join(map(shown, found[:8])) or "nothing"
                raise DataError(
                    f"{shown(path.name)} has no array `images` (it has: {others})",
                    where=str(path),
                    fix="save it with numpy.savez(path, images=images, labels=labels)",
                )
            wanted = [name for name in ("images", "labels", "classes") if name in found]
            arrays = {name: _read_array(archive, name, path) for name in wanted}
    except SaddleError:
        raise
    except Exception as error:  # BadZipFile, ValueError, EOFError, zlib.error, struct.error …
        raise DataError(f"{shown(path.name)} cannot be read: {error}", where=str(path), fix="save it again") from error
    pixels = arrays["images"]
    if pixels.ndim == 4 and pixels.shape[3] not in _CHANNELS and pixels.shape[1] in _CHANNELS:
        pixels = pixels.transpose(0, 2, 3, 1)
    classes = tuple(str(name) for name in arrays.get("classes", np.empty(0)).ravel())
    return Images.of(pixels, arrays.get("labels"), classes=classes, name=str(path))


def _read_array(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    """One array; what it declares is checked before memory is spent on it."""
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        shape, kind = _read_header(file)
    if kind.hasobject:
        raise DataError(
            f"refused: array `{name}` holds pickled objects, which can run code",
            where=str(path),
            fix="save plain numbers; class names as numpy.array(names, dtype=str)",
        )
    if max(member.file_size, int(np.prod(shape, dtype=object)) * kind.itemsize) > _LARGEST:
        raise DataError(
            f"array `{name}` has {member.file_size / 1e9:,.1f} GB, limit {_LARGEST / 1e9:,.1f} GB",
            where=str(path),
            fix="use a folder or a zip of pictures, which are read one by one",
        )
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    return shape, kind
