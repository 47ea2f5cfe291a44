"""The kernel distance of two sets of features: the squared maximum mean discrepancy of a cubic kernel.

Bińkowski et al. 2018, "Demystifying MMD GANs": k(x, y) = (x·y / D + 1)³. With the features of Inception-v3 this is KID.
The estimate has no bias, so that sets of any sizes can be compared, and it can be below 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

from ..errors import UsageError
from .pairwise import check_features

_BLOCK = 1024  # rows whose kernels with as many others are held at once


@dataclass(frozen=True)
class KernelDistance:
    """The estimate from all samples.

    Attributes:
        distance: around 0, also below it, for sets of one law.
        standard_error: of the distance, by leaving out one sample at a time; rather too large than too small.
    """

    distance: float
    standard_error: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Where the distance of the laws lies with a confidence of `level`, for a normal law of the estimate."""
        reach = NormalDist().inv_cdf((1 + level) / 2) * self.standard_error
        return self.distance - reach, self.distance + reach


@dataclass(frozen=True)
class SubsetDistance:
    """The estimates from small subsets, as papers report them.

    Attributes:
        mean: over the subsets: the estimate.
        std: over the subsets (of a population, as numpy counts). It says how far one subset of this size may be off,
            not how far the mean is: the subsets overlap.
        subsets: how many.
        size: samples in each, of either set.
    """

    mean: float
    std: float
    subsets: int
    size: int


@torch.no_grad()
def kernel_distance(real: Tensor, fake: Tensor) -> KernelDistance:
    """The distance from all samples, in float64; time grows with the square of their number, memory does not.

    Args:
        real: features (N, D), at least three.
        fake: features (M, D), at least three.
    """
    check_features(real, fake, least=3)
    n, m = len(real), len(fake)
    real_real, fake_fake = _row_sums(real)[0], _row_sums(fake)[0]
    real_fake, fake_real = _row_sums(real, fake)
    across = real_fake.sum()
    within = (real_real.sum() / (n * (n - 1)), fake_fake.sum() / (m * (m - 1)))
    distance = within[0] + within[1] - 2 * across / (n * m)
    # What the estimate would be without one sample: its kernels with all others are taken out of the sums.
    without_real = (real_real.sum() - 2 * real_real) / ((n - 1) * (n - 2)) + within[1]
    without_real -= 2 * (across - real_fake) / ((n - 1) * m)
    without_fake = (fake_fake.sum() - 2 * fake_fake) / ((m - 1) * (m - 2)) + within[0]
    without_fake -= 2 * (across - fake_real) / ((m - 1) * n)
    spreads = [(each - each.mean()).square().mean().item() for each in (without_real, without_fake)]
    variance = (n - 1) * spreads[0] + (m - 1) * spreads[1]
    return KernelDistance(distance.item(), math.sqrt(variance))


@torch.no_grad()
def kernel_distance_of_subsets(
    real: Tensor, fake: Tensor, *, subsets: int = 100, size: int = 1000, seed: int = 0
) -> SubsetDistance:
    """The distances of random subsets, each drawn without replacement: what papers call KID, times 1000 perhaps.

    Args:
        real: features (N, D).
        fake: features (M, D).
        subsets: how many.
        size: samples of each in a subset, at most N and M; smaller sets are taken whole.
        seed: of the choice.
    """
    check_features(real, fake, least=2)
    size = min(size, len(real), len(fake))
    if size < 2 or subsets < 1:
        raise UsageError(f"{subsets} subsets of {size} have no distance", fix="at least one, of two samples or more")
    generator = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(subsets):
        x, y = (each[_choose(len(each), size, generator).to(each.device)] for each in (real, fake))
        values.append(_unbiased(x, y))
    spread = torch.tensor(values, dtype=torch.float64)
    return SubsetDistance(spread.mean().item(), spread.std(correction=0).item(), subsets, size)


def _choose(count: int, size: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=generator)[:size]


def _unbiased(x: Tensor, y: Tensor) -> float:
    """Their lemma: all pairs but those of a sample with itself (Gretton et al. 2012, lemma 6)."""
    n, m = len(x), len(y)
    within = _row_sums(x)[0].sum() / (n * (n - 1)) + _row_sums(y)[0].sum() / (m * (m - 1))
    return (within - 2 * _row_sums(x, y)[0].sum() / (n * m)).item()


def _row_sums(x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Each sample's kernels with all of the other set, summed, float64 (N,) and (M,); without another, with all others
    of its own."""
    within, y = y is None, x if y is None else y
    of_x, of_y = (each.new_zeros(len(each), dtype=torch.float64) for each in (x, y))
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, start + _BLOCK)
        left = x[rows].double()
        for begin in range(start if within else 0, len(y), _BLOCK):
            columns = slice(begin, begin + _BLOCK)
            kernels = (left @ y[columns].double().T).div_(x.shape[1]).add_(1).pow_(3)
            if within and begin == start:
                kernels.fill_diagonal_(0)
            of_x[rows] += kernels.sum(1)
            if not within or begin > start:
                of_y[columns] += kernels.sum(0)
    return (of_x + of_y, of_x + of_y) if within else (of_x, of_y)
