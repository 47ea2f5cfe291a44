"""The Inception Score: exp of the mean KL(p(label | image) || p(label)), of a classifier's logits.

Salimans et al. 2016, "Improved techniques for training GANs". From 1 to the number of classes: high where each image
is surely of one class and all classes come up. It never sees the data (Barratt and Sharma 2018, "A note on the
Inception Score"), so that the network and its classes decide what it means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import DataError, UsageError


@dataclass(frozen=True)
class InceptionScore:
    """The score, and how it varies.

    Attributes:
        mean: over the splits.
        std: over the splits (of a population, as numpy counts).
        splits: how many.
        count: images in all.
    """

    mean: float
    std: float
    splits: int
    count: int


@torch.no_grad()
def inception_score(logits: Tensor, splits: int = 10) -> InceptionScore:
    """The score of images in each of several splits, in the order in which they come.

    The score of fewer images is lower, so that papers' 50,000 in 10 splits compare with nothing else. Where images come
    class by class they must be shuffled first.

    Args:
        logits: (N, K).
        splits: parts of equal size, but for rounding.

    Raises:
        UsageError: fewer images than splits.
        DataError: logits that are not finite.
    """
    if logits.ndim != 2 or not 1 <= splits <= len(logits):
        raise UsageError(f"logits {tuple(logits.shape)} do not fill {splits} splits", fix="logits (N, K), N >= splits")
    if not logits.isfinite().all():
        raise DataError("some logits are not finite", fix="look at the samples")
    scores = torch.stack([_score(part.double().log_softmax(1)) for part in logits.tensor_split(splits)])
    return InceptionScore(scores.mean().item(), scores.std(correction=0).item(), splits, len(logits))


def _score(log_chances: Tensor) -> Tensor:
    log_marginal = log_chances.logsumexp(0) - math.log(len(log_chances))
    return (log_chances.exp() * (log_chances - log_marginal)).sum(1).mean().exp()
