"""What a discriminator sees: every layer once, pooled; and what it learns when it is told classes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saddlepoint import recipe
from saddlepoint.abilities import Translates
from saddlepoint.data.blank import Blank
from saddlepoint.errors import UnavailableError
from saddlepoint.evaluation.activations import Teller, activations, features, teach
from saddlepoint.networks import dcgan


class Judge(nn.Module):
    """A game that judges with a network of its own."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.network(images)
        return scores


class Residual(nn.Module):
    """Two convolutions and a head that are given the same maps, with nonlinearities that are no modules."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.short, self.last = nn.Conv2d(4, 4, 1), nn.Linear(4, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.first(images).relu()
        scores: Tensor = self.last((self.second(maps) + self.short(maps)).relu().sum((2, 3)))
        return scores.squeeze(1)


class Asking(nn.Module):
    """A game whose discriminator asks for the class, and shows it to a convolution."""

    classes = ("x", "y")

    def __init__(self) -> None:
        super().__init__()
        self.image, self.last = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(4, 1, 8)

    def judge(self, images: Tensor, labels: Tensor) -> Tensor:
        planes = labels[:, :, None, None].expand(-1, -1, 8, 8)
        scores: Tensor = self.last(torch.cat([self.image(images), planes], 1))
        return scores.flatten()


def test_features_of_a_dcgan_are_all_its_activations_in_grids_of_four() -> None:
    torch.manual_seed(0)
    network = dcgan.discriminator(size=32, channels=3, width=4).eval()
    images = torch.randn(5, 3, 32, 32)
    maps, expected = images, []
    for layer in network[:-1]:
        maps = layer(maps)
        if isinstance(layer, nn.LeakyReLU):
            expected.append(F.max_pool2d(maps, maps.shape[2] // 4).flatten(1))
    found = features(Judge(network), images)
    assert found.shape == (5, 16 * (4 + 8 + 16))
    torch.testing.assert_close(found, torch.cat(expected, 1))
    assert not found.requires_grad
    assert not any(layer._forward_pre_hooks for layer in network), "nothing is left on the layers"


def test_what_two_layers_are_given_is_there_once_and_vectors_stay_as_they_are() -> None:
    torch.manual_seed(0)
    network = Residual()
    images = torch.randn(2, 3, 8, 8)
    maps, summed = activations(Judge(network), images)
    torch.testing.assert_close(maps, network.first(images).relu())
    assert summed.shape == (2, 4)
    assert features(Judge(network), images).shape == (2, 4 * 16 + 4)


def test_small_maps_are_not_blown_up() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 4, 4), nn.ReLU(), nn.Conv2d(3, 1, 2), nn.Flatten(0))
    assert features(Judge(network), torch.randn(2, 1, 8, 8)).shape == (2, 3 * 4)


def test_who_asks_for_a_class_gets_equal_shares_of_all() -> None:
    game = Asking()
    seen = activations(game, torch.randn(3, 1, 8, 8))[-1]
    assert (seen[:, 2:] == 0.5).all()


@pytest.mark.parametrize(
    ("game", "why"),
    [
        (Judge(nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 1))), "without convolutions"),
        (Judge(nn.Conv2d(1, 1, 8)), "without convolutions"),
        (
            Judge(nn.Sequential(nn.Unflatten(0, (-1, 2)), nn.Flatten(1, 2), nn.Conv2d(2, 1, 1), nn.Conv2d(1, 1, 8))),
            "at once",
        ),
        (nn.Conv2d(1, 1, 8), "does not judge"),
    ],
    ids=["dense", "a single layer", "packs of two", "no score"],
)
def test_what_has_no_features_is_refused(game: nn.Module, why: str) -> None:
    with pytest.raises(UnavailableError, match=why):
        features(game, torch.zeros(4, 1, 8, 8))


@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_that_judges_by_convolutions_has_features(name: str) -> None:
    found = recipe.find(name)
    options = found.configure(**found.smoke)
    size = getattr(options, "size", 8)
    blank = Blank(3, (size, size), ("x", "y", "z"))
    game = next(iter(found.stages(options, blank))).game.eval()
    images = torch.rand(4, 3, size, size) * 2 - 1
    if isinstance(game, Translates) or not any(isinstance(layer, nn.Conv2d) for layer in game.modules()):
        with pytest.raises(UnavailableError):
            features(game, images)
        return
    seen = features(game, images)
    assert seen.shape[0] == 4
    assert seen.isfinite().all()
    assert (seen.std(0) > 0).any()
    torch.testing.assert_close(seen[1:], features(game, images)[1:], msg="they are the same again")


def test_a_discriminator_learns_the_labels_it_is_told() -> None:
    torch.manual_seed(1)
    labels = torch.arange(48) % 3
    # One of three channels is brighter, by less than the noise of a pixel.
    images = 0.7 * torch.randn(48, 3, 16, 16) + F.one_hot(labels, 3)[:, :, None, None]

    def taught(seed: int) -> nn.Module:
        torch.manual_seed(0)
        game = Judge(dcgan.discriminator(size=16, channels=3, width=4))
        return teach(Teller(game, (3, 16, 16), 3), images[:24], labels[:24], steps=40, seed=seed)

    network = taught(0)
    assert not network.training
    assert network(images).shape == (48, 3)
    assert (network(images[24:]).argmax(1) == labels[24:]).double().mean() > 0.9
    torch.testing.assert_close(taught(0)(images), network(images), rtol=0, atol=0)
    assert (taught(1)(images) != network(images)).any()


def test_teaching_leaves_the_random_numbers_of_others_alone() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2))
    before = torch.get_rng_state()
    teach(network, torch.zeros(3, 1, 2, 2), torch.tensor([0, 1, 1]), steps=2, seed=0)
    assert (torch.get_rng_state() == before).all()
