"""Adversarial losses: pure functions of the discriminator's logits, each a mean over the batch.

`real` and `fake` are logits of any shape, without a sigmoid; larger is more real. Writing σ for the logistic function,
log σ(s) = -softplus(-s) and log(1 - σ(s)) = -softplus(s): what is logistic is built from these, so that no loss
overflows, and none loses its gradient to rounding, however sure the discriminator is. Half precision is widened to
float32 first.

A pair of functions for each objective, `*_discriminator(real, fake)` and `*_generator(fake)`; only the relativistic
generators look at real scores too. All are minimized.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from .errors import GameError, UsageError

LINEAR_ABOVE = 10.0
"""Where the maximum-likelihood cost goes on as its tangent; D = σ(10) = 0.99995."""


def _wide(values: Tensor) -> Tensor:
    """At least float32; float64 stays what it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def cross_entropy(scores: Tensor, target: Tensor | float) -> Tensor:
    """Binary cross entropy of σ(scores) with `target`: -mean(t log σ(s) + (1 - t) log(1 - σ(s))).

    With target 1 this asks "be taken for real", with target 0 "be recognized"; targets between are soft labels.

    Args:
        scores: logits.
        target: probabilities in [0, 1], broadcast to the scores; `labels` makes smooth, noisy and flipped ones.
    """
    scores = _wide(scores)
    return (softplus(scores) - target * scores).mean()


def minimax_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's cost -mean log D(x) - mean log(1 - D(G(z))) (Goodfellow et al. 2014, eq. 1)."""
    return cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)


def minimax_generator(fake: Tensor) -> Tensor:
    """The generator's cost mean log(1 - D(G(z))) (Goodfellow et al. 2014, eq. 1).

    Its gradient vanishes while the discriminator wins; `non_saturating_generator` is the usual cure.
    """
    return -cross_entropy(fake, 0.0)


# The heuristic changes the generator's cost only: to the discriminator both games are one.
non_saturating_discriminator = minimax_discriminator


def non_saturating_generator(fake: Tensor) -> Tensor:
    """The generator's cost -mean log D(G(z)): fakes labeled as real (Goodfellow et al. 2014, section 3)."""
    return cross_entropy(fake, 1.0)


# Here too the discriminator estimates the ratio of the densities: exp(s) = p_data / p_g at its optimum.
maximum_likelihood_discriminator = minimax_discriminator


def maximum_likelihood_generator(fake: Tensor) -> Tensor:
    """The generator's cost -mean exp(σ⁻¹(D(G(z)))) = -mean exp(s) (Goodfellow 2016, NIPS tutorial, section 3.2.4).

    Against the optimal discriminator its gradient is that of KL(p_data ‖ p_g), hence the name. Nearly all of it comes
    from the few fakes taken for real, so it is a poor cost to train with.

    Differs from the tutorial: without its factor 1/2, as the other costs here, and above s = `LINEAR_ABOVE` the
    exponential goes on as its tangent, so that value and gradient stay finite.
    """
    fake = _wide(fake)
    return -(fake.clamp(max=LINEAR_ABOVE).exp() * (1 + relu(fake - LINEAR_ABOVE))).mean()


def least_squares(scores: Tensor, target: Tensor | float) -> Tensor:
    """Half the mean squared distance from `target`: mean (s - t)² / 2. The targets may come from `labels`."""
    return (_wide(scores) - target).square().mean() / 2


def least_squares_discriminator(
    real: Tensor, fake: Tensor, *, a: Tensor | float = 0.0, b: Tensor | float = 1.0
) -> Tensor:
    """The discriminator's cost mean (D(x) - b)² / 2 + mean (D(G(z)) - a)² / 2 (Mao et al. 2017, eq. 2).

    Args:
        real: scores, not probabilities: the paper's D has no sigmoid.
        fake: likewise.
        a: label of fakes.
        b: label of real data. With a = -1, b = 1, c = 0 the game minimizes a Pearson χ² divergence (eq. 8); the
            defaults are its binary coding (eq. 9).
    """
    return least_squares(real, b) + least_squares(fake, a)


def least_squares_generator(fake: Tensor, *, c: Tensor | float = 1.0) -> Tensor:
    """The generator's cost mean (D(G(z)) - c)² / 2 (Mao et al. 2017, eq. 2); c is what it wants fakes to score."""
    return least_squares(fake, c)


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's cost mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z))) (Lim and Ye 2017; Miyato et al. 2018).

    Scores beyond the margins ±1 are left alone.
    """
    return relu(1 - _wide(real)).mean() + relu(1 + _wide(fake)).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """The generator's cost -mean D(G(z)) (Lim and Ye 2017; Miyato et al. 2018, eq. 17)."""
    return -_wide(fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's cost mean D(G(z)) - mean D(x) (Arjovsky et al. 2017, eq. 2 with the sign turned).

    It estimates -W₁(p_data, p_g) only for a critic kept Lipschitz: `penalties.clip_weights`,
    `penalties.gradient_penalty` or a spectral norm.
    """
    return _wide(fake).mean() - _wide(real).mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """The generator's cost -mean D(G(z)) (Arjovsky et al. 2017, Algorithm 1)."""
    return -_wide(fake).mean()


Pairing = Callable[[Tensor], Tensor]
"""The price of a lead: what the player pays where the other side's scores exceed its own by so much."""


def relativistic_discriminator(real: Tensor, fake: Tensor, *, price: Pairing = softplus) -> Tensor:
    """The discriminator's cost mean f(D(G(z)) - D(x)) over pairs, f = softplus (Jolicoeur-Martineau 2019, RSGAN).

    A score means nothing by itself, only whether it exceeds that of its partner: RpGAN in Huang et al. 2024.

    Args:
        real: scores, the n-th paired with the n-th of `fake`.
        fake: scores of the same shape.
        price: f, elementwise. The identity gives the Wasserstein game.

    Raises:
        GameError: the shapes differ; broadcasting them would pair everything with everything.
    """
    return price(_lead(fake, real)).mean()


def relativistic_generator(real: Tensor, fake: Tensor, *, price: Pairing = softplus) -> Tensor:
    """The generator's cost mean f(D(x) - D(G(z))) over pairs: `relativistic_discriminator` with the sides exchanged."""
    return price(_lead(real, fake)).mean()


def _lead(ahead: Tensor, behind: Tensor) -> Tensor:
    if ahead.shape != behind.shape:
        raise GameError(
            f"scores of shapes {tuple(ahead.shape)} and {tuple(behind.shape)} cannot be paired",
            fix="judge as many fakes as real samples",
        )
    return _wide(ahead) - _wide(behind)


def relativistic_average_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's cost -mean log σ(D(x) - mean D(G(z))) - mean log(1 - σ(D(G(z)) - mean D(x))).

    Each sample is compared with the other side's average, over the batch and, if D judges patches, over them too
    (Jolicoeur-Martineau 2019, RaSGAN).
    """
    real, fake = _wide(real), _wide(fake)
    return cross_entropy(real - fake.mean(), 1.0) + cross_entropy(fake - real.mean(), 0.0)


def relativistic_average_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The generator's cost: `relativistic_average_discriminator` with the sides exchanged."""
    return relativistic_average_discriminator(fake, real)


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """‖mean f(x) - mean f(G(z))‖², f an inner layer of the discriminator (Salimans et al. 2016, section 3.1).

    Args:
        real: features (N, …) of real data.
        fake: features (M, …) of fakes; means are over the samples, the squares are summed over the rest.
    """
    return (_wide(real).mean(0) - _wide(fake).mean(0)).square().sum()


def labels(
    real: Tensor,
    fake: Tensor,
    *,
    smooth: float = 0.0,
    two_sided: bool = False,
    noise: float = 0.0,
    flip: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Targets of real and fake scores for the losses that have labels, `cross_entropy` and `least_squares`.

    Without a trick they are 1 and 0. One-sided smoothing makes them 1 - smooth and 0, two-sided 1 - smooth and smooth
    (Salimans et al. 2016, section 3.4, who advise against the latter: it holds D up where there are fakes only). Noise
    moves each target on toward the other label, flipping exchanges a few (Chintala et al. 2016, "How to train a GAN?").
    To train the generator on flipped labels throughout is `non_saturating_generator`.

    Differs from Chintala: noisy targets stay in [0, 1]. Theirs reach 1.2, where cross entropy has no lower bound.

    Args:
        real: only its shape and device count.
        fake: likewise.
        smooth: distance of the targets from the hard labels.
        two_sided: smooth the targets of fakes too.
        noise: each target is moved by an amount drawn uniformly from [0, noise].
        flip: share of the targets that are wrong on purpose, drawn one by one.
        generator: of the noise and the flips; torch's default one if None.

    Raises:
        UsageError: `smooth` or `noise` is negative, together they exceed 1, or `flip` is not in [0, 1].
    """
    if smooth < 0 or noise < 0 or smooth + noise > 1:
        raise UsageError(f"smooth {smooth} and noise {noise} must be at least 0 and at most 1 together")
    if not 0 <= flip <= 1:
        raise UsageError(f"flip is a share in [0, 1], got {flip}")

    def away(scores: Tensor, start: float) -> Tensor:
        # Drawn on the CPU whatever the device, so that one seed gives the same labels everywhere.
        moved = start + noise * torch.rand(scores.shape, generator=generator)
        wrong = torch.rand(scores.shape, generator=generator) < flip
        return torch.where(wrong, 1 - moved, moved).to(scores.device, non_blocking=True)

    return 1 - away(real, smooth), away(fake, smooth if two_sided else 0.0)
