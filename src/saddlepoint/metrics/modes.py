"""How many modes of the data a generator found, how exactly, and how evenly: the protocol of VEEGAN and PacGAN.

Srivastava et al. 2017, "VEEGAN"; Lin et al. 2018, "PacGAN: the power of two samples", and its code, which decides what
the texts leave open: a sample belongs to the nearest mode, and is of high quality if strictly nearer to it than three
deviations. Only samples of high quality are counted, for the modes and for the histogram. Papers report 2,500 samples.

A generator that puts every sample on one mode is nearly perfect in quality, so report all three numbers, and
`perfect`, what the data themselves would get, beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from .distances import kl

_REACH = 3  # deviations
_BLOCK = 1 << 14  # points whose distances to all modes are held at once


@dataclass(frozen=True, eq=False)
class Modes:
    """What was found; expectations for `perfect` and `perfect_labels`.

    Attributes:
        count: modes with at least one sample of high quality.
        high_quality: share of the samples that are of high quality, 0 … 1.
        reverse_kl: KL(histogram || the data's own), in nats; infinite where no sample is of high quality.
        histogram: samples of high quality by mode, float64 (K,).
    """

    count: float
    high_quality: float
    reverse_kl: float
    histogram: Tensor


def modes(
    points: Tensor, centers: Tensor | np.ndarray, std: float, weights: Tensor | np.ndarray | None = None
) -> Modes:
    """The modes that a generator's points hit.

    Args:
        points: (N, D). NaN is never of high quality.
        centers: (K, D).
        std: of every mode along each axis.
        weights: of the modes in the data (K,); all equal by default, as in the papers.

    Raises:
        UsageError: no points, or points and centers of different dimensions.
    """
    points, places = points.detach().to("cpu", torch.float64), torch.as_tensor(centers, dtype=torch.float64)
    if points.ndim != 2 or not len(points) or points.shape[1:] != places.shape[1:]:
        raise UsageError(
            f"points of shape {tuple(points.shape)} have no modes of shape {tuple(places.shape)}",
            fix="points (N, D), N at least 1, and centers (K, D)",
        )
    histogram = torch.zeros(len(places), dtype=torch.float64)
    for block in points.split(_BLOCK):
        distance, nearest = torch.cdist(block, places, compute_mode="donot_use_mm_for_euclid_dist").min(1)
        histogram += torch.bincount(nearest[distance < _REACH * std], minlength=len(places))
    return _judge(histogram, len(points), weights)


def perfect(
    centers: Tensor | np.ndarray,
    std: float,
    weights: Tensor | np.ndarray | None = None,
    *,
    samples: int = 2500,
    trials: int = 400,
    seed: int = 0,
) -> Modes:
    """What `modes` finds on average when the points are drawn from the data's own distribution.

    Nobody does better but by chance: three deviations hold 98.89 % of a Gaussian in the plane, and no finite
    histogram is even.

    Args:
        centers: (K, D).
        std: of every mode along each axis.
        weights: of the modes in the data (K,); all equal by default.
        samples: points in one evaluation.
        trials: evaluations to average over.
        seed: of the points.
    """
    places = torch.as_tensor(centers, dtype=torch.float64)
    chances = torch.ones(len(places)) if weights is None else torch.as_tensor(weights)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(trials):
        chosen = places[torch.multinomial(chances, samples, replacement=True, generator=generator)]
        noise = torch.randn(chosen.shape, dtype=torch.float64, generator=generator)
        found.append(modes(chosen + std * noise, places, std, weights))
    return Modes(
        count=sum(each.count for each in found) / trials,
        high_quality=sum(each.high_quality for each in found) / trials,
        reverse_kl=sum(each.reverse_kl for each in found) / trials,
        histogram=torch.stack([each.histogram for each in found]).mean(0),
    )


def modes_of_labels(labels: Tensor, bins: int) -> Modes:
    """The same for samples that a classifier has labeled, each of which is of high quality by definition.

    For stacked MNIST the label is 100 a + 10 b + c for the digits of the three channels, and there are 1,000 bins;
    papers report 26,000 samples.

    Args:
        labels: int64 (N,), in 0 … bins - 1.
        bins: number of modes.

    Raises:
        UsageError: no labels, or one out of range.
    """
    if not labels.numel() or int(labels.min()) < 0 or int(labels.max()) >= bins:
        raise UsageError(f"labels lie in 0 … {bins - 1}, and there is at least one")
    return _judge(torch.bincount(labels.cpu(), minlength=bins).double(), len(labels), None)


def perfect_labels(bins: int, samples: int) -> Modes:
    """What `modes_of_labels` finds on average when labels are drawn uniformly: exact, by summing over a binomial law.

    Args:
        bins: number of modes, at least 2.
        samples: labels in one evaluation.
    """
    counts = torch.arange(samples + 1, dtype=torch.float64)
    ways = torch.lgamma(counts + 1).flip(0) + torch.lgamma(counts + 1)
    log_chances = math.lgamma(samples + 1) - ways - counts * math.log(bins) + counts.flip(0) * math.log1p(-1 / bins)
    share = counts / samples
    return Modes(
        count=bins * (1 - log_chances[0].exp().item()),
        high_quality=1.0,
        reverse_kl=bins * (log_chances.exp() * torch.xlogy(share, share * bins)).sum().item(),
        histogram=torch.full((bins,), samples / bins, dtype=torch.float64),
    )


def _judge(histogram: Tensor, samples: int, weights: Tensor | np.ndarray | None) -> Modes:
    hits = histogram.sum().item()
    expected = torch.ones_like(histogram) if weights is None else torch.as_tensor(weights, dtype=torch.float64)
    return Modes(
        count=float(torch.count_nonzero(histogram)),
        high_quality=hits / samples,
        reverse_kl=kl(histogram, expected) if hits else math.inf,
        histogram=histogram,
    )
