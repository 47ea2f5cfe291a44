"""Spectral normalization: layers whose largest singular value is 1 (Miyato et al. 2018, Algorithm 1).

A network of such layers and of activations with slopes of at most 1 cannot change faster than its input. Dividing by
the largest singular value needs that value at every step; since weights change little from step to step, one
iteration of the power method on remembered singular vectors follows it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..errors import GameError

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LAYERS = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED)

Network = TypeVar("Network", bound=nn.Module)


def spectral(module: Network, *, iterations: int = 1, only: tuple[type[nn.Module], ...] = LAYERS) -> Network:
    """Puts spectral normalization on a layer, or on every linear, convolution and embedding layer of a network.

    To be called last: initializing `layer.weight` afterwards would change a copy. Biases and the scales of other
    normalizations stay as they are. The singular vectors are buffers, so a resumed run goes on exactly.

    Args:
        module: changed in place and returned.
        iterations: of the power method for each forward pass in training; in evaluation there are none.
        only: kinds of layers to normalize, when not all of them.

    Raises:
        GameError: there is no layer to normalize, one is normalized already, or its weights are all zero.
    """
    layers = {name: layer for name, layer in module.named_modules() if isinstance(layer, only)}
    if not layers:
        raise GameError(
            f"{type(module).__name__} has no weights to normalize",
            fix="give it linear, convolution or embedding layers",
        )
    for name, layer in layers.items():
        where = f"layer {name}" if name else None
        if parametrize.is_parametrized(layer, "weight"):
            raise GameError("the weights of a layer are normalized already", where=where, fix="call spectral() once")
        assert isinstance(layer.weight, Tensor)
        if not layer.weight.count_nonzero():
            raise GameError(
                "weights that are all zero have no largest singular value", where=where, fix="initialize them first"
            )
        parametrize.register_parametrization(layer, "weight", Spectral(layer, iterations))
        layer.register_forward_pre_hook(_follow)
    return module


class Spectral(nn.Module):
    """Divides a layer's weight W by its largest singular value σ = uᵀ W v.

    W is seen as a matrix (leaving features, everything else), as in the paper; for a convolution this σ is that of the
    kernel, a bound up to a constant for σ of the convolution. Gradients flow through σ with u and v held fixed, which
    is the paper's eq. 12 and, once u and v are singular vectors, the exact derivative.

    Differs from the paper: u and v start as the exact singular vectors, not at random, so σ is right from the first
    step.

    Attributes:
        u: left singular vector, one element per leaving feature.
        v: right singular vector.
    """

    u: Tensor
    v: Tensor

    def __init__(self, layer: nn.Module, iterations: int) -> None:
        super().__init__()
        self.transposed, self.iterations = isinstance(layer, TRANSPOSED), iterations
        assert isinstance(layer.weight, Tensor)
        u, v = _leading(self.matrix(layer.weight.detach()))
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix with one row per leaving feature."""
        return (weight.transpose(0, 1) if self.transposed else weight).flatten(1)

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            sigma = self.u @ (self.matrix(weight) @ self.v)
            return weight / sigma

    @torch.no_grad()
    def iterate(self, weight: Tensor) -> None:
        """Moves u and v closer to the singular vectors of `weight`: lines 1 and 2 of Algorithm 1."""
        matrix = self.matrix(weight)
        with torch.autocast(weight.device.type, enabled=False):
            u, v = self.u, self.v
            for _ in range(self.iterations):
                v = _unit(u @ matrix)
                u = _unit(matrix @ v)
        # New tensors, not new values: the graph of an earlier forward pass still needs the old ones.
        self.u, self.v = u, v


def _follow(layer: nn.Module, inputs: Any) -> None:
    # A hook and not a part of the parametrization: a layer may read its weight more than once in a forward pass.
    if layer.training:
        weight = layer.get_submodule("parametrizations.weight")
        assert isinstance(weight, parametrize.ParametrizationList)
        last = weight[-1]
        assert isinstance(last, Spectral)
        last.iterate(weight.original)


@torch.no_grad()
def _leading(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The singular vectors of the largest singular value, from the smaller of the two Gram matrices."""
    with torch.autocast(matrix.device.type, enabled=False):
        if matrix.shape[0] > matrix.shape[1]:
            v, u = _leading(matrix.t())
            return u, v
        u = torch.linalg.eigh(matrix @ matrix.t()).eigenvectors[:, -1]
        v = _unit(u @ matrix)
        return _unit(matrix @ v), v


def _unit(vector: Tensor) -> Tensor:
    return vector / torch.linalg.vector_norm(vector)
