"""DiscoGAN: two sets without pairs, and what they have in common found by translating back (Kim et al. 2017).

Reproduces: equations 3 to 8, figure 2(c). Like a CycleGAN it couples two games by two translations that undo each
other; unlike it, its generators go down to 4x4 features, or to a bottleneck of single numbers, in place of residual
blocks, whole pictures are judged with the cross entropy, the way back is measured by squares, and there is neither a
pool nor an identity loss. So shapes may change, and details get lost.

Differs from the paper, as the authors' code does: most of what generators are asked is that the fakes' features in the
discriminator match the other set's in the mean; the way back counts little in the first rounds; the discriminators move
every third round, in which the generators rest. Differs from their code: a tanh at the end, for pictures in [-1, 1].

Result: toon head and pixel art at 32x32 (`--preset laptop --size 32`, 29 minutes of a core without bf16). `fd_lite0_96`
of held-out pixel art made toon heads is 676, less than half of what it had, 1,440, the other way 939. The style is the
other's and shapes change with it; the way there and back changes pixels in [-1, 1] by 0.15 and 0.24. Many faces become
the same one, and whether skin and hair are light is kept no better than by guessing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from .. import recipe
from ..data.pairs import unpaired
from ..game import Game, Player, Stage, Turn
from ..layers.convolution import Down, Head, Up
from ..networks.dcgan import channel_plan, initialize
from ..objectives import feature_matching, minimax_discriminator, non_saturating_generator
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a DiscoGAN."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    width: int = Field(64, ge=4, le=512, description="channels at half the pictures' size, of all networks")
    bottleneck: int = Field(0, ge=0, le=4096, description="numbers that a picture becomes on its way; 0: 4x4 features")
    rebuilt: float = Field(0.5, ge=0, le=1, description="share of the way back in what generators are asked")
    early: float = Field(0.01, ge=0, le=1, description="the same in the first rounds")
    rounds: int = Field(10_000, ge=0, description="how many these are")
    features: float = Field(0.9, ge=0, le=1, description="share of the features in what is left")
    every: int = Field(3, ge=2, le=100, description="rounds from one turn of the discriminators to the next")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.5
    decay: recipe.Decay = 1.0
    batch: recipe.Batch = 64
    steps: recipe.Steps = 60_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"width": 32, "batch": 32, "rounds": 1000, "steps": 9000},
}

SMOKE: dict[str, Any] = {"size": 32, "width": 4, "bottleneck": 4, "rounds": 1, "every": 2, "batch": 4, "steps": 4}


def encoder(channels: int, width: int, size: int) -> nn.Sequential:
    """Maps pictures (N, C, size, size) to features at 4x4 (N, K, 4, 4), by halvings."""
    layers: list[nn.Module] = [Down(channels, width), nn.LeakyReLU(0.2, inplace=True)]
    for above, below in pairwise(channel_plan(size, width)[::-1]):
        layers += [Down(above, below), nn.BatchNorm2d(below), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers)


def generator(channels: int, options: Options) -> nn.Sequential:
    """Maps pictures (N, C, H, W) to pictures in [-1, 1], with four to five layers each way (section 4.1)."""
    widths, narrow = channel_plan(options.size, options.width), options.bottleneck
    layers: list[nn.Module] = [encoder(channels, options.width, options.size)]
    if narrow:
        layers += [nn.Conv2d(widths[0], narrow, 4, bias=False), nn.BatchNorm2d(narrow), nn.LeakyReLU(0.2, inplace=True)]
        layers += [nn.ConvTranspose2d(narrow, widths[0], 4, bias=False), nn.BatchNorm2d(widths[0])]
        layers += [nn.ReLU(inplace=True)]
    for below, above in pairwise(widths):
        layers += [Up(below, above), nn.BatchNorm2d(above), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, Up(options.width, channels), nn.Tanh())


class Discriminator(nn.Module):
    """Maps pictures (N, C, H, W) to logits (N,), and shows the features of its halvings."""

    def __init__(self, channels: int, options: Options) -> None:
        super().__init__()
        self.body = encoder(channels, options.width, options.size)
        self.head = Head(channel_plan(options.size, options.width)[0])

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        features, shown = images, []
        for number, layer in enumerate(self.body):
            features = layer(features)
            if number > 2 and isinstance(layer, nn.LeakyReLU):
                shown.append(features)
        return self.head(features), shown


class DiscoGAN(Game):
    """Kim et al. 2017: two coupled games."""

    def __init__(self, options: Options, channels: int, sides: tuple[str, str]) -> None:
        super().__init__()
        self.options, self.sides = options, sides
        self.multiple = options.size if options.bottleneck else options.size // 4
        self.there, self.back = (generator(channels, options) for _ in range(2))
        self.judge_source, self.judge_target = (Discriminator(channels, options) for _ in range(2))
        for network in (self.there, self.back, self.judge_source, self.judge_target):
            initialize(network, "normal")

    def players(self) -> dict[str, Player]:
        betas = (self.options.beta1, 0.999)
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=betas, weight_decay=1e-5, fused=True)
        schedule = linear_decay(self.options.decay)
        makers = adam(chain(self.there.parameters(), self.back.parameters()))
        judges = adam(chain(self.judge_source.parameters(), self.judge_target.parameters()))
        return {"generators": Player(makers, schedule=schedule), "discriminators": Player(judges, schedule=schedule)}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        batch = next(batches)
        source, target = batch.source, batch.target
        fake_target, fake_source = self.there(source), self.back(target)
        if self.step % self.options.every == 0:
            real, own = self.judge_target(target)[0], self.judge_source(source)[0]
            fake, foreign = self.judge_target(fake_target.detach())[0], self.judge_source(fake_source.detach())[0]
            yield Turn(
                "discriminators",
                target=0.5 * minimax_discriminator(real, fake),
                source=0.5 * minimax_discriminator(own, foreign),
                watch={"D(y)": real.sigmoid().mean(), "D(G(x))": fake.sigmoid().mean()},
            )
            return
        rebuilt = self.options.early if self.step < self.options.rounds else self.options.rebuilt
        fooling, matching = self.judged(self.judge_target, target, fake_target)
        fooling_back, matching_back = self.judged(self.judge_source, source, fake_source)
        share = self.options.features
        yield Turn(
            "generators",
            adversarial=(1 - rebuilt) * (1 - share) * (fooling + fooling_back),
            features=(1 - rebuilt) * share * (matching + matching_back),
            # A quarter: in [-1, 1] squares are four times those of pictures in [0, 1].
            rebuilt=0.25
            * rebuilt
            * (squares(self.back(fake_target), source) + squares(self.there(fake_source), target)),
        )

    def judged(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """What fakes cost: that they are not taken for real, and how far the means of features are apart."""
        scores, found = discriminator(fake)
        _, wanted = discriminator(real)
        distances = [feature_matching(y.detach(), x) / x[0].numel() for y, x in zip(wanted, found, strict=True)]
        return non_saturating_generator(scores), torch.stack(distances).sum()

    def translate(self, images: Tensor) -> Tensor:
        made: Tensor = self.there(images)
        return made

    def translate_back(self, images: Tensor) -> Tensor:
        made: Tensor = self.back(images)
        return made


def squares(one: Tensor, other: Tensor) -> Tensor:
    """Mean squared difference, in float32."""
    return F.mse_loss(one.float(), other.float())


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = unpaired(data, size=options.size, channels=options.channels)
    game = DiscoGAN(options, examples.channels, examples.sides)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
