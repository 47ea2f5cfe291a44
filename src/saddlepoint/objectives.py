"""Adversarial losses: pure functions of the discriminator's logits, each a mean over the batch.

`real` and `fake` are logits of any equal or unequal shapes, without a sigmoid. Writing σ for the logistic function,
log σ(s) = -softplus(-s) and log(1 - σ(s)) = -softplus(s): every loss here is built from these, so that none
overflows, and none loses its gradient to rounding, however sure the discriminator is.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def cross_entropy(scores: Tensor, target: Tensor | float) -> Tensor:
    """Binary cross entropy of σ(scores) with `target`: -mean(t log σ(s) + (1 - t) log(1 - σ(s))).

    With target 1 this asks "be taken for real", with target 0 "be recognized"; targets between are soft labels.

    Args:
        scores: logits.
        target: probabilities in [0, 1], broadcast to the scores.
    """
    scores = scores.float()
    return (softplus(scores) - target * scores).mean()


def minimax_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's cost -mean log D(x) - mean log(1 - D(G(z))) (Goodfellow et al. 2014, eq. 1)."""
    return cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)


def minimax_generator(fake: Tensor) -> Tensor:
    """The generator's cost mean log(1 - D(G(z))) (Goodfellow et al. 2014, eq. 1).

    Its gradient vanishes while the discriminator wins; `non_saturating_generator` is the usual cure.
    """
    return -cross_entropy(fake, 0.0)


def non_saturating_generator(fake: Tensor) -> Tensor:
    """The generator's cost -mean log D(G(z)): fakes labeled as real (Goodfellow et al. 2014, section 3)."""
    return cross_entropy(fake, 1.0)
