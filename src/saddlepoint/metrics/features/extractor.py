"""What every feature network is to the metrics: pictures in, features out, and a record of who looked, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..resize import Rule, resize

_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow and PNG viewers weigh red, green and blue
_CHANNELS = (1, 3, 4)

Network = Callable[[Tensor], tuple[Tensor, Tensor | None]]
"""From prepared pictures to features (N, D) and logits (N, K), or None for a network that has none."""


class Seen(NamedTuple):
    """What a network saw in N pictures.

    Attributes:
        features: float32 (N, D).
        logits: float32 (N, K) of its classes, or None.
    """

    features: Tensor
    logits: Tensor | None


@dataclass(frozen=True)
class Setting:
    """How and where a network is to look; its own defaults where None.

    Attributes:
        device: it computes on.
        rule: of resizing, for pictures of another size.
        side: height and width that pictures are resized to.
        weights: a file of weights, for networks whose weights are not in an installed package.
        classifier: gives the classifier of digits; only called for the network `digits`.
        block: pictures looked at at once.
    """

    device: torch.device
    rule: Rule
    side: int | None
    weights: Path | None
    classifier: Callable[[], nn.Module] | None
    block: int


@dataclass(frozen=True, eq=False)
class Extractor:
    """A network that looks at pictures: in evaluation mode, without gradients, in float32, block by block.

    Pictures are first rounded to the 256 levels that a file holds, so that a generator's are seen as they would be
    saved. Transparent ones are laid on white. Gray repeats over the colors where a network wants three, and colors
    become gray by their luminance where it wants one. `pixels` alone takes pictures as they are.

    Attributes:
        name: of the network and, where they are not its usual ones, of the size and the rule: `lite0`, `lite0_96`,
            `lite0_tensorflow`.
        sees: what it does to pictures, in words.
        license: of the weights.
        sha256: of the weights' file; none for a network without weights.
        dimension: D, the length of a feature; None where it follows the pictures.
        classes: K, the number of its logits; 0 for none.
        published: whether it is the one network whose scores have names of their own; see `score_name`.
        network: prepared pictures to features and logits.
        channels: it wants, 1 or 3; None for any.
        setting: as it was asked for, without a None where the network has a size of its own.
    """

    name: str
    sees: str
    license: str
    sha256: str | None
    dimension: int | None
    classes: int
    network: Network
    channels: int | None
    setting: Setting
    published: bool = False

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Seen:
        """Looks at pictures of any size, float32 (N, C, H, W) in [-1, 1], C one of 1, 3 and 4.

        Returns:
            Features and logits, float32 on the device of the pictures.

        Raises:
            UsageError: no picture, or not of that shape.
        """
        if images.ndim != 4 or not images.numel() or images.shape[1] not in _CHANNELS:
            raise UsageError(
                f"pictures of shape {tuple(images.shape)} cannot be looked at",
                fix="give (N, C, H, W) in [-1, 1] with 1, 3 or 4 channels, at least one picture",
            )
        features, logits = [], []
        with full_precision(self.setting.device):
            for block in images.split(self.setting.block):
                seen, scores = self.network(self._prepared(block.to(self.setting.device, torch.float32)))
                features.append(seen.to(images.device))
                if scores is not None:
                    logits.append(scores.to(images.device))
        return Seen(torch.cat(features), torch.cat(logits) if logits else None)

    def _prepared(self, images: Tensor) -> Tensor:
        if self.channels is not None:
            images = colored(((images + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1, self.channels)
        if self.setting.side is not None:
            images = resize(images, (self.setting.side, self.setting.side), self.setting.rule)
        return images


def variant(name: str, setting: Setting, side: int, rule: Rule = "clean") -> str:
    """A network's name, with the size and the rule that it looks by where they differ from its usual ones."""
    size = f"_{setting.side}" if setting.side not in (None, side) else ""
    return f"{name}{size}" + (f"_{setting.rule}" if setting.rule != rule else "")


def score_name(family: str, extractor: Extractor) -> str:
    """The name under which a score may be reported: it says whose features it was computed from.

    `fid`, `kid` and `is` are reserved for the original Inception with the published weights. With another rule of
    resizing than the original one, that is part of the name: `fid_clean`. Every other network's scores are named after
    it: `fd_lite0`, `kd_lite0`, `is_digits`.

    Args:
        family: `fd` for a Fréchet distance, `kd` for a kernel distance, `is` for an inception score; other words, such
            as `precision`, are only followed by the network's name.
        extractor: that gave the features.
    """
    if extractor.published and family in _PUBLISHED:
        return extractor.name.replace("inception", _PUBLISHED[family], 1)
    return f"{family}_{extractor.name}"


_PUBLISHED = {"fd": "fid", "kd": "kid", "is": "is"}


def colored(images: Tensor, channels: int) -> Tensor:
    """Pictures (N, 1, 3 or 4, H, W) in [-1, 1] with 1 or 3 channels; what is transparent is laid on white."""
    if images.shape[1] == 4:
        opacity = (images[:, 3:] + 1) / 2
        images = images[:, :3] * opacity + (1 - opacity)
    if channels == 1 and images.shape[1] == 3:
        return (images * images.new_tensor(_LUMINANCE)[:, None, None]).sum(1, keepdim=True)
    return images.expand(-1, channels, -1, -1)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """No autocast, and no TensorFloat-32, which graphics cards use for convolutions unless told otherwise."""
    exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False, fp32_precision="ieee")
    with torch.autocast(device.type, enabled=False), exact:
        yield
