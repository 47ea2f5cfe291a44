"""Resizing for evaluation, by the rule that is asked for.

Feature networks look at pictures of one size, and how they are brought there changes a score by more than many a
method does (Parmar et al. 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation"). Three rules:

    clean        Pillow's bicubic filter, widened when a picture shrinks, so that nothing aliases; in floating point,
                 never rounded to bytes on the way. What clean-fid does.
    tensorflow   two neighbors by two, however much is skipped between them, counted from the upper left corner:
                 TensorFlow 1's `resize_bilinear(align_corners=False)`, in the graph of the original FID.
    pytorch      the same counted from the centers of pixels: `interpolate(mode="bilinear")`, in pytorch-fid.

Each is separable and linear, so resizing is two matrix products, on whatever device the pictures lie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ..errors import UsageError

Rule = Literal["clean", "tensorflow", "pytorch"]


def resize(images: Tensor, size: tuple[int, int], rule: Rule = "clean") -> Tensor:
    """Pictures at another size; those that have it already are returned as they are.

    Args:
        images: float32 (N, C, H, W) in [-1, 1].
        size: (height, width) wanted.
        rule: how; see above.

    Returns:
        float32 (N, C, height, width). Bicubic filters overshoot at edges; what leaves [-1, 1] is clipped.

    Raises:
        UsageError: not four dimensions, no pixel before or after, or an unknown rule.
    """
    if images.ndim != 4 or not all(images.shape[2:]) or min(size) < 1:
        raise UsageError(f"pictures of shape {tuple(images.shape)} cannot become {size[0]}x{size[1]}")
    check(rule)
    if images.shape[2:] == size:
        return images
    # Where matrix products may be rounded more than float32 is, pixels are not to be.
    exact = torch.float32 if torch.get_float32_matmul_precision() == "highest" else torch.float64
    wide = images.to(exact)
    down, across = (weights(*lengths, rule).to(wide) for lengths in zip(images.shape[2:], size, strict=True))
    return (down @ (wide @ across.T)).clamp(-1, 1).to(images.dtype)


def check(rule: str) -> None:
    """Makes sure that there is such a rule.

    Raises:
        UsageError: there is none; names those that there are.
    """
    if rule not in _RULES:
        raise UsageError(f"no rule of resizing is called {rule!r}", fix=f"one of {', '.join(_RULES)}")


def weights(before: int, after: int, rule: Rule = "clean") -> Tensor:
    """How much each new pixel takes of each old one along an axis: float64 (after, before), rows sum to 1.

    Args:
        before: pixels there are.
        after: pixels wanted.
        rule: as in `resize`.
    """
    return _RULES[rule](before, after)


def _clean(before: int, after: int) -> Tensor:
    """Keys' cubic with a = -1/2; where pixels are left out, stretched by as much as the picture shrinks."""
    scale = before / after
    stretch = max(scale, 1.0)
    centers = _centers(after) * scale
    distance = ((_centers(before) - centers[:, None]) / stretch).abs()
    # Pillow decides in whole pixels which ones the filter sees; at its ends it is 0 but for rounding.
    seen = torch.stack([(centers - 2 * stretch + 0.5).floor(), (centers + 2 * stretch + 0.5).floor()])
    place = torch.arange(before)
    inside = (place >= seen[0, :, None]) & (place < seen[1, :, None])
    near = (1.5 * distance - 2.5) * distance.square() + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    kernel = torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0)) * inside
    return kernel / kernel.sum(1, keepdim=True)


def _tensorflow(before: int, after: int) -> Tensor:
    return _between(torch.arange(after, dtype=torch.float64) * (before / after), before)


def _pytorch(before: int, after: int) -> Tensor:
    return _between((_centers(after) * (before / after) - 0.5).clamp_min(0), before)


def _between(places: Tensor, before: int) -> Tensor:
    """Linear interpolation at `places`, counted in old pixels; beyond the last one it is repeated."""
    below = places.floor().long().clamp_max(before - 1)
    above = (below + 1).clamp_max(before - 1)
    part = (places - below).unsqueeze(1)
    eye = torch.eye(before, dtype=torch.float64)
    return eye[below] * (1 - part) + eye[above] * part


def _centers(count: int) -> Tensor:
    return torch.arange(count, dtype=torch.float64) + 0.5


_RULES: dict[str, Callable[[int, int], Tensor]] = {"clean": _clean, "tensorflow": _tensorflow, "pytorch": _pytorch}
