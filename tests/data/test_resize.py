"""Equal pictures to another size and number of channels."""

import numpy as np
import pytest

from saddlepoint.data.resize import resize_all
from saddlepoint.data.scan import Watch
from saddlepoint.errors import Stopped


def resized(pixels, *shape):
    out = np.zeros((len(pixels), *shape), np.uint8)
    resize_all(pixels, out, Watch())
    return out


@pytest.fixture
def gray():
    return np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)


def test_the_same_shape_is_the_same_bytes(gray):
    np.testing.assert_array_equal(resized(gray, 28, 28, 1), gray)


def test_gray_repeats_over_colors_and_alpha_is_opaque(gray):
    out = resized(gray, 28, 28, 4)
    for channel in range(3):
        np.testing.assert_array_equal(out[..., channel], gray[..., 0])
    assert (out[..., 3] == 255).all()


def test_colors_become_gray_by_luminance():
    green, blue = np.zeros((2, 1, 8, 8, 3), np.uint8)
    green[..., 1] = blue[..., 2] = 255
    assert resized(green, 8, 8, 1).mean() > 4 * resized(blue, 8, 8, 1).mean() > 0


def test_shrinking_averages_and_does_not_alias():
    stripes = np.zeros((1, 32, 32, 1), np.uint8)
    stripes[:, :, ::2] = 255
    assert np.ptp(resized(stripes, 8, 8, 1)[0, :, 1:-1].astype(int)) < 12


def test_another_proportion_keeps_the_middle():
    picture = np.zeros((1, 8, 16, 1), np.uint8)
    picture[:, :, 4:12] = 200
    assert (resized(picture, 8, 8, 1) == 200).all()


def test_progress_ends_at_the_total_and_stopping_stops(gray):
    told = []
    out = np.zeros((3, 32, 32, 1), np.uint8)
    resize_all(gray, out, Watch(progress=lambda done, total: told.append((done, total))))
    assert told[-1] == (3, 3)
    with pytest.raises(Stopped):
        resize_all(gray, out, Watch(should_stop=lambda: True))
