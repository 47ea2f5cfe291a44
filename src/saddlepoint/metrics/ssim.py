"""Structural similarity: how alike two pictures are, and how alike those are that a generator paints of one class.

Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity", and Wang et al. 2003,
"Multi-scale structural similarity for image quality assessment". Means, deviations and covariances are taken within
windows of 11x11 pixels weighted by a Gaussian of deviation 1.5, wherever a whole window fits, as in the authors' code
(torchmetrics mirrors pictures at the border of the coarsest scale instead). Computed in float64: where a picture is
flat, float32 has rounded its variance away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import UsageError

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the contrast at full size, half, a quarter … and of everything at the coarsest (Wang et al. 2003, section 3.2)."""

WINDOW = 11
PAIRS = 100

_WIDTH = 1.5
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2  # K1 and K2 squared, for pictures in [0, 1]
_BLOCK = 16  # pairs whose ten maps are held at once


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """The structural similarity of pairs of pictures, float64 (N,): 1 for copies, 0 and below for nothing in common.

    Args:
        x: float32 (N, C, H, W) in [-1, 1]; channels are compared one by one and averaged.
        y: their partners.

    Raises:
        UsageError: shapes differ, or no window fits in.
    """
    return torch.cat([_terms(*pair)[0] for pair in _pairs(x, y)])


def ms_ssim(x: Tensor, y: Tensor, *, scales: int | None = None) -> Tensor:
    """The multi-scale structural similarity of pairs of pictures, float64 (N,) in [0, 1].

    Contrast and structure at full size, half, a quarter …, and at the coarsest scale luminance too, are raised to
    weights that people's judgments gave, and multiplied. What is negative, of pictures each other's negatives, counts
    as 0. Pictures are halved by the mean of 2x2 pixels; an odd last row is dropped.

    Differs from the paper for small pictures: its five scales need 176 pixels, since a window has 11. Smaller pictures
    have as many scales as fit, two at 32 and three at 64 pixels, and the weights of those are divided by their
    sum. Values of different numbers of scales cannot be compared.

    Args:
        x: float32 (N, C, H, W) in [-1, 1].
        y: their partners.
        scales: how many, at most 5; as many as fit by default.

    Raises:
        UsageError: shapes differ, or so many scales do not fit.
    """
    fitting = scales_of(min(x.shape[2:], default=0))
    count = fitting if scales is None else scales
    if not 1 <= count <= fitting:
        raise UsageError(
            f"pictures of shape {tuple(x.shape)} have {fitting} scales, not {count if scales is not None else 1}",
            fix=f"1 to {len(SCALE_WEIGHTS)} of them; the first needs at least {WINDOW} pixels each way",
        )
    weights = torch.tensor(SCALE_WEIGHTS[:count], dtype=torch.float64, device=x.device)
    if count < len(SCALE_WEIGHTS):  # the paper's five add up to 1.0001, and stay
        weights /= weights.sum()
    return torch.cat([_multiply(*pair, weights) for pair in _pairs(x, y)])


def scales_of(side: int) -> int:
    """How many scales a picture has whose shorter side has so many pixels: a window fits into each."""
    return sum(side >> scale >= WINDOW for scale in range(len(SCALE_WEIGHTS)))


@dataclass(frozen=True)
class Diversity:
    """How alike pictures of one class are; the lower, the more diverse.

    Attributes:
        mean: MS-SSIM of two pictures of one class, averaged over pairs and then over classes. Compare it with the
            data's: above it, the generator has fewer pictures than they (Odena et al. 2017, figure 3).
        classes: the same by class; classes with fewer than two pictures are left out.
        scales: that were compared.
    """

    mean: float
    classes: dict[int, float]
    scales: int


def diversity(images: Tensor, labels: Tensor | None = None, *, pairs: int = PAIRS, seed: int = 0) -> Diversity:
    """MS-SSIM of random pairs within each class (Odena et al. 2017, "Conditional Image Synthesis With ACGANs").

    Differs from theirs: where a window of 11 pixels does not fit, a scale is left out; their code shrinks the window.

    Args:
        images: float32 (N, C, H, W) in [-1, 1].
        labels: int64 (N,); all of one class by default.
        pairs: drawn of each class, of two different pictures each.
        seed: of the draws.

    Raises:
        UsageError: no class has two pictures, or they are smaller than a window.
    """
    labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels.cpu()
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for label in labels.unique().tolist():
        members = (labels == label).nonzero().squeeze(1)
        if len(members) < 2:
            continue
        first = torch.randint(len(members), (pairs,), generator=generator)
        second = torch.randint(len(members) - 1, (pairs,), generator=generator)
        second += second >= first  # any but the first
        chosen = [members[places].to(images.device) for places in (first, second)]
        found[label] = ms_ssim(images[chosen[0]], images[chosen[1]]).mean().item()
    if not found:
        raise UsageError(f"{len(images)} pictures have no pair of one class", fix="two pictures of a class, or more")
    return Diversity(sum(found.values()) / len(found), found, scales_of(min(images.shape[2:])))


def _pairs(x: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Blocks of pairs in float64, in [0, 1]."""
    if x.shape != y.shape or x.ndim != 4 or not len(x) or min(x.shape[2:]) < WINDOW:
        raise UsageError(
            f"pictures of shapes {tuple(x.shape)} and {tuple(y.shape)} cannot be compared",
            fix=f"two times (N, C, H, W) with at least {WINDOW} pixels each way",
        )
    for pair in zip(x.split(_BLOCK), y.split(_BLOCK), strict=True):
        yield (pair[0].double() + 1) / 2, (pair[1].double() + 1) / 2


def _multiply(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    terms = []
    for _ in weights[:-1]:
        terms.append(_terms(x, y)[1])
        x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    terms.append(_terms(x, y)[0])
    return (torch.stack(terms).relu() ** weights[:, None]).prod(0)


def _terms(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Structural similarity, and the part of it without luminance, (N,) each, of pictures in [0, 1]."""
    mean_x, mean_y, square_x, square_y, product = _windows(torch.stack([x, y, x * x, y * y, x * y]))
    variances = square_x - mean_x**2 + square_y - mean_y**2
    contrast = (2 * (product - mean_x * mean_y) + _CONTRAST) / (variances + _CONTRAST)
    luminance = (2 * mean_x * mean_y + _LUMINANCE) / (mean_x**2 + mean_y**2 + _LUMINANCE)
    return (luminance * contrast).flatten(1).mean(1), contrast.flatten(1).mean(1)


def _windows(maps: Tensor) -> Tensor:
    """The weighted means of all windows that fit into maps (…, H, W)."""
    places = torch.arange(WINDOW, dtype=maps.dtype, device=maps.device) - WINDOW // 2
    weights = (-0.5 * (places / _WIDTH) ** 2).exp()
    weights /= weights.sum()
    planes = maps.flatten(0, -3).unsqueeze(1)
    planes = F.conv2d(F.conv2d(planes, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    return planes.view(*maps.shape[:-2], *planes.shape[-2:])
