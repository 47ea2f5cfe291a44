"""Distances of patches: against ProGAN's protocol spelled out in NumPy, and on pictures whose fault is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch import Tensor
from torch.nn import functional as F

from saddlepoint.errors import UsageError
from saddlepoint.metrics import patches
from saddlepoint.metrics.patches import Patches, compare, patch_distance, pyramid

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[None, None] / 256


def pictures(count: int, side: int = 32, *, seed: int = 0) -> Tensor:
    """Smooth blobs with some texture."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 3, 5, 5, generator=generator)
    fine = torch.randn(count, 3, side, side, generator=generator)
    return F.interpolate(coarse, (side, side), mode="bicubic") + 0.2 * fine


def test_the_pyramid_is_the_one_of_the_protocol() -> None:
    """A blur by (1, 4, 6, 4, 1) / 16 both ways, mirrored at the border; every second pixel; zeros between, and back."""
    images = pictures(2, 64)
    rest, expected = images.double().numpy(), []
    for _ in range(2):
        coarse = convolve(rest, KERNEL, mode="mirror")[:, :, ::2, ::2]
        spread = np.zeros_like(rest)
        spread[:, :, ::2, ::2] = coarse
        expected.append(rest - convolve(spread, 4 * KERNEL, mode="mirror"))
        rest = coarse
    found = pyramid(images)
    assert [level.shape[2] for level in found] == [64, 32, 16]
    for ours, theirs in zip(found, [*expected, rest], strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "levels"), [((128, 128), 4), ((28, 28), 1), ((32, 64), 2), ((48, 48), 2), ((16, 16), 1), ((7, 9), 1)]
)
def test_levels_go_down_to_16(size: tuple[int, int], levels: int) -> None:
    assert len(pyramid(torch.zeros(1, 1, *size))) == levels


def test_the_distance_is_the_one_of_the_protocol() -> None:
    """The same patches, normalized and compared along directions of NumPy's: equal up to the choice of directions."""
    real, fake = Patches(seed=0), Patches(seed=1)
    real.add(pictures(8))
    fake.add(pictures(8, seed=1) * 0.5 + 0.1 * pictures(8, seed=2))
    rng = np.random.default_rng(0)
    for level, (height, _) in enumerate(real.levels):
        sides = []
        for side in (real, fake):
            cut = torch.cat(side._cut[level]).double().numpy()  # (patches, colors, pixels)
            cut = (cut - cut.mean((0, 2), keepdims=True)) / cut.std((0, 2), keepdims=True)
            sides.append(cut.reshape(len(cut), -1))
            np.testing.assert_allclose(side.normalized(level).numpy(), sides[-1], atol=1e-4)
        axes = rng.standard_normal((147, 2048))
        axes /= np.linalg.norm(axes, axis=0)
        apart = np.abs(np.sort(sides[0] @ axes, axis=0) - np.sort(sides[1] @ axes, axis=0)).mean(0)
        ours = compare(real, fake).levels[height]
        # 512 directions and 2,048: four deviations of the mean of the former.
        assert ours == pytest.approx(1e3 * apart.mean(), abs=4e3 * apart.std() / np.sqrt(512))


def test_patches_are_cut_from_the_pictures_anywhere_in_them() -> None:
    ramp = torch.arange(256.0).view(1, 1, 16, 16).repeat(40, 1, 1, 1)
    side = Patches(per_picture=100)
    side.add(ramp)
    cut = torch.cat(side._cut[0]).view(-1, 7, 7)
    expected = ramp[0, 0].unfold(0, 7, 1).unfold(1, 7, 1).flatten(0, 1)  # all hundred places
    assert cut.shape == (4000, 7, 7)
    corners = {int(patch[0, 0]) for patch in cut}
    assert corners == {int(patch[0, 0]) for patch in expected}
    by_corner = {int(patch[0, 0]): patch for patch in expected}
    assert all(torch.equal(patch, by_corner[int(patch[0, 0])]) for patch in cut[:200])


def test_how_pictures_are_batched_does_not_matter() -> None:
    real, fake = pictures(6), pictures(6, seed=1)
    whole = patch_distance([real], [fake], per_picture=20)
    split = patch_distance(real.split(5), fake.split(1), per_picture=20)
    assert split.levels == pytest.approx(whole.levels, rel=1e-4)
    assert patch_distance([real], [fake], per_picture=20) == whole
    assert patch_distance([real], [fake], per_picture=20, seed=1) != whole


def test_each_fault_shows_at_its_level() -> None:
    def apart(fake: Tensor) -> dict[int, float]:
        return patch_distance([pictures(40, 64)], [fake], per_picture=32).levels

    same = pictures(40, 64, seed=1)
    base = apart(same)
    assert list(base) == [64, 32, 16]
    # Normalized patches of one Gaussian look like those of another: the texture that is wrong is few, large specks.
    specks = 5.0 * (torch.rand(40, 1, 64, 64, generator=torch.Generator().manual_seed(3)) < 0.01)
    speckled = apart(same + specks)
    assert speckled[64] > 3 * base[64]
    assert speckled[64] / base[64] > 2 * speckled[16] / base[16]
    # All colors alike, where they are smooth: the finest level, noise of equal strength, is as it was.
    smooth, rough = same - pyramid(same)[0], pyramid(same)[0]
    gray = apart(smooth.mean(1, keepdim=True) + rough)
    assert gray[16] > 2 * base[16]
    assert gray[64] < 1.5 * base[64]


def test_contrast_and_brightness_do_not_count() -> None:
    real, fake = pictures(6), pictures(6, seed=1)
    ours = patch_distance([real], [fake], per_picture=20)
    # Normalized away; what remains is rounding.
    assert patch_distance([real], [3 * fake + 1], per_picture=20).levels == pytest.approx(ours.levels, rel=1e-3)


def test_one_color_is_far_and_no_number_is_no_distance() -> None:
    real = pictures(6)
    assert 500 < patch_distance([real], [torch.zeros_like(real)], per_picture=20).mean < 1500
    assert math.isnan(patch_distance([real], [real * math.nan], per_picture=20).mean)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UsageError, match="have no 7x7 patches"):
        patch_distance([torch.zeros(1, 3, 6, 6)], [torch.zeros(1, 3, 6, 6)])
    with pytest.raises(UsageError, match="cannot be matched"):
        patch_distance([pictures(3)], [pictures(4)])
    with pytest.raises(UsageError, match="cannot be compared"):
        patch_distance([pictures(3)], [pictures(3, 64)])
    with pytest.raises(UsageError, match="cannot be compared"):
        patch_distance([], [])
    side = Patches()
    side.add(pictures(1))
    with pytest.raises(UsageError, match="among others"):
        side.add(pictures(1)[:, :1])
    assert patches.PER_PICTURE == 128
    assert patches.DIRECTIONS == 512
