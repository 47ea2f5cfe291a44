"""Distances between distributions: of histograms, and of samples.

Histograms are tensors of any equal shape, counts or probabilities; they are divided by their sums. Samples are points
(N, D), or (N,) on the line. Information is in nats. By convention the data come first, the generator second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError

LARGEST_ASSIGNMENT = 2000
"""Most points that `wasserstein1` matches off the line: 1,000 take half a second, 2,000 five, 4,000 nearly a minute."""

_BLOCK = 1024  # points whose distances to all others are held at once
_HEURISTIC = 1000  # points of each sample that the median heuristic looks at


def kl(p: Tensor, q: Tensor) -> float:
    """KL(p || q) of two histograms: infinite as soon as q is 0 somewhere p is not.

    With the data as p: a generator that leaves data out is punished without bound (mode dropping).
    """
    p, q = _histograms(p, q)
    return torch.where(p > 0, p * (p.log() - q.log()), 0.0).sum().item()


def reverse_kl(p: Tensor, q: Tensor) -> float:
    """KL(q || p) of two histograms: infinite as soon as p is 0 somewhere q is not.

    With the data as p: a generator that invents what is not in the data is punished without bound.
    """
    return kl(q, p)


def jensen_shannon(p: Tensor, q: Tensor) -> float:
    """The Jensen-Shannon divergence of two histograms, 0 … log 2 (Lin 1991); its root is a metric, it is not."""
    p, q = _histograms(p, q)
    middle = (p + q) / 2
    return (kl(p, middle) + kl(q, middle)) / 2


def total_variation(p: Tensor, q: Tensor) -> float:
    """The total variation distance of two histograms, 0 … 1: the largest difference in probability of any event."""
    p, q = _histograms(p, q)
    return (p - q).abs().sum().item() / 2


def histogram(points: Tensor, box: Sequence[tuple[float, float]], bins: int) -> Tensor:
    """How many of the points fall into each cell of a grid, float64 (bins**D + 1,).

    The last entry counts the points outside the box, NaN included: a generator that misses the box is seen to.

    Args:
        points: (N, D), or (N,) on the line.
        box: (low, high) of each axis; low belongs to the box, high does not.
        bins: cells along each axis.
    """
    points = _sample(points)
    low, high = torch.tensor(box, dtype=torch.float64).T
    cell = ((points - low) / (high - low) * bins).floor()
    inside = ((cell >= 0) & (cell < bins)).all(1)
    strides = bins ** torch.arange(len(box) - 1, -1, -1)
    number = torch.where(inside, (cell.nan_to_num() * strides).sum(1), bins ** len(box))
    return torch.bincount(number.long(), minlength=bins ** len(box) + 1).double()


def wasserstein1(x: Tensor, y: Tensor) -> float:
    """The Wasserstein-1 (earth mover's) distance of two samples, exact, for Euclidean costs.

    On the line it is the area between the distribution functions, for samples of any sizes. Elsewhere it is the best
    matching of the samples' points, whose time grows with the cube of their number; `sliced_wasserstein` is for more.

    Raises:
        UsageError: off the line, samples of unequal sizes or of more than `LARGEST_ASSIGNMENT` points.
    """
    x, y = _samples(x, y)
    if x.shape[1] == 1:
        return _on_lines(x.T, y.T).item()
    if len(x) != len(y) or len(x) > LARGEST_ASSIGNMENT:
        raise UsageError(
            f"samples of {len(x):,} and {len(y):,} points cannot be matched",
            fix=f"samples of one size, at most {LARGEST_ASSIGNMENT:,} points, or sliced_wasserstein",
        )
    cost = _distances(x, y)
    if not cost.isfinite().all():
        return math.nan  # and not scipy's error: a generator that diverged is far from the data

    # Takes a quarter of a second to import, and most of the metrics do without it.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost.numpy())
    return cost[rows, columns].mean().item()


def sliced_wasserstein(x: Tensor, y: Tensor, *, directions: int = 256, seed: int = 0) -> float:
    """The Wasserstein-1 distance of two samples seen along a direction, averaged over random directions.

    At most `wasserstein1`, and a metric like it (Rabin et al. 2011, "Wasserstein barycenter and its application to
    texture mixing"; Bonneel et al. 2015). Differs from theirs: costs are distances, not squared distances, so that the
    unit is that of `wasserstein1`.

    Args:
        x: (N, D).
        y: (M, D).
        directions: how many; the error of the average falls with their root.
        seed: of the directions.
    """
    x, y = _samples(x, y)
    generator = torch.Generator().manual_seed(seed)
    axes = torch.randn(directions, x.shape[1], dtype=torch.float64, generator=generator)
    axes /= axes.norm(dim=1, keepdim=True)
    # A few directions at a time: all of them at once would need as many copies of the samples.
    pieces = [_on_lines(some @ x.T, some @ y.T) for some in axes.split(16)]
    return torch.cat(pieces).mean().item()


def mmd(x: Tensor, y: Tensor, *, bandwidths: Sequence[float] | None = None) -> float:
    """The squared maximum mean discrepancy of two samples, unbiased: around 0, also below it, for equal distributions.

    Gretton et al. 2012, "A kernel two-sample test", lemma 6, with the kernel exp(-|x - y|² / 2b²), averaged over the
    bandwidths b. Time grows with the square of the number of points, memory does not.

    Args:
        x: (N, D), at least two points.
        y: (M, D), at least two points.
        bandwidths: by default one, the median distance within the pooled sample (their section 8); where both samples
            are long, of their first 1,000 points.

    Raises:
        UsageError: fewer than two points, or no median distance since most points coincide.
    """
    x, y = _samples(x, y)
    if min(len(x), len(y)) < 2:
        raise UsageError("an unbiased MMD needs two points of each sample", fix="larger samples")
    widths = [_median_distance(x, y)] if bandwidths is None else list(bandwidths)
    # A point is at distance 0 from itself, where the kernel is 1: those pairs are taken out again.
    within_x = (_kernel_sum(x, x, widths) - len(x)) / (len(x) * (len(x) - 1))
    within_y = (_kernel_sum(y, y, widths) - len(y)) / (len(y) * (len(y) - 1))
    return within_x + within_y - 2 * _kernel_sum(x, y, widths) / (len(x) * len(y))


def ordered(rows: Tensor) -> Tensor:
    """Rows in order; on a CPU NumPy sorts numbers twenty times as fast as PyTorch, which keeps their places too."""
    if rows.device.type == "cpu":
        return torch.from_numpy(np.sort(rows.numpy(), axis=1))
    return rows.sort(1).values


def _kernel_sum(x: Tensor, y: Tensor, widths: Sequence[float]) -> float:
    """The kernel, averaged over its widths, summed over all pairs of x and y."""
    total = 0.0
    for block in x.split(_BLOCK):
        squares = _distances(block, y).square_()
        total += sum((squares / (-2 * width**2)).exp_().sum().item() for width in widths)
    return total / len(widths)


def _median_distance(x: Tensor, y: Tensor) -> float:
    median = torch.pdist(torch.cat([x[:_HEURISTIC], y[:_HEURISTIC]])).median().item()
    if median == 0:
        raise UsageError("most of the points coincide: there is no median distance", fix="give bandwidths")
    return median


def _on_lines(x: Tensor, y: Tensor) -> Tensor:
    """The Wasserstein-1 distances (B,) of samples on the line, (B, N) and (B, M), one for each row."""
    x, y = ordered(x), ordered(y)
    if x.shape == y.shape:
        return (x - y).abs().mean(1)  # the best matching is in order
    steps = ordered(torch.cat([x, y], 1))
    starts = steps[:, :-1].contiguous()
    # Counts divided as they are would be float32.
    shares = [torch.searchsorted(values, starts, right=True).double() / values.shape[1] for values in (x, y)]
    return ((shares[0] - shares[1]).abs() * steps.diff()).sum(1)


def _distances(x: Tensor, y: Tensor) -> Tensor:
    # The other way, by a matrix product, loses half of the digits where points are close.
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _sample(points: Tensor) -> Tensor:
    """Points (N, D) in float64 on the CPU."""
    points = points.detach().to("cpu", torch.float64)
    points = points.unsqueeze(1) if points.ndim == 1 else points
    if points.ndim != 2 or not points.numel():
        raise UsageError(f"a sample has the shape (N, D), not {tuple(points.shape)}")
    return points


def _samples(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x, y = _sample(x), _sample(y)
    if x.shape[1] != y.shape[1]:
        raise UsageError(f"samples in {x.shape[1]} and in {y.shape[1]} dimensions cannot be compared")
    return x, y


def _histograms(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """Two histograms as probabilities in float64 on the CPU."""
    if p.shape != q.shape:
        raise UsageError(f"histograms of shapes {tuple(p.shape)} and {tuple(q.shape)} cannot be compared")
    p, q = (each.detach().to("cpu", torch.float64) for each in (p, q))
    for each in (p, q):
        if not (each.isfinite().all() and (each >= 0).all() and each.sum() > 0):
            raise UsageError("a histogram has no negative entries and a positive sum")
    return p / p.sum(), q / q.sum()
