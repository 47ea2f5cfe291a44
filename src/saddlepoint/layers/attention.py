"""Self-attention: every place of a picture looks at all the others (Zhang et al. 2019, "Self-Attention GANs").

A convolution sees a few pixels; here a dog's hind legs can ask where its front legs are. The map of who looks at whom
has a number for each pair of places, 4 million for features of 64x64. It is never held as a whole: fused kernels make
it piece by piece, in the backward pass anew.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """x_j + γ v(Σ_i β_ji h(x_i)), β_j the softmax over i of f(x_i)ᵀ g(x_j), of features x (N, C, H, W).

    Keys f, queries g, values h and v are 1x1 convolutions, to C/8, C/8, C/2 and back to C features. γ is learned and
    starts at 0: first neighbors, then, little by little, what is farther away. The softmax is taken in float32.

    Differs from the paper: as in the authors' code, keys and values are the largest of each 2x2 places, values have C/2
    features and not C/8, and the layers have no biases.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        asked, told = max(1, channels // 8), max(1, channels // 2)
        self.query = _pointwise(channels, asked)
        self.key = _pointwise(channels, asked)
        self.value = _pointwise(channels, told)
        self.back = _pointwise(told, channels)
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        query = _rows(self.query(features))
        key = _rows(F.max_pool2d(self.key(features), 2))
        value = _rows(F.max_pool2d(self.value(features), 2))
        # Zeros add nothing to a product, and the fused kernels of a CPU want all three to be of one width.
        missing = (0, value.shape[-1] - query.shape[-1])
        with torch.autocast(features.device.type, enabled=False):
            seen = F.scaled_dot_product_attention(F.pad(query, missing), F.pad(key, missing), value, scale=1.0)
        found = seen.squeeze(1).transpose(1, 2).unflatten(2, features.shape[2:])
        return features + self.scale.to(features.dtype) * self.back(found)


def _pointwise(entering: int, leaving: int) -> nn.Conv2d:
    layer = nn.Conv2d(entering, leaving, 1, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return layer


def _rows(features: Tensor) -> Tensor:
    """(N, C, H, W) as (N, 1, H·W, C), at least in float32: one head, a row for each place."""
    rows = features.flatten(2).transpose(1, 2).unsqueeze(1).contiguous()
    return rows.to(torch.promote_types(rows.dtype, torch.float32))
