"""Folders: links, special files, odd names, failing disks, and hashes remembered."""

import errno
import os
import shutil
import socket
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from saddlepoint.data.decode import Decoded
from saddlepoint.data.folders import FolderStorage
from saddlepoint.data.listing import changes, index_of
from saddlepoint.data.policy import Policy
from saddlepoint.data.report import LINKED_FOLDER, Reason, Skip
from saddlepoint.errors import DiskError


@pytest.fixture
def survey(tmp_path):
    """Surveys `tmp_path / "set"`."""

    def survey(policy=None, each=lambda: None):
        return FolderStorage(tmp_path / "set", tmp_path / "hashes.json", each).survey(policy or Policy())

    return survey


def names(listing):
    return [entry.name for entry in listing.entries]


def test_what_lies_in_a_folder(tmp_path, survey, fill):
    folder = fill(tmp_path / "set", 2)
    fill(folder / "cat", 1)
    (folder / "cow").mkdir()
    (folder / ".cache").mkdir()
    for junk in (".DS_Store", "notes.txt", "x.heic"):
        (folder / junk).write_bytes(b"?")
    listing = survey()
    assert names(listing) == ["0.png", "1.png", "cat/0.png"]
    assert listing.skipped == [("x.heic", Skip(Reason.FORMAT, "HEIC"))]
    assert listing.ignored == {"system file": 1, "not an image": 1, "hidden folder": 1}
    assert listing.first_ignored == "notes.txt"
    assert listing.empty == ["cow"]


def test_special_files_never_block(tmp_path, survey, fill, monkeypatch):
    folder = fill(tmp_path / "set", 1)
    os.mkfifo(folder / "pipe.png")
    (folder / "dir.png").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(folder)  # socket paths are short
        server.bind("sock.png")
    listing = survey()
    assert names(listing) == ["0.png"]
    assert listing.skipped == [("pipe.png", Skip(Reason.SPECIAL)), ("sock.png", Skip(Reason.SPECIAL))]


def test_a_pipe_put_in_the_place_of_a_listed_file_does_not_block(tmp_path, fill):
    fill(tmp_path / "set", 1)
    storage = FolderStorage(tmp_path / "set", tmp_path / "hashes.json")
    entry = storage.survey(Policy()).entries[0]
    (tmp_path / "set" / "0.png").unlink()
    os.mkfifo(tmp_path / "set" / "0.png")
    assert storage.load(entry, Policy(), None, None) == Skip(Reason.SPECIAL)


def test_links(tmp_path, survey, fill):
    folder, outside = fill(tmp_path / "set", 1), fill(tmp_path / "outside", 2, seed=7)
    (folder / "dangling.png").symlink_to("nowhere.png")
    (folder / "inside.png").symlink_to("0.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "outside.png").symlink_to(outside / "0.png")
    (folder / "more").symlink_to(outside)
    (folder / "circle").symlink_to(folder)
    os.link(outside / "1.png", folder / "hard.png")
    listing = survey()
    assert names(listing) == ["0.png", "hard.png", "inside.png"]
    refused = {name: skip.detail for name, skip in listing.skipped}
    assert set(refused) == {"dangling.png", "loop.png", "outside.png"}
    assert "--follow-links" in refused["outside.png"]
    assert listing.ignored == {LINKED_FOLDER: 2}
    followed = survey(Policy(follow_links=True))
    assert names(followed) == ["0.png", "hard.png", "inside.png", "more/0.png", "more/1.png", "outside.png"]
    assert {name for name, _ in followed.skipped} == {"dangling.png", "loop.png"}


def test_odd_names_are_read(tmp_path, fill, survey):
    data = (fill(tmp_path / "set", 1) / "0.png").read_bytes()
    odd = ["日本語é😀.png", "new\nline.png", "-rf.png", "x" * 250 + ".png", "trailing .png", "CON.png"]
    odd += [unicodedata.normalize(form, "twin é.png") for form in ("NFC", "NFD")]
    for name in [*map(os.fsencode, odd), b"not utf-8 \xff.png"]:
        (tmp_path / "set" / os.fsdecode(name)).write_bytes(data)
    storage = FolderStorage(tmp_path / "set", tmp_path / "hashes.json")
    listing = storage.survey(Policy())
    assert len(listing.entries) == len(odd) + 2
    assert not listing.skipped
    assert all(isinstance(storage.load(entry, Policy(), None, None), Decoded) for entry in listing.entries)


def test_order_does_not_depend_on_the_order_of_creation(tmp_path, fill, survey):
    fill(tmp_path / "set", 9)
    first = survey().entries
    again = tmp_path / "again"
    again.mkdir()
    for path in sorted((tmp_path / "set").iterdir(), reverse=True):
        shutil.copy2(path, again)
    assert FolderStorage(again, tmp_path / "other.json").survey(Policy()).entries == first


def test_changes_are_told_by_content_not_by_time(tmp_path, fill, survey, draw, encode):
    folder = fill(tmp_path / "set", 5)
    old = index_of(survey().entries)
    os.utime(folder / "0.png", (1, 1))
    assert not any(changes(old, index_of(survey().entries)).values())
    (folder / "1.png").write_bytes(encode(draw(seed=99)))
    (folder / "2.png").unlink()
    (folder / "3.png").write_bytes((folder / "3.png").read_bytes()[:-20])
    (folder / "new.png").write_bytes(encode(draw(seed=100)))
    found = changes(old, index_of(survey().entries))
    assert found == {"changed": ["1.png", "3.png"], "gone": ["2.png"], "added": ["new.png"]}


def test_files_are_hashed_once_and_again_when_they_change(tmp_path, fill, monkeypatch, survey, draw, encode):
    folder = fill(tmp_path / "set", 3)
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)  # else the files are too young to be trusted
    first = survey().entries
    reads = []
    read = FolderStorage._read
    monkeypatch.setattr(FolderStorage, "_read", lambda self, name: reads.append(name) or read(self, name))
    assert survey().entries == first
    assert reads == []
    size = (folder / "1.png").stat().st_size
    before = (folder / "1.png").stat()
    (folder / "1.png").write_bytes(encode(draw(seed=50)).ljust(size, b"\0")[:size])
    os.utime(folder / "1.png", ns=(before.st_atime_ns, before.st_mtime_ns))  # same size, same time
    assert survey().entries[1].digest != first[1].digest
    assert reads == ["1.png"]
    (tmp_path / "hashes.json").write_text('{"0.png": [1], "1.png": null}')
    assert len(survey().entries) == 3


def test_young_files_are_hashed_again(tmp_path, fill, survey):
    fill(tmp_path / "set", 1)
    survey()
    assert not (tmp_path / "hashes.json").exists()


def test_a_file_that_changes_between_listing_and_reading_is_skipped(tmp_path, fill, draw, encode):
    folder = fill(tmp_path / "set", 2)
    storage = FolderStorage(folder, tmp_path / "hashes.json")
    first, second = storage.survey(Policy()).entries
    (folder / "0.png").write_bytes(encode(draw(seed=9)))
    (folder / "1.png").unlink()
    assert storage.load(first, Policy(), None, None) == Skip(Reason.CHANGED)
    gone = storage.load(second, Policy(), None, None)
    assert isinstance(gone, Skip)
    assert gone.reason == Reason.UNREADABLE


def failing(code: int):
    real = os.open

    def fail(path, *flags):
        if str(path).endswith("1.png"):
            raise OSError(code, os.strerror(code))
        return real(path, *flags)

    return fail


def test_a_file_without_permission_is_skipped_but_a_failing_disk_ends_the_scan(tmp_path, fill, survey, monkeypatch):
    fill(tmp_path / "set", 3)
    monkeypatch.setattr("saddlepoint.data.folders.os.open", failing(errno.EACCES))
    listing = survey()
    assert names(listing) == ["0.png", "2.png"]
    assert listing.skipped == [("1.png", Skip(Reason.UNREADABLE, "Permission denied"))]
    monkeypatch.setattr("saddlepoint.data.folders.os.open", failing(errno.EIO))
    with pytest.raises(DiskError, match=r"1\.png"):
        survey()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root to become nobody")
def test_a_folder_that_may_not_be_entered_is_reported(tmp_path, fill):
    folder = fill(tmp_path / "set", 1)
    fill(folder / "locked", 1).chmod(0)
    for parent in (tmp_path, *tmp_path.parents[:3]):
        if parent != Path("/tmp"):
            parent.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        listing = FolderStorage(folder, tmp_path / "none.json").survey(Policy())
        os._exit(0 if [name for name, _ in listing.skipped] == ["locked"] else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_large_files_are_not_read(tmp_path, fill, survey):
    folder = fill(tmp_path / "set", 1)
    with (folder / "huge.png").open("wb") as file:
        file.truncate(300 << 20)  # sparse
    assert survey().skipped == [("huge.png", Skip(Reason.TOO_LARGE, "300 MB, limit 256 MB"))]


def test_hashing_can_be_stopped(fill, tmp_path, survey):
    fill(tmp_path / "set", 3)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survey(each=stop)
