"""WGAN-GP: a critic of slope one between real and fake (Gulrajani et al. 2017).

Reproduces: Algorithm 1. The critic estimates the Wasserstein distance between data and samples; what keeps it
1-Lipschitz is a penalty on the norm of its gradient at random mixes of both. The preset `bare` takes the
normalization out of the generator: where a DCGAN then fails (section 5), this still learns.

Differs from the paper: on pictures both networks are a DCGAN's, the critic with one normalization over each sample in
place of the BatchNorm, which the penalty forbids (section 4 recommends that).

Result: without a norm in its generator, on avatars at 32x32, ten minutes of one core bring the sliced Wasserstein
distance to the data from 0.52 to 0.12, still falling, where a DCGAN ends at 0.70 (`python benchmarks/stability.py
--minutes 10`, docs/gallery). On the plane: all modes of the ring of 8 and of the grid of 25 for 10 of 10 seeds. On
MNIST at 32x32, 390 small rounds in six minutes of one core: the shapes of digits, blurred (docs/leaderboard.md). The
distances were measured when the critic's convolutions had no biases yet, and so did not see contrast.
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
from ..penalties import gradient_penalty
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a WGAN with a gradient penalty."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    width: recipe.Width = 64
    depth: recipe.Depth = 3
    norm: bool = Field(True, description="normalize between the generator's convolutions")
    critic_steps: int = Field(5, ge=1, le=100, description="steps of the critic per round")
    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty, the paper's lambda")
    lr: recipe.Rate = 1e-4
    beta1: recipe.Beta1 = 0.0
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
        "penalty": 0.1,
        "lr": 1e-3,
        "average": 200,
        "decay": 0.3,
        "batch": 256,
        "steps": 5000,
    },
    "bare": {"norm": False},
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 4, "width": 4, "batch": 4, "steps": 4, "epochs": None}


class WGANGP(Game):
    """Gulrajani et al. 2017, Algorithm 1."""

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        self.generator = either.generator(
            shape,
            latent=self.latent,
            norm="batch" if options.norm else "none",
            width=options.width,
            depth=options.depth,
        )
        self.critic = either.discriminator(shape, norm="layer", width=options.width, depth=options.depth)
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(self.options.beta1, 0.9), fused=True)
        schedule = linear_decay(self.options.decay)
        return {
            "critic": Player(adam(self.critic.parameters()), schedule=schedule),
            "generator": Player(adam(self.generator.parameters()), schedule=schedule),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(self.options.critic_steps):
            real = next(batches).image
            with torch.no_grad():
                fake = self.sample(len(real))
            cost = wasserstein_discriminator(self.critic(real), self.critic(fake))
            penalty = self.options.penalty * gradient_penalty(self.critic, real, fake)
            yield Turn("critic", wasserstein=cost, penalty=penalty, watch={"distance": -cost})
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
    game = WGANGP(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
