"""The two sides of a comparison."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saddlepoint.data.images import Images
from saddlepoint.errors import UnavailableError, UsageError
from saddlepoint.evaluation.sides import Made, Part, Set, pieces

from .painter import Painter


def numbered(count: int = 200) -> Images:
    """Pictures whose value tells their number, in three classes."""
    pixels = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 1)).copy()
    return Images.of(pixels, np.arange(count) % 3, seed=9, flip=True)


def numbers(side: Set) -> list[int]:
    return [int(value) for batch in pieces(side) for value in ((batch.image[:, 0, 0, 0] + 1) * 127.5).round()]


class Noise(nn.Module):
    latent = 5

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(5, 12)

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(torch.randn(count, 5, generator=generator))

    def decode(self, latents: Tensor) -> Tensor:
        return self.net(latents).tanh().view(-1, 3, 2, 2)


class Mute(nn.Module):
    pass


def test_all_of_a_set_is_read_once_with_its_labels() -> None:
    side = Set(numbered())
    assert len(side) == 200
    assert sorted(numbers(side)) == list(range(200))
    for batch in pieces(side, 33):
        assert batch.label is not None
        assert (batch.label == ((batch.image[:, 0, 0, 0] + 1) * 127.5).round() % 3).all()


def test_some_of_a_set_depend_on_the_seed_alone() -> None:
    some = numbers(Set(numbered(), 50, seed=1))
    assert len(set(some)) == 50
    assert some == numbers(Set(numbered(), 50, seed=1))
    assert some != numbers(Set(numbered(), 50, seed=2))
    assert len(Set(numbered(), 500)) == 200


def test_a_key_tells_apart_what_is_seen() -> None:
    images = numbered()
    other = Images.of(images.pixels[::-1], images.labels)
    keys = [side.key for side in (Set(images), Set(other), Set(images, 50), Set(images, 50, seed=1), Set(images, 60))]
    assert len(set(keys)) == 5
    # Of a whole set the seed changes the order only, and no score depends on that.
    assert Set(images, seed=1).key == Set(images, 1000).key == Set(images).key


def test_any_piece_of_what_a_game_makes_is_the_same_however_it_is_read() -> None:
    side = Made(Noise().eval(), 200, name="noise", seed=4)
    whole = torch.cat([batch.image for batch in pieces(side)])
    assert whole.shape == (200, 3, 2, 2)
    assert len(whole.flatten(1).unique(dim=0)) == 200
    for start, count in ((0, 200), (150, 50), (63, 2), (64, 64), (199, 1), (5, 0)):
        assert torch.equal(side.read(start, count).image, whole[start : start + count])
    again = Made(side.game, 100, name="noise", seed=4)
    assert torch.equal(again.read(0, 100).image, whole[:100]), "more pictures do not change the first"
    other = Made(side.game, 100, name="noise", seed=5)
    assert not torch.equal(other.read(0, 100).image, whole[:100])


def test_no_more_can_be_read_than_there_is() -> None:
    side = Made(Noise().eval(), 10, name="noise")
    for start, count in ((8, 3), (-1, 2)):
        with pytest.raises(UsageError, match="cannot be made"):
            side.read(start, count)


def test_a_game_that_cannot_sample_is_refused() -> None:
    with pytest.raises(UnavailableError, match="mute cannot sample"):
        Made(Mute(), 10, name="mute")


def test_latents_are_offered_where_there_are_any() -> None:
    game = Noise()
    assert Made(game, 10, name="noise").decodes is game


def test_labels_are_known_without_a_look() -> None:
    for side in (Set(numbered(), 50, seed=1), Set(numbered()), Made(Painter().eval(), 150, name="painter", seed=3)):
        read = torch.cat([batch.label for batch in pieces(side) if batch.label is not None])
        assert side.labels is not None
        assert torch.equal(side.labels, read)
    assert Made(Noise().eval(), 10, name="noise").labels is None
    assert Set(Images.of(np.zeros((3, 4, 4, 1), np.uint8))).labels is None


def test_a_part_is_some_rows_in_their_order() -> None:
    for side in (Set(numbered()), Made(Painter().eval(), 150, name="painter")):
        rows = torch.tensor([140, 2, 77, 3])
        part = Part(side, rows)
        whole = side.read(0, 150)
        assert torch.equal(part.read(0, 4).image, whole.image[rows])
        assert whole.label is not None
        assert part.labels is not None
        assert torch.equal(part.labels, whole.label[rows])
        assert torch.equal(part.read(1, 2).label, whole.label[rows[1:3]])
        assert (len(part), part.key, part.classes) == (4, None, side.classes)


def test_what_is_truncated_is_made_of_the_same_draw() -> None:
    game = Painter().eval()
    whole, near = (Made(game, 70, name="painter", truncation=threshold) for threshold in (None, 0.01))
    assert torch.equal(whole.labels, near.labels)
    means = [side.read(0, 70).image - game.decode(torch.zeros(70, 12), side.labels) for side in (whole, near)]
    assert float(means[0].detach().abs().max()) > 0.1
    assert float(means[1].detach().abs().max()) <= 0.01 * 0.15 + 1e-6
