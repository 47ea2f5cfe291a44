"""Scores while a run trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import saddlepoint
from saddlepoint.errors import MissingError, UnavailableError, UsageError
from saddlepoint.evaluation.comparison import HIGHER, LOWER, Score
from saddlepoint.evaluation.sight import Sight
from saddlepoint.evaluation.watch import Watching, better

from .test_families import blobs

TINY: dict[str, Any] = {"size": 16, "latent": 4, "hidden": 16, "batch": 8, "threads": 1, "device": "cpu"}
WATCHING = Watching(every=2, metrics=("fd", "swd"), count=40, network="pixels", side=4)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "runs"


def train(out: Path, name: str, steps: int = 4, **settings: Any) -> saddlepoint.Trained:
    return saddlepoint.train("gan", blobs(80, 0), out=out, name=name, steps=steps, **TINY, **settings)


def scores(folder: Path) -> dict[int, dict[str, float]]:
    """What the log says by step."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["scores"] for line in lines if "scores" in line}


def test_scores_are_logged_from_before_the_first_step_to_the_last(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    look = Sight.see
    monkeypatch.setattr(Sight, "see", lambda self, side: seen.append(side.name) or look(self, side))
    run = train(out, "a", steps=5, watching=WATCHING)
    found = scores(run.folder)
    assert list(found) == [0, 2, 4, 5]
    assert seen.count("a") == 4
    assert len(seen) == 4 + 1, "the data are looked at once"
    assert all(set(each) == {"fd_pixels_4", "swd", "swd_16"} for each in found.values())


def test_the_best_model_is_kept(out: Path) -> None:
    run = train(out, "a", steps=8, watching=WATCHING)
    best = run.run.facts()["best"]
    later = {step: each["fd_pixels_4"] for step, each in scores(run.folder).items() if step}
    assert best == {"step": min(later, key=later.__getitem__), "score": "fd_pixels_4", "value": min(later.values())}
    kept = saddlepoint.load("a", out=out, best=True)
    assert kept.config["step"] == best["step"]
    assert torch.equal(kept.sample(4), saddlepoint.load(run.folder / "best").sample(4))


def test_measuring_changes_nothing(out: Path) -> None:
    alone, watched = train(out, "a"), train(out, "b", watching=WATCHING)
    ours, theirs = alone.game.state_dict(), watched.game.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_that_goes_on_is_measured_on(out: Path) -> None:
    train(out, "a", watching=WATCHING)
    saddlepoint.resume("a", data=blobs(80, 0), out=out, steps=8)
    assert list(scores(out / "a")) == [0, 2, 4, 6, 8]
    assert saddlepoint.load("a", out=out).run.facts()["best"]["step"] in (2, 4, 6, 8)


def test_what_is_held_out_is_measured_beside(out: Path) -> None:
    run = train(out, "a", steps=2, watching=WATCHING, holdout=0.5)
    assert "fd_pixels_4, held out" in scores(run.folder)[2]


@pytest.mark.parametrize(
    ("watching", "error"),
    [
        (Watching(every=2, metrics=("fdd",)), UsageError),
        (Watching(every=2, network="resnet"), UsageError),
        (Watching(every=2, network="inception"), UnavailableError),
        (Watching(every=2, network="pixels", metrics=("is",), count=20), UsageError),
    ],
)
def test_what_cannot_be_measured_is_known_before_the_first_step(
    out: Path, watching: Watching, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SADDLEPOINT_INCEPTION", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(out))
    with pytest.raises(error):
        train(out, "a", watching=watching)
    log = out / "a" / "log.jsonl"
    assert not log.exists() or all(json.loads(line)["step"] == 0 for line in log.read_text().splitlines())


def test_a_run_without_scores_has_no_best_model(out: Path) -> None:
    train(out, "a", steps=1)
    with pytest.raises(MissingError, match="kept no best model"):
        saddlepoint.load("a", out=out, best=True)


def test_better_follows_the_direction_of_the_score() -> None:
    low, high = Score("fd", 3.0, LOWER, "", 1, 1), Score("is", 3.0, HIGHER, "", 1, 1)
    assert better(low, None)
    assert better(low, {"score": "fd", "value": 4.0})
    assert not better(low, {"score": "fd", "value": 3.0})
    assert better(high, {"score": "is", "value": 2.0})
    assert not better(high, {"score": "is", "value": 4.0})
    assert better(high, {"score": "fd", "value": 1.0}), "another score is no measure"


def test_how_a_run_is_watched_survives_being_written_down() -> None:
    assert Watching.of(json.loads(json.dumps(WATCHING.facts()))) == WATCHING
    assert Watching.of({}) == Watching()
