"""Classes as networks take them. Labels are int64 (N,), or float (N, K) whose rows are shares of K classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def draw_labels(count: int, frequencies: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draws labels int64 (count,), on the device of `frequencies` and, as latents are, on the CPU before that.

    Args:
        count: how many.
        frequencies: of the classes, float (K,); their sum does not matter.
        generator: to draw from; torch's default when None.
    """
    drawn = torch.multinomial(frequencies.cpu(), count, replacement=True, generator=generator)
    return drawn.to(frequencies.device, non_blocking=True)


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Labels as torch's default float (N, K), a 1 in the class's column; shares of the classes stay as they are."""
    return labels if labels.is_floating_point() else F.one_hot(labels, classes).to(torch.get_default_dtype())


class Embedding(nn.Embedding):
    """A vector for each class; of shares of the classes the same shares of their vectors (N, E)."""

    def forward(self, labels: Tensor) -> Tensor:
        return labels @ self.weight if labels.is_floating_point() else super().forward(labels)
