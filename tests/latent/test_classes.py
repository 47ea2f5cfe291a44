"""Classes by name, and mixtures of them."""

from __future__ import annotations

import pytest
import torch

from saddlepoint.errors import UsageError
from saddlepoint.latent.classes import between, chosen, number, pure

NAMES = ("cat", "dog", "7", "0")


def test_a_name_comes_before_a_number() -> None:
    assert [number(each, NAMES) for each in ("dog", "1", 1, "7", 0, "0")] == [1, 1, 1, 2, 3, 3]


@pytest.mark.parametrize("wanted", ["cow", "4", -1, "-1", "1.0", "²", ""])
def test_others_are_refused_with_the_names(wanted: int | str) -> None:
    with pytest.raises(UsageError, match="there is no class") as caught:
        number(wanted, NAMES, where="--over")
    assert caught.value.fix == "the 4 classes are cat, dog, 7, 0"
    assert caught.value.where == "--over"


def test_labels_come_in_turn_or_as_shares() -> None:
    assert chosen(("dog", "cat"), NAMES, 5).tolist() == [1, 0, 1, 0, 1]
    assert chosen(torch.tensor([2]), ("a", "b", "c"), 2).tolist() == [2, 2]
    shares = torch.rand(3, 4)
    assert chosen(shares, NAMES, 3) is shares
    with pytest.raises(UsageError, match="no class"):
        chosen((), NAMES, 3)
    with pytest.raises(UsageError, match="shares of classes"):
        chosen(shares, NAMES, 2)


def test_a_mixture_is_pure_at_the_corners_and_even_in_the_middle() -> None:
    line, square = pure([1, 3], NAMES), pure([0, 1, 2, 3], NAMES)
    assert between(line, 0.0).tolist() == [0, 1, 0, 0]
    assert between(line, 0.25).tolist() == [0, 0.75, 0, 0.25]
    corners = between(square, torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert torch.equal(corners, torch.eye(4)), "from left to right, then from top to bottom"
    assert between(square, 0.5, 0.5).tolist() == [0.25] * 4
    assert torch.allclose(between(square, torch.rand(5), 0.3).sum(1), torch.ones(5))
