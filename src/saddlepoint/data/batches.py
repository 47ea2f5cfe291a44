"""What a stream hands to a game at one draw."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Images with their labels, or points with theirs.

    Attributes:
        image: float32 (N, C, H, W) in [-1, 1]; for a toy distribution its points (N, D), of any range.
        label: int64 (N,), or None for data without classes.
    """

    image: Tensor
    label: Tensor | None = None

    def __len__(self) -> int:
        return len(self.image)

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`, images in channels-last memory order."""
        layout = torch.channels_last if self.image.ndim == 4 else torch.preserve_format
        image = self.image.to(device, non_blocking=True, memory_format=layout)
        return Batch(image, None if self.label is None else self.label.to(device, non_blocking=True))


@dataclass(frozen=True)
class Pair:
    """Pictures of two sides: row i of one beside row i of the other.

    Whether the two of a row show the same thing is for the stream to say that gave them.

    Attributes:
        source: what is translated, float32 (N, C, H, W) in [-1, 1].
        target: what it is translated to, likewise.
    """

    source: Tensor
    target: Tensor

    @property
    def image(self) -> Tensor:
        """The targets: what the results should look like."""
        return self.target

    @property
    def label(self) -> None:
        """Pairs have no classes."""
        return None

    def __len__(self) -> int:
        return len(self.source)

    def to(self, device: torch.device) -> Pair:
        """The same pairs on `device`, in channels-last memory order."""
        source, target = (
            side.to(device, non_blocking=True, memory_format=torch.channels_last) for side in (self.source, self.target)
        )
        return Pair(source, target)
