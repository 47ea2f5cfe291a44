"""Self-attention: the formula of Zhang et al. 2019 with the pooling of the authors' code, and little memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from saddlepoint.layers.attention import Attention


def built(channels: int = 16, scale: float = 0.7) -> Attention:
    torch.manual_seed(0)
    layer = Attention(channels).double()
    torch.nn.init.constant_(layer.scale, scale)
    return layer


def written_out(layer: Attention, features: Tensor) -> Tensor:
    """Place by place, as the formula reads."""
    maps = layer.query(features), F.max_pool2d(layer.key(features), 2), F.max_pool2d(layer.value(features), 2)
    query, key, value = (part.flatten(2) for part in maps)
    found = torch.empty(len(features), value.shape[1], query.shape[2], dtype=features.dtype)
    for sample in range(len(features)):
        for place in range(query.shape[2]):
            weights = torch.softmax(key[sample].T @ query[sample, :, place], 0)
            found[sample, :, place] = value[sample] @ weights
    return features + layer.scale * layer.back(found.view(len(features), -1, *features.shape[2:]))


@pytest.mark.parametrize("shape", [(2, 16, 8, 8), (1, 16, 4, 6), (1, 3, 4, 4)])
def test_is_the_papers_formula(shape: tuple[int, ...]) -> None:
    layer = built(shape[1])
    features = 3 * torch.randn(shape, dtype=torch.float64)
    torch.testing.assert_close(layer(features), written_out(layer, features))


def test_gradients_are_exact() -> None:
    layer = built(8)
    assert torch.autograd.gradcheck(layer, torch.randn(1, 8, 4, 4, dtype=torch.float64, requires_grad=True))


def test_has_the_authors_channels_and_no_biases() -> None:
    shapes = {name: tuple(weight.shape) for name, weight in Attention(64).named_parameters()}
    assert shapes == {
        "scale": (),
        "query.weight": (8, 64, 1, 1),
        "key.weight": (8, 64, 1, 1),
        "value.weight": (32, 64, 1, 1),
        "back.weight": (64, 32, 1, 1),
    }


def test_starts_as_if_it_were_not_there_and_learns_to_be() -> None:
    layer = Attention(8)
    features = torch.randn(2, 8, 4, 4)
    output = layer(features)
    assert torch.equal(output, features)
    output.square().sum().backward()
    assert layer.scale.grad is not None
    assert layer.scale.grad != 0


def test_never_holds_the_map_of_who_looks_at_whom() -> None:
    layer, features = Attention(8), torch.randn(1, 8, 32, 32, requires_grad=True)
    sizes: list[int] = []

    def keep(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        layer(features).sum().backward()
    # The map would have 1024 x 256 numbers; the features have 8 x 1024.
    assert max(sizes) == features.numel()


def test_in_bfloat16_the_softmax_is_still_in_full_precision() -> None:
    layer = built().float()
    features = 3 * torch.randn(2, 16, 8, 8)
    exact = layer(features)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(features.bfloat16())
    assert rough.dtype == torch.bfloat16
    # Features round to 1 part in 256, in a few places one after another.
    assert float((rough - exact).detach().abs().max()) < 0.03 * float(exact.detach().abs().max())
