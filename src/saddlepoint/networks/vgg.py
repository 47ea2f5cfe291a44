"""The 13 convolutions of VGG-16 (Simonyan and Zisserman 2015), tapped after each of their five stages."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Features that leave each convolution, by stage."""

SMALLEST = 16
"""Least height and width of a picture: it is halved between two stages."""


class VGG16(nn.Module):
    """From pictures (N, 3, H, W) in [-1, 1] to the features of each stage.

    Args:
        shift: what the weights want taken off red, green and blue, on the scale of [-1, 1].
        scale: what they want them divided by then.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Sequence[float] = (0.0, 0.0, 0.0), scale: Sequence[float] = (1.0, 1.0, 1.0)) -> None:
        super().__init__()
        self.register_buffer("shift", _color(shift), persistent=False)
        self.register_buffer("scale", _color(scale), persistent=False)
        self.stages = nn.ModuleList()
        entering = 3
        for widths in STAGES:
            stage = nn.ModuleList()
            for leaving in widths:
                stage.append(nn.Conv2d(entering, leaving, 3, padding=1))
                entering = leaving
            self.stages.append(stage)

    def forward(self, images: Tensor) -> list[Tensor]:
        """After the last ReLU of each stage: (N, 64, H, W), (N, 128, H/2, W/2), … (N, 512, H/16, W/16)."""
        features = (images - self.shift) / self.scale
        taps: list[Tensor] = []
        for stage in self.stages:
            features = F.max_pool2d(features, 2) if taps else features
            assert isinstance(stage, nn.ModuleList)
            for convolution in stage:
                features = F.relu(convolution(features))
            taps.append(features)
        return taps


def _color(values: Sequence[float]) -> Tensor:
    return Tensor(list(values)).view(1, 3, 1, 1)
