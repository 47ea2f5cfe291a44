"""Fully connected networks."""

from __future__ import annotations

import torch
from torch import nn

from saddlepoint.networks.mlp import mlp


def test_layers_in_order() -> None:
    kinds = [type(layer).__name__ for layer in mlp([3, 8, 4, 2], dropout=0.5)]
    assert kinds == ["Linear", "LeakyReLU", "Dropout", "Linear", "LeakyReLU", "Dropout", "Linear"]


def test_no_dropout_layer_without_dropout() -> None:
    assert not any(isinstance(layer, nn.Dropout) for layer in mlp([3, 8, 2]))


def test_widths_and_leak() -> None:
    network = mlp([3, 8, 2], leak=0.01)
    assert network(torch.zeros(5, 3)).shape == (5, 2)
    assert network[1].negative_slope == 0.01
