"""The feature networks by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from ...errors import UsageError
from ..resize import Rule, check
from .digits import digits
from .extractor import Extractor, Setting
from .inception import inception
from .lite0 import lite0
from .pixels import pixels
from .vgg16 import vgg16

DEFAULT = "lite0"


def find(
    name: str = DEFAULT,
    *,
    device: torch.device | str = "cpu",
    rule: Rule = "clean",
    side: int | None = None,
    weights: Path | None = None,
    classifier: Callable[[], nn.Module] | None = None,
    block: int | None = None,
) -> Extractor:
    """A feature network, ready to look at pictures.

    Args:
        name: one of `names()`.
        device: that it computes on.
        rule: of resizing pictures of another size.
        side: they are resized to, instead of the network's own; smaller is faster. `inception` and `digits` have one.
        weights: a file of weights: `inception` needs one, `lite0` and `vgg16` can do without their packages then.
        classifier: gives what `metrics.digits.digit_classifier` returns; only called for `digits`.
        block: pictures looked at at once; 16 on a CPU, whose caches hold no more, and 64 elsewhere by default.

    Raises:
        UsageError: an unknown name or rule, or a size the network cannot look at.
        UnavailableError: a package or a file of weights is missing; says which.
        DataError: a file of weights is not what it should be.
    """
    if name not in _NETWORKS:
        raise UsageError(f"no feature network is called {name!r}", fix=f"one of {', '.join(names())}")
    check(rule)
    place = torch.device(device)
    block = block or (16 if place.type == "cpu" else 64)
    return _NETWORKS[name](Setting(place, rule, side, weights, classifier, block))


def names() -> tuple[str, ...]:
    """Every network that `find` knows, the usual one first."""
    return tuple(_NETWORKS)


_NETWORKS: dict[str, Callable[[Setting], Extractor]] = {
    "lite0": lite0,
    "inception": inception,
    "vgg16": vgg16,
    "digits": digits,
    "pixels": pixels,
}
