"""Runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from saddlepoint.errors import UsageError
from saddlepoint.pictures.compare import compare, score_rows, score_table
from saddlepoint.pictures.evaluation import FOLDER, write_evaluation

from .test_evaluation import facts, score


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Three runs: one whole, one with other values and scores, one empty."""
    whole, other, empty = (tmp_path / name for name in ("whole", "other", "em<pty"))
    for folder in (whole, other, empty):
        folder.mkdir()
    for folder, value, color in ((whole, "critic/$loss", "red"), (other, "generator/adversarial", "blue")):
        (folder / "samples").mkdir()
        for step in (10, 20):
            Image.new("RGB", (34, 34), color).save(folder / "samples" / f"step-{step:06d}.png")
        lines = [{"step": step, "values": {value: step / 7, "shared": 1.0}} for step in range(1, 30)]
        lines += [{"step": 20, "scores": {"fd_lite0": 3.0}}]
        (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_evaluation(whole / FOLDER, facts(score(), score("swd", 7.0, against="held out")))
    write_evaluation(other / FOLDER, facts(score(value=5.0)))
    return [whole, other, empty]


def test_the_page_shows_samples_scores_and_curves_of_all(runs: list[Path], tmp_path: Path) -> None:
    shown = compare(runs, tmp_path / "page.html").read_text()
    for words in ("whole and other and em&lt;pty", "Samples", "Scores", "Scores over steps", "Losses over steps"):
        assert words in shown
    assert "em<pty" not in shown
    assert shown.count("data:image/webp") == 3


def test_scores_stand_beside_each_other(runs: list[Path]) -> None:
    table = score_table(runs)
    assert table == {"fd_lite0 (training)": [12.345678, 5.0, None], "swd (held out)": [7.0, None, None]}
    assert score_rows(table)[1] == ["swd (held out)", "7", "–", "–"]


def test_empty_runs_make_a_page_too(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    assert "a and b" in compare([tmp_path / "a", tmp_path / "b"], tmp_path / "page.html").read_text()


@pytest.mark.parametrize("chosen", [[0], [0, 0], []])
def test_there_must_be_two_different_runs(runs: list[Path], tmp_path: Path, chosen: list[int]) -> None:
    with pytest.raises(UsageError, match="two different runs"):
        compare([runs[index] for index in chosen], tmp_path / "page.html")
