"""What a probe reports, and what it refuses before anything is looked at; `saddle probe` has a test of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from saddlepoint.errors import DiskError, UnavailableError, UsageError
from saddlepoint.evaluation.probe import Probe, probe
from saddlepoint.run import Run
from saddlepoint.trained import Trained


def trained(folder: Path, *, toy: str | None = None) -> Trained:
    config = {"recipe": "toy", "data": {"channels": 1, "height": 8, "width": 8, "classes": [], "toy": toy}}
    return Trained(Run(folder), nn.Linear(1, 1), config, torch.device("cpu"))  # type: ignore[arg-type]


def test_accuracies_become_means_and_deviations(tmp_path: Path) -> None:
    accuracies = {"discriminator": {10: (0.5, 0.7), 20: (0.9, 0.9)}, "pixels": {10: (0.25, 0.25), 20: (0.0, 1.0)}}
    found = Probe(trained(tmp_path / "run"), accuracies, {"guessed": 0.1})
    facts = found.facts()
    assert (facts["what"], facts["how"]) == ("run", {"guessed": 0.1})
    assert [row["labels"] for row in facts["rows"]] == [10, 20]
    # Of two numbers: half their distance, times the square root of two.
    assert facts["rows"][0]["discriminator"] == {
        "mean": pytest.approx(0.6),
        "std": pytest.approx(0.1 * 2**0.5),
        "accuracies": [0.5, 0.7],
    }
    assert facts["rows"][1]["pixels"]["mean"] == 0.5
    path = found.write(tmp_path / "deep" / "probe.json")
    assert json.loads(path.read_text()) == facts
    with pytest.raises(DiskError):
        found.write(path / "below.json")


def test_a_single_choice_of_labels_has_no_deviation(tmp_path: Path) -> None:
    only = Probe(trained(tmp_path), {"pixels": {5: (0.5,)}}, {})
    assert only.facts()["rows"] == [{"labels": 5, "pixels": {"mean": 0.5, "std": None, "accuracies": [0.5]}}]


@pytest.mark.parametrize("wrong", [{"labels": ()}, {"seeds": 0}, {"count": 0}, {"steps": -1}])
def test_nothing_to_learn_or_to_ask_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="nothing to learn"):
        probe(trained(tmp_path), **wrong)


@pytest.mark.parametrize(("toy", "why"), [("ring8", "makes points"), (None, "does not judge pictures")])
def test_games_without_features_are_refused(tmp_path: Path, toy: str | None, why: str) -> None:
    with pytest.raises(UnavailableError, match=why) as caught:
        probe(trained(tmp_path, toy=toy), "no data are looked for")
    assert caught.value.exit_code == 69
