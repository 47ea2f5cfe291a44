"""`digits`: the classifier of handwritten digits that the project trains itself."""

from __future__ import annotations

import copy
from dataclasses import replace

import safetensors.torch
from torch import Tensor, nn

from ...errors import UnavailableError, UsageError
from ..digits import CLASSES, SIDE
from .extractor import Extractor, Setting, variant
from .weights import digest


def digits(setting: Setting) -> Extractor:
    """The extractor; the 512 features that the last layer decides from, and its 10 logits.

    Raises:
        UsageError: another size than 32, or a classifier that is not of `metrics.digits`.
        UnavailableError: no classifier is given.
    """
    if setting.side not in (None, SIDE):
        raise UsageError(f"digits looks at {SIDE}x{SIDE} pixels, not at {setting.side}x{setting.side}")
    if setting.classifier is None:
        raise UnavailableError(
            "no classifier of digits: it is trained where it is first needed, and nobody gave it",
            fix="find('digits', classifier=lambda: digit_classifier(read, folder))",
        )
    classifier = setting.classifier()
    if not isinstance(classifier, nn.Sequential) or not isinstance(classifier[-1], nn.Linear):
        raise UsageError(f"a {type(classifier).__name__} is no classifier of digits", fix="metrics.digits makes one")
    # A copy: the caller's may have to stay where it is.
    *body, last = copy.deepcopy(classifier).eval().to(setting.device)

    def look(images: Tensor) -> tuple[Tensor, Tensor]:
        features = images
        for layer in body:
            features = layer(features)
        return features, last(features)

    return Extractor(
        name=variant("digits", setting, SIDE),
        sees=f"gray in [-1, 1], {SIDE}x{SIDE}, resized by the rule {setting.rule}",
        license="MIT",
        sha256=digest(safetensors.torch.save(dict(classifier.state_dict()))),
        dimension=classifier[-1].in_features,
        classes=CLASSES,
        network=look,
        channels=1,
        setting=replace(setting, side=SIDE),
    )
