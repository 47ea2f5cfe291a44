"""EfficientNet-Lite0 (Tan and Le 2019, "EfficientNet"; its Lite form, 2020, without squeeze-excitation or swish).

Small enough to look at pictures on a CPU: 0.4 billion multiplications for 224x224. This is the network for looking, not
for training: each batch normalization of the published weights is folded into the convolution before it, which leaves
the same function and two thirds of the time. Convolutions are padded as TensorFlow pads them: where one skips pixels,
more to the right and below than to the left and above.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

FEATURES, CLASSES = 1280, 1000

COARSENESS = 32
"""Pictures are a multiple of so many pixels high and wide: they are halved five times."""

# Blocks in a row, size of the depthwise convolution, stride of the first block, expansion, features that leave.
_PLAN = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

# Our names of the published convolutions, and the normalization after each.
_NAMES = {
    "_conv_stem": ("stem", "_bn0"),
    "_expand_conv": ("expand", "_bn0"),
    "_depthwise_conv": ("depthwise", "_bn1"),
    "_project_conv": ("project", "_bn2"),
    "_conv_head": ("head", "_bn1"),
}
_EPSILON = 1e-3


class Block(nn.Module):
    """An inverted residual: 1x1 to more features, a depthwise convolution, 1x1 to few, beside the identity.

    Args:
        entering: features of the input.
        leaving: features of the output.
        size: of the depthwise convolution.
        stride: of it; with 1, and as many features leaving as entering, the input is added.
        expansion: features between, in multiples of those entering; with 1 there is no first convolution.
    """

    def __init__(self, entering: int, leaving: int, *, size: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = entering * expansion
        self.size, self.stride, self.expands = size, stride, expansion > 1
        self.residual = stride == 1 and entering == leaving
        if self.expands:
            self.expand = nn.Conv2d(entering, hidden, 1)
        self.depthwise = nn.Conv2d(hidden, hidden, size, stride, groups=hidden)
        self.project = nn.Conv2d(hidden, leaving, 1)

    def forward(self, features: Tensor) -> Tensor:
        hidden = F.relu6(self.expand(features)) if self.expands else features
        hidden = F.relu6(self.depthwise(_pad(hidden, self.size, self.stride)))
        projected: Tensor = self.project(hidden)
        return features + projected if self.residual else projected


class Lite0(nn.Module):
    """From pictures (N, 3, H, W), bytes minus 127 in units of 128, to features (N, 1280) and logits (N, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2)
        blocks: list[nn.Module] = []
        entering = 32
        for count, size, stride, expansion, leaving in _PLAN:
            for index in range(count):
                first = stride if index == 0 else 1
                blocks.append(Block(entering, leaving, size=size, stride=first, expansion=expansion))
                entering = leaving
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(entering, FEATURES, 1)
        self.classifier = nn.Linear(FEATURES, CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.blocks(F.relu6(self.stem(_pad(images, 3, 2))))
        features = F.relu6(self.head(hidden)).mean((2, 3))
        return features, self.classifier(features)


def fold(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a `Lite0` from that of the published network, which has normalizations.

    Args:
        published: the 296 tensors of `efficientnet-lite0-57934424.pth`.
    """
    state = {f"classifier.{kind}": published[f"_fc.{kind}"] for kind in ("weight", "bias")}
    for key, weight in published.items():
        *before, layer, _ = key.split(".")
        if layer not in _NAMES:
            continue
        name, norm = _NAMES[layer]
        scale, shift, mean, variance = (
            published[".".join([*before, norm, kind])].double()
            for kind in ("weight", "bias", "running_mean", "running_var")
        )
        gain = scale / (variance + _EPSILON).sqrt()
        place = ".".join([*before, name]).lstrip("_")
        state[f"{place}.weight"] = (weight.double() * gain[:, None, None, None]).float()
        state[f"{place}.bias"] = (shift - mean * gain).float()
    return state


def _pad(features: Tensor, size: int, stride: int) -> Tensor:
    """A border so that a convolution leaves 1 / stride of the pixels, of which there is an even number."""
    total = size - stride
    return F.pad(features, (total // 2, total - total // 2) * 2)
