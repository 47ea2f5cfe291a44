"""DRAGAN: a discriminator kept flat around the data (Kodali et al. 2017).

Reproduces: the paper's algorithm: the plain GAN of Goodfellow et al. with a penalty on the gradient of the
discriminator at points around the real ones, against the sharp slopes there that go before a collapse.

Differs from the paper: on pictures the discriminator normalizes each sample and not the batch, because the gradient of
a sample is not its own in a BatchNorm.

Result: on the grid of 25 (PacGAN's protocol), 16,000 rounds of the preset `plane`: all 25 modes for 10 of 10 seeds, at
least 96.7 % of high quality, reverse KL at most 0.0092; on the ring of 8, 5,000 rounds: all 8 for 10 of 10 seeds, at
least 94.9 %, at most 0.0024 (benchmarks/README.md has the rest). On MNIST at 32x32, 1,800 small rounds in six minutes
of one core: digits, half of them readable, fd_lite0_96 389; on avatars faces of all kinds with loose pixels
(docs/leaderboard.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import Tensor

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents
from ..networks import either
from ..objectives import minimax_discriminator, non_saturating_generator
from ..penalties import dragan_penalty
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a DRAGAN."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    width: recipe.Width = 64
    depth: recipe.Depth = 3
    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty, the paper's lambda")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.5
    average: recipe.Average = 0.0
    decay: recipe.Decay = 1.0
    batch: recipe.Batch = 64
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "plane": {
        "latent": 2,
        "width": 128,
        "penalty": 0.01,
        "lr": 2e-3,
        "average": 200,
        "decay": 0.7,
        "batch": 512,
        "steps": 5000,
    },
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 4, "width": 4, "batch": 4, "steps": 4, "epochs": None}


class DRAGAN(Game):
    """Kodali et al. 2017, with k = 1: slopes of one around the data."""

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        self.generator = either.generator(shape, latent=self.latent, width=options.width, depth=options.depth)
        self.discriminator = either.discriminator(shape, norm="layer", width=options.width, depth=options.depth)
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(self.options.beta1, 0.999), fused=True)
        schedule = linear_decay(self.options.decay)
        return {
            "discriminator": Player(adam(self.discriminator.parameters()), schedule=schedule),
            "generator": Player(adam(self.generator.parameters()), schedule=schedule),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image
        fake = self.sample(len(real))
        real_scores, fake_scores = self.discriminator(real), self.discriminator(fake.detach())
        yield Turn(
            "discriminator",
            adversarial=minimax_discriminator(real_scores, fake_scores),
            penalty=self.options.penalty * dragan_penalty(self.discriminator, real),
            watch={"D(x)": real_scores.sigmoid().mean(), "D(G(z))": fake_scores.sigmoid().mean()},
        )
        yield Turn("generator", adversarial=non_saturating_generator(self.discriminator(fake)))

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
    game = DRAGAN(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
