"""Structural similarity against two packages and closed forms; and how alike the pictures of a class are."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from saddlepoint.errors import UsageError
from saddlepoint.metrics import ssim as module
from saddlepoint.metrics.ssim import SCALE_WEIGHTS, diversity, ms_ssim, scales_of, ssim


def pictures(side: int, channels: int = 3, count: int = 3, *, seed: int = 0) -> Tensor:
    """Smooth blobs in [-1, 1]."""
    coarse = torch.rand(count, channels, 9, 9, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1) * 2 - 1


def noisy(images: Tensor, strength: float = 0.3) -> Tensor:
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(9))
    return (images + strength * noise).clamp(-1, 1)


def from_zero(images: Tensor) -> Tensor:
    """In [0, 1], in float64, as the packages are given them."""
    return (images.double() + 1) / 2


@pytest.fixture(scope="module")
def torchmetrics_image() -> ModuleType:
    return pytest.importorskip("torchmetrics.functional.image")


def test_agrees_with_torchmetrics_where_whole_windows_fit(torchmetrics_image: ModuleType) -> None:
    x = pictures(40)
    y = noisy(x)
    for ours, a, b in zip(ssim(x, y), from_zero(x), from_zero(y), strict=True):
        _, similarity = torchmetrics_image.structural_similarity_index_measure(
            a[None], b[None], data_range=1.0, return_full_image=True
        )
        assert ours.item() == pytest.approx(similarity[..., 5:-5, 5:-5].mean().item(), rel=1e-6)


def test_multi_scale_agrees_with_torchmetrics_but_for_its_border(torchmetrics_image: ModuleType) -> None:
    """It mirrors the coarsest scale at the border; with that done for it, ours is the same number."""
    x = pictures(48)
    y = noisy(x)
    weights = (0.3, 0.7)
    theirs = torchmetrics_image.multiscale_structural_similarity_index_measure(
        from_zero(x), from_zero(y), data_range=1.0, betas=weights, reduction="none"
    )
    contrast = module._terms(from_zero(x), from_zero(y))[1]
    coarse = [F.pad(F.avg_pool2d(images, 2), (5, 5, 5, 5), mode="reflect") for images in (x, y)]
    torch.testing.assert_close(contrast ** weights[0] * ssim(*coarse) ** weights[1], theirs, rtol=1e-6, atol=0)


@pytest.mark.skipif(find_spec("piq") is None, reason="piq is not installed")
def test_multi_scale_agrees_with_piq(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five scales of gray pictures whose sides are even at each of them.

    Of colors piq multiplies the scales one by one and averages the products, and it pads odd sides instead of dropping
    the last row. It wants pictures in [0, 1].
    """
    spec = find_spec("piq")
    assert spec is not None
    # Its own __init__ imports torchvision; the file that is needed does not.
    package = ModuleType("piq")
    package.__path__ = list(spec.submodule_search_locations or ())
    monkeypatch.setitem(sys.modules, "piq", package)
    from piq.ms_ssim import multi_scale_ssim

    x = pictures(176, channels=1)
    y = noisy(x)
    theirs = multi_scale_ssim(from_zero(x), from_zero(y), data_range=1.0, reduction="none")
    # The weights in float32.
    torch.testing.assert_close(ms_ssim(x, y), theirs, rtol=1e-6, atol=0)
    assert 0.1 < float(theirs.min()) < float(theirs.max()) < 0.99


def test_copies_are_alike_and_negatives_are_not() -> None:
    x = pictures(64)
    torch.testing.assert_close(ms_ssim(x, x), torch.ones(3, dtype=torch.float64))
    assert float(ssim(x, -x).max()) < 0
    assert ms_ssim(x, -x).tolist() == [0, 0, 0]
    more, less = ms_ssim(x, noisy(x, 0.6)), ms_ssim(x, noisy(x, 0.2))
    assert bool((more < less).all())


def test_flat_pictures_differ_in_luminance_only() -> None:
    """Of constants a and b in [0, 1]: (2ab + K1²) / (a² + b² + K1²), K1 = 0.01."""
    a, b = 0.2, 0.6
    flat = [torch.full((1, 1, 32, 32), 2 * value - 1) for value in (a, b)]
    luminance = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    assert ssim(*flat).item() == pytest.approx(luminance, rel=1e-6)
    # Of two scales, only the coarser one counts luminance.
    weight = SCALE_WEIGHTS[1] / (SCALE_WEIGHTS[0] + SCALE_WEIGHTS[1])
    assert ms_ssim(*flat).item() == pytest.approx(luminance**weight, rel=1e-6)


@pytest.mark.parametrize(
    ("side", "count"), [(10, 0), (11, 1), (21, 1), (22, 2), (32, 2), (64, 3), (128, 4), (175, 4), (176, 5), (999, 5)]
)
def test_small_pictures_have_fewer_scales(side: int, count: int) -> None:
    assert scales_of(side) == count


def test_scales_are_those_that_are_asked_for() -> None:
    x = pictures(44)
    y = noisy(x)
    torch.testing.assert_close(ms_ssim(x, y, scales=1), ssim(x, y))
    torch.testing.assert_close(ms_ssim(x, y, scales=3), ms_ssim(x, y))
    for scales in (0, 4):
        with pytest.raises(UsageError, match="have 3 scales"):
            ms_ssim(x, y, scales=scales)


def test_blocks_of_pairs_do_not_matter() -> None:
    x = pictures(22, 1, 37)
    y = noisy(x)
    torch.testing.assert_close(ms_ssim(x, y), torch.cat([ms_ssim(a[None], b[None]) for a, b in zip(x, y, strict=True)]))


@pytest.mark.parametrize("shapes", [((1, 3, 10, 10), (1, 3, 10, 10)), ((2, 3, 16, 16), (1, 3, 16, 16))])
def test_what_cannot_be_compared_is_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        ssim(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


def test_a_class_of_copies_has_no_diversity() -> None:
    varied, copies = pictures(22, 1, 30), pictures(22, 1, 1, seed=1).expand(20, -1, -1, -1)
    lonely = pictures(22, 1, 1, seed=2)
    labels = torch.tensor([4] * 30 + [7] * 20 + [9])
    found = diversity(torch.cat([varied, copies, lonely]), labels, pairs=60)
    assert list(found.classes) == [4, 7]
    assert found.classes[7] == pytest.approx(1)
    # All pairs, not only those drawn: four deviations of the mean of 60.
    first, second = torch.triu_indices(30, 30, 1)
    every = ms_ssim(varied[first], varied[second])
    assert found.classes[4] == pytest.approx(every.mean().item(), abs=4 * every.std().item() / 60**0.5)
    assert found.mean == pytest.approx((found.classes[4] + 1) / 2)
    assert found.scales == 2


def test_without_labels_all_are_one_class_and_a_seed_decides() -> None:
    images = pictures(22, 1, 12)
    assert list(diversity(images).classes) == [0]
    assert diversity(images, pairs=9) == diversity(images, pairs=9)
    assert diversity(images, pairs=9) != diversity(images, pairs=9, seed=1)
    with pytest.raises(UsageError, match="no pair"):
        diversity(images[:1])


def test_a_pair_is_of_two_pictures() -> None:
    two = torch.cat([pictures(22, 1, 1), -pictures(22, 1, 1)])
    assert diversity(two, pairs=50).mean == 0
