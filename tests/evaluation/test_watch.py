"""Scores while a run trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import saddlepoint
from saddlepoint import recipe
from saddlepoint.data.source import open_source
from saddlepoint.errors import MissingError, UnavailableError, UsageError
from saddlepoint.evaluation.comparison import HIGHER, LOWER, Score
from saddlepoint.evaluation.families import choose
from saddlepoint.evaluation.networks import network
from saddlepoint.evaluation.sight import Sight
from saddlepoint.evaluation.watch import Scoring, Watching, better
from saddlepoint.loop import train as train_stage
from saddlepoint.match import Match
from saddlepoint.plan import Plan
from saddlepoint.run import Run

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


def test_a_run_in_low_precision_is_measured_in_full(out: Path) -> None:
    run = train(out, "a", steps=2, watching=WATCHING, precision="bf16")
    later = saddlepoint.evaluate(run, blobs(80, 0), count=40, network="pixels", side=4, metrics=["swd"], device="cpu")
    # Sums of 40 pictures in blocks of other sizes.
    assert scores(run.folder)[2]["swd"] == pytest.approx(later["swd"], rel=1e-3)


def test_stages_share_what_was_seen_of_the_data(out: Path) -> None:
    found, source = recipe.find("progan"), open_source(blobs(80, 0))
    sight = Sight(network("pixels", device=torch.device("cpu"), side=4))
    seen = []
    see, sight.see = sight.see, lambda side: seen.append(side.name) or see(side)
    out.mkdir()
    run = Run(out)
    run.note(recipe="progan")
    watch = Scoring(run, source, 2, choose(("fd",), points=False), sight, count=40, keep=lambda moment: None)
    for stage in found.stages(found.configure(**{**found.smoke, "size": 8}), source):
        train_stage(Match(stage, Plan("cpu", threads=1)), observers=[watch])
    # Three stages of three steps, each measured at its steps 0, 2 and 3; samples bear the name of the run.
    assert seen.count(run.name) == 9
    assert len(seen) == 9 + 1


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
