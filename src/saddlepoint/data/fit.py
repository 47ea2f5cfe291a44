"""One picture to one size: resize so that it covers the asked frame, cut to the center. Antialiased bicubic."""

from __future__ import annotations

from PIL import Image

from ..errors import UsageError
from .policy import Policy

_LARGEST_SIDE = 8192

# Pillow widens the bicubic kernel when it shrinks, so nothing aliases (Parmar et al. 2022 compare the libraries), and
# multiplies colors by alpha first, so hidden colors do not bleed into visible ones.
_FILTER = Image.Resampling.BICUBIC


def frame(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """(height, width) from a side or a pair; None stays None.

    Raises:
        UsageError: a side is too small or too large for a picture.
    """
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, int) else size
    if not (1 <= height <= _LARGEST_SIDE and 1 <= width <= _LARGEST_SIDE):
        raise UsageError(f"--size must be 1 to {_LARGEST_SIDE} pixels, got {height}x{width}", where="--size")
    return height, width


def fit(image: Image.Image, size: tuple[int, int], policy: Policy) -> Image.Image:
    """`image` at exactly `size` = (height, width), as `policy.crop` says."""
    height, width = size
    if image.size == (width, height):
        return image
    if policy.crop == "stretch":
        return image.resize((width, height), _FILTER)
    if policy.crop == "pad":
        return _padded(image, height, width, policy)
    return image.resize((width, height), _FILTER, box=_center(image, height, width))


def _center(image: Image.Image, height: int, width: int) -> tuple[float, float, float, float]:
    """The largest centered box (left, top, right, bottom) of aspect ratio width : height, in fractional pixels.

    Scaling this box is the same as scaling the shorter side and cutting, without rounding in between.
    """
    scale = min(image.width / width, image.height / height)
    inner_width, inner_height = min(width * scale, image.width), min(height * scale, image.height)
    left, top = (image.width - inner_width) / 2, (image.height - inner_height) / 2
    return left, top, left + inner_width, top + inner_height


def _padded(image: Image.Image, height: int, width: int, policy: Policy) -> Image.Image:
    """The whole picture, centered on the background; on transparency for pictures that keep theirs."""
    scale = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    opaque = Image.new("RGB", (width, height), policy.background).convert(image.mode)
    if image.mode == "RGBA":
        opaque.putalpha(0)
    opaque.paste(image.resize(inner, _FILTER), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return opaque
