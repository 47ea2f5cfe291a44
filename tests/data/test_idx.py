"""IDX files, as MNIST and its successors are given out."""

import gzip
import struct

import numpy as np
import pytest

from saddlepoint.data.catalog import open_named
from saddlepoint.errors import DataError, MissingError


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def pictures():
    return np.random.default_rng(1).integers(0, 256, (5, 6, 4), dtype=np.uint8)


LABELS = np.array([2, 0, 1, 2, 2], np.uint8)


@pytest.mark.parametrize("packed", [True, False])
def test_pictures_and_the_labels_beside_them(tmp_path, pictures, packed):
    ending, pack = (".gz", gzip.compress) if packed else ("", bytes)
    path = tmp_path / f"t10k-images-idx3-ubyte{ending}"
    path.write_bytes(pack(idx(pictures)))
    (tmp_path / f"t10k-labels-idx1-ubyte{ending}").write_bytes(pack(idx(LABELS)))
    images = open_named(f"idx:{path}", size=(6, 4), cache=tmp_path / "cache")
    np.testing.assert_array_equal(images.pixels[..., 0], pictures)
    np.testing.assert_array_equal(images.labels, LABELS)
    assert images.classes == ("0", "1", "2")


def test_without_labels_and_at_another_size(tmp_path, pictures):
    path = tmp_path / "images.idx3"
    path.write_bytes(idx(pictures))
    images = open_named(f"idx:{path}", size=8, channels=3, cache=tmp_path / "cache")
    assert images.pixels.shape == (5, 8, 8, 3)
    assert images.labels is None


def test_another_content_under_the_same_name_is_another_set(tmp_path, pictures):
    path = tmp_path / "images"
    path.write_bytes(idx(pictures))
    first = open_named(f"idx:{path}", cache=tmp_path / "cache")
    path.write_bytes(idx(255 - pictures))
    second = open_named(f"idx:{path}", cache=tmp_path / "cache")
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[:9],
        lambda content: b"\0\0\x0d" + content[3:],
        lambda content: b"\0\0\x08\x01" + content[4:],
        lambda content: content[:4] + struct.pack(">3I", 1 << 31, 1 << 31, 1 << 31) + content[16:],
        lambda content: content[:4] + struct.pack(">3I", 0, 6, 4) + content[16:],
        lambda content: b"",
    ],
)
def test_a_damaged_file_is_refused(tmp_path, pictures, spoil):
    path = tmp_path / "images"
    path.write_bytes(spoil(idx(pictures)))
    with pytest.raises(DataError, match="not an IDX file"):
        open_named(f"idx:{path}", cache=tmp_path / "cache")


def test_a_cut_gzip_file_is_refused(tmp_path, pictures):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(pictures))[:-12])
    with pytest.raises(DataError, match="not an IDX file"):
        open_named(f"idx:{path}", cache=tmp_path / "cache")


def test_labels_must_be_as_many_as_pictures(tmp_path, pictures):
    (tmp_path / "images-idx3").write_bytes(idx(pictures))
    (tmp_path / "labels-idx1").write_bytes(idx(LABELS[:4]))
    with pytest.raises(DataError, match="4 labels for 5 pictures"):
        open_named(f"idx:{tmp_path / 'images-idx3'}", cache=tmp_path / "cache")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(MissingError):
        open_named(f"idx:{tmp_path / 'nowhere'}", cache=tmp_path / "cache")
