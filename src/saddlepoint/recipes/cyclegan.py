"""CycleGAN: two sets without pairs, two translations that undo each other (Zhu et al. 2017).

Reproduces: equations 1 to 3, and the identity loss of section 5.2. Each generator is asked for pictures that pass for
the other set's, and for nothing that its counterpart cannot undo. Discriminators judge patches with least squares, and
fakes out of a pool of the last 50, which reminds them of what they have learned to refuse.

Differs from the paper: windows are cut at random from pictures `jitter` larger, as in the authors' code. Differs from
their code: the places in a pool that one batch takes are distinct.

Result: toon head and pixel art at 32x32 (`--preset laptop --size 32 --jitter 0 --steps 4000`, 45 minutes of one core).
`fd_lite0_96` of held-out pixel art made toon heads is 619, less than half of what it had, 1,440, the other way 861;
of adventurer to big smile at 64x64 (95 minutes) 1,572, where untranslated faces have 637. Style and palette change, and
the way there and back changes pixels in [-1, 1] by 0.05 to 0.09. A fine noise is left, which that distance does not
forgive: 1 % of the range costs 582. Whether skin and hair are light is kept no better than by guessing, but for the
adventurers' skin (62 %, guess 53).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from .. import recipe
from ..data.pairs import unpaired
from ..game import Game, Player, Stage, Turn
from ..layers.replay import Replay
from ..networks import patch
from ..networks.dcgan import initialize
from ..objectives import least_squares_discriminator, least_squares_generator
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a CycleGAN."""

    size: Literal[32, 64, 128, 256] = Field(256, description="height and width of the pictures in pixels")
    channels: recipe.Channels = None
    width: int = Field(64, ge=4, le=512, description="channels of the first layer of all networks")
    blocks: int = Field(9, ge=0, le=32, description="residual blocks; the paper has 9, and 6 for 128 pixels")
    layers: int = Field(3, ge=0, le=5, description="the discriminators'; 3: patches of 70 pixels, 1: of 16, 0: of one")
    cycle: float = Field(10.0, ge=0, description="weight of the way there and back, the paper's lambda")
    identity: float = Field(0.5, ge=0, description="weight, times that of cycle, of leaving its own side alone")
    pool: int = Field(50, ge=1, le=10_000, description="fakes that each discriminator is reminded of")
    jitter: float = Field(0.12, ge=0, lt=1, description="how much larger pictures are than random windows; 0: none")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.5
    decay: recipe.Decay = 0.5
    batch: int = Field(1, ge=1, le=65536, description="pictures of each set per step")
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = 200.0


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"size": 64, "width": 32, "blocks": 6, "layers": 2, "batch": 4, "steps": 6000, "epochs": None},
}

SMOKE: dict[str, Any] = {
    **{"size": 32, "width": 4, "blocks": 1, "layers": 1, "pool": 6, "batch": 4, "steps": 4, "epochs": None},
}


class Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to what came in, (N, C, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = (convolution(width, width, 3) for _ in range(2))
        self.body = nn.Sequential(*first, nn.ReLU(inplace=True), *second)

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.body(features)
        return changed


def convolution(entering: int, leaving: int, side: int) -> list[nn.Module]:
    """A convolution that sees the picture mirrored beyond its border, and its normalization."""
    padded = nn.Conv2d(entering, leaving, side, padding=side // 2, padding_mode="reflect")
    return [padded, nn.InstanceNorm2d(leaving)]


def generator(channels: int, width: int, blocks: int) -> nn.Sequential:
    """Maps pictures (N, C, H, W) to pictures in [-1, 1] (Johnson et al. 2016; Zhu et al. 2017, section 7.2)."""
    layers: list[nn.Module] = [*convolution(channels, width, 7), nn.ReLU(inplace=True)]
    for wide in (width, 2 * width):
        halved = nn.Conv2d(wide, 2 * wide, 3, stride=2, padding=1)
        layers += [halved, nn.InstanceNorm2d(2 * wide), nn.ReLU(inplace=True)]
    layers += [Residual(4 * width) for _ in range(blocks)]
    for wide in (4 * width, 2 * width):
        doubled = nn.ConvTranspose2d(wide, wide // 2, 3, stride=2, padding=1, output_padding=1)
        layers += [doubled, nn.InstanceNorm2d(wide // 2), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, convolution(width, channels, 7)[0], nn.Tanh())


class CycleGAN(Game):
    """Zhu et al. 2017: two games at once, with memory."""

    multiple = 4

    def __init__(self, options: Options, shape: tuple[int, ...], sides: tuple[str, str]) -> None:
        super().__init__()
        self.options, self.sides = options, sides
        make = partial(generator, shape[0], options.width, options.blocks)
        judge = partial(
            patch.discriminator, shape[0], width=options.width, layers=options.layers, norm=nn.InstanceNorm2d
        )
        self.there, self.back = make(), make()
        self.judge_source, self.judge_target = judge(), judge()
        for network in (self.there, self.back, self.judge_source, self.judge_target):
            initialize(network, "normal")
        self.old_sources, self.old_targets = (Replay(options.pool, shape) for _ in range(2))

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(self.options.beta1, 0.999), fused=True)
        schedule = linear_decay(self.options.decay)
        makers = adam(chain(self.there.parameters(), self.back.parameters()))
        judges = adam(chain(self.judge_source.parameters(), self.judge_target.parameters()))
        return {"generators": Player(makers, schedule=schedule), "discriminators": Player(judges, schedule=schedule)}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        batch = next(batches)
        source, target = batch.source, batch.target
        fake_target, fake_source = self.there(source), self.back(target)
        cycle = l1(self.back(fake_target), source) + l1(self.there(fake_source), target)
        same = cycle.new_zeros(())
        if self.options.identity:
            same = l1(self.there(target), target) + l1(self.back(source), source)
        # Twice, for the objective halves its squares, and only the discriminators' are meant to be halved (section 4).
        fooled = least_squares_generator(self.judge_target(fake_target)) + least_squares_generator(
            self.judge_source(fake_source)
        )
        weight = self.options.cycle
        yield Turn(
            "generators", adversarial=2 * fooled, cycle=weight * cycle, identity=weight * self.options.identity * same
        )

        real, fake = self.judge_target(target), self.judge_target(self.old_targets.exchange(fake_target))
        own, foreign = self.judge_source(source), self.judge_source(self.old_sources.exchange(fake_source))
        yield Turn(
            "discriminators",
            target=least_squares_discriminator(real, fake),
            source=least_squares_discriminator(own, foreign),
            watch={"D(y)": real.mean(), "D(G(x))": fake.mean()},
        )

    def translate(self, images: Tensor) -> Tensor:
        made: Tensor = self.there(images)
        return made

    def translate_back(self, images: Tensor) -> Tensor:
        made: Tensor = self.back(images)
        return made


def l1(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference, in float32."""
    return F.l1_loss(one.float(), other.float())


def stages(options: Options, data: Source) -> Iterator[Stage]:
    whole = options.size + round(options.jitter * options.size)
    examples = unpaired(data, size=whole, channels=options.channels)
    shape = (examples.channels, options.size, options.size)
    game = CycleGAN(options, shape, examples.sides)
    stream = examples.stream(options.batch, crop=options.size)
    yield Stage("adversarial", game, stream, recipe.rounds(options, examples))
