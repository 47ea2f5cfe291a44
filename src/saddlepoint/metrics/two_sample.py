"""Can the nearest neighbor tell samples from data? If a generator is perfect it guesses.

Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests"; Xu et al. 2018, "An empirical study on evaluation
metrics of generative adversarial networks", who found this one the best of six.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UsageError
from .pairwise import check_features, neighbors


@dataclass(frozen=True)
class TwoSample:
    """How often a point's nearest neighbor among all others, real and fake, is of its own kind.

    Attributes:
        accuracy: of all points; well below `chance` where samples are copies of the data they are compared with.
        real: of the real ones: low where samples crowd around the data.
        fake: of the fake ones: high where samples are near each other, as they are after a mode collapse.
        chance: what it is on average for two sets of one law; just below a half for equal sizes.
        p_value: chance of such an accuracy or a higher one for two sets of one law, by exchanging labels at random.
    """

    accuracy: float
    real: float
    fake: float
    chance: float
    p_value: float


@torch.no_grad()
def two_sample(real: Tensor, fake: Tensor, *, trials: int = 1000, seed: int = 0) -> TwoSample:
    """The leave-one-out test with one nearest neighbor.

    Differs from the papers: neighbors of each other are not independent, so that the p-value is not taken from a
    binomial law, but from the same neighbors under labels exchanged at random, which is exact. Take sets of equal
    size: otherwise the accuracies of either set say little.

    Args:
        real: features (N, D).
        fake: features (M, D).
        trials: exchanges of labels; the p-value is at least 1 / (trials + 1).
        seed: of these.
    """
    check_features(real, fake, least=2)
    if trials < 1:
        raise UsageError(f"{trials} trials give no p-value", fix="at least one")
    n, m = len(real), len(fake)
    nearest = neighbors(torch.cat([real, fake])).indices[:, 0].cpu()
    labels = torch.arange(n + m) < n
    right = labels == labels[nearest]
    hits = right.sum()
    generator = torch.Generator().manual_seed(seed)
    at_least = 0
    for _ in range(trials):
        exchanged = labels[torch.randperm(n + m, generator=generator)]
        at_least += int((exchanged == exchanged[nearest]).sum() >= hits)
    return TwoSample(
        accuracy=hits.item() / (n + m),
        real=right[:n].double().mean().item(),
        fake=right[n:].double().mean().item(),
        chance=(n * (n - 1) + m * (m - 1)) / ((n + m) * (n + m - 1)),
        p_value=(1 + at_least) / (1 + trials),
    )
