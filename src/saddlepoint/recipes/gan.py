"""The first GAN: two fully connected networks (Goodfellow et al. 2014).

Reproduces: Algorithm 1, with k steps of the discriminator for one of the generator and both of the paper's costs for
the generator: minimax (eq. 1) and non-saturating (section 3, "label flip" in Raschka's 2021 slides). The preset
`raschka` is the network of those slides: one hidden layer of 128, a leak of 0.01, half of the features dropped.

Differs from the paper: Adam instead of momentum SGD, LeakyReLU instead of ReLU and maxout, a tanh instead of a sigmoid
at the end, latents from a normal instead of a uniform distribution, and with k > 1 the generator is judged on new
fakes. Differs from the slides: they halve the discriminator's loss, a factor that Adam divides out.

Result: on MNIST at 32x32, hidden layers of 512, 19,000 steps in six minutes of one core: readable digits with loose
pixels around them, fd_lite0_96 400; on avatars the lowest of all, 1087 (docs/leaderboard.md). On the plane all modes of
the ring of 8, and 19 of 25 on the grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents
from ..networks.mlp import mlp
from ..objectives import cross_entropy, minimax_generator, non_saturating_generator

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a fully connected GAN."""

    size: int = Field(28, ge=8, le=128, description="height and width of the images in pixels")
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    hidden: int = Field(256, ge=8, le=8192, description="features of each hidden layer")
    depth: int = Field(2, ge=1, le=8, description="hidden layers of each network")
    leak: float = Field(0.2, ge=0, lt=1, description="slope of the LeakyReLU for negative values")
    dropout: float = Field(0.0, ge=0, lt=1, description="probability with which a hidden feature is zeroed")
    cost: Literal["minimax", "non_saturating"] = Field("non_saturating", description="what the generator minimizes")
    discriminator_steps: int = Field(1, ge=1, le=100, description="steps of the discriminator per round, the paper's k")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.5
    average: recipe.Average = 0.0
    batch: int = Field(128, ge=1, le=65536, description="images per step")
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "plane": {"latent": 2, "hidden": 128, "depth": 3, "lr": 1e-3, "average": 200, "batch": 256, "steps": 5000},
    "raschka": {"hidden": 128, "depth": 1, "leak": 0.01, "dropout": 0.5},
}

SMOKE: dict[str, Any] = {"size": 8, "latent": 8, "hidden": 16, "batch": 8, "steps": 4}


class GAN(Game):
    """Goodfellow et al. 2014, Algorithm 1."""

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        build = partial(mlp, leak=options.leak, dropout=options.dropout)
        hidden = [options.hidden] * options.depth
        numbers = math.prod(shape)
        # Pixels lie in [-1, 1], points anywhere.
        end = [nn.Tanh(), nn.Unflatten(1, shape)] if len(shape) == 3 else []
        self.generator = nn.Sequential(*build([options.latent, *hidden, numbers]), *end)
        self.discriminator = nn.Sequential(nn.Flatten(), *build([numbers, *hidden, 1]), nn.Flatten(0))
        self.generator_cost = minimax_generator if options.cost == "minimax" else non_saturating_generator
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(self.options.beta1, 0.999))
        return {
            "discriminator": Player(adam(self.discriminator.parameters())),
            "generator": Player(adam(self.generator.parameters())),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(self.options.discriminator_steps):
            real = next(batches).image
            with torch.no_grad():
                fake = self.sample(len(real))
            real_scores, fake_scores = self.discriminator(real), self.discriminator(fake)
            yield Turn(
                "discriminator",
                real=cross_entropy(real_scores, 1.0),
                fake=cross_entropy(fake_scores, 0.0),
                watch={"D(x)": real_scores.sigmoid().mean(), "D(G(z))": fake_scores.sigmoid().mean()},
            )
        scores = self.discriminator(self.sample(len(real)))
        yield Turn("generator", adversarial=self.generator_cost(scores), watch={"D(G(z))": scores.sigmoid().mean()})

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self, generator))

    def decode(self, latents: Tensor) -> Tensor:
        samples: Tensor = self.generator(latents)
        return samples

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(images)
        return scores


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.examples(size=options.size, channels=options.channels)
    game = GAN(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
