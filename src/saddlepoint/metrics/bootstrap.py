"""How far a score may be off, since it was computed from these samples and not from others of the same law.

`bootstrap` computes a score again on samples drawn from the samples: for means, shares and other smooth functions of
rows, at the price of a thousand scores. It is wrong for what asks for nearest neighbors, since a sample that is drawn
twice is its own neighbor, and for the Fréchet distance, since samples drawn twice count once and its bias doubles.

    bootstrap(mean, hits)                   hits: one number a sample, such as `PrecisionRecall.balls > 0`
    frechet_interval(reference, fake)       leaves out a part of the samples at a time, for twenty distances
    KernelDistance.interval                 comes with the distance
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.special import stdtrit
from torch import Tensor

from ..errors import UsageError
from .frechet import Statistics, frechet_distance
from .pairwise import check_features


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes:
        estimate: the score of all samples.
        low: lower end.
        high: upper end.
        level: chance that such an interval holds the score that it estimates.
    """

    estimate: float
    low: float
    high: float
    level: float


def mean(numbers: Tensor) -> float:
    """The mean of one number (or truth) a sample: the statistic of all shares."""
    return numbers.double().mean().item()


def bootstrap(
    statistic: Callable[..., float], *samples: Tensor, trials: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """The percentile interval of a statistic (Efron and Tibshirani 1993, chapter 13).

    Costs `trials` times the statistic and as many copies of the samples, one after the other.

    Args:
        statistic: of as many tensors as there are samples.
        samples: each with one sample a row; rows of each are drawn on their own.
        trials: how often; the ends of the interval are steady from about 1,000.
        level: between 0 and 1.
        seed: of the draws.
    """
    _check_level(level)
    if not samples or not all(len(each) for each in samples) or trials < 2:
        raise UsageError("an interval needs samples and at least two trials")
    generator = torch.Generator().manual_seed(seed)
    values = torch.empty(trials, dtype=torch.float64)
    for trial in range(trials):
        drawn = (torch.randint(len(each), (len(each),), generator=generator).to(each.device) for each in samples)
        values[trial] = statistic(*(each[rows] for each, rows in zip(samples, drawn, strict=True)))
    low, high = values.quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)).tolist()
    return Interval(statistic(*samples), low, high, level)


@torch.no_grad()
def frechet_interval(
    real: Statistics, fake: Tensor, *, parts: int = 20, level: float = 0.95, seed: int = 0
) -> Interval:
    """The interval of a Fréchet distance, for other samples of the same number, by a jackknife of groups.

    Costs `parts` distances and two passes over the features; in 2,048 dimensions about 20 seconds on one core.
    The interval is about what the samples add by chance. It does not hold the bias of their number, which all sets of
    N have alike (`frechet_infinity` is for that), and the reference is taken as it is.

    Args:
        real: the reference.
        fake: features (N, D).
        parts: how many parts are left out in turn.
        level: between 0 and 1.
        seed: of the parts.
    """
    _check_level(level)
    if parts < 2:
        raise UsageError(f"{parts} part cannot be left out", fix="at least two")
    check_features(fake, least=max(parts, 4))
    order = torch.randperm(len(fake), generator=torch.Generator().manual_seed(seed)).to(fake.device)
    whole = Statistics.of(fake)
    estimate = frechet_distance(real, whole).distance
    left = [whole.without(Statistics.of(fake[rows])) for rows in order.tensor_split(parts)]
    values = torch.tensor([frechet_distance(real, rest).distance for rest in left], dtype=torch.float64)
    # Each part leaves most of the others in, which is why these differ so little from each other.
    deviation = math.sqrt((parts - 1) / parts * (values - values.mean()).square().sum().item())
    reach = stdtrit(parts - 1, (1 + level) / 2).item() * deviation
    return Interval(estimate, estimate - reach, estimate + reach, level)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise UsageError(f"a confidence of {level} is out of range", fix="between 0 and 1, such as 0.95")
