"""What a generator starts from."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def latents(count: int, size: int, network: nn.Module, generator: torch.Generator | None = None) -> Tensor:
    """Draws latents from N(0, I), float32 (count, size), on the device of `network`.

    They are drawn on the CPU whatever the device, so that one seed gives the same samples everywhere.

    Args:
        count: how many.
        size: of each.
        network: what they are for.
        generator: to draw from; torch's default when None.
    """
    drawn = torch.randn(count, size, generator=generator)
    return drawn.to(next(network.parameters()).device, non_blocking=True)
