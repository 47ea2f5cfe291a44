"""BEGAN: the discriminator is an autoencoder, and a controller keeps the two players level (Berthelot et al. 2017).

Reproduces: the objective of section 3.4 with both independent draws of latents, k from 0 with gain λ 0.001, the
convergence measure M (watched as `convergence`), Adam 1e-4, batches of 16, and the networks of section 3.5 with the
optional skip connections: 3x3 convolutions and ELUs, filters that grow linearly, nearest neighbors up, a linear code.
The preset `laptop` is for one core and 32x32: a quarter of the width, four times the rate, and fifty times
the gain, since k has a twentieth of the steps to find its level.

Differs from the paper: learning rates are halved at equal parts of the training instead of when M stalls, and the
other optional refinement, vanishing residuals, is left out. Latents come from N(0, I) and pass the normal's
distribution function, which makes them the paper's uniform ones. Of several processes, each has a k of its own, which
its part of the batch moves. On the plane all networks are fully connected, and the code is one number.

Result: by eye, `saddle train began avatars:adventurer --preset laptop --steps 3000 --threads 1`, seed 0, 22 minutes of
a shared Xeon core: heads with hair and the beginnings of faces, blurred, with little variety. In short trials on the
ring of eight it met two or three of the modes. In the six minutes of docs/leaderboard.md it makes one blob of every
latent on MNIST and one head on avatars: it wants patience.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import interpolate

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a BEGAN."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    latent: recipe.Latent = 64
    code: int = Field(64, ge=1, le=4096, description="size of the autoencoder's code")
    width: int = Field(64, ge=4, le=512, description="filters at full resolution, the paper's n; for points features")
    gamma: float = Field(0.5, ge=0, le=1, description="error on fakes aimed at, as a part of that on real: diversity")
    gain: float = Field(1e-3, gt=0, le=1, description="how fast the balance k follows, the paper's λ_k")
    lr: recipe.Rate = 1e-4
    halvings: int = Field(3, ge=0, le=20, description="how often the learning rate is halved")
    beta1: recipe.Beta1 = 0.5
    average: recipe.Average = 0.0
    batch: int = Field(16, ge=1, le=65536, description="samples per step")
    steps: recipe.Steps = 200_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"size": 32, "width": 16, "code": 32, "gain": 0.05, "lr": 4e-4, "steps": 10_000},
    "plane": {"latent": 2, "code": 1, "width": 128, "lr": 1e-3, "gain": 0.01, "batch": 256, "steps": 5_000},
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 8, "code": 8, "width": 4, "batch": 4, "steps": 4}


def dense(*widths: int) -> nn.Sequential:
    """Linear layers with an ELU between each two."""
    layers = [layer for sizes in pairwise(widths) for layer in (nn.ELU(), nn.Linear(*sizes))]
    return nn.Sequential(*layers[1:])


def convolutions(*widths: int) -> nn.Sequential:
    """3x3 convolutions, an ELU after each."""
    layers = [(nn.Conv2d(*sizes, 3, padding=1), nn.ELU()) for sizes in pairwise(widths)]
    return nn.Sequential(*[layer for pair in layers for layer in pair])


def encoder(size: int, channels: int, code: int, width: int) -> nn.Sequential:
    """From images to codes: with each halving, down to 8x8, the filters grow by `width`."""
    levels = size.bit_length() - 3
    layers: list[nn.Module] = [convolutions(channels, width)]
    for level in range(1, levels + 1):
        layers.append(convolutions(level * width, level * width, level * width))
        if level < levels:
            layers += [nn.Conv2d(level * width, (level + 1) * width, 3, stride=2, padding=1), nn.ELU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(levels * width * 64, code))


class Decoder(nn.Module):
    """From codes, or latents, to images: doubles 8x8 up to the size and joins the start to each level's input."""

    def __init__(self, size: int, channels: int, code: int, width: int) -> None:
        super().__init__()
        self.start = nn.Sequential(nn.Linear(code, width * 64), nn.Unflatten(1, (width, 8, 8)))
        later = [convolutions(2 * width, width, width) for _ in range(size.bit_length() - 4)]
        self.levels = nn.ModuleList([convolutions(width, width, width), *later])
        self.end = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        start: Tensor = self.start(codes)
        features = self.levels[0](start)
        for number, level in enumerate(list(self.levels)[1:], start=1):
            doubled = interpolate(features, scale_factor=2.0)
            features = level(torch.cat([doubled, interpolate(start, scale_factor=2.0**number)], 1))
        images: Tensor = self.end(features)
        return images


class BEGAN(Game):
    """Berthelot et al. 2017, section 3.4: errors of an autoencoder as scores, in a proportion that k holds.

    Attributes:
        k: how much the discriminator cares for failing on fakes, in [0, 1], shape (). It climbs while fakes are rebuilt
            too well, γ L(x) > L(G(z)), and falls while they are rebuilt too badly.
    """

    k: Tensor

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent, self.pictures = options, options.latent, len(shape) == 3
        width, code = options.width, options.code
        if self.pictures:
            build = partial(Decoder, shape[1], shape[0], width=width)
            self.autoencoder = nn.Sequential(encoder(shape[1], shape[0], code, width), build(code=code))
            self.generator: nn.Module = build(code=options.latent)
        else:
            self.autoencoder = nn.Sequential(dense(*shape, width, width, code), dense(code, width, width, *shape))
            self.generator = dense(options.latent, width, width, *shape)
        self.register_buffer("k", torch.zeros(()))
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        options = self.options
        adam = partial(torch.optim.Adam, lr=options.lr, betas=(options.beta1, 0.999), fused=True)
        return {
            "discriminator": Player(adam(self.autoencoder.parameters()), schedule=self.halved),
            "generator": Player(adam(self.generator.parameters()), schedule=self.halved),
        }

    def halved(self, fraction: float) -> float:
        """Factor on the learning rates at this fraction of the training."""
        return float(0.5 ** int(fraction * (self.options.halvings + 1)))

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        options = self.options
        real = next(batches).image
        with torch.no_grad():
            fake = self.draw(latents(len(real), self.latent, self))
        real_error = self.error(real).mean()
        yield Turn("discriminator", real=real_error, fake=-self.k * self.error(fake).mean())
        fake_error = self.error(self.draw(latents(len(real), self.latent, self))).mean()
        gap = (options.gamma * real_error - fake_error).detach()
        watch = {"convergence": real_error.detach() + gap.abs(), "k": self.k.clone()}
        yield Turn("generator", adversarial=fake_error, watch=watch)
        # A micro-batch moves k by its part of the batch, so that all of them move it as the whole batch would.
        self.k.add_(options.gain * len(real) / options.batch * gap).clamp_(0, 1)

    def draw(self, latents: Tensor) -> Tensor:
        """Samples as the autoencoder sees them: pixels are not bounded."""
        # Twice the normal's distribution function, less 1: uniform in (-1, 1).
        samples: Tensor = self.generator(torch.erf(latents / 2**0.5))
        return samples

    def error(self, samples: Tensor) -> Tensor:
        """How badly each sample is rebuilt, L in the paper: mean absolute difference, shape (N,)."""
        return (samples - self.autoencoder(samples)).abs().flatten(1).mean(1)

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self, generator))

    def decode(self, latents: Tensor) -> Tensor:
        samples = self.draw(latents)
        return samples.clamp(-1, 1) if self.pictures else samples

    def score(self, images: Tensor) -> Tensor:
        return -self.error(images)


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.examples(size=options.size, channels=options.channels)
    game = BEGAN(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
