"""LSGAN: least squares in place of the cross entropy (Mao et al. 2017).

Reproduces: equation 9. Fakes are pulled to 0, reals to 1, and the generator pulls its fakes to 1: a sample that fools
the discriminator and still lies far from the data goes on being pulled, where a cross entropy would let go of it.

Differs from the paper: on pictures both networks are a DCGAN's; the paper's for 112x112 are of the same kind.

Result: on MNIST at 32x32, 3,600 small steps in six minutes of one core (docs/leaderboard.md): digits, most of them
readable and of all kinds, fd_lite0_96 214, better than most recipes in so short a time, and on avatars faces of many
kinds. On the plane all modes of the ring of 8, and 22 of 25 on the grid (benchmarks/README.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents
from ..networks import either
from ..objectives import least_squares_discriminator, least_squares_generator
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a least squares GAN."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    width: recipe.Width = 64
    depth: recipe.Depth = 3
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.5
    average: recipe.Average = 0.0
    decay: recipe.Decay = 1.0
    batch: recipe.Batch = 64
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "plane": {"latent": 2, "width": 128, "lr": 1e-3, "average": 200, "decay": 0.3, "batch": 256, "steps": 5000},
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 4, "width": 4, "batch": 4, "steps": 4, "epochs": None}


class LSGAN(Game):
    """Mao et al. 2017, with a = 0 and b = c = 1."""

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        self.generator = either.generator(shape, latent=self.latent, width=options.width, depth=options.depth)
        self.discriminator = either.discriminator(shape, width=options.width, depth=options.depth)
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
            adversarial=least_squares_discriminator(real_scores, fake_scores),
            watch={"D(x)": real_scores.mean(), "D(G(z))": fake_scores.mean()},
        )
        yield Turn("generator", adversarial=least_squares_generator(self.discriminator(fake)))

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
    game = LSGAN(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
