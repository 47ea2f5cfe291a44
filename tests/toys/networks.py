"""Small networks for the toy games."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from torch import nn


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with smooth activations between them, so that every penalty has a second derivative."""
    layers: list[nn.Module] = []
    for entering, leaving in pairwise(widths):
        layers += [nn.Linear(entering, leaving), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def weights(*networks: nn.Module) -> Iterable[nn.Parameter]:
    """The parameters of several networks, for one player."""
    return [parameter for network in networks for parameter in network.parameters()]
