"""Fully connected networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(widths: Sequence[int], *, leak: float = 0.2, dropout: float = 0.0) -> nn.Sequential:
    """Linear layers with a LeakyReLU, and dropout if wanted, between each two.

    Args:
        widths: features of the input, of each hidden layer and of the output.
        leak: slope of the LeakyReLU for negative values; 0 makes it a ReLU.
        dropout: probability with which a hidden feature is zeroed in training.
    """
    layers: list[nn.Module] = []
    for entering, leaving in pairwise(widths[:-1]):
        layers += [nn.Linear(entering, leaving), nn.LeakyReLU(leak, inplace=True)]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
