"""Virtual batch normalization: a batch norm whose samples do not depend on each other (Salimans et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import GameError


class VirtualBatchNorm(nn.Module):
    """A network whose BatchNorms become virtual (Salimans et al. 2016, section 3.5).

    In a batch norm the output for one sample depends on its neighbors. Here each sample is normalized by the statistics
    of a reference batch, chosen once, and of itself; the reference batch by its own. It passes through the network
    together with every batch, since its activations follow the weights, and that is the price: R samples more.

    Args:
        network: with BatchNorm layers, which are replaced; their scales and biases are taken over.
        reference: the R samples that every other is compared with, such as latents for a generator.

    Raises:
        GameError: the network has no BatchNorm.
    """

    reference: Tensor

    def __init__(self, network: nn.Module, reference: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("reference", reference.clone())
        norms = {name: layer for name, layer in network.named_modules() if isinstance(layer, _BatchNorm)}
        if not norms or "" in norms:
            raise GameError(f"{type(network).__name__} has no BatchNorm inside", fix="use a network that has")
        for name, layer in norms.items():
            parent, _, leaf = name.rpartition(".")
            setattr(network.get_submodule(parent), leaf, VirtualNorm(layer, len(reference)))

    def forward(self, samples: Tensor) -> Tensor:
        reference = self.reference.to(samples.dtype)
        result: Tensor = self.network(torch.cat([reference, samples]))[len(reference) :]
        return result


class VirtualNorm(nn.Module):
    """Normalizes features whose first `reference` samples are the reference batch.

    With R reference samples, the mean and the mean square of a sample are R/(R + 1) parts the reference's and
    1/(R + 1) part its own.

    Args:
        norm: the BatchNorm to take the place of.
        reference: number R of reference samples.
    """

    def __init__(self, norm: _BatchNorm, reference: int) -> None:
        super().__init__()
        self.weight, self.bias, self.eps, self.count = norm.weight, norm.bias, norm.eps, reference

    def forward(self, features: Tensor) -> Tensor:
        # Three dimensions (N, C, places), whether features are of points or of pictures.
        values = features.float().flatten(2) if features.ndim > 2 else features.float().unsqueeze(2)
        reference, samples = values[: self.count], values[self.count :]
        variance, mean = torch.var_mean(reference, (0, 2), keepdim=True, correction=0)
        own_variance, own_mean = torch.var_mean(samples, 2, keepdim=True, correction=0)
        share = 1 / (self.count + 1)
        joint_mean = torch.lerp(mean, own_mean, share)
        # The variance about the joint mean, without the difference of two large squares.
        spread = torch.lerp(variance + (mean - joint_mean) ** 2, own_variance + (own_mean - joint_mean) ** 2, share)
        normal = torch.cat([self._scale(reference, mean, variance), self._scale(samples, joint_mean, spread)])
        if self.weight is not None:
            normal = normal * self.weight[:, None] + self.bias[:, None]
        return normal.view_as(features).to(features.dtype)

    def _scale(self, values: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return (values - mean) * (variance + self.eps).rsqrt()
