"""Normalizations of each sample by itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """Makes the mean square over the features of every pixel one (Karras et al. 2018, section 4.2).

    Maps (N, C, …) to the same shape. Of latents (N, Z) it makes points on the sphere of radius √Z.
    """

    def forward(self, features: Tensor) -> Tensor:
        # Summed up in float32, for a low precision would lose small squares beside large ones.
        size = features.square().mean(1, keepdim=True, dtype=torch.promote_types(features.dtype, torch.float32))
        return features * (size + 1e-8).rsqrt().to(features.dtype)
