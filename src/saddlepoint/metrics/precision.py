"""Quality and variety apart: how many samples look like data, and how much of the data the samples look like.

A set of features is taken for the balls around its rows that reach to their k-th neighbors. Precision asks which
generated samples lie in a ball of the data, recall which of the data lie in a ball of the samples (Kynkäänniemi et al.
2019, "Improved precision and recall metric for assessing generative models"). Density counts the balls instead, and
coverage asks in which of the data's balls there are samples at all: one far-off sample of the data or of the
generator moves them little (Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .pairwise import check_features, reach, tiles


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Four shares, and who made them up: `bootstrap` of these has the intervals, the balls held fixed.

    Attributes:
        k: neighbors within each ball.
        balls: how many balls of the data each generated sample lies in, int64 (M,).
        recalled: which of the data lie in a ball of a sample, bool (N,).
        covered: in which balls of the data there is a sample, bool (N,).
    """

    k: int
    balls: Tensor
    recalled: Tensor
    covered: Tensor

    @property
    def precision(self) -> float:
        """Share of the samples that look like data, 0 … 1."""
        return (self.balls > 0).double().mean().item()

    @property
    def recall(self) -> float:
        """Share of the data that look like samples, 0 … 1; samples far from everything, with large balls, raise it."""
        return self.recalled.double().mean().item()

    @property
    def density(self) -> float:
        """Balls of the data around a sample over k: about 1 for data, more where samples crowd in dense places."""
        return self.balls.double().mean().item() / self.k

    @property
    def coverage(self) -> float:
        """Share of the data with a sample nearby, 0 … 1; 1 - 2**-k for data (their section 3.2)."""
        return self.covered.double().mean().item()


@torch.no_grad()
def precision_recall(real: Tensor, fake: Tensor, *, k: int = 5) -> PrecisionRecall:
    """Precision, recall, density and coverage of generated features, as in the package `prdc`.

    A point on the rim of a ball is outside. Differs from Kynkäänniemi et al., who count it as inside, and take k = 3.

    Args:
        real: features (N, D), more than k.
        fake: features (M, D), more than k.
        k: neighbors within each ball.
    """
    check_features(real, fake, least=k + 1)
    reach_real, reach_fake = (reach(each, k) for each in (real, fake))
    balls = torch.zeros(len(fake), dtype=torch.int64, device=fake.device)
    recalled, covered = (torch.zeros(len(real), dtype=torch.bool, device=real.device) for _ in range(2))
    for tile in tiles(real, fake):
        center, sample = tile.nearer(reach_real[tile.rows], 0)
        covered[center] = True
        balls += torch.bincount(sample, minlength=len(fake))
        recalled[tile.nearer(reach_fake[tile.columns], 1)[0]] = True
    return PrecisionRecall(k, balls, recalled, covered)
