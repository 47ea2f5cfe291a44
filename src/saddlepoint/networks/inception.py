"""Inception-v3 as the Fréchet inception distance and the Inception Score know it.

It is the network of TensorFlow's graph of 2015-12-05 (Szegedy et al. 2016, "Rethinking the Inception Architecture"),
which Heusel et al. 2017 took for the FID and Salimans et al. 2016 for the Inception Score. It differs from the
Inception-v3 of model zoos, and each difference changes every score:

    1,008 classes instead of 1,000
    averages at the border of blocks A, C and E are over the pixels that are there, not over zeros too
    the last block takes the largest of its neighbors where others average

Names of modules are those of `pt_inception-2015-12-05-6726825d.pth` (pytorch-fid; torch-fidelity publishes the same
file), so that its tensors load by name and shape.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 299
FEATURES, CLASSES = 2048, 1008


class Convolution(nn.Module):
    """A convolution without biases, its normalization, a ReLU.

    Args:
        entering: features of the input.
        leaving: features of the output.
        size: of the kernel: height and width.
        stride: pixels from one place to the next.
        padded: whether a border of zeros keeps the resolution.
    """

    def __init__(
        self, entering: int, leaving: int, size: tuple[int, int], *, stride: int = 1, padded: bool = False
    ) -> None:
        super().__init__()
        padding = (size[0] // 2, size[1] // 2) if padded else 0
        self.conv = nn.Conv2d(entering, leaving, size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(leaving, eps=1e-3)

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(features)), inplace=True)


class BlockA(nn.Module):
    """At 35x35: 1x1, 5x5, two 3x3, and a mean of neighbors, side by side.

    Args:
        entering: features of the input.
        pooled: features that leave the branch of the mean.
    """

    def __init__(self, entering: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _one(entering, 64)
        self.branch5x5_1, self.branch5x5_2 = _one(entering, 48), _same(48, 64, (5, 5))
        self.branch3x3dbl_1 = _one(entering, 64)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = _same(64, 96, (3, 3)), _same(96, 96, (3, 3))
        self.branch_pool = _one(entering, pooled)

    def forward(self, features: Tensor) -> Tensor:
        small = self.branch5x5_2(self.branch5x5_1(features))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(features)))
        return torch.cat([self.branch1x1(features), small, double, self.branch_pool(_mean(features))], 1)


class BlockB(nn.Module):
    """From 35x35 to 17x17: 3x3, three 3x3, and the largest of neighbors, side by side."""

    def __init__(self, entering: int) -> None:
        super().__init__()
        self.branch3x3 = _halve(entering, 384)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _one(entering, 64), _same(64, 96, (3, 3))
        self.branch3x3dbl_3 = _halve(96, 96)

    def forward(self, features: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(features)))
        return torch.cat([self.branch3x3(features), double, F.max_pool2d(features, 3, 2)], 1)


class BlockC(nn.Module):
    """At 17x17: 1x1, 7x7, two 7x7, each as a row and a column, and a mean of neighbors, side by side.

    Args:
        entering: features of the input.
        narrow: features between the convolutions of a branch.
    """

    def __init__(self, entering: int, narrow: int) -> None:
        super().__init__()
        self.branch1x1 = _one(entering, 192)
        self.branch7x7_1 = _one(entering, narrow)
        self.branch7x7_2, self.branch7x7_3 = _same(narrow, narrow, (1, 7)), _same(narrow, 192, (7, 1))
        self.branch7x7dbl_1 = _one(entering, narrow)
        self.branch7x7dbl_2, self.branch7x7dbl_3 = _same(narrow, narrow, (7, 1)), _same(narrow, narrow, (1, 7))
        self.branch7x7dbl_4, self.branch7x7dbl_5 = _same(narrow, narrow, (7, 1)), _same(narrow, 192, (1, 7))
        self.branch_pool = _one(entering, 192)

    def forward(self, features: Tensor) -> Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(features)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(features)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(features), single, double, self.branch_pool(_mean(features))], 1)


class BlockD(nn.Module):
    """From 17x17 to 8x8: 3x3, 7x7 and 3x3, and the largest of neighbors, side by side."""

    def __init__(self, entering: int) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = _one(entering, 192), _halve(192, 320)
        self.branch7x7x3_1 = _one(entering, 192)
        self.branch7x7x3_2, self.branch7x7x3_3 = _same(192, 192, (1, 7)), _same(192, 192, (7, 1))
        self.branch7x7x3_4 = _halve(192, 192)

    def forward(self, features: Tensor) -> Tensor:
        single = self.branch3x3_2(self.branch3x3_1(features))
        wide = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(features))))
        return torch.cat([single, wide, F.max_pool2d(features, 3, 2)], 1)


class BlockE(nn.Module):
    """At 8x8: 1x1, 3x3, two 3x3, the last of each as a row beside a column, and a pool, side by side.

    Args:
        entering: features of the input.
        largest: whether the pool takes the largest of its neighbors, not their mean.
    """

    def __init__(self, entering: int, *, largest: bool) -> None:
        super().__init__()
        self.largest = largest
        self.branch1x1 = _one(entering, 320)
        self.branch3x3_1 = _one(entering, 384)
        self.branch3x3_2a, self.branch3x3_2b = _same(384, 384, (1, 3)), _same(384, 384, (3, 1))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _one(entering, 448), _same(448, 384, (3, 3))
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = _same(384, 384, (1, 3)), _same(384, 384, (3, 1))
        self.branch_pool = _one(entering, 192)

    def forward(self, features: Tensor) -> Tensor:
        single = self.branch3x3_1(features)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(features))
        pooled = F.max_pool2d(features, 3, 1, 1) if self.largest else _mean(features)
        parts = [self.branch1x1(features), self.branch3x3_2a(single), self.branch3x3_2b(single)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled)]
        return torch.cat(parts, 1)


class Inception(nn.Module):
    """From pictures (N, 3, 299, 299), bytes minus 128 in units of 128, to features (N, 2048) and logits (N, 1008).

    The logits are without the last layer's biases: Salimans et al.'s code computes the Inception Score from these, and
    so does torch-fidelity.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _halve(3, 32)
        self.Conv2d_2a_3x3 = Convolution(32, 32, (3, 3))
        self.Conv2d_2b_3x3 = _same(32, 64, (3, 3))
        self.Conv2d_3b_1x1 = _one(64, 80)
        self.Conv2d_4a_3x3 = Convolution(80, 192, (3, 3))
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = BlockA(192, 32), BlockA(256, 64), BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d = BlockC(768, 128), BlockC(768, 160), BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, largest=False), BlockE(2048, largest=True)
        self.fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        hidden = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(hidden, 3, 2)))
        hidden = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(hidden, 3, 2))))
        hidden = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(hidden)))
        hidden = self.Mixed_7a(self.Mixed_6e(self.Mixed_6d(hidden)))
        features = self.Mixed_7c(self.Mixed_7b(hidden)).mean((2, 3))
        return features, F.linear(features, self.fc.weight)


def _one(entering: int, leaving: int) -> Convolution:
    return Convolution(entering, leaving, (1, 1))


def _same(entering: int, leaving: int, size: tuple[int, int]) -> Convolution:
    return Convolution(entering, leaving, size, padded=True)


def _halve(entering: int, leaving: int) -> Convolution:
    return Convolution(entering, leaving, (3, 3), stride=2)


def _mean(features: Tensor) -> Tensor:
    """The mean over each pixel's 3x3 neighbors, those that there are."""
    return F.avg_pool2d(features, 3, 1, 1, count_include_pad=False)
