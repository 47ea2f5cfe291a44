"""The sweep over truncations."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from saddlepoint.data.images import Images
from saddlepoint.errors import MissingError, UsageError
from saddlepoint.evaluation.tradeoff import tradeoff
from saddlepoint.pictures.tradeoff import draw_tradeoff, tradeoff_rows
from saddlepoint.run import Run
from saddlepoint.trained import Trained

from ..test_trained import Classy
from .painter import Painter
from .test_families import blobs

LOOK: dict[str, Any] = {"network": "pixels", "side": 4, "count": 60}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    config = {"recipe": "painter", "data": {"channels": 3, "height": 16, "width": 16}}
    return Trained(Run(tmp_path / "run"), Painter(), config, torch.device("cpu"))  # type: ignore[arg-type]


def test_variety_falls_with_the_threshold(run: Trained, tmp_path: Path) -> None:
    # The data are samples of the game itself: all that a truncation does is to take variety away.
    pixels = ((run.sample(120, seed=9) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    found = tradeoff(run, Images.of(pixels, name="own"), thresholds=(0.1, 1, 0.1), **LOOK)
    assert list(found.scores) == [None, 1, 0.1]
    assert found.against == "own"
    recall = [{score.name: score.value for score in each}["recall_pixels_4"] for each in found.scores.values()]
    assert recall[0] > recall[1] > recall[2] == 0
    written = found.write(tmp_path / "here")
    assert [path.name for path in written] == ["tradeoff.json", "curve.png", "sheet.png", "film.webp"]
    record = json.loads(written[0].read_text())
    assert [point["truncation"] for point in record["points"]] == [None, 1, 0.1]
    assert record["how"]["network"]["name"] == "pixels_4"
    rows = tradeoff_rows(record["points"])
    assert rows[0][0] == "truncation"
    assert {"fd_pixels_4", "precision_pixels_4", "recall_pixels_4"} < set(rows[0])
    assert [row[0] for row in rows[1:]] == ["none", "1", "0.1"]
    for path in written[1:]:
        with Image.open(path) as picture:
            assert min(picture.size) > 16


@pytest.mark.parametrize("thresholds", [(), (1, 0), (math.nan,), (9,)])
def test_thresholds_out_of_range_are_refused(run: Trained, thresholds: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match=r"threshold|truncation"):
        tradeoff(run, blobs(40, 0), thresholds=thresholds, **LOOK)


def test_what_it_needs_is_said(run: Trained, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="does not know its data"):
        tradeoff(run, **LOOK)
    mute = Classy()
    mute.decode = None  # type: ignore[assignment,method-assign]
    with pytest.raises(UsageError, match="no latents to truncate"):
        tradeoff(Trained(run.run, mute, run.config, torch.device("cpu")), blobs(40, 0), **LOOK)


def test_a_score_that_is_missing_leaves_a_gap() -> None:
    points = [{"truncation": None, "scores": []}, {"truncation": 1.0, "scores": [{"name": "fid", "value": 3.0}]}]
    assert draw_tradeoff({"points": points})[:4] == b"\x89PNG"
