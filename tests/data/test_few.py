"""A few labels: balanced, chosen by a seed, read beside the rest without telling the rest's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from saddlepoint.data.few import PartlyLabeledStream, choose
from saddlepoint.data.images import Images
from saddlepoint.errors import UsageError

COUNT, CLASSES = 60, 4

pure = settings(derandomize=True, deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)


def images(*, counts: tuple[int, ...] = (30, 15, 10, 5), seed: int = 3) -> Images:
    """Pictures 2x2 whose first pixel is their number, in classes of the given sizes."""
    labels = np.repeat(np.arange(len(counts)), counts)
    pixels = np.zeros((len(labels), 2, 2, 1), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(len(labels))
    return Images.of(pixels, labels, classes=tuple("abcdefgh"[: len(counts)]), name="numbers", seed=seed)


def numbers(image: torch.Tensor) -> list[int]:
    """The pictures' numbers, read from their first pixels."""
    return ((image[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


@pure
@given(seeds, st.integers(CLASSES, COUNT))
def test_classes_get_equally_many_labels_as_long_as_they_have_pictures(seed: int, count: int) -> None:
    data = images()
    rows = choose(data, count, seed)
    assert len(set(rows.tolist())) == count
    assert data.labels is not None
    given = np.bincount(data.labels[rows], minlength=CLASSES)
    sizes = np.bincount(data.labels)
    # Whoever has fewer than another has all it has, or lacks the one that could not be shared out.
    for mine, size in zip(given, sizes, strict=True):
        assert mine == size or mine >= given.max() - 1


def test_a_seed_chooses_and_more_labels_contain_the_fewer() -> None:
    data = images(counts=(25,) * 4)
    one, same, other = choose(data, 40, 7), choose(data, 40, 7), choose(data, 40, 8)
    assert one.tolist() == same.tolist()
    assert set(one.tolist()) != set(other.tolist())
    assert set(choose(data, 20, 7).tolist()) < set(one.tolist())
    assert np.bincount(data.labels[one]).tolist() == [10] * 4


def test_the_choice_does_not_depend_on_the_seed_of_the_order() -> None:
    assert choose(images(seed=1), 8, 0).tolist() == choose(images(seed=2), 8, 0).tolist()


@pytest.mark.parametrize(
    ("count", "words"), [(3, "3 labels: numbers has 4 classes"), (61, "61 labels: numbers has 4 classes and 60 pict")]
)
def test_too_few_and_too_many_labels_are_refused(count: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose(images(), count, 0)


def test_data_without_classes_are_refused() -> None:
    plain = replace(images(), labels=None, classes=())
    with pytest.raises(UsageError, match="numbers has no classes"):
        PartlyLabeledStream(plain, 8, labels=4, subset=0)


@pure
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12))
def test_a_long_read_is_short_reads_one_after_another(start: int, one: int, two: int) -> None:
    stream = PartlyLabeledStream(images(), 24, labels=8, subset=0)
    whole, parts = stream.read(start, one + two), (stream.read(start, one), stream.read(start + one, two))
    for side in ("labeled", "unlabeled"):
        joined = torch.cat([getattr(part, side).image for part in parts])
        assert torch.equal(getattr(whole, side).image, joined)
    assert whole.labeled.label.tolist() == [label for part in parts for label in part.labeled.label.tolist()]


def test_labels_stay_with_their_pictures_and_nobody_elses_are_told() -> None:
    data = images()
    stream = PartlyLabeledStream(data, 24, labels=8, subset=5)
    chosen = set(choose(data, 8, 5).tolist())
    # Larger than the labeled part: its epochs follow each other within a draw.
    read = stream.read(0, 24)
    found = numbers(read.labeled.image)
    assert set(found) == chosen
    assert read.labeled.label.tolist() == data.labels[found].tolist()
    assert read.unlabeled.label is None
    assert not hasattr(read, "label")
    assert sorted(numbers(stream.read(0, COUNT).unlabeled.image)) == list(range(COUNT))


def test_what_observers_look_at_are_pictures_without_labels() -> None:
    stream = PartlyLabeledStream(images(), 24, labels=8, subset=5)
    read = stream.read(3, 6)
    assert read.image is read.unlabeled.image
    assert len(read) == 6
    moved = read.to(torch.device("cpu"))
    assert torch.equal(moved.labeled.image, read.labeled.image)
    assert moved.unlabeled.label is None
    assert stream.examples.shape == (1, 2, 2)


def test_two_seeds_read_in_two_orders() -> None:
    one, other = (PartlyLabeledStream(images(seed=seed), 24, labels=8, subset=5) for seed in (1, 2))
    assert numbers(one.read(0, 24).image) != numbers(other.read(0, 24).image)
    assert numbers(one.read(0, 24).labeled.image) != numbers(other.read(0, 24).labeled.image)
