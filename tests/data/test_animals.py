"""Silhouettes of animals out of the files of an installed package."""

import gzip
import pickle
import sys

import numpy as np
import pytest

from saddlepoint.data.animals import CLASSES, read_animals
from saddlepoint.data.catalog import lookup, open_named
from saddlepoint.errors import DataError

needs_animals = pytest.mark.skipif(
    not lookup("animal_mnist").installed, reason="animal-mnist is not installed: saddle data get animal_mnist"
)


@needs_animals
def test_a_thousand_of_each_animal_and_no_package_is_imported(tmp_path):
    images = open_named("animal_mnist", cache=tmp_path)
    assert images.pixels.shape == (10_000, 28, 28, 1)
    assert images.classes == CLASSES
    assert np.bincount(images.labels).tolist() == [1000] * 10
    # Only zebras are more than a silhouette: their stripes make many a gray between black and white.
    gray = ((images.pixels > 40) & (images.pixels < 215)).mean((1, 2, 3))
    assert np.argmax([gray[images.labels == label].mean() for label in range(10)]) == CLASSES.index("zebra")
    assert "animal_mnist" not in sys.modules


def packed(path, array):
    old = pickle.dumps(array, 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    path.write_bytes(gzip.compress(old, compresslevel=1))
    return path


@pytest.mark.parametrize(
    ("pixels", "labels"),
    [
        (np.zeros((9, 28, 28), np.uint8), np.zeros(9, np.int64)),
        (np.zeros((10_000, 28, 28), np.uint8), np.zeros(10_000, np.int64)),
        (np.zeros((10_000, 28, 28), np.uint8), np.arange(9_999) % 10),
        ([1, 2], np.arange(10_000) % 10),
    ],
)
def test_other_files_are_refused(tmp_path, pixels, labels):
    with pytest.raises(DataError, match="not the files of Animal MNIST"):
        read_animals(packed(tmp_path / "pixels.gz", pixels), packed(tmp_path / "labels.gz", labels))
