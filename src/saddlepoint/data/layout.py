"""Names: which are pictures, in what order they stand, and which classes they form.

The same rules hold for a folder and for a zip, on every system and in every locale: names are compared by the UTF-8
bytes of their NFC form, so a set copied from a Mac (NFD) trains in the same order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

PICTURES = frozenset(".png .apng .jpg .jpeg .jpe .jfif .webp .bmp .dib .tif .tiff .gif".split())
"""Extensions that are opened; what is inside decides, not the name."""

FOREIGN = {
    ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".avif": "AVIF", ".jxl": "JPEG XL", ".jp2": "JPEG 2000",
    ".psd": "PSD", ".svg": "SVG", ".eps": "EPS", ".ps": "EPS", ".ico": "ICO",
    ".cr2": "camera raw", ".cr3": "camera raw", ".nef": "camera raw", ".arw": "camera raw", ".dng": "camera raw",
    ".raf": "camera raw", ".orf": "camera raw", ".rw2": "camera raw",
}  # fmt: skip
"""Pictures by extension that saddlepoint does not read: reported, never opened."""

ARCHIVES = frozenset(".zip .tar .tgz .gz .bz2 .xz .zst .7z .rar".split())

_JUNK = frozenset({".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db"})


def kind(name: str, sniff: bool = False) -> str:
    """What a relative name promises: `"picture"`, `"foreign"`, `"system file"` or `"other"`.

    Args:
        name: relative, with `/` between its parts.
        sniff: count unknown extensions as pictures.
    """
    path = PurePosixPath(name)
    if path.name.lower() in _JUNK or path.name.startswith("._") or "__MACOSX" in path.parts:
        return "system file"
    extension = path.suffix.lower()
    if extension in FOREIGN:
        return "foreign"
    return "picture" if sniff or extension in PICTURES else "other"


def mismatch(name: str, form: str) -> bool:
    """Whether a picture in Pillow's format `form` carries the extension of another one."""
    usual = {"JPEG": ".jpg .jpeg .jpe .jfif", "MPO": ".jpg .jpeg", "TIFF": ".tif .tiff", "PNG": ".png .apng"}
    extension = PurePosixPath(name).suffix.lower()
    return extension in PICTURES and extension not in usual.get(form, f".{form.lower()} .dib").split()


def sort_key(name: str) -> tuple[bytes, bytes]:
    """Orders names the same everywhere; twins that differ only in their Unicode form keep an order, too."""
    return _bytes(unicodedata.normalize("NFC", name)), _bytes(name)


def shown(name: str) -> str:
    """A name as it may stand in a message: as it is when harmless, otherwise quoted and escaped."""
    return name if name.isprintable() and name == name.strip() else ascii(name)


def class_name(folder: str) -> str:
    """The name of a class: its folder's in NFC; bytes that are not UTF-8 are spelled `\\xff`."""
    return _bytes(unicodedata.normalize("NFC", folder)).decode("utf-8", "backslashreplace")


def classify(names: Iterable[str], empty: Iterable[str] = ()) -> tuple[list[str | None], tuple[str, ...]]:
    """The class of each name, and all classes in label order.

    A set has classes when all its pictures lie in two or more sub-folders; what lies deeper belongs to the topmost
    of them. A single sub-folder that holds everything is looked into, as archives like to wrap their content. If any
    picture lies beside the sub-folders, the set has no classes and all its pictures are used.

    Args:
        names: relative names of pictures.
        empty: relative names of folders that hold nothing; they are classes without pictures.
    """
    parts = [name.split("/") for name in names]
    folders = [name.split("/") for name in empty]
    for depth in range(min((len(part) - 1 for part in parts), default=0)):
        level = {part[depth] for part in parts} | {part[depth] for part in folders if len(part) > depth}
        if len(level) > 1:
            classes = sorted({class_name(folder) for folder in level}, key=sort_key)
            return [class_name(part[depth]) for part in parts], tuple(classes)
    return [None] * len(parts), ()


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
