"""A part of a set that no training sees."""

import numpy as np
import pytest

from saddlepoint.data.images import Images
from saddlepoint.data.source import open_source
from saddlepoint.data.split import Rows, split
from saddlepoint.errors import UsageError


def numbered(count, labels=True):
    """Pictures whose first two pixels tell their number."""
    pixels = np.zeros((count, 8, 8, 1), np.uint8)
    pixels[:, 0, 0, 0], pixels[:, 0, 1, 0] = np.arange(count) % 256, np.arange(count) // 256
    return Images.of(pixels, np.arange(count) % 3 if labels else None)


def numbers(images):
    return [int(picture[0, 0, 0]) + 256 * int(picture[0, 1, 0]) for picture in images.pixels]


@pytest.mark.parametrize(("count", "share", "held"), [(100, 0.1, 10), (7, 0.5, 4), (2, 0.5, 1), (1000, 0.9994, 999)])
def test_each_picture_is_in_one_of_two_parts_with_its_label(count, share, held):
    kept, out = split(numbered(count), share)
    assert (len(kept), len(out)) == (count - held, held)
    assert sorted(numbers(kept) + numbers(out)) == list(range(count))
    for part in (kept, out):
        assert part.labels.tolist() == [number % 3 for number in numbers(part)]
        assert numbers(part) == sorted(numbers(part))
        assert part.shape == (1, 8, 8)


def test_the_choice_depends_on_nothing_but_the_size_and_the_share():
    assert numbers(split(numbered(50), 0.2)[1]) == numbers(split(numbered(50, labels=False), 0.2)[1])
    assert numbers(split(numbered(50), 0.2)[1]) != list(range(40, 50)), "the last ones may be one class"


def test_parts_tell_themselves_apart_from_the_whole_and_from_other_shares():
    whole = numbered(50)
    prints = {whole.fingerprint, *(part.fingerprint for share in (0.2, 0.4) for part in split(whole, share))}
    assert len(prints) == 5


@pytest.mark.parametrize(
    ("count", "share"), [(10, 0.01), (10, 1.0), (10, 0.99), (1, 0.5), (10, -0.5), (10, float("nan"))]
)
def test_no_part_may_be_empty(count, share):
    with pytest.raises(UsageError, match="cannot be held out"):
        split(numbered(count), share)


def test_a_part_is_read_as_an_array_is():
    array = np.arange(40).reshape(10, 4)
    part = Rows(array, np.array([1, 4, 7]))
    assert part.shape == (3, 4)
    assert part.dtype == array.dtype
    assert part[1].tolist() == array[4].tolist()
    assert part[[2, 0]].tolist() == array[[7, 1]].tolist()
    assert part[1:].tolist() == array[[4, 7]].tolist()
    assert [row.tolist() for row in part] == array[[1, 4, 7]].tolist()


def test_a_source_trains_on_one_part_and_shows_the_other_on_demand():
    source = open_source(numbered(40), holdout=0.25, seed=3)
    images, out = source.images(size=8), source.held_out(size=8)
    assert (len(images), len(out)) == (30, 10)
    assert not set(numbers(images)) & set(numbers(out))
    seen = images.stream(30).read(0, 30).image[:, 0, 0, 0].add(1).mul(127.5).round().int().tolist()
    assert sorted(seen) == numbers(images)
    assert images.seed == out.seed == 3


def test_a_source_without_a_holdout_has_none_to_show():
    source = open_source(numbered(40))
    assert len(source.images(size=8)) == 40
    with pytest.raises(UsageError, match="cannot be held out"):
        source.held_out(size=8)


def test_points_are_not_held_out():
    with pytest.raises(UsageError, match="drawn at any time"):
        open_source("ring8", holdout=0.1)
