"""SAGAN: self-attention lets a network of convolutions see far, on both sides of the game (Zhang et al. 2019).

Reproduces: the residual networks of the authors' code, `sngan_projection`'s with wider discriminator blocks, a layer of
self-attention in each network and spectral normalization in both; the hinge loss; one step each, the discriminator's
rate four times the generator's ("TTUR", Heusel et al. 2017); Adam 1e-4 and 4e-4, β1 0, β2 0.9, batches of 256, a
million steps. Attention is where the paper found it best for 128 pixels, at 32x32; smaller pictures have it at half
their size. The preset `laptop` is for one core and 32x32: a quarter of the width, an eighth of the batch, rates that
are higher and fall to zero in the second half, an average.

Differs from the authors' code: classes of fakes are drawn as often as the data have them, not all equally often; the
generator's rate does not fall after 100,000 steps, as the paper has it.

Result: on avatars of 32x32 by the length of their hair, the preset `laptop` at half its width, 13,000 rounds in 41
minutes of one core (benchmarks/attribute.py): clean short hair, ragged long hair, eyes and mouths in their places, the
same face for both; fd_lite0_96 891, the best of the three recipes compared, and a classifier tells 71 % as asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

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
    """What can be chosen about a SAGAN."""

    size: recipe.Size = 128
    channels: recipe.Channels = None
    latent: recipe.Latent = 128
    width: int = Field(256, ge=4, le=1024, description="features of the generator; the discriminator has half")
    attention: Literal[0, 8, 16, 32, 64] = Field(
        32, description="side of the features that attend, at most half the pictures' size; 0: none"
    )
    lr_generator: float = Field(1e-4, gt=0, le=1, description="learning rate of the generator")
    lr_discriminator: float = Field(4e-4, gt=0, le=1, description="learning rate of the discriminator")
    beta1: recipe.Beta1 = 0.0
    beta2: float = Field(0.9, ge=0, lt=1, description="Adam's decay of the mean squared gradient")
    decay: recipe.Decay = 1.0
    average: recipe.Average = 0.0
    batch: recipe.Batch = 256
    steps: recipe.Steps = 1_000_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {
        **{"size": 32, "width": 64, "lr_generator": 2e-4, "lr_discriminator": 8e-4},
        **{"decay": 0.5, "average": 200, "batch": 32, "steps": 10_000},
    },
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 8, "width": 8, "batch": 4, "steps": 4}


class SAGAN(Game):
    """Zhang et al. 2019: the game of an SNGAN with a projection, two rates and attention."""

    frequencies: Tensor

    def __init__(self, options: Options, data: Images) -> None:
        super().__init__()
        self.options, self.latent, self.classes = options, options.latent, recipe.classes(data)
        self.register_buffer("frequencies", torch.tensor(data.frequencies))
        shape: dict[str, Any] = {"size": options.size, "channels": data.channels, "classes": len(self.classes)}
        attention = min(options.attention, options.size // 2)
        generator = resnet.conditional_generator(
            **shape, latent=options.latent, width=options.width, attention=attention
        )
        # The tables of its norms are gains, not maps: these stay as they are.
        self.generator = spectral(generator, only=(nn.Linear, nn.Conv2d))
        self.discriminator = spectral(
            resnet.discriminator(**shape, width=options.width // 2, wide=True, attention=attention)
        )
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        options = self.options
        adam = partial(torch.optim.Adam, betas=(options.beta1, options.beta2), fused=True)
        judge = adam(self.discriminator.parameters(), lr=options.lr_discriminator)
        maker = adam(self.generator.parameters(), lr=options.lr_generator)
        schedule = linear_decay(options.decay)
        return {"discriminator": Player(judge, schedule=schedule), "generator": Player(maker, schedule=schedule)}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        batch = next(batches)
        real, labels = batch.image, batch.label
        fake, asked = self.fakes(len(real))
        # One pass for both: the singular vectors follow once, as in the authors' code.
        scores = self.judge(torch.cat([real, fake.detach()]), torch.cat([labels, asked]))
        real_scores, fake_scores = scores.chunk(2)
        yield Turn(
            "discriminator",
            adversarial=hinge_discriminator(real_scores, fake_scores),
            watch={"D(x|y)": real_scores.sigmoid().mean(), "D(G(z|y))": fake_scores.sigmoid().mean()},
        )
        scores = self.judge(fake, asked)
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
    game = SAGAN(options, images)
    yield Stage("adversarial", game, images.stream(options.batch), recipe.rounds(options, images))
