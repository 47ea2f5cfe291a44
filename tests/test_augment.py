"""Augmentations change what they say, by as much as their papers say, and let gradients through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.augment import AdaptiveAugment, DiffAugment
from saddlepoint.errors import UsageError

CHANGES: dict[str, Callable[[], nn.Module]] = {
    "DiffAugment": DiffAugment,
    "ADA": lambda: adaptive(0.9),
}
every_augmentation = pytest.mark.parametrize("name", CHANGES)
every_depth = pytest.mark.parametrize("channels", [1, 3, 4])


def adaptive(p: float) -> AdaptiveAugment:
    augment = AdaptiveAugment()
    augment.p.fill_(p)
    return augment


def pictures(count: int, channels: int = 3, height: int = 8, width: int = 8) -> Tensor:
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@every_augmentation
@every_depth
def test_every_sample_is_changed_in_its_own_way_and_reproducibly(name: str, channels: int) -> None:
    images = pictures(1, channels, 8, 12).expand(6, -1, -1, -1)
    augment = CHANGES[name]()
    changed = augment(images)
    assert changed.shape == images.shape
    for one, other in itertools.combinations(changed, 2):
        assert not torch.allclose(one, other)
    torch.manual_seed(0)
    assert torch.equal(augment(images), changed)


@every_augmentation
@every_depth
def test_gradients_of_both_orders_reach_the_input(name: str, channels: int) -> None:
    images = pictures(8, channels).requires_grad_()
    (slope,) = torch.autograd.grad((CHANGES[name]()(images) ** 2).sum(), images, create_graph=True)
    assert (slope != 0).flatten(1).any(1).all()
    (slope**2).sum().backward()
    assert images.grad is not None
    assert (images.grad != 0).flatten(1).any(1).all()


@every_augmentation
def test_the_derivative_is_exact(name: str) -> None:
    # Both are affine in the pictures: a difference of any size is the derivative. float32 rounds at 1e-6.
    images, direction = pictures(8), pictures(8).flip(0, 3)
    augment = CHANGES[name]()

    def changed(amount: float | Tensor) -> Tensor:
        torch.manual_seed(0)
        return augment(images + amount * direction)

    _, slope = torch.autograd.functional.jvp(changed, torch.zeros(()), torch.ones(()))
    torch.testing.assert_close(slope, changed(1.0) - changed(0.0), rtol=0, atol=1e-4)


@every_augmentation
def test_bfloat16_is_augmented_in_float32(name: str) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        changed = CHANGES[name]()(pictures(4).bfloat16())
    torch.manual_seed(0)
    assert torch.equal(changed, CHANGES[name]()(pictures(4).bfloat16().float()))


def test_color_of_diffaugment() -> None:
    images = pictures(400)
    changed = DiffAugment(("color",))(images)
    # An affine map of each picture's colors: contrast in [0.5, 1.5], brightness in [-0.5, 0.5].
    luma, before = changed.mean(1).flatten(1), images.mean(1).flatten(1)
    contrast = luma.std(1) / before.std(1)
    assert float(contrast.min()) >= 0.5 - 1e-4
    assert float(contrast.max()) <= 1.5 + 1e-4
    assert float(contrast.mean()) == pytest.approx(1.0, abs=0.05)  # 1 +- 3 standard errors of 0.29 / 20
    brightness = luma.mean(1) - before.mean(1)
    assert float(brightness.abs().max()) <= 0.5 + 1e-4
    chroma = (changed - changed.mean(1, keepdim=True)).flatten(1).std(1) / contrast
    saturation = chroma / (images - images.mean(1, keepdim=True)).flatten(1).std(1)
    assert 0 <= float(saturation.min()) < 0.1
    assert 1.9 < float(saturation.max()) <= 2 + 1e-4


def test_translation_of_diffaugment_is_a_whole_shift_by_at_most_an_eighth() -> None:
    images = pictures(200, 2, 16, 8) + 2  # nowhere zero
    changed = DiffAugment(("translation",))(images)
    shifts = set()
    for image, result in zip(images, changed, strict=True):
        found = [
            (down, right)
            for down, right in itertools.product(range(-2, 3), range(-1, 2))
            if torch.equal(result, shifted(image, down, right))
        ]
        assert len(found) == 1
        shifts.add(found[0])
    assert len(shifts) == 15


def shifted(image: Tensor, down: int, right: int) -> Tensor:
    framed = nn.functional.pad(image, (4, 4, 4, 4))
    return framed[:, 4 - down : 4 - down + image.shape[1], 4 - right : 4 - right + image.shape[2]]


def test_cutout_of_diffaugment_is_a_box_of_half_the_size_cut_at_the_border() -> None:
    gone = DiffAugment(("cutout",))(torch.ones(300, 1, 8, 6))[:, 0] == 0
    tall, wide = gone.any(2).sum(1), gone.any(1).sum(1)
    assert torch.equal(gone.sum((1, 2)), tall * wide)
    assert (int(tall.min()), int(tall.max())) == (2, 4)  # 4 of 8: half of it at the border
    assert (int(wide.min()), int(wide.max())) == (2, 3)  # 3 of 6
    assert gone.any(0).all(), "every pixel can be cut out"


def test_policies_are_applied_as_given() -> None:
    images = pictures(2)
    assert torch.equal(DiffAugment(())(images), images)
    with pytest.raises(UsageError, match="no policy 'flip'"):
        DiffAugment(("color", "flip"))


@every_depth
def test_ada_at_0_is_the_identity_exactly(channels: int) -> None:
    images = pictures(16, channels, 7, 5).requires_grad_()
    changed = AdaptiveAugment()(images)
    assert torch.equal(changed, images)
    (slope,) = torch.autograd.grad(changed.sum(), images)
    assert torch.equal(slope, torch.ones_like(images))


def test_ada_changes_a_share_of_the_pictures_that_grows_with_p() -> None:
    images = pictures(2000, 3, 4, 4)
    shares = []
    for p in (0.02, 0.1):
        changed = (adaptive(p)(images) != images).flatten(1).any(1).float().mean()
        shares.append(float(changed))
    # Two turns count as one. Each flip does nothing in 1/2 of the cases, the quarter turn in 1/4, and the whole shift,
    # by less than half a pixel here, always. The other eight are seen.
    expected = [1 - (1 - p) ** 8 * (1 - p / 2) ** 2 * (1 - 0.75 * p) for p in (0.02, 0.1)]
    # Three standard errors of a share of 2000.
    assert shares == pytest.approx(expected, abs=0.034)


def only(augment: AdaptiveAugment, monkeypatch: pytest.MonkeyPatch, number: int) -> Callable[[Tensor], Tensor]:
    """The pipeline with all of its chances but one at zero."""
    turns = itertools.count()

    def sometimes(values: Tensor, p: Tensor) -> Tensor:
        return values if next(turns) % 13 == number else torch.zeros_like(values)

    monkeypatch.setattr("saddlepoint.augment._sometimes", sometimes)
    return augment


FLIP, QUARTER, WHOLE, SCALE, TURN, STRETCH, TURN_AGAIN, FRACTION, BRIGHT, CONTRAST, LUMA, HUE, SATURATION = range(13)


def test_flips_and_quarter_turns_move_pixels_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(64, 3, 6, 6)
    flipped = only(AdaptiveAugment(), monkeypatch, FLIP)(images)
    turned = only(AdaptiveAugment(), monkeypatch, QUARTER)(images)
    for changed, ways in (
        (flipped, [lambda image: image, lambda image: image.flip(2)]),
        (turned, [lambda image, k=k: image.rot90(k, (1, 2)) for k in range(4)]),
    ):
        seen = set()
        for image, result in zip(images, changed, strict=True):
            # Interpolation at a pixel's center is off by rounding only.
            close = [n for n, way in enumerate(ways) if torch.allclose(result, way(image), atol=1e-5)]
            assert len(close) == 1
            seen.add(close[0])
        assert len(seen) == len(ways)


def test_shifts_by_whole_pixels_mirror_the_border(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(64, 1, 16, 16)
    changed = only(AdaptiveAugment(), monkeypatch, WHOLE)(images)
    framed = torch.cat([images.flip(3), images, images.flip(3)], 3)
    framed = torch.cat([framed.flip(2), framed, framed.flip(2)], 2)
    seen = set()
    for image, result in zip(framed, changed, strict=True):
        for down, right in itertools.product(range(-2, 3), repeat=2):
            part = image[:, 16 + down : 32 + down, 16 + right : 32 + right]
            if torch.allclose(part, result, atol=1e-4):
                seen.add((down, right))
    assert len(seen) > 12
    assert max(max(pair) for pair in seen) == 2


def disc(size: int = 33) -> Tensor:
    """A round blob around the middle, as wide as it is high."""
    place = torch.linspace(-1, 1, size)
    return torch.exp(-8 * (place**2 + place[:, None] ** 2)).view(1, 1, size, size)


def test_turning_keeps_a_round_blob_and_scaling_and_stretching_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = disc().expand(32, -1, -1, -1)
    for number in (TURN, TURN_AGAIN):
        turned = only(AdaptiveAugment(), monkeypatch, number)(blob)
        within = blob > math.exp(-8)  # beyond that circle the mirrored border turns in
        # Linear interpolation on pixels of 1/16 misses 16 / 8 / 16² in each direction, 16 being the curvature.
        torch.testing.assert_close(turned[within], blob[within], rtol=0, atol=0.016)
    mass = blob[0].sum()
    scaled = only(AdaptiveAugment(), monkeypatch, SCALE)(blob)
    sizes = (scaled.sum((1, 2, 3)) / mass).log2() / 2
    assert float(sizes.std()) == pytest.approx(0.2, abs=0.08)  # of 32 draws
    stretched = only(AdaptiveAugment(), monkeypatch, STRETCH)(blob)
    torch.testing.assert_close(stretched.sum((1, 2, 3)), mass.expand(32), rtol=0.03, atol=0)  # area is kept
    assert (stretched - stretched.transpose(2, 3)).abs().amax((1, 2, 3)).median() > 0.05


def test_color_is_the_product_of_the_paper_s_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 50
    images = pictures(count, 4, 3, 3)
    draws: list[Tensor] = []

    def sometimes(values: Tensor, p: Tensor) -> Tensor:
        draws.append(values if len(draws) >= BRIGHT else torch.zeros_like(values))
        return draws[-1]

    monkeypatch.setattr("saddlepoint.augment._sometimes", sometimes)
    changed = AdaptiveAugment()(images)
    bright, contrast, flip, hue, saturation = (draw.squeeze(1).double() for draw in draws[BRIGHT:])
    for n in range(count):
        axis = torch.ones(3, dtype=torch.double) / math.sqrt(3)
        gray, unit = torch.outer(axis, axis), torch.eye(3, dtype=torch.double)
        angle = hue[n] * math.pi
        cross = torch.linalg.cross(axis.expand(3, 3), unit, dim=1).t()
        matrix = gray + (unit - gray) * 2 ** saturation[n]
        matrix = matrix @ (unit * angle.cos() + cross * angle.sin() + gray * (1 - angle.cos()))
        matrix = matrix @ (unit - 2 * flip[n] * gray) * 2 ** (0.5 * contrast[n])
        expected = torch.einsum("ij,jhw->ihw", matrix, images[n, :3].double() + 0.2 * bright[n])
        torch.testing.assert_close(changed[n, :3].double(), expected, rtol=1e-5, atol=1e-5)
        assert torch.equal(changed[n, 3], images[n, 3]), "opacity is not a color"


def test_a_gray_picture_is_not_colored(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(8, 1)
    for number in (HUE, SATURATION):
        torch.testing.assert_close(only(AdaptiveAugment(), monkeypatch, number)(images), images, rtol=0, atol=1e-6)


def test_p_rises_while_reals_are_recognized_and_falls_when_they_are_not() -> None:
    augment = AdaptiveAugment(target=0.6, images=1000, every=4)
    for _ in range(3):
        augment.update(torch.ones(25))
        assert float(augment.p) == 0
    augment.update(torch.ones(25))
    assert float(augment.p) == pytest.approx(0.1)  # 100 of 1000 images
    # r_t over four batches of mixed signs is 0.5, below the target.
    for share in (1.0, 0.0, 0.5, 0.5):
        augment.update(torch.where(torch.arange(20) < 20 * share, 1.0, -1.0) + 0.5 * (share == 1.0))
    assert float(augment.p) == pytest.approx(0.1 - 0.08)
    for _ in range(8):
        augment.update(-torch.ones(50))
    assert float(augment.p) == 0
    for _ in range(100):
        augment.update(torch.ones(50))
    assert float(augment.p) == 1


def test_the_controller_is_resumed_between_two_adjustments() -> None:
    whole, first, second = (AdaptiveAugment(images=100) for _ in range(3))
    scores = [torch.randn(10) + 1 for _ in range(9)]
    for batch in scores:
        whole.update(batch)
    for batch in scores[:6]:
        first.update(batch)
    second.load_state_dict(first.state_dict())
    for batch in scores[6:]:
        second.update(batch)
    assert float(whole.p) > 0
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in whole.state_dict().items())
