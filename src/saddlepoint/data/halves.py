"""Pictures side by side, of which each half comes to its size alone: resized as one, colors would cross the seam."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .decode import Decoded, decode_array
from .listing import Entry, Listing, Storage
from .policy import Policy
from .report import Skip


class Halves:
    """A place whose pictures are pairs, source left and target right.

    Args:
        storage: the place.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage, self.name = storage, storage.name

    def survey(self, policy: Policy) -> Listing:
        """Everything in the place; see `Storage.survey`."""
        return self.storage.survey(policy)

    def load(self, entry: Entry, policy: Policy, size: tuple[int, int] | None, channels: int | None) -> Decoded | Skip:
        """One picture, twice as wide as each of its halves; of an odd width the middle column is left out."""
        found = self.storage.load(entry, policy, None, channels)
        if isinstance(found, Skip) or size is None:
            return found
        half = found.pixels.shape[1] // 2
        sides = []
        for pixels in (found.pixels[:, :half], found.pixels[:, -half:]):
            side = decode_array(pixels, policy, size=(size[0], size[1] // 2), channels=channels)
            if isinstance(side, Skip):
                return side
            sides.append(side.pixels)
        return replace(found, pixels=np.concatenate(sides, axis=1))
