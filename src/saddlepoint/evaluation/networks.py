"""The feature networks, with the one that has to be trained before it can look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..data.cache import default_folder
from ..data.catalog import open_named
from ..data.images import Images
from ..data.stream import labeled
from ..metrics.digits import SIDE, Digits, digit_classifier
from ..metrics.features import Extractor, find
from ..metrics.resize import Rule


def network(
    name: str, *, device: torch.device, rule: Rule = "clean", side: int | None = None, weights: Path | None = None
) -> Extractor:
    """A feature network by name; `digits` is trained on MNIST's 60,000 where it is first asked for, in minutes.

    Raises:
        UsageError: an unknown name or rule, or a size that the network cannot look at.
        UnavailableError: a package or a file of weights is missing.
        MissingError: MNIST is, which `digits` learns from.
        DataError: a file of weights is not what it should be.
    """
    return find(name, device=device, rule=rule, side=side, weights=weights, classifier=classifier)


def classifier() -> nn.Module:
    """The classifier of digits, from the cache or trained now."""
    return digit_classifier(lambda: digits(open_named("mnist:train", size=SIDE)), default_folder() / "classifiers")


def digits(images: Images) -> Digits:
    """All pictures of a set of digits, and what they show, as `stream.labeled` gives them."""
    return labeled(images, np.arange(len(images)))
