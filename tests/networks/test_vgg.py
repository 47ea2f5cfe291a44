"""VGG-16's convolutions: how many, and where they are tapped."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from saddlepoint.networks.vgg import VGG16

from .counting import parameters


def test_has_as_many_parameters_as_published() -> None:
    with torch.device("meta"):
        assert parameters(VGG16()) == 14_714_688  # Keras' VGG16 without its top


@torch.no_grad()
def test_is_tapped_after_each_stage() -> None:
    torch.manual_seed(0)
    taps = VGG16()(torch.rand(2, 3, 32, 48))
    assert [tuple(tap.shape) for tap in taps] == [
        (2, 64, 32, 48), (2, 128, 16, 24), (2, 256, 8, 12), (2, 512, 4, 6), (2, 512, 2, 3)
    ]  # fmt: skip
    assert all(float(tap.min()) == 0 for tap in taps)


@torch.no_grad()
def test_takes_the_shift_off_before_it_divides() -> None:
    torch.manual_seed(0)
    network = VGG16(shift=[0.1, 0.2, 0.3], scale=[1.0, 2.0, 4.0])
    images = torch.rand(1, 3, 16, 16)
    first = network.stages[0][0]
    by_hand = torch.stack([(images[0, 0] - 0.1), (images[0, 1] - 0.2) / 2, (images[0, 2] - 0.3) / 4])[None]
    expected = F.relu(network.stages[0][1](F.relu(first(by_hand))))
    torch.testing.assert_close(network(images)[0], expected)


def test_gradients_reach_the_picture() -> None:
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    VGG16()(images)[-1].sum().backward()
    assert images.grad is not None
    assert float(images.grad.abs().sum()) > 0


@pytest.mark.parametrize("side", [15, 8])
def test_a_picture_too_small_to_be_halved_has_no_features(side: int) -> None:
    with pytest.raises(RuntimeError):
        VGG16()(torch.rand(1, 3, side, side))
