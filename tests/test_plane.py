"""Runs on points: what is kept of them is true, and looking changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint import plane, recipe
from saddlepoint.data import toys
from saddlepoint.data.points import Points
from saddlepoint.data.source import open_source
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.observers import Moment
from saddlepoint.pictures import negatives
from saddlepoint.plan import Plan
from saddlepoint.run import Run

PLAN = Plan("cpu", threads=1)


def match(steps: int = 4, data: str = "ring8:64") -> Match:
    gan = recipe.find("gan")
    options = gan.configure("plane", **{**gan.smoke, "steps": steps, "average": 2.0})
    return opening(gan.stages(options, open_source(data)), PLAN)


def points_of(played: Match) -> Points:
    return played.stage.data.examples  # type: ignore[attr-defined]


class Silent(nn.Module):
    """Points on the first modes of `ring8`, for the game of `match`; no discriminator."""

    def __init__(self, hit: int = 2) -> None:
        super().__init__()
        centers = toys.find("ring8").centers
        assert centers is not None
        self.register_buffer("centers", torch.from_numpy(centers[:hit]).float())

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.centers[torch.arange(count) % len(self.centers)]


class Bowl(Silent):
    """A score that falls with the squared distance from (1, 0)."""

    def score(self, points: Tensor) -> Tensor:
        return 1 - (points - torch.tensor([1.0, 0])).square().sum(1)


class Packed(Silent):
    """A score of pairs of points."""

    def score(self, points: Tensor) -> Tensor:
        return points[::2].sum(1)


def look(game: Any, *, players: tuple[str, ...] = ("discriminator",)) -> negatives.View:
    played, toy = match(), toys.find("ring8")
    moment = Moment(played, 0.0, 0.0)
    played.game, played.players = game, dict.fromkeys(players)  # type: ignore[assignment]
    played.averages.networks = {}
    return plane.look(moment, plane.truth(toy), toy)


def test_an_observer_of_points_changes_nothing(tmp_path: Path) -> None:
    alone, watched = match(2), match(2)
    train(alone)
    train(watched, observers=[plane.PlaneViews(Run(tmp_path), 1, points_of(watched))])
    ours, theirs = alone.game.state_dict(), watched.game.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert all(parameter.grad is None for parameter in watched.game.parameters())


def test_each_view_is_a_print_and_its_numbers_and_a_line_of_the_log(tmp_path: Path) -> None:
    played = match()
    train(played, observers=[plane.PlaneViews(Run(tmp_path), 2, points_of(played))])
    names = [f"step-{step:06d}.{kind}" for step in (0, 2, 4) for kind in ("npz", "png")]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [*names, "truth.npz"]
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2, 4]
    # Lines with values at the same step would take the place of the losses.
    assert all(set(line) == {"step", "stage", "modes"} for line in lines)
    for line, view in zip(lines, negatives.views(tmp_path), strict=True):
        assert view.hits is not None
        assert line["modes"]["count"] == view.hits.count


def test_views_are_of_the_same_latents_and_of_the_averaged_networks(tmp_path: Path) -> None:
    played = match()
    train(played, observers=[plane.PlaneViews(Run(tmp_path), 2, points_of(played), seed=3)])
    last = negatives.views(tmp_path)[-1]
    with played.averages.applied():
        made = played.game.sample(plane.COUNT, generator=torch.Generator().manual_seed(3))  # type: ignore[operator]
    np.testing.assert_array_equal(last.points, made.numpy())


def test_the_surface_is_the_score_at_the_centers_of_its_cells() -> None:
    opinion = look(Bowl()).opinion
    assert opinion is not None
    assert float(opinion.level) == 0
    side = len(opinion.surface)
    centers = -1.5 + 3 * (np.arange(side) + 0.5) / side
    expected = 1 - (centers[None, :] - 1) ** 2 - centers[:, None] ** 2  # rows from the bottom
    np.testing.assert_allclose(opinion.surface, expected, atol=1e-5)  # float32 of values up to 8


def test_pushes_are_the_gradient_of_the_score() -> None:
    opinion = look(Bowl()).opinion
    assert opinion is not None
    np.testing.assert_allclose(opinion.pushes, -2 * (opinion.places - (1.0, 0.0)), atol=1e-5)


def test_a_critic_is_shown_around_the_middle_of_real_and_fake() -> None:
    game = Bowl()
    logit, critic = look(game).opinion, look(game, players=("critic", "generator")).opinion
    assert logit is not None
    assert critic is not None
    # Real points lie on the unit circle, 1 - 1.99 on average; fakes on (1, 0) and 45 degrees on, 1 and 1 - 0.586.
    real = 1 - (2 + 2 * 0.01**2)
    np.testing.assert_allclose(critic.level, (real + (1 + 1 - (2 - np.sqrt(2))) / 2) / 2, atol=0.05)
    np.testing.assert_allclose(critic.surface + critic.level, logit.surface, atol=1e-5)


def test_modes_are_counted() -> None:
    hits = look(Bowl(hit=2)).hits
    assert hits is not None
    assert hits.count == 2
    assert float(hits.high_quality) == 1
    np.testing.assert_allclose(hits.reverse_kl, np.log(4), rtol=1e-6)  # two of eight modes, evenly
    np.testing.assert_allclose(hits.perfect, (0.989, 0.0014), atol=0.01)


@pytest.mark.parametrize("kind", [Silent, Packed])
def test_a_game_without_scores_of_single_points_has_no_surface(kind: type[Silent]) -> None:
    assert look(kind()).opinion is None


@pytest.mark.parametrize("name", ["ring2", "moons", "mixture1d"])
def test_the_truth_of_a_toy_is_its_density_on_a_square(name: str) -> None:
    toy = toys.find(name)
    truth = plane.truth(toy)
    sides = truth.box[:, 1] - truth.box[:, 0]
    np.testing.assert_allclose(sides, sides[0])
    cell = np.prod(sides / len(truth.density))
    # Nearly all of the probability lies in the box; modes as narrow as a cell are summed to some percent.
    np.testing.assert_allclose(truth.density.sum() * cell, 1, atol=0.03)
    if toy.dimension == 2:
        peak = np.array(np.unravel_index(truth.density.argmax(), truth.density.shape))[::-1]
        place = truth.box[:, 0] + (peak + 0.5) * sides / len(truth.density)
        assert toy.density(place[None])[0] == pytest.approx(truth.density.max(), rel=1e-5)


def test_a_json_log_knows_no_infinity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = match(1)
    view = plane.look(Moment(played, 0.0, 0.0), plane.truth(points_of(played).toy), points_of(played).toy)
    assert view.hits is not None
    nothing = replace(view, hits=replace(view.hits, histogram=np.zeros(8), reverse_kl=np.array(np.inf)))
    monkeypatch.setattr(plane, "look", lambda *args, **settings: nothing)
    plane.PlaneViews(Run(tmp_path), 1, points_of(played))(Moment(played, 0.0, 0.0))
    text = (tmp_path / "log.jsonl").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["modes"]["reverse_kl"] is None
