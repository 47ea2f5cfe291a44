"""Who is near whom: brute force in float64 is always right, only slower."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from saddlepoint.errors import DataError, UsageError
from saddlepoint.metrics import pairwise
from saddlepoint.metrics.pairwise import check_features, neighbors, reach, tiles


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few points take many tiles, the last of them cut."""
    monkeypatch.setattr(pairwise, "TILE", 48)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def true_squares(x: Tensor, y: Tensor) -> Tensor:
    return (x.double()[:, None] - y.double()[None]).square().sum(2)


def clustered(count: int, dimension: int, seed: int = 0) -> Tensor:
    """A generator after its collapse: ten places, around which float32 is too coarse for products."""
    places = normal(10, dimension, seed=5)
    return places.repeat(count // 10 + 1, 1)[:count] + 1e-4 * normal(count, dimension, seed=seed)


def far_away(count: int, dimension: int, seed: int = 0) -> Tensor:
    return 1e4 + normal(count, dimension, seed=seed)


def pixels(count: int, dimension: int, seed: int = 0) -> Tensor:
    """Few values, many ties, and each point twice."""
    half = torch.randint(0, 3, (count // 2, dimension), generator=torch.Generator().manual_seed(seed)).float()
    return torch.cat([half, half, half[: count % 2]])


def skewed(count: int, dimension: int, seed: int = 0) -> Tensor:
    """Rectified, and of very different scales, as features of networks are."""
    return normal(count, dimension, seed=seed).relu() * torch.logspace(-3, 2, dimension)


def satellites(count: int, dimension: int, seed: int = 0) -> Tensor:
    """A few points around each of many places, so close that float32 gets their order wrong."""
    places = normal(60, dimension, seed=5).repeat(count // 60 + 1, 1)[:count]
    return places + 1e-4 * normal(count, dimension, seed=seed)


SETS = pytest.mark.parametrize("draw", [normal, clustered, far_away, pixels, skewed, satellites])
Draw = Callable[..., Tensor]


@SETS
@pytest.mark.parametrize("count", [1, 5])
def test_neighbors_among_others_are_the_nearest(draw: Draw, count: int) -> None:
    x, y = draw(130, 20), draw(205, 20, seed=1)
    found = neighbors(x, y, count=count)
    squares = true_squares(x, y)
    torch.testing.assert_close(found.squares, squares.sort(1).values[:, :count], rtol=1e-9, atol=0)
    torch.testing.assert_close(squares.gather(1, found.indices), found.squares, rtol=1e-9, atol=0)
    assert torch.equal(found.distances, found.squares.sqrt())


@SETS
@pytest.mark.parametrize("count", [1, 5])
def test_neighbors_of_a_set_leave_each_point_out_but_not_its_copies(draw: Draw, count: int) -> None:
    x = draw(205, 20)
    found = neighbors(x, count=count)
    expected = true_squares(x, x).fill_diagonal_(torch.inf).sort(1).values[:, :count]
    torch.testing.assert_close(found.squares, expected, rtol=1e-9, atol=0)
    assert not (found.indices == torch.arange(205)[:, None]).any()
    assert all(len(set(row)) == count for row in found.indices.tolist())
    assert torch.equal(reach(x, count), found.squares[:, -1])


@SETS
def test_a_tile_knows_how_wrong_it_may_be(draw: Draw) -> None:
    x, y = draw(100, 20), draw(130, 20, seed=1)
    squares = true_squares(x, y)
    for tile in tiles(x, y):
        error = (tile.squares - squares[tile.rows, tile.columns]).abs().max().item()
        assert error <= tile.slack
        # And the bound is of use: a thousandth of what it bounds, but where all points are far from the center.
        assert tile.slack < 1e-3 * (x - y.mean(0)).square().sum(1).max() * 2


@SETS
@pytest.mark.parametrize("axis", [0, 1])
def test_pairs_nearer_than_a_limit_are_found_exactly_and_none_at_the_limit(draw: Draw, axis: int) -> None:
    x, y = draw(130, 20), draw(115, 20, seed=1)
    squares = true_squares(x, y)
    # Limits that are distances of pairs: the hardest ones.
    limits = squares.sort(1 - axis).values.select(1 - axis, 3)
    found = torch.zeros_like(squares, dtype=torch.bool)
    for tile in tiles(x, y):
        assert tile.squares.numel() <= pairwise.TILE**2
        row, column = tile.nearer(limits[tile.columns if axis else tile.rows], axis)
        assert not found[row, column].any()
        found[row, column] = True
    limit = limits[None] if axis else limits[:, None]
    # Sums of the same numbers in another order differ in the last digits.
    clear = (squares / limit - 1).abs() > 1e-12
    assert torch.equal(found[clear], (squares < limit)[clear])
    if draw is pixels:  # whole numbers: no rounding at all
        assert torch.equal(found, squares < limit)


def test_tiles_of_a_set_with_itself_hold_each_pair_once() -> None:
    x = normal(100, 3)
    seen = torch.zeros(100, 100, dtype=torch.int64)
    for tile in tiles(x):
        seen[tile.rows, tile.columns] += 1
        if tile.rows != tile.columns:
            seen[tile.columns, tile.rows] += 1
    assert (seen == 1).all()
    assert sum(tile.squares.numel() for tile in tiles(x, x)) == 100 * 100


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=4, max_size=120), st.integers(1, 3))
def test_ties_and_copies_change_no_distance(points: list[tuple[int, int]], count: int) -> None:
    x = torch.tensor(points, dtype=torch.float32)
    expected = true_squares(x, x).fill_diagonal_(torch.inf).sort(1).values[:, :count]
    assert torch.equal(neighbors(x, count=count).squares, expected)
    assert torch.equal(reach(x, count), expected[:, -1])
    assert torch.equal(neighbors(x, x, count=count).squares, true_squares(x, x).sort(1).values[:, :count])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_floating_type_is_taken_as_it_is(dtype: torch.dtype) -> None:
    x, y = normal(60, 5).to(dtype), normal(70, 5, seed=1).to(dtype)
    expected = true_squares(x, y).sort(1).values[:, :2]
    torch.testing.assert_close(neighbors(x, y, count=2).squares, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1e15])
def test_no_scale_is_special(scale: float) -> None:
    """The squares of 1e-30 are 0 in float32."""
    x = normal(100, 5).double() * scale
    expected = true_squares(x, x).fill_diagonal_(torch.inf).sort(1).values[:, :2]
    torch.testing.assert_close(neighbors(x, count=2).squares, expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(reach(x, 2), expected[:, 1], rtol=1e-9, atol=0)
    near = torch.zeros(100, 100, dtype=torch.bool)
    for tile in tiles(x):
        near[tile.nearer(expected[tile.rows, 1], 0)] = True
    upper = torch.ones(100, 100).triu(1).bool()
    assert torch.equal(near[upper], (true_squares(x, x) < expected[:, 1:])[upper])


def test_all_points_are_neighbors_if_that_many_are_asked_for() -> None:
    x, y = normal(3, 2), normal(60, 2, seed=1)
    assert neighbors(x, y, count=60).indices.sort(1).values.tolist() == [list(range(60))] * 3
    assert neighbors(x, count=2).indices.sort(1).values.tolist() == [[1, 2], [0, 2], [0, 1]]


def test_coarse_products_are_not_relied_on() -> None:
    """A person may ask torch for TensorFloat-32, or score within autocast."""
    x = normal(100, 20)
    expected = neighbors(x, count=3).squares
    assert {tile.squares.dtype for tile in tiles(x)} == {torch.float32}
    with torch.autocast("cpu", torch.bfloat16):
        assert {tile.squares.dtype for tile in tiles(x)} == {torch.float64}
        assert torch.equal(neighbors(x, count=3).squares, expected)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        assert {tile.squares.dtype for tile in tiles(x)} == {torch.float64}
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize(
    "features", [torch.zeros(5), torch.zeros(0, 3), torch.zeros(5, 0), torch.zeros(5, 3, dtype=torch.int64)]
)
def test_what_are_no_features_is_refused(features: Tensor) -> None:
    with pytest.raises(UsageError, match="floating-point numbers"):
        check_features(features)


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        neighbors(torch.zeros(5, 3), torch.zeros(5, 4))
    with pytest.raises(UsageError, match="cannot be compared"):
        check_features(torch.zeros(5, 3), torch.zeros(5, 3, device="meta"))
    with pytest.raises(UsageError, match="too few"):
        neighbors(torch.zeros(5, 3), count=5)
    with pytest.raises(UsageError, match="too few"):
        reach(torch.zeros(5, 3), 5)
    broken = torch.zeros(5, 3)
    broken[1, 2], broken[4, 0] = torch.nan, torch.inf
    with pytest.raises(DataError, match="2 of 5 rows"):
        neighbors(torch.zeros(5, 3), broken)
    with pytest.raises(DataError, match="too large"):
        neighbors(1e25 * normal(5, 3))
