"""Pairs and unpaired sets, from folders, arrays and nothing at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saddlepoint.data.blank import Blank
from saddlepoint.data.images import Images
from saddlepoint.data.pairs import Pairs, Unpaired, held_out_pairs, held_out_unpaired, pairs, unpaired
from saddlepoint.data.policy import Policy
from saddlepoint.data.sides import translatable
from saddlepoint.data.source import Source, open_source
from saddlepoint.errors import DataError, UsageError

SIZE = 16


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def couples(tmp_path: Path) -> Path:
    """Folders `left` and `right`; a picture and its partner are of one gray, of which the partner has the opposite."""
    for number in range(12):
        write(tmp_path / "couples" / "left" / f"{number}.png", 10 * number)
        write(tmp_path / "couples" / "right" / f"{number}.png", 255 - 10 * number)
    return tmp_path / "couples"


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """The same in pictures side by side, twice as large as they are read."""
    (tmp_path / "wide").mkdir()
    for number in range(12):
        halves = [np.full((2 * SIZE, 2 * SIZE), gray, np.uint8) for gray in (10 * number, 255 - 10 * number)]
        Image.fromarray(np.hstack(halves)).save(tmp_path / "wide" / f"{number:02d}.png")
    return tmp_path / "wide"


def write(path: Path, gray: int, size: int = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size), gray, np.uint8)).save(path)


def grays(images: Images) -> list[int]:
    """The gray of each picture of one gray."""
    pixels = images.pixels[np.arange(len(images))]
    assert (pixels == pixels[:, :1, :1]).all(), "one side shows no seam of the other"
    return pixels[:, 0, 0, 0].tolist()


def belong_together(found: Pairs) -> bool:
    return [255 - gray for gray in grays(found.source)] == grays(found.target)


def test_equal_names_belong_together_in_whatever_order_and_format_they_lie(couples: Path) -> None:
    for number in range(12):
        picture = couples / "right" / f"{number}.png"
        Image.open(picture).save(picture.with_suffix(".bmp"))
        picture.unlink()
    found = pairs(open_source(couples), size=SIZE)
    assert len(found) == 12
    assert found.shape == (1, SIZE, SIZE)
    assert found.sides == ("left", "right")
    assert belong_together(found)


def test_halves_belong_together(wide: Path) -> None:
    found = pairs(open_source(wide, flip=True, seed=5), size=SIZE, channels=3)
    assert (len(found), found.shape, found.sides) == (12, (3, SIZE, SIZE), ("source", "target"))
    assert belong_together(found)
    assert grays(found.source) == [10 * number for number in range(12)]
    assert (found.source.flip, found.source.seed) == (True, 5)
    assert found.facts() == {
        "name": "wide",
        "count": 12,
        "channels": 3,
        "height": SIZE,
        "width": SIZE,
        "classes": ["source", "target"],
        "fingerprint": found.fingerprint,
    }


def test_the_record_of_a_set_is_enough_for_a_blank_one(couples: Path) -> None:
    facts = pairs(open_source(couples), size=SIZE).facts()
    blank = Blank(facts["channels"], (facts["height"], facts["width"]), tuple(facts["classes"]))
    for rebuild in (pairs, unpaired):
        found = rebuild(blank, size=SIZE, channels=None)
        assert (found.shape, found.sides) == ((1, SIZE, SIZE), ("left", "right"))
    assert pairs(Blank(), size=SIZE).sides == ("source", "target")


@pytest.mark.parametrize("kind", ["couples", "wide"])
def test_what_is_held_out_are_whole_pairs(kind: str, request: pytest.FixtureRequest) -> None:
    source = open_source(request.getfixturevalue(kind), holdout=0.25)
    kept, held = pairs(source, size=SIZE), held_out_pairs(source, size=SIZE)
    assert (len(kept), len(held)) == (9, 3)
    assert belong_together(kept)
    assert belong_together(held)
    assert set(grays(kept.source)) | set(grays(held.source)) == {10 * number for number in range(12)}
    everything = pairs(open_source(request.getfixturevalue(kind)), size=SIZE)
    assert len({kept.fingerprint, held.fingerprint, everything.fingerprint}) == 3
    apart, rest = unpaired(source, size=SIZE), held_out_unpaired(source, size=SIZE)
    assert (len(apart.source), len(apart.target), len(rest.source), len(rest.target)) == (9, 9, 3, 3)


def test_nothing_is_held_out_unless_asked_for(couples: Path) -> None:
    for held_out in (held_out_pairs, held_out_unpaired):
        with pytest.raises(UsageError, match="cannot be held out"):
            held_out(open_source(couples), size=SIZE)


def test_two_folders_are_two_sets_of_any_length(couples: Path) -> None:
    (couples / "right" / "0.png").unlink()
    found = unpaired(open_source(couples), size=SIZE)
    assert isinstance(found, Unpaired)
    assert (len(found.source), len(found.target), len(found)) == (12, 11, 12)
    assert sorted(grays(found.source)) == [10 * number for number in range(12)]
    assert max(grays(found.target)) == 245
    assert found.source.labels is found.target.labels is None
    assert found.fingerprint != pairs(open_source(couples, policy=Policy(max_bad=1)), size=SIZE).fingerprint


def test_pairs_may_be_used_as_two_sets(wide: Path) -> None:
    found = unpaired(open_source(wide), size=SIZE)
    assert sorted(grays(found.target)) == sorted(255 - gray for gray in grays(found.source))
    assert found.fingerprint != pairs(open_source(wide), size=SIZE).fingerprint


def test_classes_of_a_label_file_are_two_sets_as_well(couples: Path) -> None:
    (couples / "labels.csv").write_text(
        "name,smiles\n" + "".join(f"{side}/{n}.png,{n % 2}\n" for side in ("left", "right") for n in range(12))
    )
    found = unpaired(open_source(couples), size=SIZE)
    assert found.sides == ("0", "1")
    assert {gray % 20 for gray in grays(found.source) if gray <= 110} == {0}


def test_published_folders_of_two_sets_and_their_test_parts(couples: Path) -> None:
    for old, new in (("left", "trainA"), ("right", "trainB")):
        (couples / old).rename(couples / new)
    write(couples / "testA" / "a.png", 3)
    write(couples / "testA" / "b.png", 4)
    write(couples / "testB" / "c.png", 5)
    write(couples / "testB" / "d.png", 6)
    source = open_source(couples)
    found, held = unpaired(source, size=SIZE), held_out_unpaired(source, size=SIZE)
    assert (found.sides, len(found.source), len(found.target)) == (("A", "B"), 12, 12)
    assert (held.sides, grays(held.source), grays(held.target)) == (("A", "B"), [3, 4], [5, 6])
    share = held_out_unpaired(open_source(couples, holdout=0.25), size=SIZE)
    assert set(grays(share.source)) < set(grays(found.source))
    assert belong_together(pairs(source, size=SIZE))


def test_a_few_lonely_pictures_are_left_out_and_many_are_refused(couples: Path) -> None:
    (couples / "left" / "3.png").unlink()
    write(couples / "right" / "extra.png", 7)
    with pytest.raises(DataError, match="2 of 24 pictures have no partner") as caught:
        pairs(open_source(couples), size=SIZE)
    assert "right/3.png" in caught.value.where
    assert "--max-bad" in caught.value.fix
    found = pairs(open_source(couples, policy=Policy(max_bad=0.1)), size=SIZE)
    assert len(found) == 11
    assert belong_together(found)
    with pytest.raises(DataError, match="no partner"):
        pairs(open_source(couples, policy=Policy(max_bad=0.1, on_bad="stop")), size=SIZE)


def test_the_partner_of_a_damaged_picture_is_lonely(couples: Path) -> None:
    (couples / "left" / "3.png").write_bytes(b"no picture")
    found = pairs(open_source(couples, policy=Policy(max_bad=0.1)), size=SIZE)
    assert len(found) == 11
    assert belong_together(found)


def test_names_that_never_match_and_names_that_match_twice_are_refused(couples: Path) -> None:
    shutil.copy(couples / "left" / "3.png", couples / "left" / "3.bmp")
    with pytest.raises(DataError, match=r"two pictures of `left` have the same name: left/3.bmp and left/3.png"):
        pairs(open_source(couples), size=SIZE)
    (couples / "left" / "3.bmp").unlink()
    for picture in (couples / "left").iterdir():
        picture.rename(picture.with_name(f"left-{picture.name}"))
    with pytest.raises(DataError, match="24 of 24 pictures have no partner"):
        pairs(open_source(couples, policy=Policy(max_bad=1)), size=SIZE)


def test_three_folders_and_parts_of_a_set_are_no_sides(couples: Path) -> None:
    write(couples / "middle" / "1.png", 7)
    write(couples / "middle" / "2.png", 8)
    for verb in (pairs, unpaired):
        with pytest.raises(UsageError, match=r"3 classes \(left, middle, right\)") as caught:
            verb(open_source(couples), size=SIZE)
        assert "side by side" in caught.value.fix
    shutil.rmtree(couples / "middle")
    for old, new in (("left", "train"), ("right", "val")):
        (couples / old).rename(couples / new)
    with pytest.raises(UsageError, match="2 classes") as caught:
        pairs(open_source(couples), size=SIZE)
    assert "give one of them" in caught.value.fix


def test_pictures_that_are_not_two_squares_are_refused_with_both_layouts(wide: Path) -> None:
    Image.new("L", (48, SIZE)).save(wide / "long.png")
    for verb in (pairs, unpaired):
        with pytest.raises(DataError, match=r"1 of 13 pictures are not twice as wide .* 48x16") as caught:
            verb(open_source(wide), size=SIZE)
        assert "two folders" in caught.value.fix
    stretched = Policy(crop="stretch")
    assert len(pairs(open_source(wide, policy=stretched), size=SIZE)) == 13
    Image.new("L", (49, SIZE)).save(wide / "long.png")
    with pytest.raises(DataError, match="49x16"):
        pairs(open_source(wide, policy=stretched), size=SIZE)


def test_arrays_side_by_side_and_a_part_of_them() -> None:
    pixels = np.zeros((10, SIZE, 2 * SIZE, 3), np.uint8)
    pixels[:, :, :SIZE] = np.arange(10)[:, None, None, None]
    pixels[:, :, SIZE:] = 255 - np.arange(10)[:, None, None, None]
    part = Source(pixels, holdout=0.5).images()
    for given, count in ((pixels, 10), (part, 5)):
        found = pairs(Source(given), size=SIZE)
        assert len(found) == count
        assert belong_together(found)
    with pytest.raises(DataError, match="16x16"):
        pairs(Source(pixels[:, :, :SIZE]), size=SIZE)


def test_what_a_translating_recipe_would_make_of_a_set_is_told(couples: Path, wide: Path) -> None:
    def told(place: Path) -> str | None:
        source = open_source(place)
        return translatable(source, source.images(size=SIZE))

    assert "the sides left and right, with 12 pairs of equal names" in told(couples)
    assert "side by side" in told(wide)
    for picture in (couples / "left").iterdir():
        picture.rename(picture.with_name(f"left-{picture.name}"))
    assert "no names in common" in told(couples)
    write(couples / "middle" / "1.png", 7)
    write(couples / "middle" / "2.png", 8)
    assert told(couples) is None
    Image.new("L", (48, SIZE)).save(wide / "long.png")
    assert told(wide) is None


def test_points_are_no_pictures() -> None:
    with pytest.raises(UsageError, match="set of points"):
        unpaired(open_source("ring8"), size=SIZE)


def test_asking_takes_no_memory(wide: Path) -> None:
    found = pairs(open_source(wide), size=SIZE)
    assert isinstance(found.source.pixels, np.memmap)
    assert not found.target.pixels.flags.owndata
