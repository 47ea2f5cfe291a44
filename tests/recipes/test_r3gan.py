"""R3GAN: what its options switch, and what it takes from penalties.py without calling it."""

import numpy as np
import pytest
import torch

from saddlepoint import recipe
from saddlepoint.data.batches import Batch
from saddlepoint.penalties import r1, r2
from saddlepoint.recipes import r3gan


def game(shape=(3, 32, 32), steps=10, **options):
    torch.manual_seed(0)
    return r3gan.R3GAN(r3gan.Options(size=32, latent=4, width=8, blocks=1, batch=4, **options), shape, steps)


def turns(played):
    pictures = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(2)
    return list(played.turns(iter([Batch(pictures, None)])))


@pytest.mark.parametrize(
    ("penalties", "names"), [("r1+r2", {"r1", "r2"}), ("r1", {"r1"}), ("none", set())], ids=["both", "real", "none"]
)
def test_penalties_are_those_asked_for(penalties, names):
    judged, made = turns(game(penalties=penalties))
    assert judged.losses.keys() == {"adversarial", *names}
    assert made.losses.keys() == {"adversarial"}


def test_penalties_are_those_of_penalties_py():
    played = game(gamma=3.0)
    real, fake = torch.randn(2, 4, 3, 32, 32).unbind()
    both = torch.cat([real, fake]).requires_grad_()
    found = played.slopes(both, played.discriminator(both))
    # One pass over eight or two over four: sums in another order.
    assert found["r1"].item() == pytest.approx(1.5 * r1(played.discriminator, real).item(), rel=1e-4)
    assert found["r2"].item() == pytest.approx(1.5 * r2(played.discriminator, fake).item(), rel=1e-4)


def test_gamma_falls_to_a_tenth_and_the_rate_to_a_quarter():
    played = game(gamma=2.0, steps=100)
    both = torch.randn(8, 3, 32, 32).requires_grad_()
    values = []
    for played.step in (0, 50, 100):
        values.append(played.slopes(both, played.discriminator(both))["r1"].item())
    assert values[2] / values[0] == pytest.approx(0.1, rel=1e-4)
    assert values[1] / values[0] == pytest.approx(0.55, rel=1e-4)
    player = played.players()["generator"]
    player.set_rates(1.0)
    assert player.optimizer.param_groups[0]["lr"] == pytest.approx(2e-4 / 4)


def test_a_relativistic_game_cares_about_differences_only():
    played, real, fake = game(), torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.5])
    assert torch.allclose(played.discriminator_cost(real, fake), played.discriminator_cost(real + 9, fake + 9))
    assert torch.allclose(played.generator_cost(real, fake), played.discriminator_cost(fake, real))
    other = game(loss="non_saturating")
    assert not torch.allclose(other.discriminator_cost(real, fake), other.discriminator_cost(real + 9, fake + 9))
    assert torch.equal(other.generator_cost(real, fake), other.generator_cost(real + 9, fake))


def test_pictures_are_clamped_when_shown_and_never_in_training():
    played = game()
    latents = torch.randn(16, 4)
    assert float(played.decode(latents).detach().abs().max()) <= 1
    assert float(played.generator(latents).detach().abs().max()) > 1


def test_points_have_no_bounds_and_a_network_of_their_own():
    played = game(shape=(2,))
    with torch.no_grad():
        played.generator[-1].bias.fill_(7.0)
    assert float(played.sample(8).detach().mean()) > 2
    assert played.score(torch.zeros(5, 2)).shape == (5,)


def test_the_published_preset_plays_ten_million_pictures():
    options = recipe.find("r3gan").configure("published")
    assert options.steps * options.batch == pytest.approx(10e6, rel=1e-4)
    assert np.isclose(options.gamma, 1.0)
