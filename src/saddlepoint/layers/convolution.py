"""The convolutions of a DCGAN: 4x4 kernels that double or halve the resolution, at the speed of a matrix product.

Each layer is the torch layer it extends: the same weight, the same function, the same gradients of any order. Only the
way of computing differs, and only where that pays. A CPU's convolution kernels work along the rows of an image; where
rows are as short as 4 or 8 pixels, most of each vector register (or AMX tile) stays empty, while the same numbers as
one matrix product fill it. Wide rows and GPUs keep the convolution.

Activations are channels-last, so that "one row per pixel" is a view and not a copy.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

from . import patches, winograd


class Stem(nn.ConvTranspose2d):
    """From latents (N, Z) to features (N, C, 4, 4): a 4x4 transposed convolution of one pixel, that is, a product."""

    def __init__(self, latent: int, leaving: int, *, bias: bool = False) -> None:
        super().__init__(latent, leaving, 4, bias=bias)

    def forward(self, latents: Tensor) -> Tensor:  # type: ignore[override]
        features = (latents @ patches.pixels(self.weight).flatten(1)).unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)
        return features if self.bias is None else features + self.bias[:, None, None]


class Head(nn.Conv2d):
    """From features (N, C, 4, 4) to scores (N,): a 4x4 convolution to one pixel, that is, a dot product."""

    def __init__(self, entering: int, *, bias: bool = False) -> None:
        super().__init__(entering, 1, 4, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        return F.linear(patches.pixels(features).flatten(1), patches.pixels(self.weight).flatten(1), self.bias).squeeze(
            1
        )


class Down(nn.Conv2d):
    """A 4x4 convolution with stride 2 and padding 1: (N, C, H, W) to (N, K, H/2, W/2)."""

    def __init__(self, entering: int, leaving: int, *, bias: bool = False) -> None:
        super().__init__(entering, leaving, 4, stride=2, padding=1, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        return down(features, self.weight, self.bias)


class Up(nn.ConvTranspose2d):
    """A 4x4 transposed convolution with stride 2 and padding 1: (N, K, H, W) to (N, C, 2H, 2W)."""

    def __init__(self, entering: int, leaving: int, *, bias: bool = False) -> None:
        super().__init__(entering, leaving, 4, stride=2, padding=1, bias=bias)

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        return up(features, self.weight, self.bias)


def down(features: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What `Down` does, by weights (K, C, 4, 4) that may have been made of others."""
    features, weight = _autocast(features, weight)
    rows, columns = features.shape[2:]
    if rows % 4 or columns % 4 or not _short(features, columns // 2):
        return F.conv2d(features, weight, bias, stride=2, padding=1)
    halved = _halve(features, weight)
    return halved if bias is None else halved + bias[:, None, None]


def up(features: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What `Up` does, by weights (K, C, 4, 4) that may have been made of others."""
    features, weight = _autocast(features, weight)
    rows, columns = features.shape[2:]
    if rows % 2 or columns % 2 or not _short(features, columns):
        return F.conv_transpose2d(features, weight, bias, stride=2, padding=1)
    doubled = _double(features, weight)
    return doubled if bias is None else doubled + bias[:, None, None]


def _autocast(features: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    device = features.device.type
    if not torch.is_autocast_enabled(device):
        return features, weight
    dtype = torch.get_autocast_dtype(device)
    return features.to(dtype), weight.to(dtype)


def _short(features: Tensor, width: int) -> bool:
    """Whether rows of `width` pixels at the lower resolution are too short for the CPU's convolution kernels.

    Measured with oneDNN on Sapphire Rapids at batch 128: the product wins up to 8 pixels in bfloat16 (by 2 to 4 times
    at 4 pixels) and up to 4 in float32 (by 1.9 times). Exports and compilers get the plain convolution.
    """
    return features.is_cpu and width * features.element_size() <= 16 and not torch.compiler.is_compiling()


# With images x, weights w and smaller images y, let T(x, w, y) = <convolve(x, w), y>. It is linear in each, and its
# three gradients are the three functions below; the gradients of each are therefore the other two. That closes them
# under differentiation: penalties on gradients work.


def _halve(x: Tensor, w: Tensor) -> Tensor:
    """dT/dy: the convolution."""
    result: Tensor = _Halve.apply(x.view_as(x), w.view_as(w))
    return result


def _double(y: Tensor, w: Tensor) -> Tensor:
    """dT/dx: the transposed convolution."""
    result: Tensor = _Double.apply(y.view_as(y), w.view_as(w))
    return result


def _correlate(x: Tensor, y: Tensor) -> Tensor:
    """dT/dw: what the weights of the convolution receive."""
    result: Tensor = _Correlate.apply(x.view_as(x), y.view_as(y))
    return result


def _asked(ctx: Any) -> list[bool]:
    """Which inputs' gradients this very pass is to make.

    `ctx.needs_input_grad` tells which could be. In the generator's turn the discriminator's weights could have
    gradients, but nobody asks: `backward(inputs=…)` names the generator's alone. The engine answers for inner nodes
    only, hence the views of the arguments above.
    """
    wants = torch._C._will_engine_execute_node
    nodes = [node for node, _ in ctx.next_functions]
    return [could and wants(node) for could, node in zip(ctx.needs_input_grad, nodes, strict=True)]


class _Halve(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return _way(x).halve(x, w)

    @staticmethod
    def backward(ctx: Any, y: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, w = ctx.saved_tensors
        for_x, for_w = _asked(ctx)
        return _double(y, w) if for_x else None, _correlate(x, y) if for_w else None


class _Double(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(y, w)
        return _way(y).double(y, w)

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        y, w = ctx.saved_tensors
        for_y, for_w = _asked(ctx)
        return _halve(x, w) if for_y else None, _correlate(x, y) if for_w else None


class _Correlate(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        return _way(x).correlate(x, y)

    @staticmethod
    def backward(ctx: Any, w: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, y = ctx.saved_tensors
        for_x, for_y = _asked(ctx)
        return _double(y, w) if for_x else None, _halve(x, w) if for_y else None


def _way(images: Tensor) -> Any:
    """Fewer multiplications in full precision; in bfloat16, which AMX multiplies in no time, fewer roundings."""
    return winograd if images.element_size() >= 4 else patches
