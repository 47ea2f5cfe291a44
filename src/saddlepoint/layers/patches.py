"""The 4x4 convolution with stride 2 and padding 1, its transpose and its weight gradient, as one matrix product each.

Images are unrolled into patches, block by block of the batch, so that the unrolled copies stay small. Throughout, x are
images (N, C, H, W) with even H and W, w weights (K, C, 4, 4), y smaller images (N, K, H/2, W/2); results are
channels-last.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

# Elements of one block of patches: large enough for a fast product, small enough to be reused from the heap.
BLOCK = 2**21


def halve(x: Tensor, w: Tensor) -> Tensor:
    """The convolution: y."""
    kernel = pixels(w).flatten(1).t()
    y = empty(len(x), len(w), x.shape[2] // 2, x.shape[3] // 2, like=x)
    for block in blocks(x):
        torch.mm(_patches(x[block], 4, 2), kernel, out=pixels(y[block]).flatten(0, 2))
    return y


def double(y: Tensor, w: Tensor) -> Tensor:
    """The transposed convolution: x."""
    # Between any 2x2 pixels of (padded) y lie 2x2 pixels of x that depend on no others. One product makes them all;
    # what remains is to put them into place. The kernel's row 2a + r carries neighbor 1 - a to the new row r.
    kernel = w.permute(2, 3, 0, 1).reshape(2, 2, 2, 2, *w.shape[:2]).flip(0, 2)
    kernel = kernel.permute(0, 2, 4, 1, 3, 5).reshape(4 * w.shape[0], 4 * w.shape[1])
    rows, columns = y.shape[2] + 1, y.shape[3] + 1
    x = empty(len(y), w.shape[1], 2 * y.shape[2], 2 * y.shape[3], like=y)
    for block in blocks(y):
        tiles = (_patches(y[block], 2, 1) @ kernel).view(-1, rows, columns, 2, 2, w.shape[1])
        whole = tiles.transpose(2, 3).reshape(-1, 2 * rows, 2 * columns, w.shape[1])
        pixels(x[block]).copy_(whole[:, 1:-1, 1:-1])
    return x


def correlate(x: Tensor, y: Tensor) -> Tensor:
    """The gradient of the weights: w."""
    # Blocks are summed with at least float32's precision, as one long product would be.
    total = torch.zeros(y.shape[1], 16 * x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
    for block in blocks(x):
        total += pixels(y[block]).flatten(0, 2).t() @ _patches(x[block], 4, 2)
    return total.to(x.dtype).view(-1, 4, 4, x.shape[1]).permute(0, 3, 1, 2)


def pixels(images: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C): a view."""
    return images.permute(0, 2, 3, 1)


def empty(*shape: int, like: Tensor) -> Tensor:
    """New channels-last images of the type of `like`."""
    return torch.empty(shape, dtype=like.dtype, memory_format=torch.channels_last)


def _patches(images: Tensor, size: int, stride: int) -> Tensor:
    """All `size` x `size` windows of images with a border of one zero pixel, as rows (windows, size * size * C)."""
    padded = F.pad(pixels(images), (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(1, size, stride).unfold(2, size, stride).permute(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, size * size * images.shape[1])


def blocks(images: Tensor) -> Iterator[slice]:
    """Slices of the batch whose patches, of either kind about four times the images, have `BLOCK` elements."""
    step = max(1, BLOCK // (4 * images[0].numel()))
    return (slice(start, start + step) for start in range(0, len(images), step))
