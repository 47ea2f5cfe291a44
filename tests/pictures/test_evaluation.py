"""An evaluation as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from saddlepoint.errors import DiskError
from saddlepoint.pictures.evaluation import (
    FOLDER,
    class_notes,
    class_rows,
    number,
    read_evaluation,
    score_rows,
    write_evaluation,
)


def score(name: str = "fd_lite0", value: float = 12.345678, **others: Any) -> dict[str, Any]:
    usual = {"low": 12.0, "high": 13.0, "better": "lower", "data": None, "against": "training"}
    return {"name": name, "value": value, **usual, "generated": 5000, "real": 4000, "note": "", **others}


def facts(*scores: dict[str, Any]) -> dict[str, Any]:
    return {
        "what": "<b>my run",
        "against": ["training"],
        "scores": list(scores),
        "skipped": {"is": "no classes"},
        "how": {"seed": 0, "network": None},
    }


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    given = facts(score(), score("recall_lite0", 0.5, low=None, high=None))
    page = write_evaluation(tmp_path / FOLDER, given, [("Samples", "many", Image.new("RGB", (8, 8)))])
    assert read_evaluation(tmp_path) == given
    shown = page.read_text()
    for words in ("fd_lite0", "12.35", "12 … 13", "5,000", "4,000", "Samples", "data:image/webp"):
        assert words in shown
    assert "&lt;b&gt;my run" in shown
    assert "<b>my run" not in shown


def test_a_score_that_warns_is_heard(tmp_path: Path) -> None:
    page = write_evaluation(tmp_path, facts(score(note="fewer samples than features")))
    assert "fd_lite0: fewer samples than features" in page.read_text()
    assert "is: left out: no classes" in page.read_text()


def test_classes_have_a_table_of_their_own(tmp_path: Path) -> None:
    one = [score("fd_lite0", 3.0, note="200 features are few"), score("kd_lite0", 0.5)]
    other = [score("kd_lite0", 0.25, generated=7), score("fd_lite0", 5.0, note="100 features are few")]
    found = {"ant": one, "<bee>": other, "cow": [score("kd_lite0", 0.1, note="")]}
    assert class_rows(found) == [
        ["class", "fd_lite0", "kd_lite0", "generated", "real"],
        ["ant", "3", "0.5", "5,000", "4,000"],
        ["<bee>", "5", "0.25", "7", "4,000"],
        ["cow", "–", "0.1", "5,000", "4,000"],
    ]
    assert class_notes(found) == {"fd_lite0": "200 features are few"}
    shown = write_evaluation(tmp_path, {**facts(score()), "by_class": {"training": found}}).read_text()
    assert "By class, against training" in shown
    assert "&lt;bee&gt;" in shown
    assert shown.count("features are few") == 1


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"scores": 3}', '{"scores": ['])
def test_no_evaluation_is_an_empty_one(tmp_path: Path, content: str | None) -> None:
    (tmp_path / FOLDER).mkdir()
    if content is not None:
        (tmp_path / FOLDER / "evaluation.json").write_text(content)
    assert read_evaluation(tmp_path) == {}


def test_numbers_keep_four_digits_that_count() -> None:
    shown = [number(value) for value in (12345.6, 0.000123456, 1.0, None, float("nan"), float("inf"))]
    assert shown == ["12,346", "0.0001235", "1", "–", "–", "–"]
    assert score_rows([score(low=None, high=None, real=0)])[0][2:] == ["", "lower", "", "training", "5,000", ""]


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError):
        write_evaluation(tmp_path / "file", json.loads(json.dumps(facts())))
