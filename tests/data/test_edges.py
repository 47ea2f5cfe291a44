"""Edges to photograph: where the lines fall, and that everything else is as with the pictures themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saddlepoint.data.catalog import open_named
from saddlepoint.data.edges import lines
from saddlepoint.data.listing import changes
from saddlepoint.data.pairs import pairs
from saddlepoint.data.source import open_source
from saddlepoint.errors import MissingError, UsageError


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))


def disk(side: int = 64, radius: float = 20, light: int = 220) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.where(np.hypot(y, x) < radius, light, 40).astype(np.uint8)[..., None]


def test_the_edge_of_a_disk_is_a_thin_circle() -> None:
    found = lines(disk())
    y, x = np.nonzero(found)
    away = np.abs(np.hypot(y - 31.5, x - 31.5) - 20)
    assert away.max() < 1.5
    # A circle of radius 20 crosses about 8 r / sqrt(2) = 113 pixels where no two of a step touch along a side.
    assert 100 < found.sum() < 150
    assert np.array_equal(lines(np.repeat(disk(), 3, 2)), found)


@pytest.mark.parametrize(("turned", "place"), [(False, 20), (True, 20)])
def test_a_straight_edge_is_one_pixel_wide(turned: bool, place: int) -> None:
    picture = np.zeros((40, 40, 1), np.uint8)
    picture[:, place:] = 255
    found = lines(picture.transpose(1, 0, 2) if turned else picture)
    found = found.T if turned else found
    assert found.sum(1).tolist() == [1] * 40
    assert set(np.nonzero(found)[1].tolist()) <= {place - 1, place}


def test_faint_edges_count_only_where_they_continue_a_clear_one() -> None:
    assert not lines(disk(light=60)).any()
    faint, both = np.zeros((40, 40, 1), np.uint8), np.zeros((40, 40, 1), np.uint8)
    faint[:, 20:] = 33  # a step of 0.13, its slope 0.05
    both[:, 20:] = np.linspace(33, 90, 40).astype(np.uint8)[:, None, None]
    assert not lines(faint).any()
    assert lines(both)[0].any()


def test_lines_stand_left_of_their_pictures(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(5):
        cut = np.repeat(disk(40, 8 + number)[5:35], 3, 2)
        Image.fromarray(cut).save(tmp_path / "photos" / f"{number}.png")
    source = open_source(f"edges:{tmp_path / 'photos'}", holdout=0.2)
    found = pairs(source, size=16)
    assert (len(found), found.sides, found.shape) == (4, ("edges", "photo"), (3, 16, 16))
    whole = source.whole(size=(16, 32), channels=3)
    plain = open_source(tmp_path / "photos").images(size=16, channels=3)
    assert np.array_equal(whole.pixels[:, :, 16:], plain.pixels)
    for drawn, picture in zip(whole.pixels[:, :, :16], plain.pixels, strict=True):
        assert np.array_equal(drawn == 0, np.repeat(lines(picture)[..., None], 3, 2))
    assert set(np.unique(whole.pixels[:, :, :16])) == {0, 255}
    assert whole.fingerprint != plain.fingerprint
    assert open_named(f"edges:{tmp_path / 'photos'}", size=16).fingerprint == whole.fingerprint


def test_a_change_of_the_pictures_is_noticed(tmp_path: Path, fill: Callable[..., Path]) -> None:
    fill(tmp_path / "photos", 5)
    spec = f"edges:{tmp_path / 'photos'}"
    before = open_source(spec).index
    fill(tmp_path / "photos", 1, seed=77)
    assert changes(before, open_source(spec).index) == {"changed": ["0.png"], "gone": [], "added": []}


def test_transparency_and_gray_are_kept(tmp_path: Path, fill: Callable[..., Path]) -> None:
    fill(tmp_path / "photos", 3)
    source = open_source(f"edges:{tmp_path / 'photos'}")
    assert (source.whole(size=(16, 32), channels=4).pixels[..., 3] == 255).all()
    assert pairs(source, size=16, channels=1).channels == 1
    assert source.images().shape == (3, 24, 48)


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("edges:emoji", UsageError, "pairs already"),
        ("edges:nowhere", MissingError, "not found: nowhere"),
        ("edges:", UsageError, "no data given"),
    ],
)
def test_what_cannot_have_edges_is_refused(spec: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        open_source(spec).images(size=(16, 32))
