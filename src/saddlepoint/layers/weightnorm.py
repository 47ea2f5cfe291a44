"""Weight normalization: directions of weights are learned, lengths are given (Salimans and Kingma 2016).

The weights of a feature are g v / ‖v‖. Where g stays as the data decided at the start, no weight can grow: noise added
between the layers keeps its size relative to the features, which is all that such noise regularizes by.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from ..errors import GameError

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)

Network = TypeVar("Network", bound=nn.Module)


def weight_norm(module: Network, *, learn_length: bool = False) -> Network:
    """Puts weight normalization on a layer, or on every linear and convolution layer of a network without it.

    Args:
        module: changed in place and returned.
        learn_length: learn g as well, as the paper does; else it stays as `initialize` makes it.

    Raises:
        GameError: there is no layer to normalize.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, LAYERS) and not _is_normalized(layer)]
    if not layers:
        raise GameError(
            f"{type(module).__name__} has no weights to normalize", fix="give it linear or convolution layers"
        )
    for layer in layers:
        parametrizations.weight_norm(layer)
        _length(layer).requires_grad_(learn_length)
    return module


@torch.no_grad()
def initialize(network: nn.Module, inputs: Tensor) -> None:
    """Sets lengths and biases so that each feature has mean 0 and variance 1 over `inputs` (section 3).

    The network is run once as it is, with its noise if it is in training mode. A feature that does not vary keeps its
    length.

    Args:
        network: of layers with weight normalization and biases, each used once in a forward pass.
        inputs: a few hundred samples.
    """
    handles = [layer.register_forward_hook(_standardize) for layer in network.modules() if _is_normalized(layer)]
    try:
        network(inputs)
    finally:
        for handle in handles:
            handle.remove()


def _standardize(layer: nn.Module, inputs: Any, features: Tensor) -> Tensor:
    bias = cast(Tensor, layer.bias)
    shape = (1, -1) + (1,) * (features.ndim - 2)
    features = features - bias.view(shape)
    mean = features.transpose(0, 1).flatten(1).mean(1)
    deviation = features.transpose(0, 1).flatten(1).std(1)
    deviation = torch.where(deviation > 0, deviation, 1.0)
    _length(layer).div_(deviation.view_as(_length(layer)))
    bias.copy_(-mean / deviation)
    return (features - mean.view(shape)) / deviation.view(shape)


def _is_normalized(layer: nn.Module) -> bool:
    return isinstance(layer, LAYERS) and parametrize.is_parametrized(layer, "weight")


def _length(layer: nn.Module) -> nn.Parameter:
    """g, one element per leaving feature."""
    return layer.get_parameter("parametrizations.weight.original0")
