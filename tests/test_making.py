"""What games are asked to make: translations of any size, in pieces, from a seed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.making import compared, translated


class Inverting(nn.Module):
    """Negatives with noise; notes the shapes that it is given."""

    sides, multiple = ("day", "night"), 8

    def __init__(self, noise: float = 0.0) -> None:
        super().__init__()
        self.noise = nn.Parameter(torch.tensor(noise))
        self.seen: list[tuple[int, ...]] = []

    def translate(self, images: Tensor) -> Tensor:
        self.seen.append(tuple(images.shape))
        return -images + self.noise * torch.randn_like(images)


class BothWays(Inverting):
    def translate_back(self, images: Tensor) -> Tensor:
        return images / 2


def ramp(height: int, width: int) -> Tensor:
    return torch.linspace(-1, 1, 3 * height * width).view(1, 3, height, width)


@pytest.mark.parametrize(("height", "width"), [(8, 16), (9, 15), (1, 1), (3, 2)])
def test_pictures_of_any_size_come_back_in_their_size(height: int, width: int) -> None:
    game = Inverting()
    assert torch.equal(translated(game, ramp(height, width)), -ramp(height, width))
    assert all(side % game.multiple == 0 for side in game.seen[0][2:])


def test_a_margin_is_a_mirror() -> None:
    class Keeping(Inverting):
        def translate(self, images: Tensor) -> Tensor:
            self.kept = images
            return images

    game, row = Keeping(), torch.tensor([0.1, 0.2, 0.3])
    translated(game, row.view(1, 1, 1, 3).expand(1, 1, 8, 3))
    # Two before and three after; beyond its other end it turns around.
    assert torch.equal(game.kept[0, 0, 0], row[[2, 1, 0, 1, 2, 1, 0, 1]])


def test_the_way_back_is_another_function() -> None:
    assert torch.equal(translated(BothWays(), ramp(8, 8), back=True), ramp(8, 8) / 2)


def test_noise_is_the_seeds_and_leaves_no_trace() -> None:
    game, images, state = Inverting(0.5), ramp(8, 8), torch.get_rng_state()
    once, again, other = (translated(game, images, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_many_pictures_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saddlepoint.making.ROOM", 3 * 64)
    game, images = Inverting(), torch.rand(7, 1, 8, 8)
    assert torch.equal(translated(game, images), -images)
    assert [shape[0] for shape in game.seen] == [3, 3, 1]
    # One that is larger than all the room still goes, by itself.
    translated(game, torch.rand(2, 1, 16, 16))
    assert [shape[0] for shape in game.seen[3:]] == [1, 1]


def test_a_sheet_holds_results_against_what_is_known() -> None:
    source, target = ramp(8, 8), -ramp(8, 8)
    assert [head for head, _ in compared(Inverting(), source, target, paired=True)] == ["day", "to night", "night"]
    assert [head for head, _ in compared(Inverting(), source, target, paired=False)] == ["day", "to night"]
    both = compared(BothWays(), source, target, paired=True)
    assert [head for head, _ in both] == ["day", "to night", "night", "to day"]
    cycle = compared(BothWays(), source, target, paired=False)
    assert [head for head, _ in cycle] == ["day", "to night", "and back", "night", "to day", "and back"]
    assert torch.equal(cycle[2][1], -source / 2)
    assert torch.equal(cycle[5][1], -target / 2)
