"""R3GAN: a relativistic game with both zero-centered penalties, on plain residual networks (Huang et al. 2024).

Reproduces: "The GAN is dead; long live the GAN! A Modern Baseline GAN". Each real sample is paired with a fake, and
only the difference of their scores counts (RpGAN); the discriminator's slope is punished at real (R1) and fake (R2)
samples in every step, by a γ that falls to a tenth along half a cosine, as the learning rate falls to a quarter. No
normalization, no tanh, no mapping network. `loss` and `penalties` switch single parts off, as the paper's ablation
does. Presets: `published` is the network and length for Stacked MNIST, for a GPU; `stacked` is one that a CPU core
trains in two hours; `plane` is a fully connected network for points.

Differs from the paper: Adam's β2 is 0.99 from the start, where theirs rises from 0.9; the average has one half-life
throughout, where theirs grows; no augmentation. For more, see `networks/modern.py`.

Result: on Stacked MNIST, `python benchmarks/stacked.py relativistic-r1-r2`, seed 0, one core of a Xeon with AMX: all
1,000 modes and a reverse KL of 0.15 after 12,000 steps, 92 minutes of CPU time (published, on GPUs: 1,000 and 0.078).
In its ablation, 4,000 steps and one seed, the KL is 0.70; with the plain GAN's loss 0.72, with R1 alone 0.83. On MNIST
at 32x32, 2,100 small steps in ten minutes of one core: rough digits, fd_lite0_96 714; on avatars blurs with a pattern
on them (docs/leaderboard.md).
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
from ..networks import modern
from ..networks.mlp import mlp
from ..objectives import (
    non_saturating_discriminator,
    non_saturating_generator,
    relativistic_discriminator,
    relativistic_generator,
)

if TYPE_CHECKING:
    from ..data.source import Source

FINAL_GAMMA, FINAL_RATE = 0.1, 0.25
"""What is left of γ and of the learning rate at the end."""


class Options(recipe.Options):
    """What can be chosen about R3GAN."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    latent: recipe.Latent = 64
    width: int = Field(256, ge=1, le=4096, description="channels at 4x4; for points features of a hidden layer")
    taper: int = Field(8, ge=4, le=128, description="largest resolution at full width; each doubling beyond halves it")
    blocks: int = Field(1, ge=1, le=16, description="residual blocks at each resolution; for points hidden layers")
    patch: Literal[1, 2, 4] = Field(1, description="side of the patches of pixels that the networks take for one")
    loss: Literal["relativistic", "non_saturating"] = Field("relativistic", description="what the scores are paid for")
    penalties: Literal["r1+r2", "r1", "none"] = Field(
        "r1+r2", description="where the discriminator's slope is punished"
    )
    gamma: float = Field(1.0, ge=0, le=1e4, description="weight γ of the penalties at the start")
    lr: recipe.Rate = 2e-4
    average: recipe.Average = 500.0
    batch: int = Field(64, ge=1, le=65536, description="samples per step")
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "plane": {
        "latent": 2,
        "width": 128,
        "blocks": 3,
        "gamma": 1e-3,
        "lr": 1e-3,
        "average": 200,
        "batch": 256,
        "steps": 5000,
    },
    "stacked": {"size": 32, "channels": 3, "taper": 4, "patch": 2, "gamma": 10.0, "lr": 5e-4, "average": 200},
    "published": {"size": 32, "width": 768, "taper": 32, "blocks": 2, "batch": 512, "steps": 19_532},
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 8, "width": 16, "batch": 4, "steps": 4, "epochs": None}


class R3GAN(Game):
    """Huang et al. 2024, section 3: RpGAN + R1 + R2."""

    def __init__(self, options: Options, shape: tuple[int, ...], steps: int) -> None:
        super().__init__()
        self.options, self.latent, self.steps = options, options.latent, steps
        if len(shape) == 1:
            hidden = [options.width] * options.blocks
            self.generator = mlp([options.latent, *hidden, *shape])
            # The last layer has no bias: differences of scores would not feel it.
            judge = [nn.LeakyReLU(modern.SLOPE), nn.Linear(options.width, 1, bias=False), nn.Flatten(0)]
            self.discriminator = nn.Sequential(*mlp([*shape, *hidden]), *judge)
        else:
            sizes = {"channels": shape[0], "blocks": options.blocks, "patch": options.patch}
            plan = modern.widths(shape[1], width=options.width, taper=options.taper, patch=options.patch)
            self.generator = modern.generator(plan, latent=options.latent, **sizes)
            self.discriminator = modern.discriminator(plan, **sizes)
        # Colors have bounds, points have none.
        self.bounded = len(shape) == 3
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(0.0, 0.99), fused=True)
        schedule = partial(fall, to=FINAL_RATE)
        return {
            "discriminator": Player(adam(self.discriminator.parameters()), schedule=schedule),
            "generator": Player(adam(self.generator.parameters()), schedule=schedule),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image
        with torch.no_grad():
            fake = self.generator(latents(len(real), self.latent, self.generator)).float()
        # One pass over both: nothing in the discriminator looks across the batch.
        both = torch.cat([real, fake]).requires_grad_(self.options.penalties != "none")
        scores = self.discriminator(both).float()
        real_scores, fake_scores = scores.chunk(2)
        yield Turn(
            "discriminator",
            adversarial=self.discriminator_cost(real_scores, fake_scores),
            **self.slopes(both, scores),
            watch={"D(x)": real_scores.mean(), "D(G(z))": fake_scores.mean()},
        )
        fake_scores = self.discriminator(self.generator(latents(len(real), self.latent, self.generator)))
        with torch.no_grad():
            real_scores = self.discriminator(real)
        yield Turn(
            "generator",
            adversarial=self.generator_cost(real_scores, fake_scores),
            watch={"D(G(z))": fake_scores.float().mean()},
        )

    def slopes(self, both: Tensor, scores: Tensor) -> dict[str, Tensor]:
        """The penalties γ/2 ‖∇D‖² at the real and the fake half of `both`, by name.

        They are taken from the pass that the adversarial cost needs anyway and in its precision, as in the authors'
        code; `penalties.r1` and `penalties.r2` would make two passes more, in float32.
        """
        if self.options.penalties == "none":
            return {}
        (gradients,) = torch.autograd.grad(scores.sum(), both, create_graph=True)
        real, fake = gradients.flatten(1).square().sum(1).chunk(2)
        weight = self.options.gamma / 2 * fall(self.step / self.steps, to=FINAL_GAMMA)
        found = {"r1": weight * real.mean(), "r2": weight * fake.mean()}
        return {name: found[name] for name in self.options.penalties.split("+")}

    def discriminator_cost(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator pays for its scores (N,) of as many real samples and fakes."""
        if self.options.loss == "relativistic":
            return relativistic_discriminator(real, fake)
        return non_saturating_discriminator(real, fake)

    def generator_cost(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the generator pays for them."""
        return (
            relativistic_generator(real, fake)
            if self.options.loss == "relativistic"
            else non_saturating_generator(fake)
        )

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self.generator, generator))

    def decode(self, latents: Tensor) -> Tensor:
        made: Tensor = self.generator(latents)
        # Only here: in training the discriminator must see, and the generator feel, what is out of bounds.
        return made.clamp(-1, 1) if self.bounded else made

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(images)
        return scores


def fall(fraction: float, *, to: float) -> float:
    """Half a cosine from 1, at the start of a stage, `to` what it ends at."""
    return to + (1 - to) * (1 + math.cos(math.pi * fraction)) / 2


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.examples(size=options.size, channels=options.channels)
    steps = recipe.rounds(options, examples)
    yield Stage("adversarial", R3GAN(options, examples.shape, steps), examples.stream(options.batch), steps)
