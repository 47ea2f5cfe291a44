"""Observers: they see each step they are due for, and change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from saddlepoint import recipe
from saddlepoint.data.images import Images
from saddlepoint.data.source import open_source
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.observers import Log, Moment, Portfolio, Snapshots, Translations
from saddlepoint.pictures import portfolio
from saddlepoint.plan import Plan
from saddlepoint.run import Run

PLAN = Plan("cpu", threads=1)


class Noise:
    def examples(self, *, size: int, channels: int | None = None) -> Images:
        return Images.of(np.random.default_rng(0).integers(0, 256, (12, size, size, 3), np.uint8))


def match(steps: int = 6) -> Match:
    gan = recipe.find("gan")
    options = gan.configure(**{**gan.smoke, "steps": steps, "average": 2.0})
    return opening(gan.stages(options, Noise()), PLAN)  # type: ignore[arg-type]


class Recorder:
    def __init__(self, every: int) -> None:
        self.every = every
        self.steps: list[int] = []

    def __call__(self, moment: Moment) -> None:
        self.steps.append(moment.step)


def test_an_observer_sees_the_start_its_steps_and_the_end() -> None:
    seen = Recorder(4)
    train(match(6), observers=[seen])
    assert seen.steps == [0, 4, 6]


def test_an_observer_that_draws_and_plays_changes_nothing(tmp_path: Path) -> None:
    class Meddler(Snapshots):
        def __call__(self, moment: Moment) -> None:
            torch.randn(100)
            super().__call__(moment)

    alone, watched = match(), match()
    train(alone)
    train(watched, observers=[Meddler(tmp_path, 1, count=4)])
    ours, theirs = alone.game.state_dict(), watched.game.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("form", ["pairs", "cycle"])
def test_translating_on_the_way_changes_nothing(tmp_path: Path, form: str) -> None:
    chosen = recipe.find(str(Path(__file__).parent / "toys" / "translating.py"))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 16, 3), np.uint8)

    def played(*observers: Translations) -> dict[str, torch.Tensor]:
        source = open_source(Images.of(pixels), cache=tmp_path / "cache")
        playing = opening(chosen.stages(chosen.configure(form=form, steps=4), source), PLAN)
        train(playing, observers=observers)
        return playing.game.state_dict()

    alone, watched = played(), played(Translations(tmp_path / "samples", 1, paired=form == "pairs"))
    assert all(torch.equal(alone[name], watched[name]) for name in alone)
    assert len(list((tmp_path / "samples").glob("*.png"))) == 5


def test_the_log_holds_every_loss_and_what_is_watched(tmp_path: Path) -> None:
    run = Run(tmp_path)
    train(match(), observers=[Log(run, every=2)])
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6]
    assert set(lines[0]["values"]) == {
        "discriminator/real", "discriminator/fake", "discriminator/D(x)", "discriminator/D(G(z))",
        "generator/adversarial", "generator/D(G(z))", "discriminator/gradient", "generator/gradient",
    }  # fmt: skip
    assert all(0 < line["values"]["discriminator/D(x)"] < 1 for line in lines)


def test_pictures_are_of_the_same_latents_and_of_the_averaged_networks(tmp_path: Path) -> None:
    played = match()
    train(played, observers=[Snapshots(tmp_path / "a", 3, count=4, seed=1)])
    train(match(), observers=[Snapshots(tmp_path / "b", 6, count=4, seed=1)])
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [f"step-{s:06d}.png" for s in (0, 3, 6)]
    assert (tmp_path / "a" / "step-000006.png").read_bytes() == (tmp_path / "b" / "step-000006.png").read_bytes()
    raw = played.game.generator.state_dict()
    with played.averages.applied():
        averaged = {name: value.clone() for name, value in played.game.generator.state_dict().items()}
    assert any(not torch.equal(raw[name], averaged[name]) for name in raw)


def test_a_portfolio_that_takes_long_is_left_out_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    clock = iter(range(0, 10_000, 1_000))
    monkeypatch.setattr("saddlepoint.observers.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(portfolio, "update", lambda folder, *, real, film: made.append(film))
    observer = Portfolio(Run(tmp_path), every=1)
    played = match(6)
    for step, seconds in ((1, 30.0), (2, 60.0), (6, 90.0)):
        played.step = step
        observer(Moment(played, seconds, 0.0))
    # The first update took a thousand seconds, so the second is left out; the last one is always made, with the film.
    assert made == [False, True]
