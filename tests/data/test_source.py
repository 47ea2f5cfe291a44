"""From a path to decoded pictures, end to end."""

import os
import shutil
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from saddlepoint.data import source as source_module
from saddlepoint.data.images import Images
from saddlepoint.data.policy import Policy
from saddlepoint.data.scan import Watch
from saddlepoint.data.source import open_source
from saddlepoint.errors import DataError, DiskError, MissingError, SaddleError, Stopped, UsageError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def photos(tmp_path, fill):
    fill(tmp_path / "photos" / "dog", 4, seed=0)
    fill(tmp_path / "photos" / "cat", 3, seed=20)
    return tmp_path / "photos"


@pytest.fixture
def decodes(monkeypatch):
    """Counts scans."""
    calls = []
    scan = source_module.scan
    monkeypatch.setattr(source_module, "scan", lambda *args, **kwargs: calls.append(1) or scan(*args, **kwargs))
    return calls


def test_a_folder_of_classes(photos):
    images = open_source(str(photos), seed=5, flip=True).images(size=16, channels=3)
    assert images.pixels.shape == (7, 16, 16, 3)
    assert images.classes == ("cat", "dog")
    assert images.labels.tolist() == [0] * 3 + [1] * 4
    assert images.name == "photos"
    assert images.report.usable == 7
    assert (images.seed, images.flip) == (5, True)
    batch = images.stream(4).read(0, 4)
    assert batch.image.shape == (4, 3, 16, 16)
    assert batch.image.abs().max() <= 1


def test_a_folder_its_zip_and_its_npz_hold_the_same_pictures(photos, tmp_path):
    folder = open_source(photos).images(size=(12, 16), channels=3)
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", photos)
    zipped = open_source(packed).images(size=(12, 16), channels=3)
    full = open_source(photos).images()
    np.savez(tmp_path / "x.npz", images=full.pixels, labels=full.labels, classes=full.classes)
    arrays = open_source(tmp_path / "x.npz").images(size=(12, 16), channels=3)
    for other in (zipped, arrays):
        assert (other.pixels == folder.pixels).all()
        assert (other.labels == folder.labels).all()
        assert other.classes == folder.classes


def test_decoding_happens_once(photos, decodes):
    first = open_source(photos).images(size=16, channels=3)
    source = open_source(photos)
    again = source.images(size=16, channels=3)
    assert len(decodes) == 1
    assert isinstance(again.pixels, np.memmap)
    assert (again.pixels == first.pixels).all()
    assert again.fingerprint == first.fingerprint
    assert source.images(size=16, channels=3) is again
    assert source.report == again.report
    others = [
        source.images(size=8, channels=3).fingerprint,
        source.images(size=16, channels=1).fingerprint,
        open_source(photos, policy=Policy(crop="pad")).images(size=16, channels=3).fingerprint,
    ]
    assert len({first.fingerprint, *others}) == 4
    open_source(photos, policy=Policy(max_bad=0.5)).images(size=16, channels=3)
    assert len(decodes) == 4


def test_the_fingerprint_follows_content_and_names_not_time(photos, draw, encode):
    first = open_source(photos)
    assert len(first.fingerprint) == 64
    os.utime(photos / "cat" / "0.png", (1, 1))
    assert open_source(photos).fingerprint == first.fingerprint
    moved = photos.with_name("moved")
    photos.rename(moved)
    assert open_source(moved).fingerprint == first.fingerprint
    (moved / "cat" / "0.png").rename(moved / "cat" / "00.png")
    renamed = open_source(moved).fingerprint
    assert renamed != first.fingerprint
    (moved / "cat" / "00.png").write_bytes(encode(draw(seed=77)))
    assert open_source(moved).fingerprint not in (renamed, first.fingerprint)


def test_pictures_added_later_wait(photos, fill):
    first = open_source(photos)
    fingerprint = first.fingerprint
    fill(photos / "cow", 2)
    (photos / "emu").mkdir()
    (photos / "cat" / "new.heic").touch()
    assert open_source(photos).fingerprint != fingerprint
    again = open_source(photos, only=set(first.index))
    assert again.fingerprint == fingerprint
    assert again.index == first.index
    assert again.images(size=8, channels=3).classes == ("cat", "dog")


def test_sizes_and_channels_of_their_own(photos, draw, encode, decodes):
    assert open_source(photos).images().pixels.shape == (7, 24, 24, 3)
    open_source(photos).images()
    assert len(decodes) == 2  # one to learn the size, one to decode; then both are remembered
    (photos / "cat" / "wide.png").write_bytes(encode(draw(40, 20)))
    with pytest.raises(UsageError) as error:
        open_source(photos).images()
    assert error.value.what == "pictures have 2 different sizes (most often 24x24 7 times, 40x20 1 times)"
    for path in photos.rglob("*.png"):
        path.write_bytes(encode(draw(mode="L", seed=len(path.name))))
    assert open_source(photos).images().channels == 1


def test_arrays_in_memory():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)
    assert open_source(pixels).images().pixels is pixels
    assert open_source(pixels, seed=3).images(size=16, channels=3).seed == 3
    assert open_source(pixels).images(size=8, channels=1).pixels.shape == (6, 8, 8, 1)
    images = Images.of(pixels, np.array([0, 1] * 3), classes=("a", "b"), name="mine")
    small = open_source(images).images(size=8)
    assert (small.name, small.classes, small.labels.tolist()) == ("mine", ("a", "b"), [0, 1] * 3)
    with pytest.raises(DataError):
        open_source(pixels / 255)


def test_named_sets_come_from_the_catalog(monkeypatch, cache):
    pixels = np.zeros((3, 8, 8, 1), np.uint8)
    asked = {}
    monkeypatch.setattr(
        source_module.catalog, "open_named", lambda spec, **given: asked.update(given) or Images.of(pixels)
    )
    source = open_source("digits", seed=4, workers=1)
    images = source.images(size=8, channels=1)
    assert (images.seed, images.workers) == (4, 1)
    assert (asked["size"], asked["channels"], asked["cache"]) == ((8, 8), 1, cache)
    assert source.report is None
    assert source.index == {}
    assert source.fingerprint == open_source("digits").fingerprint != open_source("avatars").fingerprint


@pytest.mark.parametrize("spec", ["", "no/such", "/no/such", "avatar", "x" * 5000, "a\0b"])
def test_places_that_cannot_be_found(spec):
    with pytest.raises((MissingError, UsageError)) as error:
        open_source(spec)
    assert error.value.where == "DATA"


def test_what_is_not_found_names_the_nearest_thing_that_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingError) as error:
        open_source("/no/such")
    assert error.value.what == "data folder not found: /no/such"
    assert error.value.fix == "check the path; nearest existing parent is /"
    with pytest.raises(MissingError) as error:
        open_source("photos/cats")
    assert error.value.fix == f"check the path; nearest existing parent is {tmp_path}"
    with pytest.raises(MissingError) as error:
        open_source("avatar")
    assert error.value.fix == "did you mean the named set `avatars`?"


def test_kinds_of_files_that_are_not_read(tmp_path, photos):
    for path in (tmp_path / "x.tar", photos / "cat" / "0.png"):
        path.touch()
        with pytest.raises(UsageError, match="neither a folder, a zip nor an npz"):
            open_source(path)
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(UsageError):
        open_source(tmp_path / "pipe.zip")


@pytest.mark.parametrize("given", [{"size": 0}, {"size": (8, 9000)}, {"size": 8, "channels": 2}])
def test_shapes_that_no_picture_has(photos, given):
    with pytest.raises(UsageError):
        open_source(photos).images(**given)


def test_a_refused_set_keeps_its_report(photos):
    (photos / "cat" / "bad.png").write_bytes(b"?")
    source = open_source(photos)
    with pytest.raises(DataError, match=r"1 of 8 images unusable \(12%, limit 5%\)"):
        source.images(size=8, channels=3)
    assert source.report.bad == 1
    assert len(open_source(photos, policy=Policy(max_bad=0.2)).images(size=8, channels=3)) == 7


@pytest.mark.parametrize("content", ["empty", "text only"])
def test_zips_and_folders_without_pictures(tmp_path, content):
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        if content == "text only":
            archive.writestr("a.txt", "?")
            (tmp_path / "folder" / "a.txt").write_text("?")
    for place in ("folder", "x.zip"):
        with pytest.raises(MissingError):
            open_source(tmp_path / place).images(size=8, channels=3)
    assert not (tmp_path / "cache" / "sets").exists() or os.listdir(tmp_path / "cache" / "sets") == []


def test_one_picture_is_a_set(tmp_path, fill):
    images = open_source(fill(tmp_path / "one", 1)).images(size=8, channels=3)
    assert images.stream(1).read(0, 3).image.shape == (3, 3, 8, 8)
    with pytest.raises(UsageError, match=r"batch 2 is larger than the data set \(1 image"):
        images.stream(2)


def test_a_stop_leaves_no_half_set(photos, cache):
    answers = iter([False] * 9)
    with pytest.raises(Stopped):
        open_source(photos, watch=Watch(lambda: next(answers, True))).images(size=8, channels=3)
    assert os.listdir(cache / "sets") == []


def test_a_damaged_cache_is_built_again(photos, cache, decodes):
    first = np.array(open_source(photos).images(size=8, channels=3).pixels)
    (folder,) = (cache / "sets").iterdir()
    (folder / "pixels.npy").write_bytes(b"?")
    assert (open_source(photos).images(size=8, channels=3).pixels == first).all()
    assert len(decodes) == 2
    shutil.rmtree(cache)
    assert (open_source(photos).images(size=8, channels=3).pixels == first).all()


def test_a_read_back_that_fails_is_a_disk_error(photos, monkeypatch):
    monkeypatch.setattr(source_module, "open_cached", lambda folder: None)
    with pytest.raises(DiskError):
        open_source(photos).images(size=8, channels=3)


def test_processes_may_build_at_once(photos, cache):
    script = (
        "import sys; from saddlepoint.data.source import open_source\n"
        "print(int(open_source(sys.argv[1]).images(size=16, channels=3).pixels.sum()))\n"
    )
    command = [sys.executable, "-c", script, str(photos)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    sums = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert sums == {f"{int(open_source(photos).images(size=16, channels=3).pixels.sum())}\n"}
    assert len(os.listdir(cache / "sets")) == 1


def test_the_whole_zoo_leaves_the_good_pictures(tmp_path, fill, draw, encode):
    """Bad files one to one with good ones: every good one is used, every bad one is in the report."""
    folder = fill(tmp_path / "zoo", 12)
    png, jpeg = encode(draw(64, 64)), encode(draw(64, 64), "JPEG")
    bad = {
        "zero.png": b"", "text.png": b"hello", "404.jpg": b"<html>", "half.png": png[: len(png) // 2],
        "half.jpg": jpeg[: len(jpeg) // 2], "eps.png": b"%!PS-Adobe-3.0 EPSF-3.0", "one.png": encode(draw(1, 1)),
        "clear.png": encode(draw().convert("RGBA").point(lambda value: 0)), "x.heic": b"\0\0\0\x18ftypheic",
    }  # fmt: skip
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    os.mkfifo(folder / "pipe.png")
    (folder / "dangling.png").symlink_to("nowhere")
    started = time.perf_counter()
    images = open_source(folder, policy=Policy(max_bad=1)).images(size=16, channels=3)
    assert time.perf_counter() - started < 5
    assert len(images) == 12
    reported = {record["name"] for records in images.report.skipped.values() for record in records}
    assert reported == {*bad, "pipe.png", "dangling.png"}
    good = open_source(fill(tmp_path / "good", 12)).images(size=16, channels=3)
    assert (good.pixels == images.pixels).all()


def test_all_errors_fit_on_six_lines(tmp_path, fill):
    folder = fill(tmp_path / "many", 3)
    for number in range(40):
        (folder / f"bad {number}.png").write_bytes(b"?")
    with pytest.raises(SaddleError) as error:
        open_source(folder).images(size=8, channels=3)
    assert len(str(error.value).splitlines()) <= 6
