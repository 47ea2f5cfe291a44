"""Noise as a regularizer: on what the discriminator sees, and inside either network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def instance_noise(samples: Tensor, scale: float) -> Tensor:
    """Samples with Gaussian noise, for the discriminator's eyes only (Sønderby et al. 2017, section 3).

    Reals and fakes that both are blurred overlap, so that their divergence is finite and has a gradient. The scale
    usually falls to 0 over the training: `0.1 * linear_decay(0.0)(self.step / steps)`.

    Args:
        samples: pictures or points of any shape.
        scale: standard deviation, in the units of the samples; at 0 they come back untouched.
    """
    return samples + scale * torch.randn_like(samples) if scale else samples


class GaussianNoise(nn.Module):
    """Adds noise to features in training, and nothing in evaluation.

    Salimans et al. 2016, section 6.1, have it after each layer of their discriminator for digits.

    Args:
        scale: standard deviation, in the units of the features.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        return instance_noise(features, self.scale) if self.training else features


class SteadyDropout(nn.Dropout):
    """Dropout that stays on in evaluation: a generator's noise (Isola et al. 2017, section 3.1).

    It draws from torch's default generator, which the loop seeds in training. Who samples puts `drawing_from` around
    the network.
    """

    def forward(self, features: Tensor) -> Tensor:
        return F.dropout(features, self.p, training=True)


@contextlib.contextmanager
def drawing_from(generator: torch.Generator | None) -> Iterator[None]:
    """Inside, torch's default generators draw what `generator` decides; afterwards they go on as if nothing had been.

    Layers that draw cannot be handed a generator. With this around the network, `sample(count, generator=…)` keeps its
    promise: the same generator, the same samples, and no other randomness touched.

    Args:
        generator: on the CPU; None leaves the default generators alone.
    """
    if generator is None:
        yield
        return
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
