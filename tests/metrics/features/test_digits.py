"""The classifier of digits as a feature network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from saddlepoint.errors import UnavailableError, UsageError
from saddlepoint.metrics import digits, features


def pictures(count: int, side: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (count, 1, side, side), generator=torch.Generator().manual_seed(0)) / 127.5 - 1


def test_gives_what_the_last_layer_decides_from_and_its_logits() -> None:
    torch.manual_seed(0)
    classifier = digits.build().eval()
    extractor = features.find("digits", classifier=lambda: classifier)
    seen = extractor(pictures(5))
    assert seen.features.shape == (5, extractor.dimension)
    assert seen.logits is not None
    assert torch.equal(seen.logits.argmax(1, keepdim=True), digits.recognize(classifier, pictures(5)))
    torch.testing.assert_close(classifier[-1](seen.features), seen.logits)
    assert features.score_name("is", extractor) == "is_digits"
    # Larger ones are shrunk, colors become gray.
    assert extractor(pictures(2, 64).expand(-1, 3, -1, -1)).features.shape == (2, 512)


def test_is_known_by_the_checksum_that_its_file_has(tmp_path: Path) -> None:
    def read() -> digits.Digits:
        return pictures(128), torch.arange(128) % 10

    extractor = features.find("digits", classifier=lambda: digits.digit_classifier(read, tmp_path, epochs=1))
    (path,) = tmp_path.iterdir()
    assert str(extractor.sha256) in path.name


def test_without_a_classifier_it_says_how_to_get_one() -> None:
    with pytest.raises(UnavailableError, match="no classifier") as caught:
        features.find("digits")
    assert "digit_classifier" in str(caught.value.fix)
    with pytest.raises(UsageError, match="is no classifier"):
        features.find("digits", classifier=lambda: nn.Linear(2, 2))
    with pytest.raises(UsageError, match="28x28"):
        features.find("digits", classifier=digits.build, side=28)
