"""Classes by label file: found beside the pictures, chosen by attribute, the same in a folder and in a zip."""

import json
import os
import shutil
import zipfile

import pytest

from saddlepoint.data.listing import changes
from saddlepoint.data.policy import Policy
from saddlepoint.data.source import open_source
from saddlepoint.errors import DataError, MissingError, UsageError

FACES = {
    "0.png": {"hair": "short", "glasses": "none"},
    "1.png": {"hair": "long", "glasses": "round"},
    "2.png": {"hair": "long", "glasses": "none"},
    "3.png": {"hair": "short", "glasses": "none"},
    "4.png": {"hair": "long", "glasses": "round"},
    "5.png": {"hair": "long", "glasses": "none"},
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def photos(tmp_path, fill):
    return fill(tmp_path / "photos", 6)


def write(folder, records, file="labels.json"):
    (folder / file).write_text(json.dumps(records))
    return folder


def look(place, **settings):
    return open_source(place, **settings).images(size=8, channels=3)


def test_a_single_attribute_makes_the_classes(photos, tmp_path):
    write(photos, {name: record["hair"] for name, record in FACES.items()})
    images = look(photos)
    assert images.classes == ("long", "short")
    assert images.labels.tolist() == [1, 0, 0, 1, 0, 0]
    assert images.report.classes == {"long": 4, "short": 2}
    assert (images.report.ignored, images.report.warnings()) == ({}, [])
    zipped = look(shutil.make_archive(str(tmp_path / "packed"), "zip", photos))
    assert (zipped.classes, zipped.labels.tolist()) == (images.classes, images.labels.tolist())
    wrapped = look(shutil.make_archive(str(tmp_path / "wrapped"), "zip", tmp_path, "photos"))
    assert (wrapped.classes, wrapped.labels.tolist()) == (images.classes, images.labels.tolist())


def test_labels_come_before_sub_folders(tmp_path, fill):
    folder = tmp_path / "stylegan"
    for part in ("00000", "00001"):
        fill(folder / part, 3)
    pairs = [[f"{part}/{number}.png", 10 * (number % 2)] for part in ("00000", "00001") for number in range(3)]
    write(folder, {"labels": pairs}, "dataset.json")
    assert (look(folder).classes, look(folder).labels.tolist()) == (("0", "10"), [0, 1, 0] * 2)
    write(folder, {"labels": None}, "dataset.json")
    assert look(folder).classes == ("00000", "00001")
    assert look(folder).report.ignored == {"not an image": 1}


def test_of_several_attributes_those_chosen_make_the_classes(photos):
    write(photos, FACES)
    plain = look(photos)
    assert plain.classes == ()
    assert plain.report.warnings() == [
        "labels.json tells of 2 attributes, and --by NAME makes classes of them: hair, glasses"
    ]
    assert open_source(photos).attributes == {"hair": 2, "glasses": 2}
    hair, both = look(photos, by="hair"), look(photos, by=["hair", "glasses"])
    assert (hair.classes, hair.report.warnings()) == (("long", "short"), [])
    assert both.classes == ("glasses=none hair=long", "glasses=none hair=short", "glasses=round hair=long")
    assert both.labels.tolist() == [1, 2, 0, 1, 2, 0]
    assert (look(photos, by="glasses,hair").labels == both.labels).all()
    assert len({images.fingerprint for images in (plain, hair, both)}) == 3


def test_what_is_held_out_keeps_its_labels(photos):
    write(photos, FACES)
    source = open_source(photos, by="hair", holdout=1 / 3)
    whole, kept, held = look(photos, by="hair"), source.images(size=8), source.held_out(size=8)
    for part in (kept, held):
        for picture, label in zip(part.pixels, part.labels, strict=True):
            (same,) = [n for n, pixels in enumerate(whole.pixels) if (pixels == picture).all()]
            assert whole.labels[same] == label
    assert (len(kept), len(held)) == (4, 2)


def test_another_label_is_another_set_and_names_the_picture(photos):
    write(photos, FACES)
    source = open_source(photos, by="hair")
    before, first = source.fingerprint, source.index
    write(photos, {**FACES, "3.png": {"hair": "long", "glasses": "round"}})
    source = open_source(photos, by="hair")
    assert source.fingerprint != before
    assert changes(first, source.index)["changed"] == ["3.png"]
    assert open_source(photos).index["3.png"] == open_source(photos, by=None).index["3.png"]


def test_labels_of_pictures_added_later_wait(photos, fill):
    write(photos, FACES)
    first = open_source(photos, by="hair")
    fingerprint = first.fingerprint
    fill(photos / "more", 1, seed=9)
    write(photos, {**FACES, "more/0.png": {"hair": "bald", "glasses": "none"}})
    again = open_source(photos, by="hair", only=set(first.index))
    assert again.fingerprint == fingerprint
    assert again.images(size=8).classes == ("long", "short")
    assert again.images(size=8).report.warnings() == []


def test_label_files_can_be_left_alone(photos):
    write(photos, dict.fromkeys(FACES, "x"))
    assert look(photos).classes == ()  # what never varies is no class
    (photos / "labels.json").write_text("{")
    for settings in ({"by": None}, {"policy": Policy(classes=False)}):
        images = look(photos, **settings)
        assert images.classes == ()
        assert images.report.ignored == {"not an image": 1}
    with pytest.raises(DataError, match="cannot be used"):
        look(photos)


def test_a_class_with_a_single_picture_is_refused_or_accepted(photos):
    write(photos, {**dict.fromkeys(FACES, "cat"), "3.png": "dog"})
    with pytest.raises(DataError) as caught:
        look(photos)
    assert caught.value.what == "class `dog` has 1 image"
    assert "--drop-empty" in caught.value.fix
    assert look(photos, policy=Policy(drop_empty=True)).report.classes == {"cat": 5, "dog": 1}
    (photos / "3.png").write_bytes(b"?")
    assert look(photos, policy=Policy(drop_empty=True, max_bad=0.5)).report.classes == {"cat": 5}


def test_strays_are_a_note(photos):
    write(photos, {**{name: record["hair"] for name, record in FACES.items()}, "7.png": "long", "8.png": "long"})
    note = "labels.json has labels of 2 pictures that are not there, first 7.png"
    assert look(photos).report.warnings() == [note]
    assert look(photos).report.warnings() == [note]  # from the cache as well


@pytest.mark.parametrize("value", [-1, 0.5, "9" * 101])
def test_a_label_that_names_no_class_is_the_files_fault(photos, value):
    write(photos, {**dict.fromkeys(FACES, 1), "3.png": value})
    with pytest.raises(DataError, match=r"labels\.json cannot be used: `label` of a picture is"):
        look(photos)


@pytest.mark.parametrize(
    ("by", "message"), [("hairs", "unknown attribute 'hairs'; did you mean 'hair'"), ("", "unknown attribute ''")]
)
def test_an_unknown_attribute_lists_the_known(photos, by, message):
    with pytest.raises(UsageError, match=message) as caught:
        look(write(photos, FACES), by=by)
    assert caught.value.fix == "those that vary are glasses, hair"


def test_a_choice_without_a_label_file_says_what_to_write(photos, tmp_path):
    with pytest.raises(UsageError, match="no label file") as caught:
        look(photos, by="hair")
    assert "labels.json" in caught.value.fix
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingError, match="no images found"):
        look(tmp_path / "empty", by="hair")


def test_what_has_no_attributes_says_so(photos):
    pixels = look(photos).pixels
    for spec in ("mnist:train", "digits", "idx:x", "ring8", pixels):
        with pytest.raises(UsageError, match="has no attributes"):
            open_source(spec, by="hair")
    with pytest.raises(UsageError, match="exclude each other"):
        open_source(photos, by="hair", policy=Policy(classes=False))


def test_label_files_that_are_not_the_pictures_own(photos, fill):
    fill(photos / "more", 2, seed=50)
    write(photos / "more", {"0.png": "x", "1.png": "y"})  # beside some of the pictures only
    assert look(photos).classes == ()
    assert look(photos).report.ignored == {"not an image": 1}
    write(photos, dict.fromkeys(FACES, "x"))
    write(photos, {"labels": [[name, 1] for name in FACES]}, "dataset.json")
    with pytest.raises(DataError) as caught:
        look(photos)
    assert caught.value.what == "there are 2 label files: dataset.json, labels.json"


def test_a_damaged_label_file_in_a_zip_is_refused(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(photos / "0.png", "0.png")
        archive.writestr("labels.json", '{"0.png": "secret"}')
    packed = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(packed.replace(b"secret", b"damage"))
    with pytest.raises(DataError, match=r"labels\.json cannot be used: damaged \(Bad CRC"):
        look(tmp_path / "x.zip")


def test_special_label_files_never_block_and_links_are_not_followed(photos, tmp_path):
    os.mkfifo(photos / "labels.json")
    with pytest.raises(DataError, match="cannot be used: not a regular file"):
        look(photos)
    (photos / "labels.json").unlink()
    write(tmp_path, FACES, "outside.json")
    (photos / "labels.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(DataError, match=r"link not followed .*--follow-links"):
        look(photos)
    assert look(photos, by="hair", policy=Policy(follow_links=True)).classes == ("long", "short")
