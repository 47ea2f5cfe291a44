"""All toy games by name, and what can be expected of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from saddlepoint.abilities import Stream
from saddlepoint.game import Game, Stage

from . import growth, heads, streams
from .everything import Everything
from .history import Historical
from .inversion import Inversion
from .rings import LATENT, Given, LazyPenalty, Vanilla
from .shared import SemiSupervised
from .text import LENGTH, VOCABULARY, MaskGAN
from .translation import CycleGAN
from .video import MotionTransfer
from .wasserstein import Clipped, Penalized


@dataclass(frozen=True)
class Toy:
    """A toy game as a recipe's stages.

    Attributes:
        stages: yields the stages, given the steps of each and the batch.
        linear: its losses are means over samples and it draws nothing, so parts of a batch average to the batch.
        private: it keeps buffers of what one process saw, such as a pool, so processes differ.
    """

    stages: Callable[[int, int], Iterator[Stage]]
    linear: bool = False
    private: bool = False


def alone(game: Callable[[], Game], stream: Callable[[int], Stream]) -> Callable[[int, int], Iterator[Stage]]:
    """The stages of a game that is played in one."""

    def stages(steps: int, batch: int) -> Iterator[Stage]:
        yield Stage("alone", game(), stream(batch), steps)

    return stages


TOYS = {
    "vanilla": Toy(alone(Vanilla, streams.ring)),
    "given": Toy(alone(Given, lambda batch: streams.ring_and_latents(batch, LATENT)), linear=True),
    "lazy penalty": Toy(alone(LazyPenalty, streams.ring)),
    "wasserstein, penalized": Toy(alone(Penalized, streams.ring)),
    "wasserstein, clipped": Toy(alone(Clipped, streams.ring)),
    "cycle": Toy(alone(CycleGAN, streams.two_rings), private=True),
    "semi-supervised": Toy(alone(SemiSupervised, streams.partly_labeled)),
    "text": Toy(alone(MaskGAN, lambda batch: streams.counting(batch, VOCABULARY, LENGTH))),
    "growth": Toy(growth.stages),
    "sprouting": Toy(growth.sprouting),
    "inversion": Toy(alone(Inversion, streams.Nothing), linear=True),
    "heads": Toy(heads.stages, linear=True),
    "video": Toy(alone(MotionTransfer, lambda batch: streams.clips(batch, frames=4)), linear=True),
    "history": Toy(alone(Historical, streams.ring)),
    "everything": Toy(alone(Everything, streams.ring), private=True),
}
