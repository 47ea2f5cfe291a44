"""Maxout: an activation that is learned (Goodfellow et al. 2013, "Maxout Networks")."""

from __future__ import annotations

from torch import Tensor, nn


class Maxout(nn.Module):
    """The largest of several linear functions of the input (N, F), for each feature (N, leaving) of the output.

    Args:
        entering: features of the input.
        leaving: features of the output.
        pieces: linear functions for each of them.
    """

    def __init__(self, entering: int, leaving: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(entering, leaving * pieces)

    def forward(self, features: Tensor) -> Tensor:
        functions: Tensor = self.linear(features).unflatten(1, (-1, self.pieces))
        return functions.amax(2)
