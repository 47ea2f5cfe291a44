"""Arrays in an .npz and in memory."""

import os
import pickle
import zipfile

import numpy as np
import pytest

from saddlepoint.data.arrays import ArrayStorage, read_npz
from saddlepoint.data.decode import Decoded
from saddlepoint.data.images import Images
from saddlepoint.data.policy import Policy
from saddlepoint.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 12, 10, 3), np.uint8)


def save(path, compressed=True, **arrays):
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def said(path) -> str:
    with pytest.raises(DataError) as error:
        read_npz(path)
    assert error.value.fix
    return error.value.what


@pytest.mark.parametrize("compressed", [False, True])
def test_images_labels_and_class_names(tmp_path, compressed):
    path = save(tmp_path / "x.npz", compressed, images=PIXELS, labels=[1, 0, 1, 1, 0], classes=["zebra", "ant"])
    images = read_npz(path)
    assert (images.pixels == PIXELS).all()
    assert images.classes == ("zebra", "ant")
    assert images.labels.tolist() == [1, 0, 1, 1, 0]
    listing = ArrayStorage(images).survey(Policy())
    assert listing.classes == ("zebra", "ant")
    assert [entry.label for entry in listing.entries] == ["ant", "zebra", "ant", "ant", "zebra"]


def test_gray_and_channels_first_layouts(tmp_path):
    assert read_npz(save(tmp_path / "a.npz", images=PIXELS[..., 0])).pixels.shape == (5, 12, 10, 1)
    assert (read_npz(save(tmp_path / "b.npz", images=PIXELS.transpose(0, 3, 1, 2))).pixels == PIXELS).all()
    both = read_npz(save(tmp_path / "c.npz", images=PIXELS[:, :3, :, :3]))
    assert both.pixels.shape == (5, 3, 10, 3)  # channels last wins


def test_pictures_are_resized_and_converted():
    storage = ArrayStorage(Images.of(PIXELS))
    found = [storage.load(entry, Policy(), (8, 9), 1) for entry in storage.survey(Policy()).entries]
    assert all(isinstance(one, Decoded) and one.pixels.shape == (8, 9, 1) for one in found)
    same = storage.load(storage.survey(Policy()).entries[3], Policy(), None, None)
    assert isinstance(same, Decoded)
    assert (same.pixels == PIXELS[3]).all()


def test_digests_tell_labels_and_pixels_apart():
    def digests(**changed):
        return [e.digest for e in ArrayStorage(Images.of(**{"pixels": PIXELS, **changed})).survey(Policy()).entries]

    other = PIXELS.copy()
    other[2, 0, 0, 0] ^= 1
    assert [a == b for a, b in zip(digests(), digests(pixels=other), strict=True)] == [True, True, False, True, True]
    first, second = digests(labels=np.array([0, 1, 0, 0, 0])), digests(labels=np.array([0, 0, 1, 0, 0]))
    assert [a == b for a, b in zip(first, second, strict=True)] == [True, False, False, True, True]


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_pickled_objects_are_refused_and_never_run(tmp_path):
    canary = tmp_path / "canary"
    objects = np.array([Canary(canary)], dtype=object)
    for arrays in ({"images": objects}, {"images": PIXELS, "labels": objects}, {"images": PIXELS, "classes": objects}):
        assert "pickled objects, which can run code" in said(save(tmp_path / "x.npz", **arrays))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("images.npy", pickle.dumps(Canary(canary)))
    said(tmp_path / "x.npz")
    (tmp_path / "x.npz").write_bytes(pickle.dumps(Canary(canary)))
    said(tmp_path / "x.npz")
    assert not canary.exists()


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"pictures": PIXELS}, "has no array `images` (it has: pictures)"),
        ({"images": PIXELS / 255}, "float64"),
        ({"images": PIXELS[0, 0]}, "shape (10, 3)"),
        ({"images": PIXELS[:0]}, "shape (0, 12, 10, 3)"),
        ({"images": PIXELS, "labels": [0, 1]}, "labels of"),
        ({"images": PIXELS, "labels": [0, 1, -1, 0, 1]}, "label -1 of picture 2"),
        ({"images": PIXELS, "labels": [0.5] * 5}, "float64"),
        ({"images": PIXELS, "labels": [0, 1, 2, 0, 1], "classes": ["a", "b"]}, "label 2 of picture 2"),
    ],
)
def test_arrays_of_the_wrong_kind_are_named(tmp_path, arrays, what):
    assert what in said(save(tmp_path / "x.npz", **arrays))


def test_a_header_that_claims_too_much_costs_no_memory(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("images.npy", "w") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 64, 64, 3)}
        np.lib.format.write_array_header_1_0(file, header)
    assert "limit 4.3 GB" in said(path)


def test_mutated_files_are_read_or_refused(tmp_path):
    path = save(tmp_path / "x.npz", images=PIXELS, labels=np.zeros(5, int))
    seed, random = path.read_bytes(), np.random.default_rng(5)
    refused = 0
    for _ in range(600):
        data = bytearray(seed)
        for _ in range(random.integers(1, 4)):
            data[random.integers(len(data))] = random.integers(256)
        path.write_bytes(data[: len(data) - int(random.integers(2)) * int(random.integers(50))])
        try:
            read_npz(path)
        except DataError:
            refused += 1
    assert 200 < refused < 600
