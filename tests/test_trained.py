"""What a trained game is asked for: samples, classes, truncation, tours as films and sheets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from saddlepoint.errors import UnavailableError, UsageError
from saddlepoint.game import Game, Player, Turn
from saddlepoint.layers.labels import draw_labels, one_hot
from saddlepoint.run import Run
from saddlepoint.trained import Trained


class Plain(Game):
    """Brightness is the mean of the latent."""

    latent = 4

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def players(self) -> dict[str, Player]:
        return {}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        return iter(())

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(torch.randn(count, self.latent, generator=generator))

    def decode(self, latents: Tensor) -> Tensor:
        return (self.scale * latents.mean(1)).tanh().view(-1, 1, 1, 1).expand(-1, 1, 2, 2)


class Classy(Plain):
    """The first three channels are the shares of three classes, the fourth the mean of the latent."""

    classes = ("x", "y", "z")

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.tensor([0.0, 0.25, 0.75]))

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.randn(count, self.latent, generator=generator)
        return self.decode(noise, draw_labels(count, self.frequencies, generator) if labels is None else labels)

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        values = torch.cat([2 * one_hot(labels, 3) - 1, latents.mean(1, keepdim=True).tanh()], 1)
        return values[:, :, None, None].expand(-1, 4, 2, 2)


class Blind(Plain):
    sample = decode = None  # type: ignore[assignment]


class NoLatents(Plain):
    decode = None  # type: ignore[assignment]

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return torch.zeros(count, 1, 2, 2)


def trained(game: Game, folder: Path) -> Trained:
    return Trained(Run(folder), game, {"recipe": "toy", "data": {}}, torch.device("cpu"))


@pytest.fixture
def plain(tmp_path: Path) -> Trained:
    return trained(Plain(), tmp_path)


@pytest.fixture
def classy(tmp_path: Path) -> Trained:
    return trained(Classy(), tmp_path)


def asked(images: Tensor) -> list[int]:
    """The classes that pictures of `Classy` show."""
    return images[:, :3, 0, 0].argmax(1).tolist()


def size_and_frames(path: Path) -> tuple[tuple[int, int], int]:
    with Image.open(path) as image:
        return image.size, getattr(image, "n_frames", 1)


def test_classes_are_asked_for_by_name_number_or_share(classy: Trained) -> None:
    assert asked(classy.sample(5, labels=["z", 0])) == [2, 0, 2, 0, 2]
    assert asked(classy.sample(3, labels=torch.tensor([1]))) == [1, 1, 1]
    halves = torch.tensor([[0.5, 0.5, 0.0]]).expand(3, 3)
    assert classy.sample(3, labels=halves)[:, :3, 0, 0].unique().tolist() == [-1, 0]
    drawn = asked(classy.sample(400))
    assert drawn.count(0) == 0
    assert drawn.count(2) == pytest.approx(300, abs=4 * math.sqrt(400 * 0.25 * 0.75))


def test_truncated_samples_are_those_of_the_same_draw(plain: Trained, classy: Trained) -> None:
    for run in (plain, classy):
        whole = run.sample(100, seed=3)
        assert torch.allclose(run.sample(100, seed=3, truncation=8.0), whole, atol=1e-5)
        near = run.sample(100, seed=3, truncation=0.1)
        assert float(near[:, -1].abs().max()) <= math.tanh(0.1)
        assert torch.equal(run.sample(100, seed=3, truncation=0.1), near)
    assert asked(classy.sample(3, labels=["y"], truncation=0.5)) == [1, 1, 1]


@pytest.mark.parametrize("truncation", [0.0, -5.0, math.nan, math.inf, 1e308])
def test_a_truncation_out_of_range_is_refused(plain: Trained, truncation: float) -> None:
    with pytest.raises(UsageError, match="--truncation must be a number > 0 and <= 8"):
        plain.sample(2, truncation=truncation)


def test_what_a_game_lacks_is_said(plain: Trained, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not taught by class"):
        plain.sample(2, labels=["x"])
    for ask in (lambda: plain.walk(over="classes"), lambda: plain.breed(["x", "y"])):
        with pytest.raises(UsageError, match="not taught by class"):
            ask()
    with pytest.raises(UnavailableError, match="toy cannot sample"):
        trained(Blind(), tmp_path).sample(2)
    mute = trained(NoLatents(), tmp_path)
    assert mute.sample(2).shape == (2, 1, 2, 2)
    for ask in (lambda: mute.sample(2, truncation=1.0), lambda: mute.walk(), lambda: mute.traverse()):
        with pytest.raises(UnavailableError, match="toy cannot decode"):
            ask()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("latents", [torch.zeros(2, 5), torch.zeros(4), torch.full((2, 4), math.nan)])
def test_latents_that_cannot_be_decoded(plain: Trained, latents: Tensor) -> None:
    with pytest.raises(UsageError, match="cannot be decoded"):
        plain.decode(latents)


def test_walks_over_latents_and_over_classes(classy: Trained, tmp_path: Path) -> None:
    over = classy.walk(over="classes", count=4, steps=3)
    assert over == tmp_path / "walk-classes.webp"
    assert size_and_frames(over) == ((6, 6), 9)
    some = classy.walk(tmp_path / "some.webp", over="classes", labels=["z", "x"], count=1, steps=3)
    assert size_and_frames(some)[1] == 6
    fixed = classy.walk(labels=["y"], count=4, states=2, steps=3)
    assert size_and_frames(fixed) == ((6, 6), 6)
    near = classy.walk(tmp_path / "near.webp", labels=["y"], count=4, states=2, steps=3, truncation=0.01)
    assert size_and_frames(near)[1] < 6, "frames that look the same are one"
    with pytest.raises(UsageError, match="straight lines"):
        classy.walk(over="classes", kind="linear")
    with pytest.raises(UsageError, match="--over must be one of latents, classes"):
        classy.walk(over="moons")


def test_sheets_show_what_films_show(classy: Trained, tmp_path: Path) -> None:
    sheet = classy.walk(tmp_path / "walk.png", over="classes", count=2, steps=2)
    with Image.open(sheet) as image:
        assert image.mode == "RGB"
        wide, high = image.size
    assert wide > 6 * 56, "six columns, enlarged"
    assert 2 * 56 < high < 4 * 56


def test_breeding(classy: Trained, tmp_path: Path) -> None:
    sheet = classy.breed(["x", "z"], rows=2, columns=3)
    assert sheet == tmp_path / "breed.png"
    film = classy.breed(["x", 1, "z", 0], tmp_path / "four.webp", rows=2, columns=3, steps=2)
    assert size_and_frames(film)[1] == 8
    with pytest.raises(UsageError, match="there is no class 'w'") as caught:
        classy.breed(["x", "w"])
    assert caught.value.where == "saddle breed"
    with pytest.raises(UsageError, match="1 classes cannot be bred"):
        classy.breed(["x"])


def test_traversal(plain: Trained, classy: Trained, tmp_path: Path) -> None:
    assert plain.traverse(rows=2, columns=3, steps=2) == tmp_path / "traverse.png"
    film = classy.traverse([0], tmp_path / "t.webp", labels=["z"], rows=3, steps=2)
    assert size_and_frames(film)[1] == 4
    with pytest.raises(UsageError, match="no coordinate 4"):
        plain.traverse([4])
