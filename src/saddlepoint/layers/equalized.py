"""Equalized learning rate: weights of one scale everywhere, multiplied by He's constant when they are used.

Adam moves every weight by about its learning rate, whatever its size; where layers draw their first weights from
distributions of different widths, the wide ones learn slowly. Here all of them are drawn from N(0, 1), and what He's
initialization would have drawn is made of them in each pass (Karras et al. 2018, section 4.1). Biases begin at zero.

The layers that change the resolution do so together with their convolution, as one with a kernel of 4x4 that is made of
theirs of 3x3: less than half of the work, and where rows are short, that of a matrix product.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from .convolution import down, up

GAIN = math.sqrt(2)
"""He's: what a rectifier takes away, this gives back."""


class EqualizedLinear(nn.Linear):
    """A linear layer with equalized learning rate.

    Args:
        entering: features of the input.
        leaving: features of the output.
        gain: sqrt(2) before a rectifier, 1 where nothing follows.
        bias: whether it adds one.
    """

    def __init__(self, entering: int, leaving: int, *, gain: float = GAIN, bias: bool = True) -> None:
        super().__init__(entering, leaving, bias=bias)
        self.scale = _equalize(self, gain, entering)

    def forward(self, features: Tensor) -> Tensor:
        return F.linear(features, self.weight * self.scale, self.bias)


class EqualizedConv2d(nn.Conv2d):
    """A convolution that keeps the resolution, with equalized learning rate.

    Args:
        entering: channels of the input.
        leaving: channels of the output.
        size: of the kernel, an odd number.
        gain: sqrt(2) before a rectifier, 1 where nothing follows.
    """

    def __init__(self, entering: int, leaving: int, size: int, *, gain: float = GAIN) -> None:
        super().__init__(entering, leaving, size, padding=size // 2)
        self.scale = _equalize(self, gain, entering * size**2)

    def forward(self, features: Tensor) -> Tensor:
        return self._conv_forward(features, self.weight * self.scale, self.bias)


class EqualizedUp(nn.Conv2d):
    """Every pixel becomes four, then a 3x3 convolution: (N, C, H, W) to (N, K, 2H, 2W)."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__(entering, leaving, 3)
        self.scale = _equalize(self, GAIN, 9 * entering)

    def forward(self, features: Tensor) -> Tensor:
        # The adjoint of a convolution reads its kernel from the other end.
        return up(features, _spread(self.weight * self.scale).flip(2, 3).transpose(0, 1), self.bias)


class EqualizedDown(nn.Conv2d):
    """A 3x3 convolution, then the mean of each four pixels: (N, C, H, W) to (N, K, H/2, W/2)."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__(entering, leaving, 3)
        self.scale = _equalize(self, GAIN, 9 * entering)

    def forward(self, features: Tensor) -> Tensor:
        return down(features, _spread(self.weight * (self.scale / 4)), self.bias)


def _equalize(layer: Any, gain: float, inputs: int) -> float:
    nn.init.normal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return gain / math.sqrt(inputs)


def _spread(kernel: Tensor) -> Tensor:
    """The 4x4 kernel that does to pixels what a 3x3 one, (…, 3, 3), does to all four pixels of a square together."""
    padded = F.pad(kernel, (1, 1, 1, 1))
    rows = padded[..., 1:, :] + padded[..., :-1, :]
    return rows[..., 1:] + rows[..., :-1]
