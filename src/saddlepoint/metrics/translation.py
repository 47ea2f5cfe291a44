"""How far a translation is from the picture that it should be, number by number.

Structural similarity is in `ssim`, and what people see in `perceptual`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import UsageError


def l1(x: Tensor, y: Tensor) -> Tensor:
    """The mean absolute difference of pairs of pictures (N, C, H, W) in [-1, 1], float64 (N,): 0 for copies, at most 2.

    The distance of Isola et al. 2017, eq. 3; of a picture and its way there and back, the cycle error of Zhu et al.
    2017, eq. 2.

    Raises:
        UsageError: shapes differ.
    """
    return _apart(x, y).abs().flatten(1).mean(1)


def psnr(x: Tensor, y: Tensor) -> Tensor:
    """The peak signal-to-noise ratio of pairs of pictures (N, C, H, W) in [-1, 1], float64 (N,): decibels.

    Ten times the logarithm of the squared range, 4, over the mean squared difference; infinite for copies.

    Raises:
        UsageError: shapes differ.
    """
    return 10 * torch.log10(4 / _apart(x, y).square().flatten(1).mean(1))


def _apart(x: Tensor, y: Tensor) -> Tensor:
    if x.shape != y.shape or x.ndim != 4:
        raise UsageError(
            f"pictures of shapes {tuple(x.shape)} and {tuple(y.shape)} cannot be compared",
            fix="give two times (N, C, H, W)",
        )
    return x.double() - y.double()
