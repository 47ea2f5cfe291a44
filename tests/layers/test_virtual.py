"""Virtual batch normalization: each sample by the reference and itself, whatever its neighbors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.errors import GameError
from saddlepoint.layers.virtual import VirtualBatchNorm, VirtualNorm
from saddlepoint.networks import dcgan


def by_hand(reference: Tensor, sample: Tensor, eps: float = 1e-5) -> Tensor:
    """One sample (C, …) by the mean and mean square of R samples (R, C, …) and its own, as the paper's code does."""
    share = 1 / (len(reference) + 1)
    places = reference.movedim(1, 0).flatten(1)
    own = sample.view(len(sample), -1)
    mean = (1 - share) * places.mean(1) + share * own.mean(1)
    square = (1 - share) * (places**2).mean(1) + share * (own**2).mean(1)
    return (own - mean[:, None]) / (square - mean**2 + eps).sqrt()[:, None]


@pytest.mark.parametrize("places", [(), (3, 4)], ids=["points", "pictures"])
def test_equals_the_formula(places: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(2) if places else nn.BatchNorm1d(2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    reference, samples = torch.randn(5, 2, *places) * 2 + 3, torch.randn(4, 2, *places)
    result = VirtualNorm(norm, 5)(torch.cat([reference, samples]))

    expected = torch.stack([by_hand(reference.double(), one.double()) for one in samples])
    expected = expected * norm.weight.double()[:, None] + norm.bias.double()[:, None]
    torch.testing.assert_close(result[5:].double(), expected.view_as(samples), rtol=1e-5, atol=1e-5)
    # The reference batch is normalized as a batch norm in training does.
    torch.testing.assert_close(result[:5], norm.train()(reference), rtol=1e-5, atol=1e-5)


def generator() -> VirtualBatchNorm:
    torch.manual_seed(0)
    return VirtualBatchNorm(dcgan.generator(size=16, channels=3, latent=6, width=4), torch.randn(10, 6))


def test_a_sample_does_not_depend_on_its_neighbors_or_the_mode() -> None:
    network = generator()
    latents = torch.randn(4, 6)
    pictures = network(latents)
    assert pictures.shape == (4, 3, 16, 16)
    for n in range(4):
        # Sums of another batch size round otherwise.
        torch.testing.assert_close(network(latents[n : n + 1]), pictures[n : n + 1], rtol=0, atol=1e-5)
    assert torch.equal(network.eval()(latents), pictures)


def test_the_reference_is_state_and_follows_the_weights() -> None:
    network = generator()
    assert "reference" in network.state_dict()
    assert not [key for key in network.state_dict() if "running" in key]
    latents = torch.randn(4, 6)
    twin = generator()
    with torch.no_grad():
        twin.reference.copy_(torch.randn(10, 6))
    assert not torch.allclose(twin(latents), network(latents))
    twin.load_state_dict(network.state_dict())
    assert torch.equal(twin(latents), network(latents))


def test_gradients_reach_weights_and_latents() -> None:
    network = generator()
    latents = torch.randn(4, 6, requires_grad=True)
    network(latents).square().mean().backward()
    assert latents.grad is not None
    assert latents.grad.abs().min() > 0
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_scales_are_taken_over_and_a_norm_without_them_works() -> None:
    plain = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, affine=False))
    assert VirtualBatchNorm(plain, torch.randn(8, 2))(torch.randn(2, 2)).shape == (2, 3)
    network = dcgan.generator(size=8, channels=1, latent=4, width=4)
    scale = network[1].weight
    assert VirtualBatchNorm(network, torch.randn(8, 4)).network[1].weight is scale


@pytest.mark.parametrize("network", [nn.Sequential(nn.Linear(2, 2)), nn.BatchNorm1d(2)])
def test_a_network_without_a_batch_norm_inside_is_refused(network: nn.Module) -> None:
    with pytest.raises(GameError, match="no BatchNorm inside"):
        VirtualBatchNorm(network, torch.randn(8, 2))
