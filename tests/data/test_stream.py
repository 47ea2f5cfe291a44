"""The order of samples: endless epochs, pure in seed and position, whoever reads and however many at a time."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from saddlepoint.data.images import Images
from saddlepoint.data.stream import ImageStream, ReadAhead, coins, order, permutation
from saddlepoint.errors import UsageError

COUNT = 23

pure = settings(derandomize=True, deadline=None, max_examples=60)
seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 200)
starts = st.integers(0, 10**9)


def images(*, flip: bool = False, workers: int = 0, labels: bool = True, seed: int = 3) -> Images:
    """Pictures 5x4 of which every pixel is different, with labels."""
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, 5, 4, 3), np.uint8)
    return Images.of(
        pixels, np.arange(COUNT) % 7 if labels else None, seed=seed, flip=flip, workers=workers, name="noise"
    )


@pure
@given(seeds, counts, st.integers(0, 50))
def test_every_epoch_is_a_permutation(seed: int, count: int, epoch: int) -> None:
    chosen = order(seed, count, epoch * count, count)
    assert sorted(chosen.tolist()) == list(range(count))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    seen = {tuple(permutation(seed, epoch, COUNT)) for seed in range(3) for epoch in range(20)}
    assert len(seen) == 60


@pure
@given(seeds, counts, starts, st.integers(0, 60), st.integers(0, 60))
def test_a_long_read_is_short_reads_one_after_another(seed: int, count: int, start: int, one: int, two: int) -> None:
    whole = order(seed, count, start, one + two)
    parts = [order(seed, count, start, one), order(seed, count, start + one, two)]
    assert whole.tolist() == np.concatenate(parts).tolist()
    assert whole.dtype == np.int64


@pure
@given(seeds, counts, starts, st.integers(1, 8), st.integers(1, 8))
def test_the_shares_of_all_micro_batches_are_the_batch(
    seed: int, count: int, start: int, parts: int, share: int
) -> None:
    whole = order(seed, count, start, parts * share).tolist()
    assert [i for part in range(parts) for i in order(seed, count, start + part * share, share)] == whole


@pure
@given(seeds, starts, st.integers(0, 60), st.integers(0, 60))
def test_coins_are_a_function_of_their_place(seed: int, start: int, one: int, two: int) -> None:
    whole = coins(seed, start, one + two)
    assert whole.tolist() == [*coins(seed, start, one), *coins(seed, start + one, two)]


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_coins_are_fair_and_independent(seed: int) -> None:
    thrown = coins(seed, 0, 40_000)
    # Four standard deviations of a fair coin are 0.01.
    assert abs(thrown.mean() - 0.5) < 0.01
    for lag in (1, 2, 16, COUNT):
        assert abs((thrown[lag:] == thrown[:-lag]).mean() - 0.5) < 0.01


def test_neighboring_seeds_throw_different_coins() -> None:
    one, two = coins(0, 0, 40_000), coins(1, 0, 40_000)
    assert abs((one == two).mean() - 0.5) < 0.01


def digest(stream: ImageStream, *, batches: int, start: int = 0) -> str:
    """Hash of the batches from `start` on, pictures and labels."""
    found = hashlib.sha256()
    for number in range(batches):
        batch = stream.read(start + number * stream.batch, stream.batch)
        found.update(batch.image.contiguous().numpy().tobytes())
        assert batch.label is not None
        found.update(batch.label.numpy().tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_number_of_workers_does_not_matter(workers: int) -> None:
    batches = 3 * COUNT // 4 + 1
    alone = digest(images(flip=True).stream(4), batches=batches)
    assert digest(images(flip=True, workers=workers).stream(4), batches=batches) == alone


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_going_on_elsewhere_with_other_workers_reads_the_same(workers: int) -> None:
    begun = images(flip=True, workers=2).stream(4)
    digest(begun, batches=5)
    expected = digest(begun, batches=8, start=20)
    assert digest(images(flip=True, workers=workers).stream(4), batches=8, start=20) == expected


def test_reading_ahead_survives_jumps_and_micro_batches() -> None:
    plain, ahead = images(flip=True).stream(8), images(flip=True, workers=2).stream(8)
    for start, count in [(0, 8), (8, 4), (12, 4), (16, 2), (90, 8), (3, 5), (3, 5), (0, 8)]:
        assert torch.equal(plain.read(start, count).image, ahead.read(start, count).image)


def test_reading_ahead_asks_for_what_comes_next() -> None:
    asked = []

    def read(start: int, count: int) -> int:
        asked.append((start, count))
        return start

    ahead = ReadAhead(read, workers=1)
    assert [ahead(start, 4) for start in (0, 4, 8)] == [0, 4, 8]
    ahead.pool.shutdown(wait=True)
    assert sorted(asked) == [(start, 4) for start in range(0, 20, 4)]


def test_an_error_while_reading_ahead_comes_when_its_batch_is_due() -> None:
    def read(start: int, count: int) -> int:
        if start == 8:
            raise OSError("gone")
        return start

    ahead = ReadAhead(read, workers=1)
    assert (ahead(0, 4), ahead(4, 4)) == (0, 4)
    with pytest.raises(OSError, match="gone"):
        ahead(8, 4)
    assert ahead(12, 4) == 12


def test_a_sample_is_its_picture_with_its_label() -> None:
    pictures = images()
    stream = pictures.stream(6)
    batch = stream.read(COUNT - 3, 6)
    chosen = order(3, COUNT, COUNT - 3, 6)
    expected = torch.from_numpy(pictures.pixels[chosen]).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert batch.image.dtype == torch.float32
    assert batch.image.shape == (6, 3, 5, 4)
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(batch.image, expected, atol=1e-6)
    assert batch.label is not None
    assert batch.label.tolist() == (chosen % 7).tolist()
    assert batch.label.dtype == torch.int64
    assert len(batch) == 6


def test_black_is_minus_one_and_white_is_one() -> None:
    pixels = np.zeros((2, 1, 1, 1), np.uint8)
    pixels[1] = 255
    stream = Images.of(pixels).stream(2)
    values = {int(place): value.item() for place, value in zip(order(0, 2, 0, 2), stream.read(0, 2).image, strict=True)}
    assert values == pytest.approx({0: -1.0, 1: 1.0}, abs=1e-6)
    assert max(values.values()) <= 1.0


def test_pictures_without_labels_have_none() -> None:
    assert images(labels=False).stream(4).read(0, 4).label is None


def test_flips_mirror_left_and_right_and_nothing_else() -> None:
    plain, flipped = images().stream(8), images(flip=True).stream(8)
    kinds = set()
    for start in range(0, 64, 8):
        for one, other, coin in zip(
            plain.read(start, 8).image, flipped.read(start, 8).image, coins(3, start, 8), strict=True
        ):
            assert torch.equal(other, one.flip(2) if coin else one)
            kinds.add(bool(coin))
    assert kinds == {True, False}


def test_flipping_leaves_the_pictures_as_they_are() -> None:
    pictures = images(flip=True)
    before = pictures.pixels.copy()
    pictures.stream(COUNT).read(0, COUNT)
    assert np.array_equal(pictures.pixels, before)


def test_a_read_only_set_can_be_flipped() -> None:
    pictures = images(flip=True)
    pictures.pixels.flags.writeable = False
    assert pictures.stream(8).read(0, 8).image.shape == (8, 3, 5, 4)


def test_a_picture_is_flipped_in_some_epochs_and_not_in_others() -> None:
    stream = images(flip=True).stream(1)
    seen = set()
    for epoch in range(12):
        place = epoch * COUNT + int(np.flatnonzero(permutation(3, epoch, COUNT) == 5)[0])
        seen.add(stream.read(place, 1).image.numpy().tobytes())
    assert len(seen) == 2


@pytest.mark.parametrize("batch", [COUNT + 1, 10**6])
def test_a_batch_larger_than_the_set_is_refused(batch: int) -> None:
    with pytest.raises(UsageError, match=rf"batch {batch:,} is larger than the data set \({COUNT} images\)") as caught:
        images().stream(batch)
    assert caught.value.fix == "--batch 16"
    assert caught.value.exit_code == 64


def test_a_batch_may_be_the_whole_set() -> None:
    chosen = images().stream(COUNT).read(0, COUNT)
    assert len({picture.numpy().tobytes() for picture in chosen.image}) == COUNT
