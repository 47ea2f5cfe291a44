"""Many small images as one picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import UsageError
from .atomic import replacing

PADDING = 2
"""Pixels between two cells, the same in every sheet that a run writes."""

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def to_uint8(images: Tensor | NDArray[np.generic]) -> NDArray[np.uint8]:
    """Turns images into the bytes that files and screens want.

    Args:
        images: a tensor or float array (N, C, H, W) in [-1, 1], as games make them, or a uint8 array (N, H, W, C), as
            data sets store them, which is returned as it is.

    Returns:
        (N, H, W, C) in 0 … 255. Values out of range are clipped; NaN becomes mid-gray, so that a diverged
        generator can still be looked at.

    Raises:
        UsageError: not four dimensions, or neither 1, 3 nor 4 channels.
    """
    if isinstance(images, np.ndarray) and images.dtype == np.uint8:
        pixels = cast(NDArray[np.uint8], images)
    else:
        scaled = (torch.as_tensor(images).detach().to("cpu", torch.float32) + 1) * 127.5
        whole = torch.nan_to_num(scaled, nan=127.5, posinf=255, neginf=0).round().clamp(0, 255).to(torch.uint8)
        pixels = np.moveaxis(whole.numpy(), 1, -1) if whole.ndim == 4 else whole.numpy()
    if pixels.ndim != 4 or pixels.shape[-1] not in _MODES:
        raise UsageError(
            f"images of shape {tuple(images.shape)} cannot be drawn",
            fix="give (N, C, H, W) in [-1, 1] or uint8 (N, H, W, C), with 1, 3 or 4 channels",
        )
    return pixels


def grid(images: Tensor | NDArray[np.generic], *, columns: int | None = None, padding: int = PADDING) -> Image.Image:
    """Lays images out row by row, with gaps between them and no border around.

    Args:
        images: as `to_uint8` takes them, at least one.
        columns: images in a row; by default as many as make the sheet nearly square.
        padding: pixels between two images. Gaps and empty cells are white, or transparent with 4 channels.

    Returns:
        A picture of mode L, RGB or RGBA for 1, 3 or 4 channels.
    """
    pixels = to_uint8(images)
    count, height, width, channels = pixels.shape
    if count == 0 or padding < 0 or (columns is not None and columns < 1):
        raise UsageError(f"a grid of {count} images, {columns} columns and padding {padding} cannot be drawn")
    columns = min(count, columns or near_square(count))
    rows = math.ceil(count / columns)
    sheet = np.full((rows, height + padding, columns, width + padding, channels), 255, np.uint8)
    if channels == 4:
        sheet[..., 3] = 0
    for index, image in enumerate(pixels):
        row, column = divmod(index, columns)
        sheet[row, :height, column, :width] = image
    flat = sheet.reshape(rows * (height + padding), columns * (width + padding), channels)
    flat = flat[: flat.shape[0] - padding, : flat.shape[1] - padding]
    return Image.fromarray(np.ascontiguousarray(flat[..., 0] if channels == 1 else flat), mode=_MODES[channels])


def near_square(count: int) -> int:
    """Columns of the most nearly square sheet of `count` cells; a factor of `count` is preferred, for full rows."""
    root = math.ceil(math.sqrt(count))
    full = [columns for columns in range(root, min(count, 2 * root) + 1) if count % columns == 0]
    return full[0] if full and full[0] <= root * 1.5 else root


def save(image: Image.Image, path: Path) -> Path:
    """Writes a picture whole or not at all; the suffix chooses the format (.png, .webp, .jpg).

    Raises:
        UsageError: a suffix that no format has.
        DiskError: the disk is full or the folder cannot be written to.
    """
    if path.suffix.lower() not in Image.registered_extensions():
        raise UsageError(f"{path.name!r} names no picture format", where=str(path), fix="end it in .png or .webp")
    with replacing(path) as draft:
        image.save(draft, optimize=True)
    return path
