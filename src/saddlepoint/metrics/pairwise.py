"""All pairs of two sets of features, a tile at a time: who is near whom, exactly, and never N x N numbers at once.

Distances by a matrix product in float32 take half the time of float64, and nearly every decision is clear from them.
So each tile comes with a bound on its error, and only the few decisions closer than that are made again, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import DataError, UsageError

TILE = 1024
"""Rows of features on either side of a tile."""

_DEVIATIONS = 8
_SPARE = 4  # neighbors beyond those asked for, so that it rarely matters in which order the last ones are
_GROUP = 16  # numbers of which the smallest is looked at first
_AT_ONCE = 1 << 15  # numbers in float64 that fit the fastest memory


def check_features(*sets: Tensor, least: int = 1) -> None:
    """Raises unless all sets are features (N, D) of the same D and device, finite, of at least `least` rows each.

    Raises:
        UsageError: shapes or devices that do not fit, or too few rows.
        DataError: NaN or infinity among the numbers.
    """
    for each in sets:
        if each.ndim != 2 or not each.numel() or not each.is_floating_point():
            raise UsageError(f"features are floating-point numbers (N, D), not {tuple(each.shape)} of {each.dtype}")
        if len(each) < least:
            raise UsageError(f"{len(each)} rows of features are too few", fix=f"at least {least}")
        if each.shape[1] != sets[0].shape[1] or each.device != sets[0].device:
            raise UsageError(
                f"features (N, {each.shape[1]}) on {each.device} and (N, {sets[0].shape[1]}) on {sets[0].device} "
                "cannot be compared"
            )
        # A sum is finite if its terms are, at a fraction of the cost of asking each.
        finite = each.sum(1, dtype=torch.promote_types(each.dtype, torch.float32)).isfinite()
        if not finite.all():
            raise DataError(
                f"{len(each) - int(finite.sum())} of {len(each)} rows of features are not finite",
                fix="look at the samples: they hold NaN, or numbers far out of their range",
            )


@dataclass(frozen=True, eq=False)
class Tile:
    """Some rows of `x` against some rows of `y`.

    Attributes:
        rows: of `x`.
        columns: rows of `y`.
        squares: squared distances (rows, columns), rough.
        slack: largest error that they have.
    """

    x: Tensor
    y: Tensor
    rows: slice
    columns: slice
    squares: Tensor
    slack: float

    def nearer(self, limits: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """The pairs whose squared distance is strictly below its limit, as rows of `x` and rows of `y`.

        Args:
            limits: of the rows (axis 0) or of the columns (axis 1), float64.
            axis: along which they lie.
        """
        pairs = _below(self.squares, limits.to(self.squares.dtype) + self.slack, axis)
        limit, (row, column) = limits[pairs[axis]], pairs
        squares = self.squares[row, column].double()
        row, column = row + self.rows.start, column + self.columns.start
        doubtful = (squares >= limit - self.slack).nonzero().squeeze(1)
        squares[doubtful] = exact_squares(self.x, self.y, row[doubtful], column[doubtful])
        near = squares < limit
        return row[near], column[near]


def tiles(x: Tensor, y: Tensor | None = None, dtype: torch.dtype | None = None) -> Iterator[Tile]:
    """All pairs of rows of `x` (N, D) and `y` (M, D); of `x` with itself if there is no `y`, and then none twice.

    Args:
        x: features.
        y: features; without them no tile lies below the diagonal.
        dtype: of the rough squares; by default float32 where its products can be trusted.

    Raises:
        DataError: numbers too large to be squared.
    """
    within, y, dtype = y is None, x if y is None else y, dtype or _rough(x.device)
    # Far from the origin, squared distances would be small differences of large numbers.
    center = y.mean(0).to(torch.promote_types(y.dtype, dtype))
    # Errors add up like random steps (Higham and Mary 2019, "A new approach to probabilistic rounding error analysis").
    unit = _DEVIATIONS * math.sqrt(x.shape[1]) * torch.finfo(dtype).eps
    blocks = y.split(TILE)
    if len(x) > TILE:  # otherwise each is needed once
        blocks = [_around(block, center, dtype) for block in blocks]
    for number, points in enumerate(x.split(TILE)):
        rows = slice(number * TILE, number * TILE + len(points))
        left = _around(points, center, dtype)
        left[:, :-2] *= -2
        left[:, -2:] = left[:, -2:].flip(1)
        for column, block in enumerate(blocks[number if within else 0 :], number if within else 0):
            # |a - b|² = |a|² + |b|² - 2 a·b as one product: (-2a, |a|², 1) · (b, 1, |b|²).
            right = block if len(x) > TILE else _around(block, center, dtype)
            slack = unit * (left[:, -2].max().item() + right[:, -1].max().item()) + x.shape[1] * torch.finfo(dtype).tiny
            if not math.isfinite(slack):
                raise DataError("some features are too large to be squared", fix="look at the samples")
            yield Tile(x, y, rows, slice(column * TILE, column * TILE + len(right)), left @ right.T, slack)


def _around(points: Tensor, center: Tensor, dtype: torch.dtype) -> Tensor:
    """Points as seen from the center, b; with 1 and |b|² behind: (N, D + 2)."""
    result = points.new_empty((len(points), points.shape[1] + 2), dtype=dtype)
    seen = torch.sub(points, center, out=result[:, :-2])
    result[:, -2] = 1
    result[:, -1] = torch.linalg.vector_norm(seen, dim=1).square_()
    return result


def exact_squares(x: Tensor, y: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Squared distances of the pairs x[row[i]], y[column[i]], float64 (P,)."""
    size = max(1, _AT_ONCE // x.shape[1])
    pairs = zip(row.split(size), column.split(size), strict=True)
    return torch.cat([(x[some].double() - y[others]).square_().sum(1) for some, others in pairs])


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest neighbors of each point, nearest first.

    Attributes:
        squares: squared distances, float64 (N, K).
        indices: which rows of the data they are, int64 (N, K).
    """

    squares: Tensor
    indices: Tensor

    @property
    def distances(self) -> Tensor:
        """Float64 (N, K)."""
        return self.squares.sqrt()


@torch.no_grad()
def neighbors(points: Tensor, data: Tensor | None = None, *, count: int = 1) -> Neighbors:
    """The nearest rows of `data` to each point; without `data`, the nearest of the other points.

    Args:
        points: features (N, D).
        data: features (M, D).
        count: how many neighbors, at most as many as there are.
    """
    others = points if data is None else data
    check_features(points, others)
    check_features(others, least=count + (data is None))
    near = _shortlist(points, data, count)
    possible = near.squares <= near.squares[:, count - 1 : count] + 2 * near.slack
    squares = torch.full_like(near.squares, math.inf, dtype=torch.float64)
    row, place = possible.nonzero(as_tuple=True)
    squares[row, place] = exact_squares(points, others, row, near.indices[row, place])
    squares, order = squares.sort(1)
    return Neighbors(squares[:, :count], near.indices.gather(1, order)[:, :count])


@torch.no_grad()
def reach(points: Tensor, k: int) -> Tensor:
    """The squared distance of each point to its k-th nearest other, float64 (N,): what `neighbors` says, but sooner."""
    check_features(points, least=k + 1)
    near = _shortlist(points, None, k)
    middle, slack = near.squares[:, k - 1 : k], 2 * near.slack
    squares = torch.where(near.squares < middle - slack, -math.inf, math.inf).double()
    row, place = ((near.squares >= middle - slack) & (near.squares <= middle + slack)).nonzero(as_tuple=True)
    squares[row, place] = exact_squares(points, points, row, near.indices[row, place])
    return squares.kthvalue(k, 1).values


def _rough(device: torch.device) -> torch.dtype:
    """Float32, unless torch was asked to compute products of such numbers with fewer digits: no bound holds then."""
    reduced = torch.get_float32_matmul_precision() != "highest" or torch.is_autocast_enabled(device.type)
    return torch.float64 if reduced else torch.float32


class _Shortlist:
    """The nearest that each point has met so far, nearest first, by rough distances.

    Attributes:
        squares: squared distances (N, K).
        indices: int64 (N, K).
        slack: largest error of the squares.
    """

    def __init__(self, points: Tensor, keep: int, dtype: torch.dtype) -> None:
        self.squares = torch.full((len(points), keep), math.inf, dtype=dtype, device=points.device)
        self.indices = torch.zeros((len(points), keep), dtype=torch.int64, device=points.device)
        self.slack = 0.0

    def meet(self, points: slice, squares: Tensor, axis: int, first: int) -> None:
        """Lets some points meet further others.

        Args:
            points: which.
            squares: their squared distances to the others, two-dimensional.
            axis: the one along which the points lie, 0 or 1.
            first: index of the first of the others.
        """
        best, indices = self.squares[points], self.indices[points]
        if best[0, -1] == math.inf:
            keep = min(best.shape[1], squares.shape[1 - axis])
            found, column = squares.movedim(axis, 0).topk(keep, largest=False)
        else:
            found, column = _improvements(squares, best[:, -1], axis)
        merged, order = torch.cat([best, found], 1).topk(best.shape[1], largest=False)
        indices.copy_(torch.cat([indices, column + first], 1).gather(1, order))
        best.copy_(merged)


def _shortlist(points: Tensor, data: Tensor | None, count: int) -> _Shortlist:
    """A list for each point that surely holds its nearest neighbors, if need be by a second look in float64."""
    near, others = _look(points, data, count, _rough(points.device)), points if data is None else data
    limit = near.squares[:, count - 1] + 2 * near.slack
    crowded = (near.squares[:, -1] <= limit).nonzero().squeeze(1)
    if len(crowded) and near.squares.shape[1] < len(others) - (data is None):
        again = _look(points[crowded], others, count, torch.float64, itself=crowded if data is None else None)
        near.squares[crowded], near.indices[crowded] = again.squares.to(near.squares.dtype), again.indices
    return near


def _look(
    points: Tensor, data: Tensor | None, count: int, dtype: torch.dtype, *, itself: Tensor | None = None
) -> _Shortlist:
    """The nearest of the data to each point, without the one that is the point itself (N,) if there is one."""
    within, others = data is None, points if data is None else data
    if within:
        itself = torch.arange(len(points), device=points.device)
    near = _Shortlist(points, min(count + _SPARE, len(others) - (itself is not None)), dtype)
    for tile in tiles(points, data, dtype):
        near.slack = max(near.slack, tile.slack)
        if itself is not None:
            own = itself[tile.rows] - tile.columns.start
            row = ((own >= 0) & (own < tile.squares.shape[1])).nonzero().squeeze(1)
            tile.squares[row, own[row]] = math.inf
        near.meet(tile.rows, tile.squares, 0, tile.columns.start)
        if within and tile.columns.start > tile.rows.start:
            near.meet(tile.columns, tile.squares, 1, tile.rows.start)
    return near


def _improvements(squares: Tensor, limits: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The numbers below the limit (N,) of their place along the axis, moved together, and their places on the other.

    Returns:
        Numbers (N, K), filled up with infinity, and places (N, K), K the most that one place has.
    """
    pairs = _below(squares, limits, axis)
    row = pairs[axis]
    counts = torch.bincount(row, minlength=len(limits))
    place = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    shape = (len(limits), int(counts.max()))
    numbers, places = squares.new_full(shape, math.inf), row.new_zeros(shape)
    numbers[row, place], places[row, place] = squares[pairs], pairs[1 - axis]
    return numbers, places


def _below(squares: Tensor, limits: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Rows and columns of the numbers below the limit (N,) of their place along the axis, in order along it.

    Few are: asking the smallest of every sixteen first takes a fifth of the time of `nonzero`.
    """
    other = 1 - axis
    if missing := -squares.shape[other] % _GROUP:
        squares = F.pad(squares, (0, missing) if axis == 0 else (0, 0, 0, missing), value=math.inf)
    groups = squares.unflatten(other, (_GROUP, -1))
    smallest = groups.amin(other).movedim(axis, 0)
    place, group = (smallest < limits[:, None]).nonzero(as_tuple=True)
    members = groups[place, :, group] if axis == 0 else groups[:, group, place].T
    hit, member = (members < limits[place, None]).nonzero(as_tuple=True)
    place, across = place[hit], member * smallest.shape[1] + group[hit]
    return (place, across) if axis == 0 else (across, place)
