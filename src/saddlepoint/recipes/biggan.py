"""BigGAN: the class and the latent at every scale, and everything larger (Brock, Donahue and Simonyan 2019).

Reproduces: the networks of the authors' PyTorch code for 32, 64 and 128 pixels, with as many parameters (70,433,988 and
87,982,370 for ImageNet at 128): a vector for each class that all layers share, a latent cut into a part for each block,
a projection discriminator, self-attention at half the size, orthogonal first weights, spectral normalization in both
networks with one step of the power method per pass in training. The hinge loss, two steps of the discriminator for one
of the generator, Adam 2e-4 and 5e-5 with β1 0, β2 0.999, ε 1e-6, batches of 2048, an average with decay 0.9999 (a
half-life of 6931 steps), orthogonal regularization of the generator with 1e-4. The code's launch script instead takes
one discriminator step, rates 4e-4 and 1e-4, no regularization: `--discriminator-steps 1 --lr-discriminator 4e-4
--lr-generator 1e-4 --orthogonal 0`. Its eight accumulated batches of 256 are `--accumulate 8`: in each the batch norms
see 256 pictures. The preset `laptop` is for one core and 32x32: a sixth of the width, batches of 32, one step each,
rates that are higher and fall to zero in the second half, a faster average.

Differs from the paper: classes of fakes are drawn as often as the data have them, not all equally often; the average
counts from the first step, not the 20,000th; its samples use the running statistics of the batch norms, which are those
of untruncated latents, where the authors take "standing" ones anew from 100 batches of the latents that are used.

Result: on avatars of 32x32 by the length of their hair, the preset `laptop` at half its width, 7,400 rounds in 43
minutes of one core (benchmarks/attribute.py): hair is long or short as asked, faces are softer and more alike than
`sagan`'s; fd_lite0_96 911, and a classifier tells 71 % as asked.
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
from ..layers.labels import draw_labels
from ..layers.latents import latents
from ..layers.spectral import spectral
from ..networks import big
from ..objectives import hinge_discriminator, hinge_generator
from ..penalties import orthogonal
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.images import Images
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a BigGAN."""

    size: recipe.Size = 128
    channels: recipe.Channels = None
    latent: int = Field(120, ge=4, le=4096, description="size of a latent; a multiple of 4, 5, 6 at 32, 64, 128")
    width: int = Field(96, ge=1, le=256, description="features are multiples of it")
    shared: int = Field(128, ge=1, le=4096, description="size of the vector of a class")
    orthogonal: float = Field(1e-4, ge=0, le=1, description="weight of the regularization of the generator; 0: none")
    discriminator_steps: int = Field(2, ge=1, le=100, description="steps of the discriminator per round")
    lr_generator: float = Field(5e-5, gt=0, le=1, description="learning rate of the generator")
    lr_discriminator: float = Field(2e-4, gt=0, le=1, description="learning rate of the discriminator")
    decay: recipe.Decay = 1.0
    average: recipe.Average = 6931.0
    batch: recipe.Batch = 2048
    steps: recipe.Steps = 140_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {
        **{"size": 32, "width": 16, "discriminator_steps": 1, "lr_generator": 2e-4, "lr_discriminator": 8e-4},
        **{"decay": 0.5, "average": 200, "batch": 32, "steps": 8_000},
    },
}

SMOKE: dict[str, Any] = {
    **{"size": 32, "latent": 8, "width": 2, "shared": 4, "discriminator_steps": 1},
    **{"lr_generator": 1e-4, "lr_discriminator": 1e-4, "batch": 4, "steps": 4},
}


class BigGAN(Game):
    """Brock et al. 2019: the game of a SAGAN, with a penalty on the generator."""

    frequencies: Tensor

    def __init__(self, options: Options, data: Images) -> None:
        super().__init__()
        self.options, self.latent, self.classes = options, options.latent, recipe.classes(data)
        self.register_buffer("frequencies", torch.tensor(data.frequencies))
        shape: dict[str, Any] = {
            **{"size": options.size, "channels": data.channels, "classes": len(self.classes)},
            **{"width": options.width},
        }
        # The vectors of the classes stay as they are: the authors found that normalizing them harms.
        self.generator = spectral(
            big.generator(**shape, latent=options.latent, shared=options.shared), only=(nn.Linear, nn.Conv2d)
        )
        self.discriminator = spectral(big.discriminator(**shape))
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, betas=(0.0, 0.999), eps=1e-6, fused=True)
        judge = adam(self.discriminator.parameters(), lr=self.options.lr_discriminator)
        maker = adam(self.generator.parameters(), lr=self.options.lr_generator)
        schedule = linear_decay(self.options.decay)
        return {"discriminator": Player(judge, schedule=schedule), "generator": Player(maker, schedule=schedule)}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        for _ in range(self.options.discriminator_steps):
            batch = next(batches)
            real, labels = batch.image, batch.label
            with torch.no_grad():
                fake, asked = self.fakes(len(real))
            # One pass for both: the singular vectors follow once, as in the authors' code.
            scores = self.judge(torch.cat([real, fake]), torch.cat([labels, asked]))
            real_scores, fake_scores = scores.chunk(2)
            yield Turn(
                "discriminator",
                adversarial=hinge_discriminator(real_scores, fake_scores),
                watch={"D(x|y)": real_scores.sigmoid().mean(), "D(G(z|y))": fake_scores.sigmoid().mean()},
            )
        scores = self.judge(*self.fakes(len(real)))
        losses = {"adversarial": hinge_generator(scores)}
        if self.options.orthogonal:
            losses["orthogonal"] = self.options.orthogonal * orthogonal(self.generator)
        yield Turn("generator", **losses, watch={"D(G(z|y))": scores.sigmoid().mean()})

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
    game = BigGAN(options, images)
    yield Stage("adversarial", game, images.stream(options.batch), recipe.rounds(options, images))
