"""SNGAN with a projection discriminator: a class is a direction in the space of features (Miyato and Koyama 2018).

Reproduces: the conditional networks of "cGANs with Projection Discriminator" with the hinge loss as the authors' code
trains them on CIFAR-10 (`sngan` with classes: Adam 2e-4, β1 0, β2 0.9, five steps of the discriminator for one of the
generator, the rate falling linearly to zero). The discriminator adds to its score the product of its features with a
vector of the class; the generator's batch normalizations have gains and biases of their own for each class. The preset
`imagenet` has the size and the schedule of the paper's 1000 classes, `laptop` is for one core and 32x32: a quarter of
the width, two discriminator steps, a higher rate, an average.

Differs from the authors' code: classes of fakes are drawn as often as the data have them, not all equally often; real
and fake are judged in one pass, so singular vectors follow once per step and not twice; the generator learns from
batches as large as the discriminator's, not twice as large, and plays twice their rounds on CIFAR-10.

Result: on avatars of 32x32 by the length of their hair, the preset `laptop` at half its width, 9,100 rounds in 40
minutes of one core (benchmarks/attribute.py): hair is long or short as asked, skin and hair have many colors, with a
grid over them; fd_lite0_96 1,091, and a classifier, which the grid confuses, tells 59 % as asked.
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
from ..layers.labels import draw_labels
from ..layers.latents import latents
from ..layers.spectral import spectral
from ..networks import resnet
from ..objectives import hinge_discriminator, hinge_generator
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.images import Images
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about an SNGAN with a projection discriminator."""

    size: recipe.Size = 32
    channels: recipe.Channels = None
    latent: recipe.Latent = 128
    width: int = Field(256, ge=4, le=1024, description="features of the generator; the discriminator has half")
    discriminator_steps: int = Field(5, ge=1, le=100, description="steps of the discriminator per round")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.0
    beta2: float = Field(0.9, ge=0, lt=1, description="Adam's decay of the mean squared gradient")
    decay: recipe.Decay = 0.0
    average: recipe.Average = 0.0
    batch: recipe.Batch = 64
    steps: recipe.Steps = 100_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "imagenet": {"size": 128, "decay": 8 / 9, "steps": 450_000},
    "laptop": {"width": 64, "discriminator_steps": 2, "lr": 5e-4, "average": 200, "batch": 32, "steps": 8_000},
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 8, "width": 8, "discriminator_steps": 2, "batch": 4, "steps": 4}


class SNGANProjection(Game):
    """Miyato and Koyama 2018: the discriminator scores how real a picture is, and how well it fits its class."""

    frequencies: Tensor

    def __init__(self, options: Options, data: Images) -> None:
        super().__init__()
        self.options, self.latent, self.classes = options, options.latent, recipe.classes(data)
        self.register_buffer("frequencies", torch.tensor(data.frequencies))
        shape: dict[str, Any] = {"size": options.size, "channels": data.channels, "classes": len(self.classes)}
        self.generator = resnet.conditional_generator(**shape, latent=options.latent, width=options.width)
        self.discriminator = spectral(resnet.discriminator(**shape, width=options.width // 2))
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        options = self.options
        adam = partial(torch.optim.Adam, lr=options.lr, betas=(options.beta1, options.beta2), fused=True)
        schedule = linear_decay(options.decay)
        return {
            "discriminator": Player(adam(self.discriminator.parameters()), schedule=schedule),
            "generator": Player(adam(self.generator.parameters()), schedule=schedule),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(self.options.discriminator_steps):
            batch = next(batches)
            real, labels = batch.image, batch.label
            with torch.no_grad():
                fake, asked = self.fakes(len(real))
            scores = self.judge(torch.cat([real, fake]), torch.cat([labels, asked]))
            real_scores, fake_scores = scores.chunk(2)
            yield Turn(
                "discriminator",
                adversarial=hinge_discriminator(real_scores, fake_scores),
                watch={"D(x|y)": real_scores.sigmoid().mean(), "D(G(z|y))": fake_scores.sigmoid().mean()},
            )
        scores = self.judge(*self.fakes(len(real)))
        yield Turn("generator", adversarial=hinge_generator(scores), watch={"D(G(z|y))": scores.sigmoid().mean()})

    def fakes(self, count: int) -> tuple[Tensor, Tensor]:
        """Images (count, C, H, W), and the classes that were asked for."""
        asked = draw_labels(count, self.frequencies)
        return self.sample(count, labels=asked), asked

    def judge(self, images: Tensor, labels: Tensor) -> Tensor:
        """Scores (N,): is it real, and of its class?"""
        scores: Tensor = self.discriminator(images, labels)
        return scores

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = latents(count, self.latent, self, generator)
        return self.decode(noise, draw_labels(count, self.frequencies, generator) if labels is None else labels)

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        images: Tensor = self.generator(latents, labels)
        return images


def stages(options: Options, data: Source) -> Iterator[Stage]:
    images = data.images(size=options.size, channels=options.channels)
    game = SNGANProjection(options, images)
    yield Stage("adversarial", game, images.stream(options.batch), recipe.rounds(options, images))
