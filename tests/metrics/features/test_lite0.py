"""EfficientNet-Lite0 as published, where its package is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_sample_images

from saddlepoint.errors import DataError, UnavailableError, UsageError
from saddlepoint.metrics import features
from saddlepoint.metrics.features.lite0 import LENDER
from saddlepoint.packages import Needs, package_file

installed = pytest.mark.skipif(not Needs(LENDER.package).installed, reason=f"{LENDER.package} is not installed")


def pictures(count: int, side: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 4, 4, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(-1, 1)


@installed
@pytest.mark.skipif(find_spec("efficientnet_lite_pytorch") is None, reason="efficientnet-lite-pytorch is not installed")
@torch.no_grad()
def test_agrees_with_the_package_it_was_published_in(capsys: pytest.CaptureFixture[str]) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    path = str(package_file(LENDER.package, LENDER.path))
    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    capsys.readouterr()  # it prints
    images = pictures(3, 64)
    seen = features.find("lite0", side=64)(images)
    scaled = (((images + 1) * 127.5).round() - 127) / 128
    expected = theirs.extract_features(scaled).mean((2, 3))
    # Folded normalizations round otherwise: some units in the last place of sums over a thousand terms.
    torch.testing.assert_close(seen.features, expected, rtol=1e-4, atol=1e-4)
    assert seen.logits is not None
    torch.testing.assert_close(seen.logits, theirs(scaled), rtol=1e-4, atol=1e-4)
    assert seen.logits.argmax(1).tolist() == theirs(scaled).argmax(1).tolist()


@installed
def test_recognizes_what_is_on_two_photographs() -> None:
    """The order of colors, their scale and the classes' are right: a palace in China, and a flower."""
    photographs = [torch.from_numpy(photograph.copy()) for photograph in load_sample_images().images]
    square = torch.stack(photographs).permute(0, 3, 1, 2)[..., 106:533] / 127.5 - 1
    logits = features.find("lite0")(square).logits
    assert logits is not None
    assert logits.argmax(1).tolist() == [698, 985]  # ImageNet's palace and daisy


@installed
def test_says_who_looked_and_how() -> None:
    usual, small = features.find(), features.find("lite0", side=96, rule="tensorflow")
    assert (usual.name, usual.dimension, usual.classes) == ("lite0", 1280, 1000)
    assert "224x224" in usual.sees
    assert usual.sha256 == LENDER.sha256
    assert usual.setting.side == 224
    assert features.score_name("fd", usual) == "fd_lite0"
    assert features.score_name("fd", small) == "fd_lite0_96_tensorflow"
    assert small(pictures(1, 30)[:, :1]).features.shape == (1, 1280)


def test_a_size_it_cannot_halve_five_times_is_refused() -> None:
    with pytest.raises(UsageError, match="100x100") as caught:
        features.find("lite0", side=100)
    assert "multiple of 32" in str(caught.value.fix)


def test_other_weights_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "efficientnet.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(DataError, match="begins with 57934424"):
        features.find("lite0", weights=path)
    with pytest.raises(UnavailableError, match="no file of weights") as caught:
        features.find("lite0", weights=tmp_path / "none.pth")
    assert str(tmp_path / "none.pth") in str(caught.value)
