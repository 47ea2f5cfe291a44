"""Layers that are told something besides the features: in a generator what to make, in a discriminator what to expect.

Labels are those of `labels.py`: int64 (N,), or float (N, K) whose rows are shares of K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .labels import Embedding


class ConditionalBatchNorm(nn.Module):
    """Batch normalization whose gains and biases depend on a condition (Dumoulin et al. 2017; de Vries et al. 2017).

    Statistics are those of the whole batch, whatever its classes, and in evaluation running ones.

    Args:
        features: C of features (N, C, H, W).
        gain: maps conditions to (N, C), added to gains of 1.
        bias: maps conditions to biases (N, C).
    """

    def __init__(self, features: int, gain: nn.Module, bias: nn.Module) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=False)
        self.gain, self.bias = gain, bias

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        normal = self.norm(features)
        gain, bias = (part.to(normal.dtype)[..., None, None] for part in (self.gain(condition), self.bias(condition)))
        return torch.addcmul(bias, normal, 1 + gain)


def class_norm(features: int, *, classes: int) -> ConditionalBatchNorm:
    """Gains and biases from a table of the layer's own, a row for each class (Miyato and Koyama 2018).

    Its condition is labels. All classes start with gains of 1 and biases of 0.
    """
    tables = [Embedding(classes, features) for _ in range(2)]
    for table in tables:
        nn.init.zeros_(table.weight)
    return ConditionalBatchNorm(features, *tables)


def vector_norm(features: int, *, size: int) -> ConditionalBatchNorm:
    """Gains and biases as linear maps, without biases of their own, of vectors (N, size) (Brock et al. 2019).

    Its condition is such vectors: those of classes from one table that all layers share, and a part of the latent.
    """
    return ConditionalBatchNorm(features, *(nn.Linear(size, features, bias=False) for _ in range(2)))


class Projection(nn.Module):
    """Scores (N, 1) of features φ (N, F) and labels y: ψ(φ) + ⟨e(y), φ⟩ (Miyato and Koyama 2018, section 3).

    Whether it is real, and how well it points the way that its class does: the form of the log ratio of two
    conditional densities, where those of the classes are log-linear.

    Args:
        features: F.
        classes: how many.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.score, self.direction = nn.Linear(features, 1), Embedding(classes, features)
        nn.init.xavier_uniform_(self.score.weight)
        nn.init.xavier_uniform_(self.direction.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        score: Tensor = self.score(features)
        return score + (self.direction(labels) * features).sum(1, keepdim=True)
