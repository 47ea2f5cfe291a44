"""Historical averaging: a player that is held near the mean of where it has been (Salimans et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class History(nn.Module):
    """The mean of a network's weights over time, and the squared distance from it (Salimans et al. 2016, section 3.3).

    Two players that circle around an equilibrium are drawn into it. The mean is in buffers, so it is resumed.

    Args:
        network: whose parameters to follow; its weights of this moment are the first to be averaged.
    """

    count: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        # In a tuple: the network is another's module, not a part of this one.
        self.followed = (network,)
        for number, weight in enumerate(network.parameters()):
            self.register_buffer(f"mean{number}", weight.detach().clone())
        self.register_buffer("count", torch.ones((), dtype=torch.int64))

    def penalty(self) -> Tensor:
        """‖θ - mean θ‖², a scalar."""
        distances = [((weight - mean) ** 2).sum() for weight, mean in self._pairs()]
        return torch.stack(distances).sum()

    @torch.no_grad()
    def update(self) -> None:
        """Takes the weights of this moment into the mean; to be called once a step, as a player's `after`."""
        self.count += 1
        for weight, mean in self._pairs():
            mean += (weight - mean) / self.count

    def _pairs(self) -> list[tuple[Tensor, Tensor]]:
        (network,) = self.followed
        return [(weight, self.get_buffer(f"mean{n}")) for n, weight in enumerate(network.parameters())]
