"""SNGAN: spectral normalization keeps the discriminator Lipschitz, for the price of two products (Miyato et al. 2018).

Reproduces: the unconditional residual networks with the hinge loss as the authors' code trains them on CIFAR-10 (Adam
2e-4, β1 0, β2 0.9, five steps of the discriminator for one of the generator, the rate falling linearly to zero). Steps
and batch are those of the Mimicry library, whose FID is 16.77; its networks have as many parameters as these. The
preset `laptop` is for one core and 32x32: an eighth of the width, two discriminator steps, a higher rate, an average.

Differs from the authors' code: the generator learns from batches as large as the discriminator's, not twice as large,
and plays twice their rounds. On the plane both networks are fully connected, and the scores are multiplied by 50: with
slopes of at most one, points as near to each other as these would all look the same to the hinge.

Result: on MNIST at 32x32, 2,800 rounds of the preset `laptop` in six minutes of one core: readable digits of all kinds,
fd_lite0_96 146 (docs/leaderboard.md); on avatars, in as short a time, skin and hair with a grid over them. On the plane
all modes of the ring of 8, 23 to 24 of 25 on the grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents
from ..layers.spectral import spectral
from ..networks import either, resnet
from ..objectives import hinge_discriminator, hinge_generator
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about an SNGAN."""

    size: recipe.Size = 32
    channels: recipe.Channels = None
    latent: recipe.Latent = 128
    width: int = Field(
        256, ge=4, le=1024, description="features of the generator; the discriminator of pictures has half"
    )
    depth: int = Field(3, ge=1, le=8, description="hidden layers of each network, for points only")
    slope: float = Field(1.0, gt=0, le=1000, description="factor on the normalized discriminator's scores")
    discriminator_steps: int = Field(5, ge=1, le=100, description="steps of the discriminator per round")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.0
    beta2: float = Field(0.9, ge=0, lt=1, description="Adam's decay of the mean squared gradient")
    average: recipe.Average = 0.0
    batch: recipe.Batch = 64
    steps: recipe.Steps = 100_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"width": 32, "discriminator_steps": 2, "lr": 5e-4, "average": 100, "batch": 32, "steps": 5_000},
    "plane": {
        "latent": 2,
        "width": 128,
        "slope": 50.0,
        "discriminator_steps": 2,
        "lr": 1e-3,
        "beta1": 0.5,
        "average": 50,
        "batch": 128,
        "steps": 5_000,
    },
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 8, "width": 4, "batch": 4, "steps": 4}


class SNGAN(Game):
    """Miyato et al. 2018: any network with spectral normalization, judged by the hinge loss."""

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        self.generator: nn.Module
        self.discriminator: nn.Module
        latent, width, depth = options.latent, options.width, options.depth
        if len(shape) == 1:
            self.generator = either.generator(shape, latent=latent, width=width, depth=depth)
            self.discriminator = spectral(either.discriminator(shape, width=width, depth=depth))
        else:
            channels, size = shape[:2]
            self.generator = resnet.generator(size=size, channels=channels, latent=latent, width=width)
            self.discriminator = spectral(resnet.discriminator(size=size, channels=channels, width=width // 2))
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        options = self.options
        adam = partial(torch.optim.Adam, lr=options.lr, betas=(options.beta1, options.beta2), fused=True)
        return {
            "discriminator": Player(adam(self.discriminator.parameters()), schedule=linear_decay(0.0)),
            "generator": Player(adam(self.generator.parameters()), schedule=linear_decay(0.0)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(self.options.discriminator_steps):
            real = next(batches).image
            with torch.no_grad():
                fake = self.sample(len(real))
            real_scores, fake_scores = self.score(real), self.score(fake)
            yield Turn(
                "discriminator",
                adversarial=hinge_discriminator(real_scores, fake_scores),
                watch={"D(x)": real_scores.sigmoid().mean(), "D(G(z))": fake_scores.sigmoid().mean()},
            )
        scores = self.score(self.sample(len(real)))
        yield Turn("generator", adversarial=hinge_generator(scores), watch={"D(G(z))": scores.sigmoid().mean()})

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self, generator))

    def decode(self, latents: Tensor) -> Tensor:
        samples: Tensor = self.generator(latents)
        return samples

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.options.slope * self.discriminator(images)
        return scores


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.examples(size=options.size, channels=options.channels)
    game = SNGAN(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
