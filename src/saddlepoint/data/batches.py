"""What a stream hands to a game at one draw."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Images with their labels.

    Attributes:
        image: float32 (N, C, H, W) in [-1, 1].
        label: int64 (N,), or None for data without classes.
    """

    image: Tensor
    label: Tensor | None = None

    def __len__(self) -> int:
        return len(self.image)

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`, images in channels-last memory order."""
        image = self.image.to(device, non_blocking=True, memory_format=torch.channels_last)
        return Batch(image, None if self.label is None else self.label.to(device, non_blocking=True))
