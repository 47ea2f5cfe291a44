"""The cache: whole or not there, verified when opened, safe to damage."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from saddlepoint.data.cache import Writer, default_folder, open_cached, write_json
from saddlepoint.data.report import ScanReport
from saddlepoint.errors import DiskError, LockedError

PIXELS = np.random.default_rng(1).integers(0, 256, (12, 4, 5, 3), np.uint8)


def build(folder: Path, labeled: bool = True) -> None:
    report = ScanReport("somewhere", usable=12, classes={"a": 6, "b": 6} if labeled else {})
    report.sizes["5x4"] += 12
    with Writer(folder, (4, 5, 3), 12) as writer:
        for number, picture in enumerate(PIXELS):
            writer.append(picture, "ab"[number % 2] if labeled else None)
        writer.commit(report)


def test_what_was_written_is_mapped_back(tmp_path):
    build(tmp_path / "sets" / "x")
    cached = open_cached(tmp_path / "sets" / "x")
    assert isinstance(cached.pixels, np.memmap)
    assert (cached.pixels == PIXELS).all()
    assert cached.labels.tolist() == [0, 1] * 6
    assert cached.report.classes == {"a": 6, "b": 6}
    assert cached.report.common_size == (4, 5)
    assert os.listdir(tmp_path / "sets") == ["x"]


def test_a_set_without_classes_has_no_labels(tmp_path):
    build(tmp_path / "x", labeled=False)
    assert open_cached(tmp_path / "x").labels is None


def test_an_abandoned_build_leaves_nothing(tmp_path):
    with Writer(tmp_path / "x", (4, 5, 3), 12) as writer:
        writer.append(PIXELS[0], None)
        assert len(os.listdir(tmp_path)) == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["pixels.npy", "labels.npy", "about.json"])
@pytest.mark.parametrize("damage", ["delete", "empty", "shorten", "lengthen", "first byte", "zeros"])
def test_damage_is_found_and_built_over(tmp_path, name, damage):
    build(tmp_path / "x")
    path = tmp_path / "x" / name
    data = path.read_bytes()
    changed = {
        "empty": b"",
        "shorten": data[:-1],
        "lengthen": data + b"\0",
        "first byte": b"?" + data[1:],
        "zeros": bytes(len(data)),
    }
    path.unlink() if damage == "delete" else path.write_bytes(changed[damage])
    assert open_cached(tmp_path / "x") is None
    build(tmp_path / "x")
    assert (open_cached(tmp_path / "x").pixels == PIXELS).all()
    assert os.listdir(tmp_path) == ["x"]


def test_every_flipped_bit_of_what_describes_a_set_is_found(tmp_path):
    build(tmp_path / "x")
    path = tmp_path / "x" / "about.json"
    data = path.read_bytes()
    silent = 0
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        silent += open_cached(tmp_path / "x") is not None
    assert silent == 0


def test_of_two_builders_the_first_stays(tmp_path):
    with Writer(tmp_path / "x", (4, 5, 3), 12) as slow:
        slow.append(PIXELS[0], None)
        build(tmp_path / "x")
        kept = (tmp_path / "x" / "pixels.npy").stat().st_ino
        slow.commit(ScanReport("somewhere", usable=1))
    assert (tmp_path / "x" / "pixels.npy").stat().st_ino == kept
    assert os.listdir(tmp_path) == ["x"]


def test_what_dead_processes_left_is_swept_but_not_the_living(tmp_path):
    for name in (".old.1-aa", ".young.2-bb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pixels.npy").write_bytes(b"1")
    for path in (tmp_path / ".old.1-aa" / "pixels.npy", tmp_path / ".old.1-aa"):
        os.utime(path, (1, 1))
    build(tmp_path / "x")
    assert sorted(os.listdir(tmp_path)) == [".young.2-bb", "x"]


def test_a_disk_too_small_is_seen_before_decoding(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 500, 500))
    with pytest.raises(DiskError, match="decoded pictures need"):
        build(tmp_path / "x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "error"), [(errno.ENOSPC, DiskError), (errno.EIO, DiskError), (errno.EROFS, LockedError)]
)
def test_a_failing_disk_is_explained_and_leaves_nothing(tmp_path, monkeypatch, code, error):
    def fail(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("saddlepoint.data.cache.os.fsync", fail)
    with pytest.raises(error) as caught:
        build(tmp_path / "x")
    assert caught.value.where == str(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_cache_that_cannot_be_made_names_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    for attempt in (lambda: build(tmp_path / "file" / "x"), lambda: write_json(tmp_path / "file" / "x.json", {})):
        with pytest.raises(LockedError) as error:
            attempt()
        assert "SADDLEPOINT_CACHE" in error.value.fix


def test_json_is_written_whole(tmp_path):
    write_json(tmp_path / "a" / "x.json", {"b\udcff": 1})
    assert json.loads((tmp_path / "a" / "x.json").read_text()) == {"b\udcff": 1}
    assert os.listdir(tmp_path / "a") == ["x.json"]


def test_where_the_cache_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "own"
    monkeypatch.delenv("SADDLEPOINT_CACHE")
    assert default_folder() == tmp_path / "xdg" / "saddlepoint"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_folder() == tmp_path / "home" / ".cache" / "saddlepoint"
