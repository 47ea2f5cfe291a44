"""Regularizers of a discriminator, a generator or both: unweighted scalars that a turn multiplies by its λ or γ/2.

All arithmetic is in float32 with autocast off, whatever the precision of the networks; float64 stays float64. The
gradient penalties differentiate D by its input, sample by sample and over all other dimensions, so that D(x) may be
of pictures or of points, and a score or a map of patch scores (whose sum is differentiated). The inputs are constants
to them: a penalty trains D, never the one who made the fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from .errors import GameError

Critic = Callable[[Tensor], Tensor]
"""Maps a batch to scores: a network, or `partial(network, labels=…)` of a conditional one."""


@torch.no_grad()
def clip_weights(module: nn.Module, bound: float) -> None:
    """Clamps every parameter to [-bound, bound] (Arjovsky et al. 2017, Algorithm 1).

    For a player: `Player(optimizer, after=partial(clip_weights, critic, 0.01))`.
    """
    for parameter in module.parameters():
        parameter.clamp_(-bound, bound)


def gradient_penalty(
    critic: Critic, real: Tensor, fake: Tensor, *, center: float = 1.0, one_sided: bool = False
) -> Tensor:
    """mean (‖∇D(x̂)‖ - center)² at random points x̂ between real and fake pairs (Gulrajani et al. 2017, eq. 3).

    Args:
        critic: D.
        real: (N, …).
        fake: of the same shape.
        center: 1, or 0 for the zero-centered penalty (Thanh-Tung et al. 2019).
        one_sided: let gradients below `center` be: mean max(0, ‖∇D(x̂)‖ - center)² (Petzka et al. 2018).

    Raises:
        GameError: the shapes differ, or D normalizes over the batch.
    """
    if real.shape != fake.shape:
        raise GameError(
            f"real {tuple(real.shape)} and fake {tuple(fake.shape)} have no points between them",
            fix="draw as many fakes as real samples",
        )
    real, fake = _wide(real), _wide(fake)
    # Drawn on the CPU whatever the device, so that one seed gives the same points everywhere.
    share = torch.rand(len(real), *[1] * (real.ndim - 1), dtype=real.dtype).to(real.device, non_blocking=True)
    excess = _slopes(critic, fake.lerp(real, share)) - center
    return (excess.relu() if one_sided else excess).square().mean()


def dragan_penalty(critic: Critic, real: Tensor, *, center: float = 1.0, spread: float = 0.5) -> Tensor:
    """mean (‖∇D(x + δ)‖ - center)², δ ~ N(0, c I), c = (spread · std of the batch)² (Kodali et al. 2017).

    Differs from the authors' code, which takes δ from [0, spread · std] and then a random point between x and x + δ;
    the size is theirs, the distribution the paper's.

    Raises:
        GameError: D normalizes over the batch.
    """
    real = _wide(real)
    noise = torch.randn(real.shape, dtype=real.dtype).to(real.device, non_blocking=True)
    return (_slopes(critic, real + spread * real.std(correction=0) * noise) - center).square().mean()


def r1(critic: Critic, real: Tensor) -> Tensor:
    """mean ‖∇D(x)‖² at real samples, to be weighted by γ/2 (Mescheder et al. 2018, eq. 9).

    Raises:
        GameError: D normalizes over the batch.
    """
    return _gradients(critic, real).square().sum(1).mean()


def r2(critic: Critic, fake: Tensor) -> Tensor:
    """mean ‖∇D(G(z))‖² at fakes, to be weighted by γ/2 (Mescheder et al. 2018, eq. 10).

    Raises:
        GameError: D normalizes over the batch.
    """
    return r1(critic, fake)


def _slopes(critic: Critic, inputs: Tensor) -> Tensor:
    """‖∇D‖ of each sample, (N,). Where it is 0, its own gradient is taken to be 0 and not NaN."""
    return torch.linalg.vector_norm(_gradients(critic, inputs), dim=1)


def _gradients(critic: Critic, inputs: Tensor) -> Tensor:
    """∇D of each sample, (N, features), itself differentiable by D's parameters."""
    _refuse_mixing(critic)
    # A compiled network has no second derivative: it runs uncompiled here.
    with _full_precision(inputs), torch.enable_grad(), torch.compiler.set_stance("force_eager"):
        inputs = _wide(inputs).detach().requires_grad_()
        (gradients,) = torch.autograd.grad(critic(inputs).sum(), inputs, create_graph=True)
    return gradients.flatten(1)


def _refuse_mixing(critic: Critic) -> None:
    network = critic.func if isinstance(critic, partial) else critic
    if not isinstance(network, nn.Module):
        return
    for name, layer in network.named_modules():
        batchwise = isinstance(layer, nn.modules.batchnorm._BatchNorm)
        if batchwise and (layer.training or layer.running_mean is None):
            raise GameError(
                f"a gradient penalty needs each sample's own gradient, but {type(layer).__name__} mixes the batch",
                where=f"layer {name or 'itself'} of {type(network).__name__}",
                fix="normalize each sample by itself, e.g. with LayerNorm or GroupNorm, or not at all",
            )


def _wide(values: Tensor) -> Tensor:
    """At least float32; float64 stays what it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


@contextmanager
def _full_precision(like: Tensor) -> Iterator[None]:
    with torch.autocast(like.device.type, enabled=False):
        yield


def orthogonal(module: nn.Module) -> Tensor:
    """Σ ‖W Wᵀ ⊙ (1 - I)‖²_F over the weights of a network (Brock et al. 2019, eq. 3).

    Pushes filters to be orthogonal without asking for any length. W is (outputs, everything else); biases, gains and
    tables of embeddings, whose rows are no filters, are left out.
    """
    tables = {id(layer.weight) for layer in module.modules() if isinstance(layer, nn.Embedding)}
    weights = [weight for weight in module.parameters() if weight.ndim > 1 and id(weight) not in tables]
    if not weights:
        raise GameError(f"{type(module).__name__} has no weights to make orthogonal")
    with _full_precision(weights[0]):
        return torch.stack([_overlap(_wide(weight).flatten(1)) for weight in weights]).sum()


def _overlap(rows: Tensor) -> Tensor:
    products = rows @ rows.T
    return (products - products.diagonal().diag()).square().sum()


def consistency(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared difference of two answers that should agree, mean (a - b)².

    - CR: D(x) and D(T(x)), T an augmentation (Zhang et al. 2020).
    - bCR: that, and D(G(z)) and D(T(G(z))) (Zhao et al. 2021, Algorithm 1).
    - zCR: D(G(z)) and D(G(z + δ)) for D; G(z) and G(z + δ) for G, subtracted, since G *should* heed its latent
      (Zhao et al. 2021, Algorithm 2).
    """
    return (_wide(first) - _wide(second)).square().mean()


def mode_seeking(first: Tensor, second: Tensor, latents: Tensor, others: Tensor) -> Tensor:
    """1 / mean (|G(z, y) - G(z', y)| / |z - z'|): a price for samples that differ less than their latents do.

    Mao et al. 2019, eq. 1, as its authors' code minimizes it: distances are means of absolute differences. Against
    conditional generators that draw one thing for each class.

    Args:
        first: samples (N, …).
        second: samples (N, …) of the same conditions.
        latents: what the first were made of, (N, Z).
        others: what the second were made of, (N, Z).
    """
    pairs = (first, second), (latents, others)
    apart, away = ((_wide(one) - _wide(other)).abs().flatten(1).mean(1) for one, other in pairs)
    return 1 / ((apart / away).mean() + 1e-5)


def drift(scores: Tensor) -> Tensor:
    """mean D(x)², at 0.001: keeps the critic's scores of real data near zero (Karras et al. 2018, appendix A.1)."""
    return _wide(scores).square().mean()


class LeCam(nn.Module):
    """mean (D(x) - α_F)² + mean (D(G(z)) - α_R)², α_R and α_F moving averages of D's scores (Tseng et al. 2021).

    Each call, in the discriminator's turn, first moves the averages, the anchors, and then pulls real scores toward
    the anchor of the fakes and fakes toward that of the real data.

    Differs from the authors' code, which counts only scores on the far side of their anchor; this is the paper's form.

    Args:
        decay: of the averages, per call. They are freed of the bias of their start, so no warm-up is needed.
    """

    real: Tensor
    fake: Tensor
    weight: Tensor

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        for name in ("real", "fake", "weight"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, real: Tensor, fake: Tensor) -> Tensor:
        real, fake = _wide(real), _wide(fake)
        with torch.no_grad():
            self.real.lerp_(real.mean().to(self.real.dtype), 1 - self.decay)
            self.fake.lerp_(fake.mean().to(self.fake.dtype), 1 - self.decay)
            self.weight.lerp_(torch.ones_like(self.weight), 1 - self.decay)
        return (real - self.fake / self.weight).square().mean() + (fake - self.real / self.weight).square().mean()
