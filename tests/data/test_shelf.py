"""A set is made once, whole or not at all."""

import errno
import json
import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved
from saddlepoint.errors import DataError, DiskError, LockedError, Stopped


def make(folder: Path) -> Contents:
    allocate(folder, (3, 2, 2, 1))[:] = np.arange(12).reshape(3, 2, 2, 1)
    return Contents(np.array([0, 1, 1]), ("a", "b"), {"license": "CC0"})


def never(folder: Path) -> Contents:
    raise AssertionError("made twice")


def test_a_set_is_made_once_and_reads_the_same_again(tmp_path):
    folder = tmp_path / "sets" / "three"
    made = shelved(folder, "three", make, Watch())
    again = shelved(folder, "three", never, Watch())
    for images in (made, again):
        np.testing.assert_array_equal(images.pixels.ravel(), np.arange(12))
        np.testing.assert_array_equal(images.labels, [0, 1, 1])
        assert (images.name, images.classes) == ("three", ("a", "b"))
    assert made.fingerprint == again.fingerprint
    assert json.loads((folder / "set.json").read_text())["about"] == {"license": "CC0"}


def test_a_batch_of_it_is_an_array_of_its_own(tmp_path):
    pixels = shelved(tmp_path / "three", "three", make, Watch()).pixels
    assert type(pixels) is np.ndarray
    batch = pixels[np.array([2, 0])]
    batch[0] = 0
    assert pixels[2].any()


def test_what_another_process_left_half_made_is_swept_away(tmp_path):
    partial = tmp_path / "three.partial"
    partial.mkdir()
    (partial / "junk").write_text("half")
    shelved(tmp_path / "three", "three", make, Watch())
    assert not partial.exists()
    assert not (tmp_path / "three" / "junk").exists()


@pytest.mark.parametrize("harm", ["cut", "lose", "garble"])
def test_a_damaged_set_is_made_again(tmp_path, harm):
    folder = tmp_path / "three"
    first = shelved(folder, "three", make, Watch())
    if harm == "cut":
        os.truncate(folder / "pixels.npy", 130)
    elif harm == "lose":
        (folder / "labels.npy").unlink()
    else:
        (folder / "set.json").write_text("{")
    again = shelved(folder, "three", make, Watch())
    assert again.fingerprint == first.fingerprint
    np.testing.assert_array_equal(again.pixels.ravel(), np.arange(12))


def test_a_maker_that_fails_leaves_nothing(tmp_path):
    def fail(folder: Path) -> Contents:
        allocate(folder, (1, 2, 2, 1))
        raise DataError("no")

    with pytest.raises(DataError):
        shelved(tmp_path / "three", "three", fail, Watch())
    assert [path.name for path in tmp_path.iterdir()] == ["three.lock"]


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskError), (errno.EACCES, LockedError)])
def test_a_full_disk_and_a_closed_folder_are_told_apart(tmp_path, monkeypatch, number, kind):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    with pytest.raises(kind, match=os.strerror(number)) as caught:
        shelved(tmp_path / "three", "three", make, Watch())
    assert "SADDLEPOINT_CACHE" in caught.value.fix
    assert not (tmp_path / "three.partial").exists()


def test_of_two_that_want_a_set_one_makes_it(tmp_path):
    makers = []

    def slowly(folder: Path) -> Contents:
        makers.append(threading.get_ident())
        time.sleep(0.3)
        return make(folder)

    opened = []
    threads = [
        threading.Thread(target=lambda: opened.append(shelved(tmp_path / "three", "three", slowly, Watch())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 2
    assert len(makers) == 1


def test_waiting_for_another_process_can_be_stopped(tmp_path):
    held, done = threading.Event(), threading.Event()

    def hold(folder: Path) -> Contents:
        held.set()
        done.wait(10)
        return make(folder)

    holder = threading.Thread(target=shelved, args=(tmp_path / "three", "three", hold, Watch()))
    holder.start()
    held.wait(10)
    with pytest.raises(Stopped):
        shelved(tmp_path / "three", "three", never, Watch(should_stop=lambda: True))
    done.set()
    holder.join()


def test_the_cache_may_be_deleted_at_any_time(tmp_path):
    shelved(tmp_path / "sets" / "three", "three", make, Watch())
    shutil.rmtree(tmp_path / "sets")
    assert len(shelved(tmp_path / "sets" / "three", "three", make, Watch())) == 3
