"""Layers that let a discriminator see how alike the samples of a batch are.

A discriminator that judges one sample at a time cannot tell a generator that always draws the same good sample from a
perfect one. These layers append to each sample's features what can only be known of the batch. Reals and fakes go
through in batches of their own; with accumulated micro-batches or several processes, a batch is what one pass sees.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """Appends to each sample's features how close the others are (Salimans et al. 2016, section 3.2).

    Maps (N, A) to (N, A + kernels): o(xᵢ)_b = Σⱼ exp(-‖Mᵢ_b - Mⱼ_b‖₁), where the rows of Mᵢ = f(xᵢ) T are learned
    projections of the features f(xᵢ). The sum includes j = i, as in the paper, so every value is in [1, N].

    Args:
        entering: features A of a sample.
        kernels: closenesses to learn, the paper's B.
        size: numbers that each is measured in, the paper's C.
    """

    def __init__(self, entering: int, kernels: int = 50, size: int = 5) -> None:
        super().__init__()
        self.kernels, self.size = kernels, size
        self.tensor = nn.Linear(entering, kernels * size, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        projected = self.tensor(features).float().unflatten(1, (self.kernels, self.size))
        distance = (projected[:, None] - projected).abs().sum(-1)
        return torch.cat([features, torch.exp(-distance).sum(1)], 1)


class MinibatchStd(nn.Module):
    """Appends the standard deviation over a group of samples as one more channel (Karras et al. 2018, section 3).

    Maps (N, C, H, W) to (N, C + 1, H, W) or (N, F) to (N, F + 1). The deviation of each feature at each place is
    averaged over features and places; every sample of a group gets the same number.

    Differs from the paper, but not from its code: groups instead of the whole batch, so that the number does not
    depend on the size of the batch. Where they do not come out even, some groups are larger.

    Args:
        group: samples to a group; a batch that is smaller is one group.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, features: Tensor) -> Tensor:
        samples = features.float().flatten(1)
        groups = max(1, len(samples) // self.group)
        member = torch.arange(len(samples), device=samples.device) % groups
        away = samples - _group_mean(samples, member, groups)[member]
        # Without the small number, the gradient for equal samples would be infinite.
        deviation = (_group_mean(away**2, member, groups) + 1e-8).sqrt().mean(1)
        extra = deviation[member].to(features.dtype).view(-1, *[1] * (features.ndim - 1))
        return torch.cat([features, extra.expand(-1, 1, *features.shape[2:])], 1)


def _group_mean(samples: Tensor, member: Tensor, groups: int) -> Tensor:
    """Means (groups, F) of samples (N, F), where `member` (N,) tells the group of each."""
    sums = samples.new_zeros(groups, samples.shape[1]).index_add(0, member, samples)
    return sums / torch.bincount(member, minlength=groups)[:, None]
