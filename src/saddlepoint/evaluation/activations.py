"""What a game's discriminator sees in pictures: the activations of its layers while it judges them.

Radford et al. 2016, section 5.1: the activations of all convolutions, each map as the largest numbers of a grid of 4x4,
are good features of pictures, though nobody told the discriminator what is in them.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..abilities import Scores
from ..data.stream import order
from ..errors import UnavailableError

GRID = 4
LAYERS = (nn.Conv2d, nn.Linear)
BATCH, RATE = 64, 1e-3
"""How a network learns from labels: pictures for a step, and the rate at the start, which falls to zero."""


@runtime_checkable
class Judges(Protocol):
    """A game whose discriminator has to be told a class."""

    classes: tuple[str, ...]

    def judge(self, images: Tensor, labels: Tensor) -> Tensor:
        """Logits (N,) of images and of their labels, as `Conditional.decode` takes them."""


def activations(game: nn.Module, images: Tensor) -> list[Tensor]:
    """What each layer with weights is given, from the second on, while the game judges images.

    That is what the layer before it made, after normalization and nonlinearity, whatever these are. A tensor that
    several layers are given is there once. A discriminator that asks for a class gets equal shares of all of them.

    Args:
        game: on the device of the images, in the mode that is wanted.
        images: float32 (N, C, H, W) in [-1, 1].

    Returns:
        Maps (N, F, h, w) and, of dense layers, vectors (N, F); the last is what the score is made of.

    Raises:
        UnavailableError: the game judges no single pictures, or without convolutions.
    """
    seen: list[Tensor] = []
    layers = {module for module in game.modules() if isinstance(module, LAYERS)}
    convolved = []

    def look(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        convolved.append(isinstance(layer, nn.Conv2d))
        if all(given[0] is not known for known in seen):
            seen.append(given[0])

    handles = [layer.register_forward_pre_hook(look) for layer in layers]
    try:
        _judge(game, images)
    finally:
        for handle in handles:
            handle.remove()
    if not any(convolved) or len(seen) < 2:
        raise _cannot(game, "looks at pictures without convolutions")
    if any(len(each) != len(images) for each in seen):
        raise _cannot(game, "looks at several pictures at once")
    return seen[1:]


@torch.no_grad()
def features(game: nn.Module, images: Tensor) -> Tensor:
    """All activations of the discriminator as one vector a picture, (N, D): maps pooled to 4x4, vectors as they are."""
    return torch.cat([_pooled(each).flatten(1).float() for each in activations(game, images)], 1)


class Teller(nn.Module):
    """A game's discriminator with a new last layer, which tells K classes.

    Args:
        game: its discriminator is used as it is, and learns on.
        shape: of a picture, (C, H, W).
        classes: K.
    """

    def __init__(self, game: nn.Module, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.game = game
        with torch.no_grad():
            blank = torch.zeros(2, *shape, device=next(game.parameters()).device)
            width = activations(game.eval(), blank)[-1].flatten(1).shape[1]
        self.last = nn.Linear(width, classes).to(blank.device)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.last(activations(self.game, images)[-1].flatten(1))
        return logits


def teach(network: nn.Module, images: Tensor, labels: Tensor, *, steps: int, seed: int) -> nn.Module:
    """Teaches a network the labels of a few pictures, and nothing else, with Adam and a rate that falls to zero.

    Args:
        network: maps images to logits (N, K), on the device where it computes.
        images: float32 (N, C, H, W), of which a step sees up to 64.
        labels: int64 (N,).
        steps: of Adam.
        seed: of the order, and of the network's own noise.

    Returns:
        The network, in evaluation mode.
    """
    device, batch = next(network.parameters()).device, min(BATCH, len(images))
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learned, RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    network.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for step in range(steps):
            chosen = torch.from_numpy(order(seed, len(images), step * batch, batch))
            loss = F.cross_entropy(network(images[chosen].to(device)), labels[chosen].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def _judge(game: nn.Module, images: Tensor) -> None:
    if isinstance(game, Scores):
        game.score(images)
    elif isinstance(game, Judges):
        shares = torch.full((len(images), len(game.classes)), 1 / len(game.classes), device=images.device)
        game.judge(images, shares)
    else:
        raise _cannot(game, "does not judge pictures")


def _pooled(seen: Tensor) -> Tensor:
    """The largest numbers of a grid of 4x4, or of all positions where there are fewer."""
    if seen.ndim != 4:
        return seen
    return F.adaptive_max_pool2d(seen, [min(GRID, side) for side in seen.shape[2:]])


def _cannot(game: nn.Module, why: str) -> UnavailableError:
    return UnavailableError(
        f"{type(game).__name__} {why}, so there are no features to learn from",
        fix="a run whose discriminator has convolutions, for example of dcgan or wgan_gp",
    )
