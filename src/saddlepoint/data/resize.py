"""Equal pictures to another size and number of channels, into an array that is already there."""

from __future__ import annotations

import numpy as np
from PIL import Image

from saddlepoint.data.fit import fit
from saddlepoint.data.policy import Policy
from saddlepoint.data.scan import Watch

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_TELL = 500  # pictures between two reports


def resize_all(pixels: np.ndarray, out: np.ndarray, watch: Watch) -> None:
    """Fills `out` with `pixels`, both uint8 (N, H, W, C), antialiased and bicubic.

    Gray repeats over the colors, colors become gray by their luminance, and a new alpha is opaque. Where the shapes
    are alike the bytes are copied unchanged. Where the proportions differ the middle is kept.

    Raises:
        Stopped: `watch` asked for it.
    """
    for start in range(0, len(pixels), _TELL):
        watch.check()
        chunk = pixels[start : start + _TELL]
        target = out[start : start + _TELL]
        target[:] = chunk if chunk.shape == target.shape else np.stack([_resize(one, out.shape[1:]) for one in chunk])
        watch.progress(start + len(chunk), len(pixels))


def _resize(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """One picture (h, w, c) as `shape` (H, W, C)."""
    height, width, channels = shape
    image = Image.fromarray(picture.squeeze(2) if picture.shape[2] == 1 else picture).convert(_MODES[channels])
    return np.asarray(fit(image, (height, width), Policy())).reshape(shape)
