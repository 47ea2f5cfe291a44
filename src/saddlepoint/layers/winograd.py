"""The functions of `patches.py` with 9 multiplications where they take 16, by Winograd's minimal filtering.

Two neighboring outputs of a filter (g0, g1) over (d0, d1, d2) share a product (Lavin and Gray 2016, F(2, 2)):

    y0 = d0 g0 + d1 g1 = (d0 - d1) g0 + d1 (g0 + g1)
    y1 = d1 g0 + d2 g1 = d1 (g0 + g1) + (d2 - d1) g1

A 4x4 kernel with stride 2 is such a filter in both directions, over blocks of 2x2 pixels: 3 products for 4 in each
direction, 9 for 16 in all. Each is a matrix over blocks and channels. The functions are the three faces of one
trilinear form, so the same three transforms and their transposes serve them all.

Sums of inputs are rounded before they are multiplied. In float32 the result is as exact as the plain way's; in bfloat16
it has four times the error. Shapes and letters are those of `patches.py`, with H and W multiples of 4.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .patches import blocks, empty, pixels


def halve(x: Tensor, w: Tensor) -> Tensor:
    """The convolution: y."""
    y = empty(len(x), len(w), x.shape[2] // 2, x.shape[3] // 2, like=x)
    kernel = _split_weights(w).transpose(1, 2)
    for block in blocks(x):
        _merge_pairs(torch.bmm(_split_images(x[block]), kernel), _neighbors(y[block]))
    return y


def double(y: Tensor, w: Tensor) -> Tensor:
    """The transposed convolution: x."""
    x = empty(len(y), w.shape[1], 2 * y.shape[2], 2 * y.shape[3], like=y)
    kernel = _split_weights(w)
    for block in blocks(x):
        _merge_images(torch.bmm(_split_pairs(_neighbors(y[block])), kernel), x[block])
    return x


def correlate(x: Tensor, y: Tensor) -> Tensor:
    """The gradient of the weights: w."""
    w = empty(y.shape[1], x.shape[1], 4, 4, like=x)
    total = x.new_zeros(9, y.shape[1], 4 * x.shape[1])
    for block in blocks(x):
        total.baddbmm_(_split_pairs(_neighbors(y[block])).transpose(1, 2), _split_images(x[block]))
    _merge_pairs(total, _taps(w))
    return w


def _neighbors(y: Tensor) -> Tensor:
    """Each 2x2 neighboring pixels of y: a view (2, 2, N, rows, columns, K)."""
    return pixels(y).unflatten(2, (-1, 2)).unflatten(1, (-1, 2)).permute(2, 4, 0, 1, 3, 5)


def _taps(w: Tensor) -> Tensor:
    """The kernel as 2x2 taps over blocks of 2x2 pixels: a view (2, 2, K, 2, 2, C)."""
    return pixels(w).unflatten(2, (2, 2)).unflatten(1, (2, 2)).permute(1, 3, 0, 2, 4, 5)


def _split_weights(w: Tensor) -> Tensor:
    """The factors (9, K, 4C) of the weights."""
    return _split_pairs(_taps(w)).view(9, len(w), -1)


def _split_pairs(pairs: Tensor) -> Tensor:
    """(a, b) becomes (a, a + b, b) in each of the first two dimensions: (2, 2, …, Z) to (9, rows, Z)."""
    split = pairs.new_empty(3, 3, *pairs.shape[2:])
    for (left, right), (first, both, last) in zip((pairs[0], pairs[0] + pairs[1], pairs[1]), split, strict=True):
        first.copy_(left)
        torch.add(left, right, out=both)
        last.copy_(right)
    return split.view(9, -1, pairs.shape[-1])


def _merge_pairs(products: Tensor, out: Tensor) -> None:
    """The transpose of `_split_pairs`: (a, b, c) becomes (a + b, b + c) in each dimension, written to `out`."""
    grid = products.view(3, 3, *out.shape[2:])
    for row, (left, right) in zip((grid[0] + grid[1], grid[1] + grid[2]), out, strict=True):
        torch.add(row[0], row[1], out=left)
        torch.add(row[1], row[2], out=right)


def _split_images(x: Tensor) -> Tensor:
    """The factors (9, N * tiles, 4C) of images: (d0 - d1, d1, d2 - d1) of blocks of 2x2 pixels in each direction.

    A tile has 3x3 blocks and shares its border with the next. Blocks are those of the images with a border of zeros.
    """
    n, c, height, width = x.shape
    blocks = F.pad(pixels(x), (0, 0, 1, 1, 1, 1)).view(n, height // 2 + 1, 2, width // 2 + 1, 2, c)
    split = x.new_empty(3, 3, n, height // 4, width // 4, 2, 2, c)
    odd = blocks[:, 1::2]
    for row, target in zip((blocks[:, :-2:2] - odd, odd, blocks[:, 2::2] - odd), split.transpose(4, 5), strict=True):
        middle = row[:, :, :, 1::2]
        torch.sub(row[:, :, :, :-2:2], middle, out=target[0])
        target[1].copy_(middle)
        torch.sub(row[:, :, :, 2::2], middle, out=target[2])
    return split.view(9, -1, 4 * c)


def _merge_images(products: Tensor, out: Tensor) -> None:
    """The transpose of `_split_images`, written to `out`: tiles are added where they overlap."""
    n, c, height, width = out.shape
    grid = products.view(3, 3, n, height // 4, width // 4, 2, 2, c).transpose(4, 5)
    rows = products.new_zeros(3, n, height // 4, 2, width // 2 + 1, 2, c)
    for (first, middle, last), row in zip(grid, rows, strict=True):
        torch.sub(middle, first, out=row[:, :, :, 1::2]).sub_(last)
        row[:, :, :, :-2:2] = first
        row[:, :, :, 2::2] += last
    blocks = products.new_zeros(n, height // 2 + 1, 2, width // 2 + 1, 2, c)
    torch.sub(rows[1], rows[0], out=blocks[:, 1::2]).sub_(rows[2])
    blocks[:, :-2:2] = rows[0]
    blocks[:, 2::2] += rows[2]
    pixels(out).copy_(blocks.view(n, height + 2, width + 2, c)[:, 1:-1, 1:-1])
