"""Grouped 3x3 convolutions whose second derivative is as fast as the first.

PyTorch makes the derivative of a convolution's derivative, which a gradient penalty takes, group by group and with
kernels as large as the image. But convolution, its transpose and the correlation that gives the weights' gradient are
the three derivatives of one trilinear form, and each one's derivatives are the other two: three calls of the
ordinary kernels close the circle.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

from .convolution import _autocast


class Grouped(nn.Conv2d):
    """A 3x3 convolution in groups that keeps the resolution: (N, C, H, W) to (N, C, H, W)."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__(channels, channels, 3, padding=1, groups=groups)

    def forward(self, features: Tensor) -> Tensor:
        features, weight = _autocast(features, self.weight)
        if not features.is_cpu or torch.compiler.is_compiling():
            return super().forward(features)
        mixed: Tensor = _Convolve.apply(features.view_as(features), weight.view_as(weight), self.groups)
        assert self.bias is not None
        return mixed + self.bias.to(mixed.dtype)[:, None, None]


class _Convolve(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(x, w)
        ctx.groups = groups
        return F.conv2d(x, w, padding=1, groups=groups)

    @staticmethod
    def backward(ctx: Any, y: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, w = ctx.saved_tensors
        for_x, for_w = _asked(ctx)
        return (
            _Transpose.apply(y.view_as(y), w.view_as(w), ctx.groups) if for_x else None,
            _Correlate.apply(x.view_as(x), y.view_as(y), ctx.groups) if for_w else None,
            None,
        )


class _Transpose(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(y, w)
        ctx.groups = groups
        return F.conv_transpose2d(y, w, padding=1, groups=groups)

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        y, w = ctx.saved_tensors
        for_y, for_w = _asked(ctx)
        return (
            _Convolve.apply(x.view_as(x), w.view_as(w), ctx.groups) if for_y else None,
            _Correlate.apply(x.view_as(x), y.view_as(y), ctx.groups) if for_w else None,
            None,
        )


class _Correlate(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.groups = groups
        shape = (y.shape[1], x.shape[1] // groups, 3, 3)
        # Only the shape of the weights matters here.
        blank, one = x.new_empty(1).expand(shape), [1, 1]
        gradients = torch.ops.aten.convolution_backward(
            y, x, blank, None, one, one, one, False, [0, 0], groups, [False, True, False]
        )
        return gradients[1]

    @staticmethod
    def backward(ctx: Any, w: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, y = ctx.saved_tensors
        for_x, for_y = _asked(ctx)
        return (
            _Transpose.apply(y.view_as(y), w.view_as(w), ctx.groups) if for_x else None,
            _Convolve.apply(x.view_as(x), w.view_as(w), ctx.groups) if for_y else None,
            None,
        )


def _asked(ctx: Any) -> list[bool]:
    """Which of the two tensors' gradients this very pass is to make; the number of groups has none.

    What could have a gradient is not always asked for: a penalty's first pass is for the images alone, a turn's for
    the mover. The engine answers for inner nodes only, hence the views of the arguments above.
    """
    wants = torch._C._will_engine_execute_node
    pairs = zip(ctx.needs_input_grad, ctx.next_functions, strict=False)
    return [could and wants(node) for could, (node, _) in pairs]
