"""Names: which are pictures, in what order they stand, and which classes they form.

The same rules hold for a folder and for a zip, on every system and in every locale: names are compared by the UTF-8
bytes of their NFC form, so a set copied from a Mac (NFD) trains in the same order.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterable

PICTURES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"}
)
"""Extensions that are opened; what is inside decides, not the name."""

FOREIGN = {
    ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".avif": "AVIF", ".jxl": "JPEG XL", ".jp2": "JPEG 2000",
    ".psd": "PSD", ".svg": "SVG", ".eps": "EPS", ".ps": "EPS", ".ico": "ICO",
    ".cr2": "camera raw", ".cr3": "camera raw", ".nef": "camera raw", ".arw": "camera raw", ".dng": "camera raw",
    ".raf": "camera raw", ".orf": "camera raw", ".rw2": "camera raw",
}  # fmt: skip
"""Pictures by extension that saddlepoint does not read: reported, never opened."""

ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"})

LABEL_FILES = frozenset({"labels.json", "labels.csv", "dataset.json", "list_attr_celeba.txt", "list_attr_celeba.csv"})
"""What is known of pictures, in a file beside them."""

_USUAL = {
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg"),
    "PNG": (".png", ".apng"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
_JUNK = frozenset({".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db"})


def kind(name: str, sniff: bool = False) -> str:
    """What a relative name promises: `"picture"`, `"labels"`, `"foreign"`, `"system file"`, `"hidden file"`, `"other"`.

    Args:
        name: relative, with `/` between its parts.
        sniff: count unknown extensions as pictures.
    """
    *folders, last = name.split("/")
    if last.lower() in _JUNK or last.startswith("._") or "__MACOSX" in folders:
        return "system file"
    if any(folder.startswith(".") for folder in folders):
        return "hidden file"
    if is_labels(name):
        return "labels"
    if extension(name) in FOREIGN:
        return "foreign"
    return "picture" if sniff or extension(name) in PICTURES else "other"


def is_labels(name: str) -> bool:
    """Whether a relative name is that of a label file, at the top or in one folder that may wrap everything."""
    return name.count("/") < 2 and posixpath.basename(name) in LABEL_FILES


def extension(name: str) -> str:
    """`".png"` for `"cat/A.PNG"`; empty for names without one."""
    return posixpath.splitext(name)[1].lower()


def mismatch(name: str, form: str) -> bool:
    """Whether a picture in Pillow's format `form` carries the extension of another one."""
    return extension(name) in PICTURES and extension(name) not in _USUAL.get(form, ())


def sort_key(name: str) -> tuple[bytes, bytes]:
    """Orders names the same everywhere; twins that differ only in their Unicode form keep an order, too."""
    return _bytes(unicodedata.normalize("NFC", name)), _bytes(name)


def shown(name: str) -> str:
    """A name as it may stand in a message: as it is when harmless, otherwise quoted and escaped."""
    return name if name.isprintable() and name == name.strip() else ascii(name)


def class_name(folder: str) -> str:
    """The name of a class: its folder's in NFC; bytes that are not UTF-8 are spelled `\\xff`."""
    return _bytes(unicodedata.normalize("NFC", folder)).decode("utf-8", "backslashreplace")


def classify(names: Iterable[str], barren: Iterable[str] = ()) -> tuple[list[str | None], tuple[str, ...]]:
    """The class of each name, and all classes in label order.

    A set has classes when all its pictures lie in two or more sub-folders; what lies deeper belongs to the topmost
    of them. A single sub-folder that holds everything is looked into, as archives like to wrap their content. If any
    picture lies beside the sub-folders, the set has no classes and all its pictures are used.

    Args:
        names: relative names of pictures.
        barren: relative names of folders without a usable picture; they are classes, too.
    """
    parts = [name.split("/") for name in names]
    others = [name.split("/") for name in barren]
    for depth in range(min((len(part) - 1 for part in parts), default=0)):
        level = {part[depth] for part in parts} | {part[depth] for part in others if len(part) > depth}
        if len(level) > 1:
            classes = sorted({class_name(folder) for folder in level}, key=sort_key)
            return [class_name(part[depth]) for part in parts], tuple(classes)
    return [None] * len(parts), ()


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
