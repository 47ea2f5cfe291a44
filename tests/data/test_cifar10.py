"""CIFAR-10's binary files."""

import numpy as np
import pytest

from saddlepoint.data.catalog import open_named
from saddlepoint.errors import DataError, MissingError


def records(labels, seed=0):
    """Random pictures (N, 32, 32, 3) and the bytes of their file."""
    pictures = np.random.default_rng(seed).integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
    planes = pictures.transpose(0, 3, 1, 2).reshape(len(labels), -1)
    return pictures, np.concatenate([np.array(labels, np.uint8)[:, None], planes], axis=1).tobytes()


def test_a_folder_is_its_training_batches_in_order(tmp_path):
    first, first_bytes = records([3, 9], seed=1)
    second, second_bytes = records([0], seed=2)
    (tmp_path / "data_batch_2.bin").write_bytes(second_bytes)
    (tmp_path / "data_batch_1.bin").write_bytes(first_bytes)
    (tmp_path / "test_batch.bin").write_bytes(second_bytes)
    images = open_named(f"cifar10:{tmp_path}", cache=tmp_path / "cache")
    np.testing.assert_array_equal(images.pixels, np.concatenate([first, second]))
    np.testing.assert_array_equal(images.labels, [3, 9, 0])
    assert images.classes[3] == "cat"
    assert len(images.classes) == 10


def test_one_file_alone_and_gray(tmp_path):
    _, content = records([1, 1, 2])
    (tmp_path / "test_batch.bin").write_bytes(content)
    images = open_named(f"cifar10:{tmp_path / 'test_batch.bin'}", size=16, channels=1, cache=tmp_path / "cache")
    assert images.pixels.shape == (3, 16, 16, 1)


@pytest.mark.parametrize("content", [b"", records([1])[1][:-1], b"\x80\x04" + bytes(5000), records([10])[1]])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "data_batch_1.bin").write_bytes(content)
    with pytest.raises(DataError, match="binary version"):
        open_named(f"cifar10:{tmp_path}", cache=tmp_path / "cache")


def test_an_empty_folder_says_what_it_wants(tmp_path):
    with pytest.raises(MissingError) as caught:
        open_named(f"cifar10:{tmp_path}", cache=tmp_path / "cache")
    assert "cifar-10-batches-bin" in caught.value.fix
