"""The largest singular value of a layer is 1, follows the weights, and is differentiated as the paper says."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import grad
from torch.nn.utils import parametrizations, parametrize

from saddlepoint.errors import GameError
from saddlepoint.layers.convolution import Down, Head, Stem, Up
from saddlepoint.layers.spectral import TRANSPOSED, Spectral, spectral

CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear, wide": (lambda: nn.Linear(9, 5), (4, 9)),
    "linear, tall": (lambda: nn.Linear(5, 9), (4, 5)),
    "convolution": (lambda: nn.Conv2d(3, 7, 3, padding=1), (2, 3, 6, 6)),
    "transposed convolution": (lambda: nn.ConvTranspose2d(3, 7, 3), (2, 3, 6, 6)),
    "stem": (lambda: Stem(7, 5), (4, 7)),
    "head": (lambda: Head(5), (3, 5, 4, 4)),
    "down, short rows": (lambda: Down(3, 5), (2, 3, 8, 4)),
    "down, long rows": (lambda: Down(3, 5), (2, 3, 8, 40)),
    "up, short rows": (lambda: Up(5, 3), (2, 5, 4, 2)),
    "up, long rows": (lambda: Up(5, 3), (2, 5, 2, 20)),
}
every_layer = pytest.mark.parametrize("case", CASES)


def built(case: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    build, shape = CASES[case]
    return spectral(build()), torch.randn(shape)


def norm(layer: nn.Module) -> float:
    """The largest singular value of what the layer computes with, as torch finds it."""
    weight = layer.weight.detach()
    rows = weight.transpose(0, 1) if isinstance(layer, TRANSPOSED) else weight
    return float(torch.linalg.matrix_norm(rows.flatten(1).double(), ord=2))


def original(layer: nn.Module) -> nn.Parameter:
    return layer.parametrizations.weight.original


def vectors(layer: nn.Module) -> Spectral:
    return layer.parametrizations.weight[0]


@every_layer
def test_the_largest_singular_value_is_1_from_the_first_step_and_follows_the_weights(case: str) -> None:
    layer, given = built(case)
    # float32 sums of up to some hundred products.
    assert norm(layer) == pytest.approx(1.0, abs=1e-5)
    with torch.no_grad():
        original(layer).add_(torch.randn_like(original(layer)) * original(layer).std())
    if min(original(layer).shape[:2]) > 1:  # a single row is its own singular vector
        assert abs(norm(layer) - 1) > 1e-3
    for _ in range(200):
        layer(given)
    assert norm(layer) == pytest.approx(1.0, abs=1e-4)


def test_an_embedding_is_normalized_too() -> None:
    torch.manual_seed(0)
    layer = spectral(nn.Embedding(11, 4))
    assert norm(layer) == pytest.approx(1.0, abs=1e-5)
    assert layer(torch.tensor([3, 0])).shape == (2, 4)


@every_layer
def test_a_forward_pass_iterates_once_in_training_and_never_in_evaluation(case: str) -> None:
    layer, given = built(case)
    with torch.no_grad():
        original(layer).mul_(torch.rand_like(original(layer)))
    u, rows = vectors(layer).u, vectors(layer).matrix(original(layer).detach())
    layer.eval()(given)
    assert torch.equal(vectors(layer).u, u)
    layer.train()(given)
    v = u @ rows / (u @ rows).norm()
    expected = rows @ v / (rows @ v).norm()
    torch.testing.assert_close(vectors(layer).u, expected, rtol=0, atol=1e-6)


def test_equals_torch_from_the_same_vectors() -> None:
    # Torch moves u before v, the paper v before u: on the transposed matrix, where u and v change roles, they agree.
    torch.manual_seed(0)
    plain, turned = nn.Linear(6, 4, bias=False).double(), nn.Linear(4, 6, bias=False).double()
    turned.weight = nn.Parameter(plain.weight.detach().t().clone())
    ours, theirs = spectral(plain, iterations=2), parametrizations.spectral_norm(turned, n_power_iterations=2)
    other = theirs.parametrizations.weight[0]
    vectors(ours).u, vectors(ours).v = other._v.clone(), other._u.clone()
    given = torch.randn(3, 6, dtype=torch.float64)
    for _ in range(3):
        mine, its = ours(given), given @ theirs.weight
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-12)
        (mine**2).sum().backward()
        (its**2).sum().backward()
        torch.testing.assert_close(original(ours).grad, original(theirs).grad.t(), rtol=0, atol=1e-12)
        with torch.no_grad():
            original(ours).add_(0.1)
            original(theirs).add_(0.1)


@every_layer
def test_two_passes_share_a_backward_pass_and_penalties_work(case: str) -> None:
    layer, given = built(case)
    layer.double()
    given = given.double().requires_grad_()
    (slope,) = grad((layer(given) ** 2).sum() + (layer(given * 2) ** 3).sum(), given, create_graph=True)
    (slope**2).sum().backward()
    gradient = original(layer).grad
    assert gradient is not None
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0
    # The effective weight does not change when W is scaled: the gradient is orthogonal to W (eq. 12).
    weight = original(layer).detach()
    assert abs(float((gradient * weight).sum())) < 1e-6 * float(gradient.norm() * weight.norm())


def test_second_derivatives_are_exact() -> None:
    torch.manual_seed(0)
    layer = spectral(nn.Sequential(nn.Linear(3, 4), nn.Softplus(), nn.Linear(4, 2))).double().eval()
    given = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)

    def penalty(points: Tensor, *weights: Tensor) -> Tensor:
        names = [name for name, _ in layer.named_parameters()]
        scores = torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (points,))
        (slope,) = grad(scores.sum(), points, create_graph=True)
        return (slope**2).sum()

    assert torch.autograd.gradcheck(penalty, (given, *layer.parameters()))


def test_everything_is_in_the_state_and_is_deterministic() -> None:
    def made() -> nn.Module:
        torch.manual_seed(0)
        return spectral(nn.Sequential(Down(3, 4), nn.LeakyReLU(0.2), Down(4, 6), nn.Flatten(), nn.Linear(24, 1)))

    def play(network: nn.Module, seeds: range) -> None:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        for seed in seeds:
            loss = network(torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(seed))).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    whole, first, second = made(), made(), made()
    play(whole, range(6))
    play(first, range(3))
    second.load_state_dict(first.state_dict())
    play(second, range(3, 6))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_a_copy_follows_its_own_weights() -> None:
    torch.manual_seed(0)
    layer = spectral(nn.Linear(4, 3))
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        original(twin).add_(1.0)
    twin(torch.randn(2, 4))
    assert not torch.equal(vectors(twin).u, vectors(layer).u)
    assert norm(layer) == pytest.approx(1.0, abs=1e-5)


def test_autocast_does_not_reach_the_power_iteration() -> None:
    layer, given = built("linear, wide")
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(given).dtype == torch.bfloat16
        assert layer.weight.dtype == torch.float32
        assert norm(layer) == pytest.approx(1.0, abs=1e-5)


def test_other_layers_are_left_alone() -> None:
    network = spectral(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.PReLU()))
    assert [parametrize.is_parametrized(layer) for layer in network] == [True, False, False]


def test_only_the_asked_kinds_of_layers_are_normalized() -> None:
    network = nn.Sequential(nn.Embedding(3, 4), nn.Linear(4, 4), nn.Unflatten(1, (4, 1, 1)), nn.Conv2d(4, 2, 1))
    spectral(network, only=(nn.Linear, nn.Conv2d))
    assert [parametrize.is_parametrized(layer) for layer in network] == [False, True, False, True]


def test_what_cannot_be_normalized_is_refused() -> None:
    with pytest.raises(GameError, match="ReLU has no weights"):
        spectral(nn.ReLU())
    with pytest.raises(GameError, match="normalized already"):
        spectral(nn.Sequential(spectral(nn.Linear(2, 2))))
    zero = nn.Linear(2, 2)
    nn.init.zeros_(zero.weight)
    with pytest.raises(GameError, match="all zero") as refusal:
        spectral(nn.Sequential(nn.ReLU(), zero))
    assert refusal.value.where == "layer 1"
