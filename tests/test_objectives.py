"""Adversarial losses: published values, textbook formulas, extremes, gradients, labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from saddlepoint import objectives
from saddlepoint.errors import GameError, UsageError
from saddlepoint.objectives import (
    LINEAR_ABOVE,
    cross_entropy,
    feature_matching,
    labels,
    least_squares,
    least_squares_discriminator,
    least_squares_generator,
    maximum_likelihood_generator,
    minimax_discriminator,
    minimax_generator,
    non_saturating_generator,
    relativistic_discriminator,
    relativistic_generator,
    wasserstein_discriminator,
)

REAL = torch.tensor([1.3, 2.9, 8.4, 6.3], dtype=torch.float64)
FAKE = torch.tensor([4.8, 1.2, -3.5, 5.9], dtype=torch.float64)

log, exp, sigmoid = torch.log, torch.exp, torch.sigmoid


def logistic(number: float) -> float:
    """σ, exact at any number."""
    return 1 / (1 + math.exp(-number)) if number > -700 else 0.0


class Case(NamedTuple):
    """An objective, its formula as textbooks print it, and its slopes where all scores of a side are alike."""

    loss: Callable[[Tensor, Tensor], Tensor]
    formula: Callable[[Tensor, Tensor], Tensor]
    slopes: Callable[[float, float], tuple[float, float]]


def of_fakes(loss: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss as a function of both scores; its gradient at the real ones is 0 then, not None."""
    return lambda real, fake: loss(fake) + 0 * real.sum()


CASES = {
    "minimax discriminator": Case(
        minimax_discriminator,
        lambda r, f: -log(sigmoid(r)).mean() - log(1 - sigmoid(f)).mean(),
        lambda r, f: (-logistic(-r), logistic(f)),
    ),
    "minimax generator": Case(
        of_fakes(minimax_generator),
        lambda r, f: log(1 - sigmoid(f)).mean(),
        lambda r, f: (0, -logistic(f)),
    ),
    "non-saturating generator": Case(
        of_fakes(non_saturating_generator),
        lambda r, f: -log(sigmoid(f)).mean(),
        lambda r, f: (0, -logistic(-f)),
    ),
    "maximum-likelihood generator": Case(
        of_fakes(maximum_likelihood_generator),
        lambda r, f: -exp(log(sigmoid(f) / (1 - sigmoid(f)))).mean(),
        lambda r, f: (0, -math.exp(min(f, LINEAR_ABOVE))),
    ),
    "least-squares discriminator": Case(
        least_squares_discriminator,
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda r, f: (r - 1, f),
    ),
    "least-squares generator": Case(
        of_fakes(least_squares_generator),
        lambda r, f: ((f - 1) ** 2).mean() / 2,
        lambda r, f: (0, f - 1),
    ),
    "hinge discriminator": Case(
        objectives.hinge_discriminator,
        lambda r, f: -torch.minimum(torch.zeros_like(r), r - 1).mean() - torch.minimum(0 * f, -f - 1).mean(),
        lambda r, f: (-float(r < 1), float(f > -1)),
    ),
    "hinge generator": Case(of_fakes(objectives.hinge_generator), lambda r, f: -f.mean(), lambda r, f: (0, -1)),
    "wasserstein discriminator": Case(
        wasserstein_discriminator, lambda r, f: f.mean() - r.mean(), lambda r, f: (-1, 1)
    ),
    "wasserstein generator": Case(
        of_fakes(objectives.wasserstein_generator), lambda r, f: -f.mean(), lambda r, f: (0, -1)
    ),
    "relativistic discriminator": Case(
        relativistic_discriminator,
        lambda r, f: -log(sigmoid(r - f)).mean(),
        lambda r, f: (-logistic(f - r), logistic(f - r)),
    ),
    "relativistic generator": Case(
        relativistic_generator,
        lambda r, f: -log(sigmoid(f - r)).mean(),
        lambda r, f: (logistic(r - f), -logistic(r - f)),
    ),
    "relativistic-average discriminator": Case(
        objectives.relativistic_average_discriminator,
        lambda r, f: -log(sigmoid(r - f.mean())).mean() - log(1 - sigmoid(f - r.mean())).mean(),
        lambda r, f: (-2 * logistic(f - r), 2 * logistic(f - r)),
    ),
    "relativistic-average generator": Case(
        objectives.relativistic_average_generator,
        lambda r, f: -log(sigmoid(f - r.mean())).mean() - log(1 - sigmoid(r - f.mean())).mean(),
        lambda r, f: (2 * logistic(r - f), -2 * logistic(r - f)),
    ),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wasserstein generator", -2.1),
        ("wasserstein discriminator", -2.625),
        ("least-squares generator", 7.3425),
        ("least-squares discriminator", 19.76125),
        ("non-saturating generator", 0.9509912),
        ("minimax discriminator", 3.1251488),
        ("minimax generator", -3.0509912),
        ("hinge discriminator", 3.725),
        ("relativistic discriminator", 1.0526396),
        ("relativistic generator", 3.6776396),
    ],
)
def test_known_values(name: str, value: float) -> None:
    assert CASES[name].loss(REAL, FAKE).item() == pytest.approx(value, abs=1e-6)


@EVERY
def test_losses_equal_the_formulas_of_textbooks(case: Case) -> None:
    generator = torch.Generator().manual_seed(1)
    # Within ±8 log(1 - σ) still has nine digits in float64.
    real, fake = 16 * torch.rand(2, 50, generator=generator, dtype=torch.float64) - 8
    torch.testing.assert_close(case.loss(real, fake), case.formula(real, fake), rtol=1e-9, atol=1e-9)


@EVERY
@pytest.mark.parametrize("real", [-1e4, 0.5, 1e4])
@pytest.mark.parametrize("fake", [-1e4, -0.5, 1e4])
def test_extreme_scores_have_finite_losses_and_exact_gradients(case: Case, real: float, fake: float) -> None:
    scores = [torch.full((3,), value, requires_grad=True) for value in (real, fake)]
    value = case.loss(scores[0], scores[1])
    assert torch.isfinite(value)
    gradients = torch.autograd.grad(value, scores)
    for gradient, slope in zip(gradients, case.slopes(real, fake), strict=True):
        # float32 carries seven digits.
        torch.testing.assert_close(gradient, torch.full((3,), slope / 3), rtol=1e-5, atol=1e-30)


@EVERY
def test_gradients_are_those_of_finite_differences(case: Case) -> None:
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    assert torch.autograd.gradcheck(case.loss, (real, fake))
    assert torch.autograd.gradgradcheck(case.loss, (real, fake))


@EVERY
def test_losses_are_at_least_float32_whatever_the_scores_are(case: Case) -> None:
    assert case.loss(REAL.bfloat16(), FAKE.bfloat16()).dtype == torch.float32
    assert case.loss(REAL.half(), FAKE.half()).dtype == torch.float32
    assert case.loss(REAL, FAKE).dtype == torch.float64
    expected = case.loss(REAL.float(), FAKE.float())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(case.loss(REAL.float(), FAKE.float()), expected)


def test_a_discriminator_of_its_own_only_where_the_paper_has_one() -> None:
    for name in ("non_saturating", "maximum_likelihood"):
        assert getattr(objectives, f"{name}_discriminator")(REAL, FAKE) == minimax_discriminator(REAL, FAKE)


def test_a_lost_game_saturates_only_the_minimax_generator() -> None:
    def slope(loss: Callable[[Tensor], Tensor]) -> float:
        score = torch.tensor([-50.0], requires_grad=True)
        loss(score).backward()
        assert score.grad is not None
        return abs(score.grad.item())

    assert slope(minimax_generator) < 1e-20
    assert slope(non_saturating_generator) == pytest.approx(1.0)


def test_the_maximum_likelihood_cost_descends_the_kullback_leibler_divergence() -> None:
    data = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64)
    preferences = torch.tensor([0.1, -0.7, 0.4, 0.2], dtype=torch.float64, requires_grad=True)
    model = preferences.softmax(0)
    # The optimal discriminator's logit is the log of the densities' ratio, and it does not move with the generator.
    scores = (data / model).log().detach()
    costs = torch.stack([maximum_likelihood_generator(score) for score in scores])
    (ours,) = torch.autograd.grad((model * costs).sum(), preferences, retain_graph=True)
    (exact,) = torch.autograd.grad((data * (data / model).log()).sum(), preferences)
    torch.testing.assert_close(ours, exact)


def test_the_maximum_likelihood_cost_goes_on_as_its_tangent() -> None:
    def cost(score: float) -> float:
        return maximum_likelihood_generator(torch.tensor([score], dtype=torch.float64)).item()

    edge = math.exp(LINEAR_ABOVE)
    assert cost(LINEAR_ABOVE) == pytest.approx(-edge)
    assert cost(LINEAR_ABOVE + 7) == pytest.approx(-edge * 8)


def test_the_price_of_a_lead_may_be_chosen() -> None:
    identity = partial(relativistic_discriminator, price=lambda lead: lead)
    torch.testing.assert_close(identity(REAL, FAKE), wasserstein_discriminator(REAL, FAKE))
    hinged = relativistic_generator(REAL, FAKE, price=lambda lead: F.relu(1 + lead))
    torch.testing.assert_close(hinged, F.relu(1 + REAL - FAKE).mean())


def test_unequal_scores_are_not_paired_by_broadcasting() -> None:
    for loss in (relativistic_discriminator, relativistic_generator):
        with pytest.raises(GameError, match="cannot be paired"):
            loss(REAL, FAKE[:, None])


def test_patches_count_like_samples() -> None:
    for case in CASES.values():
        patches = case.loss(REAL.view(2, 1, 1, 2), FAKE.view(2, 1, 1, 2))
        torch.testing.assert_close(patches, case.loss(REAL, FAKE))


def test_least_squares_takes_the_labels_of_the_paper() -> None:
    loss = least_squares_discriminator(REAL, FAKE, a=-1.0, b=1.0)
    torch.testing.assert_close(loss, ((REAL - 1) ** 2).mean() / 2 + ((FAKE + 1) ** 2).mean() / 2)
    torch.testing.assert_close(least_squares_generator(FAKE, c=0.0), (FAKE**2).mean() / 2)
    soft = torch.tensor([0.9, 0.8, 1.0, 0.7])
    torch.testing.assert_close(least_squares(REAL, soft), F.mse_loss(REAL, soft.double()) / 2)


def test_soft_labels_agree_with_torch() -> None:
    target = torch.tensor([1.0, 0.83, 0.2, 0.0], dtype=torch.float64)
    expected = F.binary_cross_entropy_with_logits(REAL, target)
    torch.testing.assert_close(cross_entropy(REAL, target), expected)


def test_feature_matching_compares_means() -> None:
    generator = torch.Generator().manual_seed(2)
    real = torch.randn(5, 3, 2, generator=generator, dtype=torch.float64)
    fake = torch.randn(7, 3, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    expected = sum((real[:, i, j].mean() - fake[:, i, j].mean()) ** 2 for i in range(3) for j in range(2))
    torch.testing.assert_close(feature_matching(real, fake), expected)
    assert torch.autograd.gradcheck(feature_matching, (real, fake))


def test_labels_without_tricks_are_hard() -> None:
    real, fake = labels(REAL.view(2, 2), torch.zeros(3))
    assert torch.equal(real, torch.ones(2, 2))
    assert torch.equal(fake, torch.zeros(3))


def test_smoothing_has_one_side_or_two() -> None:
    one = labels(REAL, FAKE, smooth=0.1)
    two = labels(REAL, FAKE, smooth=0.1, two_sided=True)
    assert torch.equal(one[0], torch.full((4,), 0.9))
    assert torch.equal(one[1], torch.zeros(4))
    assert torch.equal(two[0], torch.full((4,), 0.9))
    assert torch.equal(two[1], torch.full((4,), 0.1))


def test_a_smooth_target_is_where_the_discriminator_comes_to_rest() -> None:
    score = torch.tensor([math.log(0.9 / 0.1)], requires_grad=True)
    target, _ = labels(score, score, smooth=0.1)
    (gradient,) = torch.autograd.grad(cross_entropy(score, target), score)
    assert abs(gradient.item()) < 1e-6  # a rounding of float32


def test_noise_moves_every_target_toward_the_other_label() -> None:
    many = torch.zeros(20_000)
    real, fake = labels(many, many, smooth=0.1, noise=0.2, generator=torch.Generator().manual_seed(3))
    assert 0.7 <= real.min() < 0.701
    assert 0.899 < real.max() <= 0.9
    assert 0 <= fake.min() < 0.001
    assert 0.199 < fake.max() <= 0.2
    # Five standard errors of the mean of a uniform distribution of width 0.2.
    error = 5 * 0.2 / math.sqrt(12 * len(many))
    assert real.mean().item() == pytest.approx(0.8, abs=error)
    assert fake.mean().item() == pytest.approx(0.1, abs=error)
    assert abs(torch.corrcoef(torch.stack([real, fake]))[0, 1]) < 5 / math.sqrt(len(many))


def test_flips_exchange_the_asked_share_of_labels() -> None:
    many = torch.zeros(20_000)
    real, fake = labels(many, many, smooth=0.1, flip=0.05, generator=torch.Generator().manual_seed(4))
    for target, low in ((real, 0.1), (fake, 1.0)):
        share = (target - low).abs().lt(1e-6).float().mean().item()
        # Five standard errors of a share.
        assert share == pytest.approx(0.05, abs=5 * math.sqrt(0.05 * 0.95 / len(many)))
    assert torch.equal(labels(many, many, flip=1.0)[0], many)


def test_labels_repeat_with_their_seed() -> None:
    def drawn(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.stack(labels(REAL, FAKE, noise=0.3, flip=0.5, generator=generator))

    assert torch.equal(drawn(5), drawn(5))
    assert not torch.equal(drawn(5), drawn(6))


@pytest.mark.parametrize("wrong", [{"smooth": -0.1}, {"noise": -0.1}, {"smooth": 0.6, "noise": 0.5}, {"flip": 1.5}])
def test_labels_beyond_the_other_class_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        labels(REAL, FAKE, **wrong)  # type: ignore[arg-type]
