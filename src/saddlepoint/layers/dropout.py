"""Dropout that goes on after training: the noise of a generator whose input is a picture."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class NoisyDropout(nn.Module):
    """Zeroes each feature with some probability in evaluation mode, too (Isola et al. 2017, section 3.2.1).

    Given a picture, a generator learns to ignore a latent beside it; what it cannot ignore are features that are gone.

    Args:
        probability: of a feature to be zero; the others grow to keep the sum.
    """

    def __init__(self, probability: float = 0.5) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, features: Tensor) -> Tensor:
        return F.dropout(features, self.probability, training=True)
