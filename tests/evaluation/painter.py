"""A game whose classes are colors, for tests of scores by class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saddlepoint.layers.labels import draw_labels, one_hot


class Painter(nn.Module):
    """Paints classes in red, green and blue, noisily, and tells a color when it sees one.

    Args:
        paints: the color that each class is painted in, by number.
        tells: the class that is told of each color.
        classes: names.
    """

    latent = 12
    frequencies: Tensor

    def __init__(
        self,
        paints: tuple[int, ...] = (0, 1, 2),
        tells: tuple[int, ...] = (0, 1, 2),
        classes: tuple[str, ...] = ("0", "1", "2"),
    ) -> None:
        super().__init__()
        self.classes, self.paints, self.tells = classes, list(paints), list(tells)
        self.register_buffer("frequencies", torch.tensor([0.25, 0.25, 0.5]))
        self.register_parameter("scale", nn.Parameter(torch.tensor(0.15)))

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.randn(count, self.latent, generator=generator)
        return self.decode(noise, draw_labels(count, self.frequencies, generator) if labels is None else labels)

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        colors = one_hot(labels, 3) @ torch.eye(3)[self.paints] - 0.9
        quarters = colors[:, :, None, None] + self.scale * latents.view(-1, 3, 2, 2)
        return nn.functional.interpolate(quarters, scale_factor=8).clamp(-1, 1)

    def classify(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))[:, [self.tells.index(place) for place in range(3)]]
