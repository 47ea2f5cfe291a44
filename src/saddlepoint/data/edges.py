"""Edges to photograph: any set of pictures, each with the lines that a detector finds in it on its left.

The detector is Canny's (1986): slopes of the brightness after a small blur, thinned to ridges of one pixel, of which
those are kept that are steep somewhere. Lines are black on white, as in the sets that came with pix2pix; those are
from another detector, a trained one (Xie and Tu 2015), which leaves out more texture.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .decode import Decoded
from .listing import Entry, Listing, Storage
from .policy import Policy
from .report import Skip

HEAD = "edges"
SIDES = ("edges", "photo")
BLUR = 1.0  # standard deviation, in pixels of the finished picture
GENTLE, STEEP = 0.04, 0.08  # slopes in brightness a pixel: a step of 0.2 from dark to light, blurred, is just steep

_MARK = "-edges-1"  # counts up when the same picture would give other lines
_BRIGHTNESS = np.array([0.299, 0.587, 0.114])


def photos(spec: str) -> str | None:
    """What the lines are found in, of `edges:PHOTOS`; None of other sets."""
    head, colon, rest = spec.partition(":")
    return rest if head == HEAD and colon else None


class Edges:
    """A place whose pictures get their lines to the left of them.

    Args:
        storage: the place.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage, self.name = storage, f"{HEAD}:{storage.name}"

    def survey(self, policy: Policy) -> Listing:
        """Everything in the place, without classes; see `Storage.survey`. Hashes say that the lines belong to it."""
        listing = self.storage.survey(policy)
        marked = [entry._replace(digest=entry.digest + _MARK, label=None) for entry in listing.entries]
        return replace(listing, entries=marked, classes=(), labels={})

    def load(self, entry: Entry, policy: Policy, size: tuple[int, int] | None, channels: int | None) -> Decoded | Skip:
        """One picture of `size`, the left half of which is its lines."""
        own = entry._replace(digest=entry.digest.removesuffix(_MARK))
        found = self.storage.load(own, policy, size and (size[0], size[1] // 2), channels)
        if isinstance(found, Skip):
            return found
        paper = np.full_like(found.pixels, 255)
        # An alpha channel stays opaque.
        paper[..., : 1 if paper.shape[2] == 1 else 3][lines(found.pixels)] = 0
        width, height = found.size
        return replace(found, pixels=np.concatenate([paper, found.pixels], axis=1), size=(2 * width, height))


def lines(pixels: np.ndarray) -> np.ndarray:
    """Where the edges of a picture are.

    Args:
        pixels: uint8 (H, W, C); an alpha channel does not count.

    Returns:
        bool (H, W).
    """
    from scipy import ndimage

    bright = pixels[..., 0] / 255 if pixels.shape[2] == 1 else pixels[..., :3] @ _BRIGHTNESS / 255
    blurred = ndimage.gaussian_filter(bright, BLUR, mode="nearest")
    # Sobel's weights add up to 8 for a slope of 1.
    down, right = (ndimage.sobel(blurred, axis, mode="nearest") / 8 for axis in (0, 1))
    slope = np.hypot(down, right)
    ridges = (slope > GENTLE) & _is_ridge(slope, down, right)
    joined, _ = ndimage.label(ridges, np.ones((3, 3)))
    steep = np.unique(joined[ridges & (slope > STEEP)])
    return ridges & np.isin(joined, steep)


def _is_ridge(slope: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where a slope is steeper than before and after it in its own direction, rounded to an eighth of a turn."""
    eighth = np.round(np.arctan2(down, right) / (np.pi / 4)).astype(int) % 4
    around = np.pad(slope, 1)
    height, width = slope.shape
    found = np.zeros(slope.shape, bool)
    for direction, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        after = around[1 + y : 1 + y + height, 1 + x : 1 + x + width]
        before = around[1 - y : 1 - y + height, 1 - x : 1 - x + width]
        # Of two equal neighbors one is taken.
        found |= (eighth == direction) & (slope > before) & (slope >= after)
    return found
