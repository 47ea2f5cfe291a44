"""Differentiable augmentation: what a discriminator sees is changed at random, reals and fakes alike.

A discriminator that has seen every picture often knows them by heart. Augmented pictures are always new; and because
the generator's gradient passes through the augmentation, it does not learn to imitate it.

Pictures are (N, C, H, W) in [-1, 1] and may leave that range. Every sample is changed in its own way, drawn from
torch's default generator. Of four channels the last is opacity: it moves with the picture and keeps its values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .errors import UsageError


class DiffAugment(nn.Module):
    """Color, translation and cutout, always applied (Zhao et al. 2020, section 3).

    Args:
        policies: of `color`, `translation` and `cutout`, in the order in which they are applied.

    Raises:
        UsageError: an unknown policy.
    """

    def __init__(self, policies: Sequence[str] = ("color", "translation", "cutout")) -> None:
        super().__init__()
        known: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {
            "color": (_brightness, _saturation, _contrast),
            "translation": (_translation,),
            "cutout": (_cutout,),
        }
        if unknown := [policy for policy in policies if policy not in known]:
            raise UsageError(f"no policy {unknown[0]!r} for DiffAugment", fix=f"choose from {', '.join(known)}")
        self.changes = [change for policy in policies for change in known[policy]]

    def forward(self, images: Tensor) -> Tensor:
        images = images.float()
        with torch.autocast(images.device.type, enabled=False):
            for change in self.changes:
                images = change(images)
        return images


def _uniform(images: Tensor) -> Tensor:
    """A number in [0, 1) for each picture, shape (N, 1, 1, 1)."""
    return torch.rand(len(images), 1, 1, 1, device=images.device)


def _colors(images: Tensor) -> tuple[Tensor, Tensor]:
    """The channels of color, and those of opacity, of which there may be none."""
    return images[:, :3], images[:, 3:]


def _brightness(images: Tensor) -> Tensor:
    colors, opacity = _colors(images)
    return torch.cat([colors + _uniform(images) - 0.5, opacity], 1)


def _saturation(images: Tensor) -> Tensor:
    colors, opacity = _colors(images)
    return torch.cat([torch.lerp(colors.mean(1, keepdim=True), colors, 2 * _uniform(images)), opacity], 1)


def _contrast(images: Tensor) -> Tensor:
    colors, opacity = _colors(images)
    return torch.cat([torch.lerp(colors.mean((1, 2, 3), keepdim=True), colors, _uniform(images) + 0.5), opacity], 1)


def _translation(images: Tensor) -> Tensor:
    """Shifts by up to 1/8 of the picture in each direction; zeros come in."""
    for axis in (2, 3):
        size = images.shape[axis]
        most = int(size / 8 + 0.5)
        source = _places(images, axis) + torch.randint(-most, most + 1, (len(images), 1), device=images.device)
        inside = source.clamp(0, size - 1)
        images = images.gather(axis, _spread(inside, axis).expand_as(images)) * _spread(source == inside, axis)
    return images


def _cutout(images: Tensor) -> Tensor:
    """Puts zeros into a box of half the height and width, whose center is anywhere in the picture."""
    inside = torch.ones(1, dtype=torch.bool, device=images.device)
    for axis in (2, 3):
        size = images.shape[axis]
        box = int(size / 2 + 0.5)
        # The center of an even box lies between two pixels: there is one place more, as in the paper's code.
        center = torch.randint(size + (1 - box % 2), (len(images), 1), device=images.device)
        place = _places(images, axis) - center + box // 2
        inside = inside & _spread((place >= 0) & (place < box), axis)
    return images * ~inside


def _places(images: Tensor, axis: int) -> Tensor:
    return torch.arange(images.shape[axis], device=images.device)


def _spread(values: Tensor, axis: int) -> Tensor:
    """A number for each row or column of each picture, (N, size), as (N, 1, size, 1) or (N, 1, 1, size)."""
    return values[:, None, :, None] if axis == 2 else values[:, None, None, :]


class AdaptiveAugment(nn.Module):
    """ADA: a pipeline of augmentations whose strength follows how sure the discriminator is (Karras et al. 2020).

    Each transformation is applied with probability p, which starts at 0. While r_t, the mean sign of the scores of
    reals, is above its target, the discriminator knows too many of them and p rises, else it falls (section 3).

    Transformations and their spread are the paper's "bgc": flips, quarter turns, shifts by whole pixels; scaling,
    turning, stretching, fractional shifts; brightness, contrast, luma flips, hue, saturation (appendix B).

    Differs from the paper: pixels are interpolated linearly, without its upsampling by a wavelet filter and low-pass
    filter afterwards, so turned pictures are a bit softer and shrunken ones may alias; borders are mirrored with
    their outermost pixel, not around it; all motions go through one interpolation, in which whole-pixel moves are exact
    up to rounding. p is also bounded by 1.

    Args:
        target: of r_t, in (0, 1).
        images: how many reals p takes to go from 0 to 1.
        every: calls of `update` between two adjustments of p.

    Attributes:
        p: probability of each transformation, a buffer.
    """

    p: Tensor
    signs: Tensor
    seen: Tensor
    calls: Tensor

    def __init__(self, *, target: float = 0.6, images: int = 500_000, every: int = 4) -> None:
        super().__init__()
        self.target, self.images, self.every = target, images, every
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(()))
        for name in ("seen", "calls"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))

    def forward(self, images: Tensor) -> Tensor:
        with torch.autocast(images.device.type, enabled=False):
            return _recolored(_moved(images.float(), self.p), self.p)

    @torch.no_grad()
    def update(self, real: Tensor) -> None:
        """Adjusts p to the scores of augmented reals, logits (N,); to be called in every turn of the discriminator."""
        self.signs += real.float().sign().sum()
        self.seen += real.numel()
        self.calls += 1
        # Arithmetic instead of an `if`: a GPU need not be waited for.
        due = self.calls == self.every
        step = (self.signs / self.seen - self.target).sign() * self.seen / self.images
        self.p.add_(due * step).clamp_(0, 1)
        for count in (self.signs, self.seen, self.calls):
            count.mul_(~due)


def _moved(images: Tensor, p: Tensor) -> Tensor:
    """Flips, turns, shifts and scales, in the order of the paper and as one motion.

    The motion is built from the result backwards: `linear` and `shift` tell where in the source, in pixels from its
    middle, a place of the result comes from.
    """
    size = images.new_tensor([images.shape[3], images.shape[2]])
    # Turning and stretching do not commute; so one turn before and one after, either of them with probability p.
    p_turn = 1 - (1 - p).sqrt()

    flip, quarters = _sometimes(_one_of(images, 2), p), _sometimes(_one_of(images, 4), p)
    linear = _stretching(1 - 2 * flip, torch.ones_like(flip)) @ _turning(quarters * (math.pi / 2)).round()
    shift = linear @ _sometimes(_evenly(images, 2) / 8 * size, p).round()[:, :, None]
    scale = torch.exp2(_sometimes(_normally(images), p) * 0.2)
    linear = linear @ _stretching(scale, scale) @ _turning(_sometimes(_evenly(images), p_turn) * math.pi)
    stretch = torch.exp2(_sometimes(_normally(images), p) * 0.2)
    linear = linear @ _stretching(stretch, 1 / stretch) @ _turning(_sometimes(_evenly(images), p_turn) * math.pi)
    shift = shift + linear @ (_sometimes(_normally(images, 2), p) / 8 * size)[:, :, None]

    # Torch measures from -1 to 1 in both directions.
    motion = torch.cat([linear * size / size[:, None], shift * 2 / size[:, None]], 2)
    grid = F.affine_grid(motion, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    # Interpolation rounds. What is not to move shall not change at all.
    still = (motion == torch.eye(2, 3, device=images.device)).all(2).all(1).view(-1, 1, 1, 1)
    return torch.where(still, images, moved)


def _recolored(images: Tensor, p: Tensor) -> Tensor:
    """Brightness b, contrast c, luma flip i, hue θ and saturation s: c (b + x), then the luma of x turned to its
    negative, then its chroma turned by θ around the axis of grays and stretched by s.

    The paper multiplies five matrices. All have the axis of grays in common, so that their product is known: it maps
    luma by the factor (1 - 2i) c, and chroma by the factor s c and a turn.
    """

    def drawn(values: Tensor) -> Tensor:
        return _sometimes(values, p)[:, :, None, None]

    brightness, contrast = drawn(_normally(images)) * 0.2, torch.exp2(drawn(_normally(images)) * 0.5)
    for_luma = contrast * (1 - 2 * drawn(_one_of(images, 2)))
    hue, saturation = drawn(_evenly(images)) * math.pi, torch.exp2(drawn(_normally(images)))
    along, across = contrast * saturation * hue.cos(), contrast * saturation * hue.sin() / math.sqrt(3)

    colors, opacity = _colors(images)
    luma = colors.mean(1, keepdim=True)
    # The vector product of (1, 1, 1) and a color: blue - green, red - blue, green - red.
    turned = colors.roll(1, 1) - colors.roll(-1, 1)
    # Summed so that factors of 1 and 0 give back the very same numbers.
    colors = along * colors + across * turned + (for_luma - along) * luma + for_luma * brightness
    return torch.cat([colors, opacity], 1)


def _sometimes(values: Tensor, p: Tensor) -> Tensor:
    """Rows of values (N, K), each kept with probability p and else zero, which stands for no change."""
    return values * (torch.rand(len(values), 1, device=values.device) < p)


def _one_of(images: Tensor, ways: int) -> Tensor:
    """A whole number from 0 to `ways` - 1 for each picture, shape (N, 1)."""
    return torch.randint(ways, (len(images), 1), device=images.device).float()


def _evenly(images: Tensor, numbers: int = 1) -> Tensor:
    """Uniform numbers from -1 to 1 for each picture, shape (N, numbers)."""
    return 2 * torch.rand(len(images), numbers, device=images.device) - 1


def _normally(images: Tensor, numbers: int = 1) -> Tensor:
    """Numbers from N(0, 1) for each picture, shape (N, numbers)."""
    return torch.randn(len(images), numbers, device=images.device)


def _stretching(x: Tensor, y: Tensor) -> Tensor:
    """Matrices (N, 2, 2) that multiply each axis by a factor (N, 1)."""
    return torch.cat([x, y], 1).diag_embed()


def _turning(angle: Tensor) -> Tensor:
    """Matrices (N, 2, 2) that turn by an angle (N, 1) in radians."""
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, -sin, sin, cos], 1).unflatten(1, (2, 2))
