"""Streams of two sides: pure in position and seed, joint where rows belong together, apart where they do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from saddlepoint.data.batches import Pair
from saddlepoint.data.images import Images
from saddlepoint.data.pair_stream import PairStream, UnpairedStream
from saddlepoint.data.pairs import Pairs, Unpaired
from saddlepoint.errors import UsageError

COUNT, OTHERS, HEIGHT, WIDTH = 23, 17, 9, 7
Make = Callable[..., PairStream | UnpairedStream]

pure = settings(derandomize=True, deadline=None, max_examples=10)


def noise(count: int, content: int, **settings: int) -> Images:
    pixels = np.random.default_rng(content).integers(0, 255, (count, HEIGHT, WIDTH, 3), np.uint8)
    return Images.of(pixels, name="noise", **settings)


def paired(batch: int = 8, crop: int | None = None, **settings: int) -> PairStream:
    """Pairs of which the target is the source plus one."""
    source = noise(COUNT, 1, **settings)
    target = Images.of(source.pixels + np.uint8(1), name="noise")
    return Pairs(source, target, ("a", "b")).stream(batch, crop=crop)


def apart(batch: int = 8, crop: int | None = None, others: int = OTHERS, **settings: int) -> UnpairedStream:
    return Unpaired(noise(COUNT, 1, **settings), noise(others, 2), ("a", "b")).stream(batch, crop=crop)


both = pytest.mark.parametrize("make", [paired, apart])


def equal(one: Pair, other: Pair) -> bool:
    return torch.equal(one.source, other.source) and torch.equal(one.target, other.target)


@both
@pure
@given(st.integers(0, 10**9), st.integers(1, 9), st.integers(1, 9))
def test_a_long_read_is_short_reads_one_after_another(make: Make, start: int, one: int, two: int) -> None:
    stream = make(crop=5, flip=True)
    whole = stream.read(start, one + two)
    parts = stream.read(start, one), stream.read(start + one, two)
    assert equal(whole, Pair(*(torch.cat([getattr(part, side) for part in parts]) for side in ("source", "target"))))


@both
def test_readers_ahead_change_nothing_and_seeds_do(make: Make) -> None:
    plain, ahead, other = (make(crop=5, flip=True, **more) for more in ({}, {"workers": 2}, {"seed": 9}))
    for start in (0, 8, 16, 400):
        assert equal(plain.read(start, 8), ahead.read(start, 8))
        assert not torch.equal(plain.read(start, 8).source, other.read(start, 8).source)


@both
def test_what_is_read_has_the_shape_and_range_that_networks_take(make: Make) -> None:
    stream = make(crop=5)
    read = stream.read(3, 6)
    assert len(read) == 6
    assert read.source.shape == read.target.shape == (6, 3, 5, 5)
    assert read.image is read.target
    assert read.label is None
    assert read.source.dtype == torch.float32
    assert read.source.abs().max() <= 1
    assert equal(read.to(torch.device("cpu")), read)
    assert stream.examples.shape == (3, HEIGHT, WIDTH)


def test_both_sides_of_a_pair_have_one_window_and_one_mirror() -> None:
    read = paired(crop=5, flip=True).read(0, 2 * COUNT)
    # One step of a byte is 2 / 255, exact to float32's rounding.
    assert torch.allclose(read.target - read.source, torch.full_like(read.source, 1 / 127.5), atol=1e-6)


def test_windows_fall_everywhere_and_mirrors_half_of_the_time() -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.uint8)
    place = np.stack([rows, columns, columns], -1)[None].repeat(COUNT, 0)
    source = Images.of(place, name="places", flip=True)
    read = Pairs(source, source, ("a", "b")).stream(8, crop=5).read(0, 3_000).source
    bytes_ = ((read + 1) * 127.5).round().int()
    tops, edges = bytes_[:, 0, 0, 0], bytes_[:, 1, 0, [0, -1]]
    mirrored = edges[:, 0] > edges[:, 1]
    lefts = edges.min(1).values
    # 15 places, 200 each on average; four standard deviations are 55.
    counts = np.bincount(tops * 3 + lefts, minlength=15)
    assert len(counts) == 15
    assert abs(counts - 200).max() < 55
    # Of 3,000 coins four standard deviations are 0.037; of the 1,000 in each column of places 0.063.
    assert abs(mirrored.float().mean() - 0.5) < 0.037
    assert all(abs(mirrored[lefts == left].float().mean() - 0.5) < 0.063 for left in range(3))


def test_every_epoch_shows_every_pair_once() -> None:
    read = paired().read(COUNT, COUNT)
    assert len({picture.numpy().tobytes() for picture in read.source}) == COUNT


def test_unpaired_sides_have_epochs_of_their_own() -> None:
    read = apart().read(0, COUNT * OTHERS)
    seen = [[picture.numpy().tobytes() for picture in side] for side in (read.source, read.target)]
    for side, count in zip(seen, (COUNT, OTHERS), strict=True):
        assert {len(set(side[at : at + count])) for at in range(0, len(side), count)} == {count}


def test_unpaired_sides_of_equal_length_meet_by_chance_only() -> None:
    same = noise(COUNT, 1)
    read = Unpaired(same, same, ("a", "b")).stream(8).read(0, 100 * COUNT)
    meetings = (read.source == read.target).flatten(1).all(1).sum()
    # One in COUNT draws: 100 expected, with a standard deviation of 10.
    assert 60 < meetings < 140


def test_unpaired_sides_are_mirrored_apart() -> None:
    one = Images.of(np.arange(2 * WIDTH, dtype=np.uint8).reshape(2, 1, WIDTH, 1)[:1], name="one", flip=True)
    read = Unpaired(one, one, ("a", "b")).stream(1).read(0, 400)
    alike = (read.source == read.target).flatten(1).all(1).float().mean()
    # Two fair coins agree half of the time; four standard deviations of 400 are 0.1.
    assert abs(alike - 0.5) < 0.1


@both
def test_too_large_a_batch_and_too_large_a_window_are_refused(make: Make) -> None:
    with pytest.raises(UsageError, match="batch 64 is larger"):
        make(batch=64)
    for crop in (0, 8):
        with pytest.raises(UsageError, match=f"window of {crop}x{crop}"):
            make(crop=crop)
    assert make(crop=WIDTH).read(0, 1).source.shape == (1, 3, WIDTH, WIDTH)


def test_the_shorter_side_limits_the_batch() -> None:
    with pytest.raises(UsageError, match="5 images"):
        apart(batch=8, others=5)


def test_the_set_is_not_touched() -> None:
    stream = paired(flip=True)
    before = stream.examples.source.pixels.copy()
    stream.read(0, 60)
    assert np.array_equal(stream.examples.source.pixels, before)
