"""The one door for foreign bytes: a uint8 array, or the reason why not. There is no third outcome.

Pillow leaks many types of exceptions on damaged files (OSError, SyntaxError, ValueError, TypeError, struct.error …),
so this is the one place in saddlepoint that catches them all.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from .convert import Refused, standard
from .fit import fit
from .layout import shown
from .policy import Policy
from .report import Reason, Skip

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
"""The only parsers that ever run. EPS, above all, would start Ghostscript."""

_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PNG_END = b"IEND\xaeB`\x82"


@dataclass(frozen=True)
class Decoded:
    """One picture, decoded.

    Attributes:
        pixels: uint8 (H, W, C) with C = 1, 3 or 4.
        size: (width, height) before resizing, upright.
        channels: 1 for a gray picture, 3 for a colored one, whatever was asked for.
        form: Pillow's name of the file format, or empty for arrays.
        notes: conversions that were needed.
        constant: a single color.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    channels: int
    form: str = ""
    notes: tuple[str, ...] = ()
    constant: bool = False


@contextmanager
def calm() -> Iterator[None]:
    """Silences Pillow's warnings: what they say is refused or counted here.

    Warning filters belong to the process, not to a thread, so this is entered once around a whole pass.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def decode(
    data: bytes, policy: Policy, *, size: tuple[int, int] | None = None, channels: int | None = None
) -> Decoded | Skip:
    """Decode one picture file.

    Args:
        data: the whole file.
        policy: decisions about odd pictures.
        size: (height, width) to resize to; as it is by default.
        channels: 1, 3 or 4; by default 1 for gray and 3 for colored pictures. Only 4 keeps transparency.
    """
    try:
        return _decode(data, policy, size, channels)
    except Refused as refused:
        return refused.skip
    except Exception as error:  # see the head of this file
        return Skip(*_explain(data, error))


def decode_array(
    pixels: np.ndarray, policy: Policy, *, size: tuple[int, int] | None = None, channels: int | None = None
) -> Decoded | Skip:
    """The same for a picture that is an array already, uint8 (H, W, C)."""
    try:
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels))
        upright, notes = standard(image, policy, keep_alpha=channels == 4)
        return _finish(upright, policy, size, channels, image.size, "", notes)
    except Refused as refused:
        return refused.skip


def _finish(
    image: Image.Image,
    policy: Policy,
    size: tuple[int, int] | None,
    channels: int | None,
    found: tuple[int, int],
    form: str,
    notes: list[str],
) -> Decoded:
    """The last steps for an upright picture of mode L, RGB or RGBA: resize, channels, array."""
    if min(found) < policy.min_side:
        raise Refused(Reason.TOO_SMALL, f"{found[0]}x{found[1]}")
    if size and policy.crop == "stop" and found[0] * size[0] != found[1] * size[1]:
        raise Refused(Reason.SHAPE, f"{found[0]}x{found[1]} for {size[1]}x{size[0]}")
    own = 1 if image.mode == "L" else 3
    constant = image.getcolors(1) is not None
    if size:
        image = fit(image, size, policy)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels or own]
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return Decoded(pixels[..., None] if mode == "L" else pixels, found, own, form, tuple(notes), constant)


def _decode(data: bytes, policy: Policy, size: tuple[int, int] | None, channels: int | None) -> Decoded:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > policy.max_pixels:
            raise Refused(Reason.TOO_LARGE, f"{width}x{height}, limit {policy.max_pixels:,} pixels")
        notes: list[str] = []
        form = image.format or ""
        if getattr(image, "is_animated", False):
            notes.append("first of several frames")
        if size:
            # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; twice the asked size leaves resizing its quality.
            image.draft(None, (2 * max(size), 2 * max(size)))
        image.load()
        if form not in ("JPEG", "MPO"):  # their size here is that of the draft; TIFFs are turned upright by loading
            width, height = image.size
        if form == "PNG" and _PNG_END not in data:
            notes.append("minor damage")
        orientation = _orientation(image, notes)
        upright, more = standard(image, policy, keep_alpha=channels == 4)
    if orientation in _UPRIGHT:
        upright = upright.transpose(_UPRIGHT[orientation])
        notes.append("rotated by EXIF")
        if orientation >= 5:
            width, height = height, width
    return _finish(upright, policy, size, channels, (width, height), form, notes + more)


def _orientation(image: Image.Image, notes: list[str]) -> int:
    """The EXIF orientation, 1 … 8; damaged EXIF data are no reason to lose a picture."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is TIFF: as many types of exceptions
        notes.append("damaged EXIF ignored")
        return 1


def _explain(data: bytes, error: Exception) -> tuple[Reason, str]:
    """A reason and a detail for an exception from Pillow."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning | MemoryError):
        return Reason.TOO_LARGE, "decompression bomb"
    foreign = _foreign(data)
    if foreign:
        return Reason.FORMAT, foreign
    if isinstance(error, UnidentifiedImageError):  # its message holds a memory address
        return Reason.NOT_AN_IMAGE, ""
    detail = shown(str(error).split("\n")[0][:120])
    return (Reason.TRUNCATED if "truncated" in detail.lower() else Reason.DAMAGED), detail


def _foreign(data: bytes) -> str:
    """The name of a picture format that is known but not read, by its first bytes."""
    brands = {b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avif": "AVIF"}
    if data[4:8] == b"ftyp":
        return brands.get(data[8:12], "")
    starts = {b"8BPS": "PSD", b"%PDF": "PDF", b"%!PS": "EPS", b"\xc5\xd0\xd3\xc6": "EPS", b"<svg": "SVG"}
    if data[:4] in starts:
        return starts[data[:4]]
    return "SVG" if data[:5] == b"<?xml" and b"<svg" in data[:2000] else ""
