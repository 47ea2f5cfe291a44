"""Regularizers: closed forms, double backward, precision, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from saddlepoint.errors import GameError
from saddlepoint.game import Player
from saddlepoint.penalties import (
    Critic,
    LeCam,
    clip_weights,
    consistency,
    dragan_penalty,
    drift,
    gradient_penalty,
    mode_seeking,
    orthogonal,
    r1,
    r2,
)

Penalty = Callable[[Critic, Tensor, Tensor], Tensor]

PENALTIES: dict[str, Penalty] = {
    "gradient penalty": gradient_penalty,
    "zero-centered": partial(gradient_penalty, center=0.0),
    "one-sided": partial(gradient_penalty, center=0.3, one_sided=True),
    "dragan": lambda critic, real, fake: dragan_penalty(critic, real),
    "r1": lambda critic, real, fake: r1(critic, real),
    "r2": lambda critic, real, fake: r2(critic, fake),
}
EVERY = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES.keys())
SHAPES = pytest.mark.parametrize("shape", [(2,), (3, 2, 2)], ids=["points", "pictures"])


def half_square(inputs: Tensor) -> Tensor:
    """A critic whose gradient at x is x."""
    return inputs.flatten(1).square().sum(1) / 2


def batch(count: int, *shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def network(features: int, dtype: torch.dtype = torch.float32) -> nn.Sequential:
    """A smooth critic of flattened inputs, the same at each call."""
    torch.manual_seed(7)
    layers = nn.Sequential(nn.Flatten(), nn.Linear(features, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0))
    for weight in layers.parameters():
        weight.data *= 3  # slopes on both sides of every center used here
    return layers.to(dtype)


def seen_by(penalty: Penalty, real: Tensor, fake: Tensor) -> Tensor:
    """The points at which a penalty asks for the gradient."""
    seen = []

    def watching(inputs: Tensor) -> Tensor:
        seen.append(inputs.detach().clone())
        return half_square(inputs)

    penalty(watching, real, fake)
    return torch.cat(seen)


def test_gradient_penalty_of_a_linear_critic() -> None:
    real, fake = batch(5, 4), batch(5, 4, seed=1)
    assert gradient_penalty(lambda x: 2 * x.sum(1), real, fake).item() == pytest.approx(9, abs=1e-6)
    assert gradient_penalty(lambda x: 2 * x.sum(1), real, fake, center=0).item() == pytest.approx(16, abs=1e-6)


@SHAPES
def test_penalties_take_the_norm_of_each_sample(shape: tuple[int, ...]) -> None:
    real, fake = batch(6, *shape), 3 * batch(6, *shape, seed=1)
    lengths, others = real.flatten(1).norm(dim=1), fake.flatten(1).norm(dim=1)
    torch.testing.assert_close(r1(half_square, real), lengths.square().mean())
    torch.testing.assert_close(r2(half_square, fake), others.square().mean())
    # Between two equal points lies only that point.
    torch.testing.assert_close(gradient_penalty(half_square, real, real), (lengths - 1).square().mean())
    torch.testing.assert_close(gradient_penalty(half_square, real, real, center=0), lengths.square().mean())
    middle = lengths.mean().item()
    one_sided = gradient_penalty(half_square, real, real, center=middle, one_sided=True)
    torch.testing.assert_close(one_sided, (lengths - middle).clamp(min=0).square().mean())
    torch.testing.assert_close(dragan_penalty(half_square, real, spread=0), (lengths - 1).square().mean())


def test_the_scores_of_patches_are_added() -> None:
    real = batch(4, 2)
    by_patch = r1(lambda x: torch.stack([x.sum(1), 3 * x.sum(1)], 1), real)
    torch.testing.assert_close(by_patch, torch.tensor(2 * 4.0**2))


@SHAPES
def test_gradient_penalty_looks_between_each_pair(shape: tuple[int, ...]) -> None:
    real, fake = batch(200, *shape), batch(200, *shape, seed=1)
    shares = ((seen_by(gradient_penalty, real, fake) - fake) / (real - fake)).flatten(1)
    # One share per sample; dividing by a small difference costs digits.
    torch.testing.assert_close(shares, shares.median(1, keepdim=True).values.expand_as(shares), atol=1e-3, rtol=0)
    share = shares.median(1).values
    assert share.min() >= 0
    assert share.max() <= 1
    # Five standard errors of the mean and of the variance of 200 uniform numbers.
    assert share.mean().item() == pytest.approx(0.5, abs=5 * math.sqrt(1 / 12 / 200))
    assert share.var().item() == pytest.approx(1 / 12, abs=5 * math.sqrt(1 / 180 / 200))


def test_dragan_looks_around_real_data() -> None:
    real = 3 * batch(500, 2, 2, 2) + 1
    noise = seen_by(lambda critic, r, f: dragan_penalty(critic, r), real, real) - real
    size = 0.5 * real.std(correction=0)
    # Five standard errors for 4000 normal numbers.
    assert noise.std().item() == pytest.approx(size.item(), rel=5 / math.sqrt(2 * 4000))
    assert abs(noise.mean()) < 5 * size / math.sqrt(4000)


@EVERY
def test_penalties_are_twice_differentiable(penalty: Penalty) -> None:
    critic = network(2, torch.float64)
    names = [name for name, _ in critic.named_parameters()]
    real, fake = batch(3, 2, dtype=torch.float64), batch(3, 2, seed=1, dtype=torch.float64)

    def cost(*weights: Tensor) -> Tensor:
        torch.manual_seed(3)
        return penalty(lambda x: functional_call(critic, dict(zip(names, weights, strict=True)), (x,)), real, fake)

    weights = tuple(weight.detach().requires_grad_() for weight in critic.parameters())
    assert cost(*weights) > 0
    assert torch.autograd.gradcheck(cost, weights)
    assert torch.autograd.gradgradcheck(cost, weights)


@EVERY
def test_precision_is_at_least_float32_even_under_autocast(penalty: Penalty) -> None:
    real, fake = batch(4, 2), batch(4, 2, seed=1)
    critic = network(2)

    def cost(real: Tensor, fake: Tensor) -> Tensor:
        torch.manual_seed(3)
        return penalty(critic, real, fake)

    plain = cost(real, fake)
    assert plain.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        # A generator under autocast makes bfloat16 fakes.
        assert cost(real.bfloat16(), fake.bfloat16()).dtype == torch.float32
        assert critic(real).dtype == torch.bfloat16
        assert torch.equal(cost(real, fake), plain)
        cost(real, fake).backward()
    assert penalty(network(2, torch.float64), real.double(), fake.double()).dtype == torch.float64


@EVERY
def test_inputs_and_gradients_are_left_as_they_were(penalty: Penalty) -> None:
    critic, real = network(2), batch(4, 2)
    made_from = batch(4, 2, seed=1).requires_grad_()
    fake = 2 * made_from
    cost = penalty(critic, real, fake)
    assert not real.requires_grad
    assert fake.requires_grad
    assert all(weight.grad is None for weight in critic.parameters())
    # No gradient goes to who made the fakes.
    (gradient,) = torch.autograd.grad(cost, made_from, allow_unused=True)
    assert gradient is None


@EVERY
def test_penalties_can_be_watched_without_gradients(penalty: Penalty) -> None:
    with torch.no_grad():
        assert penalty(network(2), batch(4, 2), batch(4, 2, seed=1)) > 0
        assert not torch.is_grad_enabled()


@EVERY
def test_a_critic_without_slope_has_finite_gradients(penalty: Penalty) -> None:
    critic = network(2)
    nn.init.zeros_(critic.get_parameter("1.weight"))
    penalty(critic, batch(4, 2), batch(4, 2, seed=1)).backward()
    gradients = [weight.grad for weight in critic.parameters() if weight.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_compiled_critics_are_differentiated_twice() -> None:
    def gradients(critic: nn.Module) -> list[Tensor]:
        return list(torch.autograd.grad(r1(critic, batch(4, 2)), list(critic.parameters())[:3]))

    class Whole(nn.Sequential):
        """A class of our own: one of torch's containers would not be compiled."""

        def forward(self, inputs: Tensor) -> Tensor:
            scores: Tensor = super().forward(inputs)
            return scores

    compiled = Whole(*network(2))
    # The eager backend makes no machine code, but has no double backward, like the others.
    compiled.compile(backend="aot_eager")
    (slope,) = torch.autograd.grad(compiled(leaf := batch(4, 2).requires_grad_()).sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="double backward"):
        slope.sum().backward()
    for ours, expected in zip(gradients(compiled), gradients(network(2)), strict=True):
        torch.testing.assert_close(ours, expected)


def with_layer(layer: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 1), layer, nn.Flatten(), nn.Linear(16, 1))


@EVERY
@pytest.mark.parametrize("wrap", [lambda critic: critic, partial], ids=["module", "partial"])
def test_batch_norm_is_refused(penalty: Penalty, wrap: Callable[[nn.Module], Critic]) -> None:
    with pytest.raises(GameError, match="BatchNorm2d mixes the batch") as caught:
        penalty(wrap(with_layer(nn.BatchNorm2d(4))), batch(4, 3, 2, 2), batch(4, 3, 2, 2))
    assert caught.value.where == "layer 1 of Sequential"


def test_only_what_mixes_the_batch_is_refused() -> None:
    real = batch(4, 3, 2, 2)
    fixed = with_layer(nn.BatchNorm2d(4)).eval()
    for critic in (fixed, with_layer(nn.InstanceNorm2d(4)), with_layer(nn.GroupNorm(2, 4))):
        assert r1(critic, real) > 0
    with pytest.raises(GameError):
        r1(with_layer(nn.BatchNorm2d(4, track_running_stats=False)).eval(), real)
    with pytest.raises(GameError, match="SyncBatchNorm"):
        r1(with_layer(nn.SyncBatchNorm(4)), real)


def test_unpaired_batches_have_nothing_between_them() -> None:
    with pytest.raises(GameError, match="no points between"):
        gradient_penalty(half_square, batch(4, 2), batch(1, 2))


def test_clipping_bounds_every_weight_after_a_step() -> None:
    critic = network(2)
    player = Player(torch.optim.SGD(critic.parameters(), lr=0.5), after=partial(clip_weights, critic, 0.01))
    critic(batch(4, 2)).sum().backward()
    player.optimizer.step()
    inside = critic.get_parameter("1.bias").detach().clone()
    assert player.after is not None
    player.after()
    assert max(float(weight.detach().abs().max()) for weight in critic.parameters()) == pytest.approx(0.01)
    assert torch.equal(critic.get_parameter("1.bias"), inside.clamp(-0.01, 0.01))


def test_orthogonal_counts_only_overlaps() -> None:
    layer = nn.Conv2d(2, 3, 2)
    rows = layer.weight.detach().flatten(1)
    expected = sum((rows[i] @ rows[j]) ** 2 for i in range(3) for j in range(3) if i != j)
    torch.testing.assert_close(orthogonal(layer).detach(), expected)
    # Whatever their lengths, orthogonal filters cost nothing.
    nn.init.orthogonal_(layer.weight, gain=5.0)
    assert orthogonal(layer).item() < 1e-6


def test_orthogonal_leaves_out_what_holds_no_filters() -> None:
    linear = nn.Linear(3, 3)
    mixed = nn.Sequential(linear, nn.LayerNorm(3), nn.Embedding(5, 3))
    assert torch.equal(orthogonal(mixed), orthogonal(linear))
    with pytest.raises(GameError, match="LayerNorm has no weights"):
        orthogonal(nn.LayerNorm(3))


def test_orthogonal_is_precise_under_autocast_and_twice_differentiable() -> None:
    layer = nn.Linear(3, 2)
    with torch.autocast("cpu", torch.bfloat16):
        precise = orthogonal(layer)
    assert torch.equal(precise, orthogonal(layer))

    class Bare(nn.Module):
        def __init__(self, weight: Tensor) -> None:
            super().__init__()
            self.weight = weight

        def parameters(self, recurse: bool = True) -> list[Tensor]:  # type: ignore[override]
            return [self.weight]

    weight = batch(2, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: orthogonal(Bare(w)), weight)
    assert torch.autograd.gradgradcheck(lambda w: orthogonal(Bare(w)), weight)


def test_consistency_and_drift_are_mean_squares() -> None:
    first, second = batch(5), batch(5, seed=1)
    torch.testing.assert_close(consistency(first, second), nn.functional.mse_loss(first, second))
    torch.testing.assert_close(drift(first), (first**2).mean())
    assert consistency(first.bfloat16(), second.bfloat16()).dtype == drift(first.bfloat16()).dtype == torch.float32


def test_seeking_modes_costs_little_where_samples_differ_as_their_latents_do() -> None:
    first, second = batch(4, 3, 2, 2), batch(4, 3, 2, 2, seed=1)
    latents, others = batch(4, 5, seed=2), batch(4, 5, seed=3)
    ratios = [
        float((one - two).abs().mean()) / float((latent - other).abs().mean())
        for one, two, latent, other in zip(first, second, latents, others, strict=True)
    ]
    expected = 4 / sum(ratios)
    assert float(mode_seeking(first, second, latents, others)) == pytest.approx(expected, rel=1e-4)
    wider = mode_seeking(3 * first, 3 * second, latents, others)
    assert float(wider) == pytest.approx(expected / 3, rel=1e-4)
    # A generator that has collapsed has a finite cost, and a slope that takes it apart.
    same = torch.zeros(4, 12, requires_grad=True)
    cost = mode_seeking(same + 1e-6 * batch(4, 12), same.detach(), latents, others)
    (slope,) = torch.autograd.grad(cost, same)
    assert cost.isfinite()
    assert slope.isfinite().all()
    assert bool(slope.any())
    assert mode_seeking(*(made.bfloat16() for made in (first, second, latents, others))).dtype == torch.float32


def test_lecam_pulls_each_side_to_the_moving_average_of_the_other() -> None:
    penalty = LeCam(decay=0.9)
    reals, fakes = batch(6, 8) + 1, batch(6, 8, seed=1) - 1
    for step in range(6):
        ages = 0.9 ** torch.arange(step, -1, -1)
        anchor_real = (ages * reals[: step + 1].mean(1)).sum() / ages.sum()
        anchor_fake = (ages * fakes[: step + 1].mean(1)).sum() / ages.sum()
        expected = ((reals[step] - anchor_fake) ** 2).mean() + ((fakes[step] - anchor_real) ** 2).mean()
        torch.testing.assert_close(penalty(reals[step], fakes[step]), expected)


def test_lecam_anchors_are_constants_to_the_gradient() -> None:
    real, fake = batch(4).requires_grad_(), batch(4, seed=1).requires_grad_()
    (gradient,) = torch.autograd.grad(LeCam()(real, fake), real)
    torch.testing.assert_close(gradient, 2 * (real - fake.mean()).detach() / 4)


def test_the_state_of_a_penalty_is_in_its_state_dict() -> None:
    def play(lecam: LeCam, steps: range) -> list[Tensor]:
        return [lecam(batch(4, seed=step), batch(4, seed=step + 9)) for step in steps]

    whole = play(LeCam(), range(6))[3:]
    before, after = LeCam(), LeCam()
    play(before, range(3))
    after.load_state_dict(before.state_dict())
    assert torch.equal(torch.stack(play(after, range(3, 6))), torch.stack(whole))
