"""Any Pillow mode to 8-bit gray, RGB or RGBA, in sRGB.

Pillow's own `convert` is silently wrong on odd pictures: 16-bit gray clips to white, float becomes black, transparent
pixels show the colors hidden under them, color profiles are ignored. Every mode has its explicit rule here, and every
conversion is noted for the report.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from .policy import Policy
from .report import Reason, Skip


class Refused(Exception):
    """A picture that the policy refuses; never leaves the decode boundary.

    Args:
        reason: the class of the fault.
        detail: what exactly.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.skip = Skip(reason, detail)


def standard(image: Image.Image, policy: Policy, *, keep_alpha: bool) -> tuple[Image.Image, list[str]]:
    """`image` (loaded) in mode L, RGB or, only with `keep_alpha`, RGBA; and the conversions that were needed.

    Raises:
        Refused: every pixel is transparent, or the range of the pixels is unknown.
    """
    notes: list[str] = []
    profile = image.info.get("icc_profile")
    image = _eight_bits(image, policy, notes)
    image = _without_palette(image)
    image = _in_srgb(image, profile, notes)
    return _alpha(image, policy, keep_alpha, notes), notes


def _eight_bits(image: Image.Image, policy: Policy, notes: list[str]) -> Image.Image:
    """16-bit gray divided by 257, so that 65535 becomes 255; 32-bit and float as the policy says."""
    if image.mode.startswith("I;16"):
        notes.append("16 bits scaled to 8")
        deep = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        if policy.floats == "skip":
            raise Refused(Reason.RANGE, "32-bit pixels" if image.mode == "I" else "float pixels")
        values = np.asarray(image).astype(np.float64)
        low, high = values.min(), values.max()
        if not np.isfinite([low, high]).all():
            raise Refused(Reason.RANGE, "NaN or infinite pixels")
        notes.append("scaled to its own extremes")
        return Image.fromarray(((values - low) * (255 / max(high - low, 1e-300))).round().astype(np.uint8))
    return image


def _without_palette(image: Image.Image) -> Image.Image:
    """Palette, bit and one-transparent-color pictures as L, LA, RGB or RGBA; other modes as they are."""
    transparent = "transparency" in image.info
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if transparent or image.mode == "PA" else "RGB")
    if image.mode == "1":
        return image.convert("L")
    if transparent and image.mode in ("L", "RGB"):
        return image.convert("LA" if image.mode == "L" else "RGBA")
    return image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode]) if image.mode in ("La", "RGBa") else image


def _in_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """CMYK, Lab and pictures with a color profile in sRGB; a damaged profile is ignored."""
    if image.mode == "LAB":
        notes.append("LAB to RGB")
        lab = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return _apply(lab, image)
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        notes.append(f"{image.mode} to RGB")
    if profile:
        try:
            return _through(profile, image, notes)
        except (ImageCms.PyCMSError, OSError, ValueError):
            notes.append("damaged color profile ignored")
    return image if image.mode in ("L", "LA", "RGB", "RGBA") else image.convert("RGB")


def _through(profile: bytes, image: Image.Image, notes: list[str]) -> Image.Image:
    """`image` through its color profile to sRGB, its alpha untouched."""
    colors = {"LA": "L", "RGBA": "RGB"}.get(image.mode, image.mode)
    transform = _transform(profile, colors)
    if transform is None:
        return image
    notes.append("color profile converted")
    converted = _apply(transform, image.convert(colors))
    if colors == "L":
        converted = converted.convert("L")
    if image.mode != colors:
        converted.putalpha(image.getchannel("A"))
    return converted


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From `profile` to sRGB, or None when it is sRGB; pictures of one camera share theirs."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode != "CMYK" and "srgb" in ImageCms.getProfileDescription(source).lower():
        return None
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")


def _apply(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:  # only for in-place transforms, which these are not
        raise ValueError("no picture came out of the color transform")
    return converted


def _alpha(image: Image.Image, policy: Policy, keep: bool, notes: list[str]) -> Image.Image:
    """Transparent pixels composited on the background, or kept."""
    if image.mode not in ("LA", "RGBA"):
        return image
    low, high = image.getchannel("A").getextrema()
    if high == 0:
        raise Refused(Reason.TRANSPARENT)
    gray = image.mode == "LA" and len(set(policy.background)) == 1
    if keep:
        return image.convert("RGBA")
    if low == 255:
        return image.convert("L" if image.mode == "LA" else "RGB")
    notes.append("transparency composited")
    canvas = Image.new("RGBA", image.size, (*policy.background, 255))
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("L" if gray else "RGB")
