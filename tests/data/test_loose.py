"""Pictures used one by one: wherever they lie, each at its own size, and the damaged ones reported."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saddlepoint.data.loose import Loose
from saddlepoint.data.policy import Policy
from saddlepoint.errors import DataError, MissingError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three pictures of three sizes and kinds, one of them turned, in two folders."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    Image.new("RGB", (20, 10), "red").save(folder / "a.png")
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(folder / "empty.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("L", (12, 8), 64).save(folder / "deep" / "b.jpg", exif=turned)
    return folder


def shapes(pictures: Loose) -> dict[str, tuple[int, ...]]:
    return {name: pixels.shape for name, pixels in pictures}


def test_a_tree_gives_every_usable_picture_at_its_own_size(tree: Path) -> None:
    pictures = Loose(str(tree), channels=3, policy=Policy(max_bad=0.5))
    assert not pictures.single
    assert shapes(pictures) == {"a.png": (10, 20, 3), "deep/b.jpg": (12, 8, 3)}
    assert pictures.report.usable == 2
    # A picture without a single visible point is none, as wherever pictures become data.
    assert pictures.report.first_bad() == "empty.png: all transparent"


def test_the_shorter_side_is_scaled(tree: Path) -> None:
    assert shapes(Loose(str(tree), channels=1, size=30, policy=Policy(max_bad=0.5))) == {
        "a.png": (30, 60, 1),
        "deep/b.jpg": (45, 30, 1),
    }


def test_shrinking_averages_instead_of_picking(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (32, 16))
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    ((_, pixels),) = Loose(str(tmp_path / "stripes.png"), channels=1, size=8)
    assert np.abs(pixels.astype(int) - 127).max() <= 16  # at the border the kernel is cut, and not quite even


def test_one_picture_is_itself(tree: Path) -> None:
    pictures = Loose(str(tree / "deep" / "b.jpg"), channels=4)
    assert pictures.single
    assert pictures.names == ["b.jpg"]
    assert shapes(pictures) == {"b.jpg": (12, 8, 4)}


def test_a_zip_is_a_tree(tree: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.write(tree / "a.png", "one/a.png")
    assert shapes(Loose(str(tmp_path / "photos.zip"), channels=3)) == {"one/a.png": (10, 20, 3)}


def test_too_many_damaged_pictures_are_told_after_the_last(tree: Path) -> None:
    (tree / "c.png").write_bytes((tree / "a.png").read_bytes()[:40])
    seen = []
    with pytest.raises(DataError, match=r"2 of 4 images unusable \(50%, limit 5%\)"):
        seen.extend(name for name, _ in Loose(str(tree), channels=3))
    assert seen == ["a.png", "deep/b.jpg"]
    with pytest.raises(DataError, match="picture cannot be used"):
        list(Loose(str(tree), channels=3, policy=Policy(on_bad="stop")))


def test_what_is_not_there_or_no_picture_is_named(tree: Path) -> None:
    with pytest.raises(MissingError, match="nothing to look at in nowhere"):
        Loose("nowhere", channels=3)
    (tree / "notes.png").write_text("shopping list")
    with pytest.raises(DataError, match=r"notes\.png cannot be used: not an image"):
        Loose(str(tree / "notes.png"), channels=3)
    (tree / "void").mkdir()
    with pytest.raises(MissingError, match="no images found"):
        list(Loose(str(tree / "void"), channels=3))
