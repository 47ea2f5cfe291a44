"""Penalties on the slope of a critic, for the toy games."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


def slopes(critic: Critic, at: Tensor) -> Tensor:
    """Norm of the critic's gradient at each point (N, …), shape (N,); can be differentiated again."""
    # Differentiated twice: bfloat16 would not do.
    with torch.autocast("cpu", enabled=False):
        at = at.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
        return gradient.flatten(1).norm(dim=1)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """Squared distance of the slope from 1 between real and fake (Gulrajani et al. 2017)."""
    share = torch.rand(len(real), 1)
    return (slopes(critic, torch.lerp(real, fake.to(real), share)) - 1).square().mean()


def r1(critic: Critic, real: Tensor) -> Tensor:
    """Half the squared slope at real data (Mescheder et al. 2018)."""
    return slopes(critic, real).square().mean() / 2
