"""Emoji by two artists, and as lines and colors, from small packages that the tests write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from saddlepoint.data import emoji, openmoji
from saddlepoint.data.emoji import family_of, firsts
from saddlepoint.data.pairs import pairs
from saddlepoint.data.scan import Watch
from saddlepoint.data.source import open_source
from saddlepoint.data.tarballs import Tarball
from saddlepoint.errors import MissingError, UsageError

from .conftest import draw, encode
from .test_tarballs import pack

HEART, WAVE, WAVE_DARK, FARMER, MAN_FARMER = "2764-FE0F", "1F44B", "1F44B-1F3FF", "1F9D1-200D-1F33E", "1F468-200D-1F33E"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))


def kept(folder: Path, files: dict[str, bytes], name: str) -> Tarball:
    """A package in the cache."""
    tarball = pack(folder, files, name)
    tarball.path.parent.mkdir(parents=True, exist_ok=True)
    (folder / tarball.path.name).rename(tarball.path)
    return tarball


@pytest.mark.parametrize(
    ("code", "family"),
    [
        ("1F44B-1F3FB", "1F44B"),  # a hand, light
        ("1F468-200D-1F33E", "1F9D1-1F33E"),  # a farmer, whoever
        ("1F469-1F3FD-200D-1F33E", "1F9D1-1F33E"),
        ("1F3C3-1F3FF-200D-2640-FE0F", "1F3C3"),  # a woman who runs
        ("2640-FE0F", "2640"),  # the sign itself
        ("1F3FB", ""),  # a skin tone itself
        ("2764-fe0f", "2764"),
    ],
)
def test_a_family_is_what_differs_by_skin_or_gender_only(code: str, family: str) -> None:
    assert family_of(code) == family


def test_of_a_family_the_first_is_kept() -> None:
    assert list(firsts([HEART, WAVE_DARK, WAVE, FARMER, MAN_FARMER, "1F3FB", "2640", "2642"])) == [
        HEART,
        WAVE_DARK,
        FARMER,
        "2640",
        "2642",
    ]


def test_two_artists_stand_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = {HEART: "Symbols", "1F1E9-1F1EA": "Flags", FARMER: "People", MAN_FARMER: "People", "1F600": "Smileys"}
    rows = [
        {
            "unified": code,
            "image": f"{code.lower()}.png",
            "category": category,
            "has_img_google": True,
            "has_img_twitter": code != "1F600",
        }
        for code, category in drawn.items()
    ]
    for first, (constant, name) in ((0, ("GOOGLE", "google")), (10, ("TWITTER", "twitter"))):
        pictures = [encode(draw(64, 64, seed=first + number)) for number in range(len(rows))]
        files = {f"img/{name}/64/{row['image']}": picture for row, picture in zip(rows, pictures, strict=True)}
        files["emoji.json"] = json.dumps(rows).encode()
        monkeypatch.setattr(emoji, constant, kept(tmp_path, files, f"emoji-{name}"))
    images = emoji.open_emoji((64, 128, 3), tmp_path / "cache", Watch())
    assert images.pixels.shape == (2, 64, 128, 3)
    for place, number in ((0, 0), (1, 2)):
        assert np.array_equal(images.pixels[place, :, :64], np.asarray(draw(64, 64, seed=number)))
        assert np.array_equal(images.pixels[place, :, 64:], np.asarray(draw(64, 64, seed=10 + number)))
    assert emoji.open_emoji((16, 32, 1), tmp_path / "cache", Watch()).shape == (1, 16, 32)


def test_lines_and_colors_stand_side_by_side_on_white(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    rows = [
        {"hexcode": code, "group": group}
        for code, group in ((HEART, "symbols"), ("1F3C1", "flags"), (WAVE, "people-body"), (WAVE_DARK, "people-body"))
    ]
    files = {"data/openmoji.json": json.dumps(rows).encode()}
    square = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><rect width="2" height="4" fill="{}"/></svg>'
    for row in rows:
        for folder, color in (("black", "#000000"), ("color", "#ff0000")):
            files[f"{folder}/svg/{row['hexcode']}.svg"] = square.format(color).encode()
    monkeypatch.setattr(openmoji, "PACKAGE", kept(tmp_path, files, "openmoji"))
    images = openmoji.open_openmoji((8, 16, 3), tmp_path / "cache", Watch())
    assert images.pixels.shape == (2, 8, 16, 3)
    row = images.pixels[1, 5]
    assert [tuple(row[x].tolist()) for x in (1, 6, 9, 14)] == [(0, 0, 0), (255,) * 3, (255, 0, 0), (255,) * 3]
    assert openmoji.open_openmoji((8, 16, 4), tmp_path / "cache", Watch()).pixels[0, 5, 6, 3] == 0


def test_named_pairs_are_pairs_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError) as caught:
        pairs(open_source("emoji"), size=16)
    assert caught.value.fix == "saddle data get emoji"
    with pytest.raises(UsageError, match="google and twitter stand side by side") as refused:
        open_source("emoji").images(size=16)
    assert "pix2pix" in refused.value.fix
