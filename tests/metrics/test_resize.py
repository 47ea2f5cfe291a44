"""Each rule against the program it is named after, or its definition; and what the choice does to a picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from saddlepoint.errors import UsageError
from saddlepoint.metrics.resize import Rule, resize, weights

RULES: tuple[Rule, ...] = ("clean", "tensorflow", "pytorch")
# Between, up, down, down by much, one axis only, one pixel.
SIZES = [((32, 32), (45, 45)), ((28, 40), (299, 299)), ((64, 48), (20, 31)), ((150, 97), (7, 5)), ((16, 9), (16, 5))]


def pictures(height: int, width: int, count: int = 2) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(height)) * 2 - 1


def pillow(images: Tensor, size: tuple[int, int]) -> Tensor:
    """One channel at a time in mode F on the scale of bytes, clipped: what clean-fid does."""
    found = [
        np.asarray(Image.fromarray(channel).resize(size[::-1], Image.Resampling.BICUBIC)).clip(0, 255)
        for channel in ((images.flatten(0, 1) + 1) * 127.5).numpy()
    ]
    return torch.from_numpy(np.stack(found)).view(*images.shape[:2], *size)


@pytest.mark.parametrize(("before", "after"), SIZES)
def test_clean_is_pillow(before: tuple[int, int], after: tuple[int, int]) -> None:
    images = pictures(*before)
    ours = (resize(images, after) + 1) * 127.5
    # float32 on a scale of 255: a unit in the last place is 1.5e-5.
    torch.testing.assert_close(ours, pillow(images, after), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("before", "after"), SIZES)
def test_pytorch_is_interpolate(before: tuple[int, int], after: tuple[int, int]) -> None:
    images = pictures(*before)
    torch.testing.assert_close(
        resize(images, after, "pytorch"), F.interpolate(images, after, mode="bilinear"), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("before", "after"), SIZES)
def test_tensorflow_is_its_definition(before: tuple[int, int], after: tuple[int, int]) -> None:
    """Pixel y comes from the place y · before / after, between its floor and the next pixel, in both directions."""
    images = pictures(*before, count=1).numpy().astype(np.float64)

    def neighbors(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        place = np.arange(new) * (old / new)
        low = np.floor(place).astype(int)
        return low, np.minimum(low + 1, old - 1), place - low

    top, bottom, down = neighbors(before[0], after[0])
    left, right, across = neighbors(before[1], after[1])
    upper = images[:, :, top][..., left] * (1 - across) + images[:, :, top][..., right] * across
    lower = images[:, :, bottom][..., left] * (1 - across) + images[:, :, bottom][..., right] * across
    expected = upper * (1 - down)[:, None] + lower * down[:, None]
    ours = resize(torch.from_numpy(images).float(), after, "tensorflow")
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_gray_stays_gray_and_the_same_size_is_untouched(rule: Rule) -> None:
    torch.testing.assert_close(weights(37, 11, rule).sum(1), torch.ones(11, dtype=torch.float64))
    images = pictures(20, 30)
    assert resize(images, (20, 30), rule) is images


def test_the_rule_decides_what_a_network_sees() -> None:
    """Stripes one pixel wide, shrunk to a quarter: their mean is gray; the legacy rules take them for a surface."""
    stripes = torch.ones(1, 1, 64, 64)
    stripes[..., 1::2] = -1
    seen = {rule: resize(stripes, (16, 16), rule)[..., 2:-2].mean().item() for rule in RULES}
    assert seen["tensorflow"] == 1  # every fourth pixel, and all of these are white
    assert seen["pytorch"] == pytest.approx(0, abs=1e-6)  # halfway between two neighbors, by luck their mean
    assert seen["clean"] == pytest.approx(0, abs=1e-6)
    # A third of the size, where the luck ends: the middle of each three is white, black, white …
    triple = {rule: resize(stripes[..., :63], (63, 21), rule)[..., 2:-2].std().item() for rule in RULES}
    assert triple["clean"] < 0.15
    assert triple["pytorch"] > 0.9
    assert triple["tensorflow"] > 0.9


def test_a_picture_that_grows_moves_by_half_a_pixel_under_the_original_rule() -> None:
    """Counted from corners, the middle of an old pixel comes to lie nearly half a pixel up and to the left."""
    dot = torch.full((1, 1, 9, 9), -1.0)
    dot[0, 0, 4, 4] = 1
    middle = {}
    for rule in RULES:
        light = (resize(dot, (90, 90), rule)[0, 0] + 1).clamp_min(0).sum(0)
        middle[rule] = ((light * (torch.arange(90) + 0.5)).sum() / light.sum()).item()
    assert middle["clean"] == pytest.approx(45, abs=1e-3)
    assert middle["pytorch"] == pytest.approx(45, abs=1e-3)
    assert middle["tensorflow"] == pytest.approx(45 - 4.5, abs=1e-3)


def test_pixels_are_exact_also_where_products_may_be_rounded() -> None:
    images = pictures(20, 20)
    expected = resize(images, (7, 7))
    torch.set_float32_matmul_precision("medium")
    try:
        found = resize(images, (7, 7))
    finally:
        torch.set_float32_matmul_precision("highest")
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_overshoot_is_clipped() -> None:
    edge = torch.full((1, 1, 8, 8), -1.0)
    edge[..., 4:] = 1
    large = resize(edge, (50, 50))
    assert float(large.max()) == 1
    assert float(large.min()) == -1


def test_what_cannot_be_resized_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot become"):
        resize(torch.zeros(3, 8, 8), (4, 4))
    with pytest.raises(UsageError, match="'lanczos'") as caught:
        resize(torch.zeros(1, 1, 8, 8), (4, 4), "lanczos")  # type: ignore[arg-type]
    assert "clean" in str(caught.value.fix)
