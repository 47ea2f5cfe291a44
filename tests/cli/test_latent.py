"""`sample`, `walk`, `breed` and `traverse` on a run with classes, and on one without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Call


def facts(saddle: Call, *line: object) -> dict[str, Any]:
    """The one JSON object of a `--json` call."""
    answer = saddle(*line, "--json")
    assert answer.code == 0, answer.err
    return dict(json.loads(answer.out))


def frames_of(path: str | Path) -> int:
    with Image.open(path) as picture:
        return getattr(picture, "n_frames", 1)


def test_samples_are_made_by_class_and_truncated(saddle: Call, conditional: Path) -> None:
    line = ("sample", conditional, "--labels", "cow,0", "-n", 4, "--npz")
    whole = facts(saddle, *line)
    assert Path(whole["path"]).name == "seed-0-n-4-of-cow-0.npz"
    near = facts(saddle, *line, "--truncation", "0.2")
    assert Path(near["path"]).name == "seed-0-n-4-of-cow-0-t-0.2.npz"
    assert (near["labels"], near["truncation"]) == (["cow", "0"], 0.2)
    with np.load(whole["path"]) as one, np.load(near["path"]) as other:
        assert one["labels"].tolist() == other["labels"].tolist() == [0, 0, 2, 2]
        assert (one["images"] != other["images"]).any()


def test_on_a_sheet_each_class_has_rows_with_its_name(saddle: Call, conditional: Path) -> None:
    said = facts(saddle, "sample", conditional, "--labels", "cow,0,bee", "-n", 12)
    with Image.open(said["path"]) as sheet:
        high, wide = np.asarray(sheet.convert("L")).shape
    factor = 7  # eight pixels become 56
    assert high == (3 * 10 - 2) * factor
    assert wide > (4 * 10 - 2) * factor
    plain = facts(saddle, "sample", conditional, "-n", 4)
    with Image.open(plain["path"]) as sheet:
        assert sheet.size == (18, 18)


def test_a_walk_over_classes(saddle: Call, conditional: Path, tmp_path: Path) -> None:
    line = ("-n", 2, "--steps", 2, "--out", tmp_path / "walk.webp")
    said = facts(saddle, "walk", conditional, "--over", "classes", "--labels", "bee,ant", *line)
    assert (said["over"], said["labels"]) == ("classes", ["bee", "ant"])
    assert frames_of(said["path"]) == 4
    fixed = facts(saddle, "walk", conditional, "--labels", "bee", "--states", 2, *line[:-1], tmp_path / "sheet.png")
    assert frames_of(fixed["path"]) == 1


def test_breeding_leaves_a_sheet_and_a_film(saddle: Call, conditional: Path, tmp_path: Path) -> None:
    small = ("--rows", 2, "--columns", 3, "--steps", 2)
    said = facts(saddle, "breed", conditional, "ant", "cow", *small)
    names = [Path(path).name for path in said["paths"]]
    assert names == ["breed-of-ant-cow-seed-0.png", "breed-of-ant-cow-seed-0.webp"]
    assert frames_of(said["paths"][1]) == 4
    four = saddle("breed", conditional, "0", "1", "2", "1", *small, "--out", tmp_path / "four.png")
    assert four.out.strip() == str(tmp_path / "four.png")


def test_a_traversal(saddle: Call, conditional: Path, trained: Path, tmp_path: Path) -> None:
    said = facts(saddle, "traverse", conditional, "--coordinates", "0,7", "--rows", 2, "--columns", 3)
    assert Path(said["path"]).name == "traverse-of-0-7-seed-0.png"
    assert said["coordinates"] == [0, 7]
    line = ("traverse", trained, "--steps", 2, "--rows", 1, "--out", tmp_path / "last.webp")
    assert facts(saddle, *line)["coordinates"] is None
    assert frames_of(tmp_path / "last.webp") > 1


@pytest.mark.parametrize(
    ("line", "said", "fix"),
    [
        (["sample", "tiny", "--labels", "fox"], "there is no class 'fox'", "the 3 classes are ant, bee, cow"),
        (["sample", "tiny", "--labels", "3"], "there is no class '3'", "ant, bee, cow"),
        (["walk", "tiny", "--over", "moons"], "--over must be latents or classes", "--over latents"),
        (["walk", "tiny", "--over", "classes", "--kind", "explore"], "straight lines", "leave it out"),
        (["walk", "tiny", "--over", "classes", "--labels", "fox"], "there is no class 'fox'", "ant, bee, cow"),
        (["breed", "tiny", "ant"], "1 classes cannot be bred", "two classes or four"),
        (["breed", "tiny", "ant", "bee", "cow"], "3 classes cannot be bred", "two classes or four"),
        (["breed", "tiny", "ant", "fox"], "there is no class 'fox'", "ant, bee, cow"),
        (["breed", "tiny", "ant", "bee", "--rows", "1"], "--rows must be a whole number 2..100", ""),
        (["traverse", "tiny", "--coordinates", "8"], "latents have no coordinate 8", "0..7"),
        (["traverse", "tiny", "--coordinates", "one"], '--coordinates must be a whole number 0..4095, got "one"', ""),
        (["traverse", "tiny", "--reach", "inf"], "--reach must be a number > 0 and <= 100", ""),
        *(
            ([*verb, "--truncation", text], f'--truncation must be a number > 0 and <= 8, got "{text}"', "")
            for verb in (["sample", "tiny"], ["walk", "tiny"], ["breed", "tiny", "0", "1"], ["traverse", "tiny"])
            for text in ("nan", "inf", "-5", "0", "1e308", "abc")
        ),
    ],
)
def test_bad_words_get_one_clear_error(
    saddle: Call, conditional: Path, monkeypatch: pytest.MonkeyPatch, line: list[str], said: str, fix: str
) -> None:
    monkeypatch.chdir(conditional.parent.parent)
    answer = saddle(*line)
    assert answer.code == 64, answer.err
    assert said in answer.err
    assert fix in answer.err


@pytest.mark.parametrize(
    "line", [["sample", "tiny", "--labels", "0"], ["walk", "tiny", "--over", "classes"], ["breed", "tiny", "0", "1"]]
)
def test_a_run_without_classes_refuses_them(
    saddle: Call, trained: Path, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    monkeypatch.chdir(trained.parent.parent)
    answer = saddle(*line)
    assert answer.code == 64
    assert "gan was not taught by class" in answer.err
    assert "saddle list" in answer.err
