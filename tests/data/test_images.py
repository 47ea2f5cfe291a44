"""A decoded set."""

import numpy as np
import pytest

from saddlepoint.data.images import Images
from saddlepoint.errors import DataError, UsageError

PIXELS = np.arange(4 * 6 * 5 * 3, dtype=np.uint8).reshape(4, 6, 5, 3)


def test_shape_and_classes():
    images = Images.of(PIXELS, np.array([0, 2, 1, 0]), name="mine", flip=True)
    assert (len(images), images.height, images.width, images.channels) == (4, 6, 5, 3)
    assert images.classes == ("0", "1", "2")
    assert images.flip
    assert Images.of(PIXELS[..., 0]).pixels.shape == (4, 6, 5, 1)


def test_fingerprint_tells_content_apart():
    first = Images.of(PIXELS).fingerprint
    assert Images.of(PIXELS.copy()).fingerprint == first
    assert Images.of(PIXELS[::-1]).fingerprint != first
    assert Images.of(PIXELS.reshape(4, 5, 6, 3)).fingerprint != first
    assert Images.of(PIXELS, np.zeros(4, int)).fingerprint != first
    assert Images.of(PIXELS, fingerprint="given").fingerprint == "given"


@pytest.mark.parametrize("pixels", [PIXELS / 255, PIXELS[0, 0], PIXELS[:0], PIXELS[..., :2]])
def test_arrays_that_are_no_pictures_are_refused(pixels):
    with pytest.raises(DataError, match="holds"):
        Images.of(pixels)


def test_classes_without_labels_are_refused():
    with pytest.raises(DataError, match="no labels"):
        Images.of(PIXELS, classes=("a",))


def test_a_batch_larger_than_the_set_is_refused_with_one_that_fits():
    images = Images.of(np.zeros((20, 8, 8, 3), np.uint8))
    with pytest.raises(UsageError) as error:
        images.stream(64)
    assert error.value.what == "batch 64 is larger than the data set (20 images)"
    assert error.value.fix == "--batch 16"
    assert images.stream(20).read(0, 20).image.shape == (20, 3, 8, 8)


def test_the_stream_takes_its_settings_from_the_set():
    images = Images.of(PIXELS, np.arange(4), seed=3, flip=True, workers=2)
    stream = images.stream(2)
    assert (stream.batch, stream.seed, stream.flip) == (2, 3, True)
    assert sorted(stream.read(0, 4).label.tolist()) == [0, 1, 2, 3]


def test_blank_pictures_take_no_memory_and_any_batch():
    images = Images.blank((6, 5), 3, ("a", "b"))
    assert images.pixels.strides == (0, 0, 0, 0)
    batch = images.stream(4096).read(0, 2)
    assert batch.image.shape == (2, 3, 6, 5)
    assert batch.image.abs().max() < 0.01
    assert batch.label.tolist() == [0, 0]
    assert Images.blank(8, 1).labels is None
