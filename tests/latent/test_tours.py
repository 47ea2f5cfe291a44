"""Tours: what moves, what stays, where films close and what sheets show."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import UsageError
from saddlepoint.latent.tours import Tour, breed, over_classes, over_latents, sweep, traverse
from saddlepoint.latent.walk import lerp

LATENTS = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
NAMES = ("a", "b", "c", "d")


def labels_of(frames: object) -> Tensor:
    """Labels of all frames, which must have some."""
    return torch.stack([labels for _, labels in frames])  # type: ignore[attr-defined]


def closed(tour: Tour) -> tuple[Tensor, Tensor]:
    """Latents and labels of the film, whose seam is no larger a step than the others."""
    frames = list(tour.frames)
    latents, labels = torch.stack([frame[0] for frame in frames]), labels_of(frames)
    for part in (latents, labels.float()):
        moves = (part - part.roll(1, 0)).flatten(1).norm(dim=1)
        assert float(moves[0]) <= float(moves[1:].max()) + 1e-6
    return latents, labels


def test_over_latents_classes_stay() -> None:
    states = torch.randn(4, 3, 6, generator=torch.Generator().manual_seed(1))
    tour = over_latents(states, torch.tensor([2, 0, 1]), 6, path=lerp)
    latents, labels = closed(tour)
    assert latents.shape == (24, 3, 6)
    assert labels.unique(dim=0).tolist() == [[2, 0, 1]]
    columns = [column for column, _ in tour.columns]
    assert torch.equal(torch.stack(columns[::2]), states), "each state, and one between"
    assert len(columns) == 8
    assert len(list(over_latents(states.repeat(30, 1, 1), None, 3).columns)) <= 24


def test_over_classes_latents_stay() -> None:
    tour = over_classes(LATENTS, ["d", 0], NAMES, 4)
    latents, shares = closed(tour)
    assert len(latents.unique(dim=0)) == 1
    assert shares.shape == (8, 3, 4)
    assert shares[0, 0].tolist() == [0, 0, 0, 1]
    assert shares[4, 2].tolist() == [1, 0, 0, 0]
    assert shares[1, 0].tolist() == [0.25, 0, 0, 0.75]
    assert tour.heads == ["d", "", "a", ""]
    assert torch.equal(labels_of(tour.columns), shares[::2])


def test_two_classes_are_mixed_from_left_to_right() -> None:
    tour = breed(LATENTS, ["b", "c"], NAMES, 5, 6)
    columns = labels_of(tour.columns)
    assert columns[:, 0, 1].tolist() == [1, 0.75, 0.5, 0.25, 0]
    assert torch.equal(columns[:, 0, 1] + columns[:, 0, 2], torch.ones(5))
    assert tour.heads == ["b", "", "", "", "c"]
    latents, shares = closed(tour)
    assert torch.equal(latents[0], LATENTS)
    assert shares[6, 0].tolist() == [0, 0, 1, 0], "half of the film is the way there"


def test_four_classes_lie_at_the_corners() -> None:
    tour = breed(LATENTS, NAMES, NAMES, 4, 3)
    columns = [(latents, labels) for latents, labels in tour.columns]
    square = labels_of(columns)
    assert square.shape == (4, 3, 4)
    corners = square[[0, -1, 0, -1], [0, 0, -1, -1]]
    assert torch.equal(corners, torch.eye(4))
    assert torch.equal(columns[0][0], LATENTS[:1].expand(3, -1)), "of one latent"
    assert tour.names == ["a … b", "", "c … d"]
    _, shares = closed(tour)
    assert shares[::3, 0].argmax(1).tolist() == [0, 1, 3, 2], "around the corners, not across"


def test_only_the_coordinate_moves() -> None:
    tour = traverse(LATENTS, torch.tensor([0, 1, 0]), [5, 1], reach=2, columns=5, steps=4)
    columns = list(tour.columns)
    assert tour.heads == ["-2", "-1", "0", "1", "2"]
    assert tour.names == ["5", "5", "5", "1", "1", "1"]
    for (latents, labels), value in zip(columns, (-2, -1, 0, 1, 2), strict=True):
        assert labels is not None
        assert labels.tolist() == [0, 1, 0] * 2
        expected = LATENTS.repeat(2, 1)
        expected[:3, 5] = expected[3:, 1] = value
        assert torch.equal(latents, expected)
    latents, _ = closed(tour)
    assert latents[:, 0, 5].tolist()[::4] == [-2, 2]


def test_a_sweep_cuts_the_same_latents_off_ever_more() -> None:
    tour = sweep(LATENTS, torch.tensor([0, 0, 0]), [None, 2.0, 0.5], 4)
    assert tour.heads == ["none", "2", "0.5"]
    sizes = [float(latents.abs().max()) for latents, _ in tour.columns]
    assert sizes[0] > sizes[1] > sizes[2]
    latents, _ = closed(tour)
    assert float(latents[4].abs().max()) <= 0.5 < float(latents[0].abs().max())


@pytest.mark.parametrize("parents", [["a"], ["a", "b", "c"], []])
def test_other_numbers_of_classes_are_refused(parents: list[str]) -> None:
    with pytest.raises(UsageError, match="cannot be bred"):
        breed(LATENTS, parents, NAMES, 5, 6)
    with pytest.raises(UsageError, match="cannot be bred"):
        breed(LATENTS[:1], ["a", "b"], NAMES, 5, 6)


@pytest.mark.parametrize("coordinates", [[6], [-1], [0, 9], []])
def test_coordinates_that_there_are_not(coordinates: list[int]) -> None:
    with pytest.raises(UsageError, match="coordinate"):
        traverse(LATENTS, None, coordinates, reach=2, columns=5, steps=4)
