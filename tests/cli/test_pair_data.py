"""What the command says of data that a recipe which translates could use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from saddlepoint.data.catalog import lookup
from tests.cli.conftest import Call


def test_check_says_what_pairs_there_are(saddle: Call, tmp_path: Path) -> None:
    for side in ("day", "night"):
        (tmp_path / "both" / side).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (16, 16), (number, 9, 9)).save(tmp_path / "both" / side / f"{number}.png")
    assert (
        "  to a recipe that translates: the sides day and night, with 3 pairs of equal names\n"
        in saddle("data", "check", tmp_path / "both").out
    )
    (tmp_path / "wide").mkdir()
    Image.new("RGB", (32, 16)).save(tmp_path / "wide" / "1.png")
    answer = saddle("data", "check", tmp_path / "wide", "--json")
    assert "source left and target right" in json.loads(answer.out)["pairs"]


@pytest.mark.skipif(not lookup("avatars").installed, reason="dicebear-core, dicebear-styles or resvg-py is missing")
def test_the_size_of_named_pairs_is_that_of_a_side(saddle: Call, tmp_path: Path) -> None:
    answer = saddle("data", "show", "glasses:adventurer:4", "--size", "16", "-n", "4", "--out", tmp_path / "sheet.png")
    assert answer.code == 0, answer.err
    assert "glasses" in answer.out
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1.5 * sheet.height
    checked = json.loads(saddle("data", "check", "glasses:adventurer:4", "--size", "16", "--json").out)
    assert (checked["height"], checked["width"]) == (16, 32)
    assert checked["pairs"] == "pairs side by side: without left, with right"
