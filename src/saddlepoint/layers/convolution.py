"""The convolutions of a DCGAN: 4x4 kernels that double or halve the resolution, at the speed of a matrix product.

Each layer is the torch layer it extends: the same weight, the same function, the same gradients of any order. Only the
way of computing differs, and only where that pays. A CPU's convolution kernels work along the rows of an image; where
rows are as short as 4 or 8 pixels, most of each vector register (or AMX tile) stays empty, while the same numbers as
one matrix product fill it. Wide rows and GPUs keep the convolution.

Activations are channels-last, so that "one row per pixel" is a view and not a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

# Elements of one block of unrolled patches: large enough for a fast product, small enough not to show in the memory.
_BLOCK = 2**23


class Stem(nn.ConvTranspose2d):
    """From latents (N, Z) to features (N, C, 4, 4): a 4x4 transposed convolution of one pixel, that is, a product."""

    def __init__(self, latent: int, leaving: int, *, bias: bool = False) -> None:
        super().__init__(latent, leaving, 4, bias=bias)

    def forward(self, latents: Tensor) -> Tensor:  # type: ignore[override]
        features = (latents @ _pixel_rows(self.weight).flatten(1)).unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)
        return features if self.bias is None else features + self.bias[:, None, None]


class Head(nn.Conv2d):
    """From features (N, C, 4, 4) to scores (N,): a 4x4 convolution to one pixel, that is, a dot product."""

    def __init__(self, entering: int, *, bias: bool = False) -> None:
        super().__init__(entering, 1, 4, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        return F.linear(_pixel_rows(features).flatten(1), _pixel_rows(self.weight).flatten(1), self.bias).squeeze(1)


class Down(nn.Conv2d):
    """A 4x4 convolution with stride 2 and padding 1: (N, C, H, W) to (N, K, H/2, W/2)."""

    def __init__(self, entering: int, leaving: int, *, bias: bool = False) -> None:
        super().__init__(entering, leaving, 4, stride=2, padding=1, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        features, weight = _autocast(features, self.weight)
        odd = features.shape[2] % 2 or features.shape[3] % 2
        if odd or not _short(features, features.shape[3] // 2):
            return super().forward(features)
        halved = _halve(features, weight)
        return halved if self.bias is None else halved + self.bias[:, None, None]


class Up(nn.ConvTranspose2d):
    """A 4x4 transposed convolution with stride 2 and padding 1: (N, K, H, W) to (N, C, 2H, 2W)."""

    def __init__(self, entering: int, leaving: int, *, bias: bool = False) -> None:
        super().__init__(entering, leaving, 4, stride=2, padding=1, bias=bias)

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        features, weight = _autocast(features, self.weight)
        if not _short(features, features.shape[3]):
            return super().forward(features)
        doubled = _double(features, weight)
        return doubled if self.bias is None else doubled + self.bias[:, None, None]


def _autocast(features: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    device = features.device.type
    if not torch.is_autocast_enabled(device):
        return features, weight
    dtype = torch.get_autocast_dtype(device)
    return features.to(dtype), weight.to(dtype)


def _short(features: Tensor, width: int) -> bool:
    """Whether rows of `width` pixels at the lower resolution are too short for the CPU's convolution kernels.

    Measured with oneDNN on Sapphire Rapids at batch 128: the product wins up to 8 pixels in bfloat16 (4 times at 4
    pixels, 1.5 times at 8) and up to 4 in float32 (1.2 times). Exports and compilers get the plain convolution.
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
        kernel = _pixel_rows(w).flatten(1).t()
        y = _empty(len(x), len(w), x.shape[2] // 2, x.shape[3] // 2, like=x)
        for block in _blocks(x):
            torch.mm(_patches(x[block], 4, 2), kernel, out=_pixel_rows(y[block]).flatten(0, 2))
        return y

    @staticmethod
    def backward(ctx: Any, y: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, w = ctx.saved_tensors
        for_x, for_w = _asked(ctx)
        return _double(y, w) if for_x else None, _correlate(x, y) if for_w else None


class _Double(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(y, w)
        # Between any 2x2 pixels of (padded) y lie 2x2 pixels of x that depend on no others. One product makes them
        # all; what remains is to put them into place.
        rows, columns = y.shape[2] + 1, y.shape[3] + 1
        # The kernel's row 2a + r carries neighbor 1 - a to the new row r; columns likewise.
        kernel = w.permute(2, 3, 0, 1).reshape(2, 2, 2, 2, *w.shape[:2]).flip(0, 2)
        kernel = kernel.permute(0, 2, 4, 1, 3, 5).reshape(4 * w.shape[0], 4 * w.shape[1])
        x = _empty(len(y), w.shape[1], 2 * y.shape[2], 2 * y.shape[3], like=y)
        for block in _blocks(y):
            tiles = (_patches(y[block], 2, 1) @ kernel).view(-1, rows, columns, 2, 2, w.shape[1])
            whole = tiles.transpose(2, 3).reshape(-1, 2 * rows, 2 * columns, w.shape[1])
            _pixel_rows(x[block]).copy_(whole[:, 1:-1, 1:-1])
        return x

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        y, w = ctx.saved_tensors
        for_y, for_w = _asked(ctx)
        return _halve(x, w) if for_y else None, _correlate(x, y) if for_w else None


class _Correlate(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        # Blocks are summed with at least float32's precision, as one long product would be.
        total = torch.zeros(y.shape[1], 16 * x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
        for block in _blocks(x):
            total += _pixel_rows(y[block]).flatten(0, 2).t() @ _patches(x[block], 4, 2)
        return total.to(x.dtype).view(-1, 4, 4, x.shape[1]).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, w: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, y = ctx.saved_tensors
        for_x, for_y = _asked(ctx)
        return _double(y, w) if for_x else None, _halve(x, w) if for_y else None


def _pixel_rows(images: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C): a view."""
    return images.permute(0, 2, 3, 1)


def _patches(images: Tensor, size: int, stride: int) -> Tensor:
    """All `size` x `size` windows of images with a border of one zero pixel, as rows (windows, size * size * C)."""
    padded = F.pad(_pixel_rows(images), (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(1, size, stride).unfold(2, size, stride).permute(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, size * size * images.shape[1])


def _blocks(images: Tensor) -> Iterator[slice]:
    """Slices of the batch whose patches, of either kind about four times the images, have `_BLOCK` elements."""
    step = max(1, _BLOCK // (4 * images[0].numel()))
    return (slice(start, start + step) for start in range(0, len(images), step))


def _empty(*shape: int, like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, memory_format=torch.channels_last)
