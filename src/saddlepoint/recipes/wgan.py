"""WGAN: a critic that measures a distance, with clipped weights (Arjovsky et al. 2017).

Reproduces: Algorithm 1: several critic steps to one of the generator, RMSProp, and every weight of the critic clipped
to [-c, c] after each of its steps, so that its slope stays bounded.

Differs from the authors' code: it gives the critic 100 steps in each of the first 25 rounds; the algorithm does not.

Result: on MNIST at 32x32, 950 small rounds in five minutes of one core (docs/leaderboard.md): strokes that are not yet
digits, fd_lite0_96 1098; on avatars, 1,100 rounds, faces of all colors. On the plane all modes of the ring of 8 for 9
of 10 seeds (benchmarks/README.md).
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
from ..objectives import wasserstein_discriminator, wasserstein_generator
from ..penalties import clip_weights
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a WGAN with clipped weights."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    width: recipe.Width = 64
    depth: recipe.Depth = 3
    clip: float = Field(0.01, gt=0, description="bound on every weight of the critic, the paper's c")
    critic_steps: int = Field(5, ge=1, le=100, description="steps of the critic per round")
    lr: recipe.Rate = 5e-5
    average: recipe.Average = 0.0
    decay: recipe.Decay = 1.0
    batch: recipe.Batch = 64
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "plane": {
        "latent": 2,
        "width": 128,
        "critic_steps": 2,
        "clip": 0.1,
        "lr": 5e-4,
        "average": 200,
        "decay": 0.3,
        "batch": 256,
        "steps": 5000,
    },
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 4, "width": 4, "batch": 4, "steps": 4, "epochs": None}


class WGAN(Game):
    """Arjovsky et al. 2017, Algorithm 1."""

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        self.generator = either.generator(shape, latent=self.latent, width=options.width, depth=options.depth)
        self.critic = either.discriminator(shape, width=options.width, depth=options.depth)
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        # Momentum makes a clipped critic unstable (section 4); RMSProp has none.
        rmsprop = partial(torch.optim.RMSprop, lr=self.options.lr)
        schedule = linear_decay(self.options.decay)
        clip = partial(clip_weights, self.critic, self.options.clip)
        return {
            "critic": Player(rmsprop(self.critic.parameters()), schedule=schedule, after=clip),
            "generator": Player(rmsprop(self.generator.parameters()), schedule=schedule),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(self.options.critic_steps):
            real = next(batches).image
            with torch.no_grad():
                fake = self.sample(len(real))
            cost = wasserstein_discriminator(self.critic(real), self.critic(fake))
            yield Turn("critic", wasserstein=cost, watch={"distance": -cost})
        yield Turn("generator", wasserstein=wasserstein_generator(self.critic(self.sample(len(real)))))

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self, generator))

    def decode(self, latents: Tensor) -> Tensor:
        samples: Tensor = self.generator(latents)
        return samples

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.critic(images)
        return scores


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.examples(size=options.size, channels=options.channels)
    game = WGAN(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
