"""Weights of the original Inception: which files are opened, and what their scores may be called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from saddlepoint.errors import DataError, UnavailableError, UsageError
from saddlepoint.metrics import features
from saddlepoint.metrics.features import inception
from saddlepoint.networks.inception import Inception


@pytest.fixture(scope="module")
def network() -> Inception:
    torch.manual_seed(0)
    return Inception().eval()


@pytest.fixture(scope="module")
def published(network: Inception, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the format of the published one; its checksum is another, of course."""
    path = tmp_path_factory.mktemp("weights") / inception.FILE
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def foreign(network: Inception, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as safetensors, and as files of old versions of PyTorch without counters of batches."""
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    state = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    safetensors.torch.save_file(state, path)
    return path


class Trap:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.canary),)


def test_the_known_checksum_is_the_one_in_the_published_name() -> None:
    assert inception.FILE.endswith(f"-{inception.SHA256[:8]}.pth")
    assert len(inception.SHA256) == 64


def test_without_weights_it_says_which_file_to_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(inception.VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UnavailableError, match="no weights") as caught:
        features.find("inception")
    assert f"{inception.VARIABLE}=FILE" in str(caught.value.fix)
    monkeypatch.setenv(inception.VARIABLE, str(tmp_path / "gone.pth"))
    with pytest.raises(UnavailableError, match=r"gone\.pth") as caught:
        features.find("inception")
    assert inception.FILE in str(caught.value.fix)


def test_published_weights_alone_make_an_fid(
    published: Path, network: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(published.read_bytes()).hexdigest())
    monkeypatch.setenv(inception.VARIABLE, str(published))
    original = features.find("inception", rule="tensorflow")
    assert [features.score_name(family, original) for family in ("fd", "kd", "is")] == ["fid", "kid", "is"]
    assert features.score_name("precision", original) == "precision_inception"
    assert features.score_name("fd", features.find("inception")) == "fid_clean"
    images = torch.randint(0, 256, (1, 3, 299, 299)) / 127.5 - 1
    seen = original(images)
    with torch.no_grad():
        expected, logits = network(((images + 1) * 127.5 - 128) / 128)
    torch.testing.assert_close(seen.features, expected, rtol=1e-4, atol=1e-6)
    assert seen.logits is not None
    torch.testing.assert_close(seen.logits, logits, rtol=1e-4, atol=1e-6)
    assert seen.features.shape[1] == original.dimension
    assert seen.logits.shape[1] == original.classes


def test_other_weights_come_as_safetensors_and_make_no_fid(foreign: Path) -> None:
    extractor = features.find("inception", weights=foreign)
    assert features.score_name("fd", extractor) == "fd_inception"
    assert extractor.sha256 == hashlib.sha256(foreign.read_bytes()).hexdigest()
    assert not extractor.published


def test_a_pickle_that_is_not_the_published_file_is_not_opened(published: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="begins with 6726825d") as caught:
        features.find("inception", weights=published)
    assert ".safetensors" in str(caught.value.fix)
    trap = tmp_path / inception.FILE
    torch.save({"fc.weight": Trap(tmp_path / "canary")}, trap)
    with pytest.raises(DataError, match="not the published weights"):
        features.find("inception", weights=trap)
    assert not (tmp_path / "canary").exists()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({"fc.weight": torch.zeros(1000, 2048)}, path)
    with pytest.raises(DataError, match="another network"):
        features.find("inception", weights=path)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a safetensors file"):
        features.find("inception", weights=path)


def test_it_has_one_size(foreign: Path) -> None:
    with pytest.raises(UsageError, match="128x128"):
        features.find("inception", weights=foreign, side=128)
