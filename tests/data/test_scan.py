"""The scan before step 1: counts, verdicts and their messages."""

import json

import numpy as np
import pytest
from PIL import Image

from saddlepoint.data.folders import FolderStorage
from saddlepoint.data.policy import Policy
from saddlepoint.data.report import ScanReport
from saddlepoint.data.scan import Watch, judge, scan
from saddlepoint.errors import DataError, MissingError, Stopped


@pytest.fixture
def look(tmp_path):
    """Scans `tmp_path / "set"`."""

    def look(policy=None, **settings):
        policy = policy or Policy()
        storage = FolderStorage(tmp_path / "set", tmp_path / "hashes.json")
        return scan(storage, storage.survey(policy), policy, **settings)

    return look


def test_everything_is_counted(tmp_path, fill, draw, encode, look):
    folder = fill(tmp_path / "set", 3)
    (folder / "again.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "blank.png").write_bytes(encode(Image.new("L", (24, 24), 7)))
    (folder / "panorama.png").write_bytes(encode(draw(500, 20)))
    (folder / "deep.png").write_bytes(encode(Image.fromarray(np.arange(576, dtype=np.uint16).reshape(24, 24) * 99)))
    (folder / "jpeg.png").write_bytes(encode(draw(), "JPEG"))
    (folder / "cut.png").write_bytes(encode(draw(64, 64))[:900])
    (folder / "page.jpg").write_bytes(b"<html>")
    (folder / "notes.txt").write_bytes(b"?")
    report = look(size=(64, 64))
    assert report.usable == 8
    assert report.bad == 2
    assert report.skipped["not an image"] == [{"name": "page.jpg", "detail": ""}]
    assert report.skipped["truncated"][0]["name"] == "cut.png"
    assert report.ignored == {"not an image": 1}
    assert report.converted == {"16 bits scaled to 8": 1, "named as another format": 1}
    assert report.sizes == {"24x24": 7, "500x20": 1}
    assert report.common_size is None
    assert report.channels == {"3": 6, "1": 2}
    assert (report.constant, report.duplicates, report.elongated, report.enlarged) == (1, 1, 1, 8)
    assert report.reasons() == "1 truncated, 1 not an image"
    assert [sentence.split(" pictures ")[0] for sentence in report.warnings()] == [
        "2 of 10", "8 of 10", "1 of 10", "1 of 10", "1 of 10"
    ]  # fmt: skip
    assert ScanReport.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_pixels_are_handed_on_in_order(tmp_path, fill, look):
    fill(tmp_path / "set" / "cat", 20, width=20, height=30)
    fill(tmp_path / "set" / "dog", 20, seed=50)
    (tmp_path / "set" / "cat" / "bad.png").write_bytes(b"")
    kept = []
    report = look(size=(8, 6), channels=1, keep=lambda pixels, label: kept.append((pixels.copy(), label)))
    assert [label for _, label in kept] == ["cat"] * 20 + ["dog"] * 20
    assert {pixels.shape for pixels, _ in kept} == {(8, 6, 1)}
    assert report.classes == {"cat": 20, "dog": 20}
    again = []
    look(size=(8, 6), channels=1, keep=lambda pixels, label: again.append(pixels.copy()))
    assert all((a == b).all() for (a, _), b in zip(kept, again, strict=True))


def test_progress_is_told_and_a_stop_obeyed(tmp_path, fill, look):
    fill(tmp_path / "set", 20)
    told = []
    look(watch=Watch(progress=lambda done, total: told.append((done, total))))
    assert told == [(done, 20) for done in range(1, 21)]
    answers = iter([False] * 5 + [True] * 100)
    told.clear()
    with pytest.raises(Stopped) as error:
        look(watch=Watch(lambda: next(answers), lambda done, total: told.append(done)))
    assert error.value.exit_code == 75
    assert told == [1, 2, 3, 4, 5]


def test_stop_at_the_first_bad_picture(tmp_path, fill, look):
    folder = fill(tmp_path / "set", 9)
    (folder / "5.png").write_bytes(b"?")
    with pytest.raises(DataError) as error:
        look(Policy(on_bad="stop"))
    assert error.value.what == "picture cannot be used: 5.png: not an image"
    report = look()
    with pytest.raises(DataError, match=r"5\.png"):
        judge(report, Policy(on_bad="stop"))


def test_too_many_bad_pictures_are_refused(tmp_path, fill, look):
    folder = fill(tmp_path / "set", 10)
    for number in range(4):
        (folder / f"{number}.png").write_bytes(b"?")
    report = look()
    with pytest.raises(DataError) as error:
        judge(report, Policy())
    assert error.value.what == "4 of 10 images unusable (40%, limit 5%): 4 not an image"
    assert error.value.where == f"{folder}, first 0.png: not an image"
    assert error.value.fix == "repair or remove them, or --max-bad 45%"
    judge(report, Policy(max_bad=0.45))


def test_an_empty_folder(tmp_path, look):
    (tmp_path / "set").mkdir()
    with pytest.raises(MissingError) as error:
        judge(look(), Policy())
    assert error.value.exit_code == 66
    assert error.value.what == f"no images found in {tmp_path / 'set'} (0 files seen)"
    assert error.value.fix == "supported: png jpg webp bmp tif gif; sub-folders are searched"


def test_a_folder_without_any_picture(tmp_path, look):
    (tmp_path / "set").mkdir()
    for number in range(50):
        (tmp_path / "set" / f"{number:02}.txt").write_text("?")
    with pytest.raises(MissingError) as error:
        judge(look(), Policy())
    assert error.value.what == "no usable image among 50 files (50 not an image)"
    assert error.value.where == f"{tmp_path / 'set'}, first 00.txt"
    with pytest.raises(MissingError, match="50 not an image"):
        judge(look(Policy(sniff=True)), Policy())


def test_a_folder_of_heic(tmp_path, look):
    (tmp_path / "set").mkdir()
    for number in range(300):
        (tmp_path / "set" / f"{number}.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(MissingError) as error:
        judge(look(), Policy())
    assert error.value.what == "300 files are HEIC, which is not read"
    assert "heif-convert" in error.value.fix


def test_classes_with_too_few_pictures(tmp_path, fill, look):
    fill(tmp_path / "set" / "cat", 3)
    fill(tmp_path / "set" / "dog", 1, seed=9)
    (tmp_path / "set" / "cow").mkdir()
    with pytest.raises(DataError) as error:
        judge(look(), Policy())
    assert error.value.what == "class `cow` has 0 images, `dog` has 1 image"
    assert error.value.fix == "add images, --drop-empty, or --no-classes to train without classes"
    policy = Policy(drop_empty=True)
    report = look(policy)
    judge(report, policy)
    assert report.classes == {"cat": 3, "dog": 1}
    policy = Policy(classes=False)
    report = look(policy)
    judge(report, policy)
    assert report.classes == {}


def test_a_class_whose_pictures_are_all_bad_is_empty(tmp_path, fill, look):
    fill(tmp_path / "set" / "cat", 50)
    (tmp_path / "set" / "dog").mkdir()
    (tmp_path / "set" / "dog" / "1.heic").write_bytes(b"?")
    with pytest.raises(DataError, match="`dog` has 0 images"):
        judge(look(), Policy())


def test_pictures_beside_sub_folders_make_one_set_and_a_warning(tmp_path, fill, look):
    fill(tmp_path / "set", 2)
    fill(tmp_path / "set" / "cat", 2, seed=5)
    report = look()
    assert report.classes == {}
    assert report.usable == 4
    assert "as one set without classes" in report.warnings()[-1]


def test_links_to_folders_are_mentioned(tmp_path, fill, look):
    fill(tmp_path / "set", 2)
    (tmp_path / "set" / "more").symlink_to(fill(tmp_path / "elsewhere", 2))
    assert look().warnings() == ["1 links to folders are not followed: --follow-links"]


def test_another_aspect_ratio_stops_when_asked(tmp_path, fill, look, draw, encode):
    fill(tmp_path / "set", 2)
    (tmp_path / "set" / "wide.png").write_bytes(encode(draw(40, 20)))
    policy = Policy(crop="stop", max_bad=1)
    with pytest.raises(DataError) as error:
        judge(look(policy, size=(16, 16)), policy)
    assert error.value.where == "wide.png"
    assert "40x20 for 16x16" in error.value.what


def test_odd_names_are_escaped_in_messages(tmp_path, look):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "new\nline\x1b[31m.png").write_bytes(b"?")
    with pytest.raises(MissingError) as error:
        judge(look(), Policy())
    assert "\n" not in error.value.where
    assert r"'new\nline\x1b[31m.png'" in error.value.where


def test_thousands_of_sizes_stay_a_short_histogram():
    report = ScanReport("x")
    for width in range(8, 3008):
        report.measure(width, 100)
    assert len(report.sizes) == 1001
    assert report.sizes.total() == 3000
