"""`inception`: the original network of the FID and the Inception Score, with weights from a file that the user has."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ...errors import UnavailableError, UsageError
from ...networks.inception import CLASSES, FEATURES, SIDE, Inception
from .extractor import Extractor, Setting, variant
from .weights import check, digest, fit, read, unpack, unpickle

VARIABLE = "SADDLEPOINT_INCEPTION"
"""The environment variable that may name the file."""

FILE = "pt_inception-2015-12-05-6726825d.pth"
FIDELITY = "weights-inception-2015-12-05-6726825d.pth"  # the same, as torch-fidelity calls it
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
FIX = f"give {FILE}, which pytorch-fid publishes: {VARIABLE}=FILE; other weights as .safetensors, with the same names"


def weights() -> Path | None:
    """The file that `SADDLEPOINT_INCEPTION` names, or where pytorch-fid or torch-fidelity have left it before."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    left = (Path(torch.hub.get_dir(), "checkpoints", name) for name in (FILE, FIDELITY))
    return next((path for path in left if path.is_file()), None)


def inception(setting: Setting) -> Extractor:
    """The extractor; 2,048 features and 1,008 logits.

    Its weights are `setting.weights`, or what `weights` finds: the published file, or safetensors with tensors of the
    same names and shapes. Only with the former is it `published`, and its Fréchet distance an FID.

    Raises:
        UsageError: another size than 299.
        UnavailableError: no file is given, or it cannot be read.
        DataError: a pickle that is not the published file, or the weights of another network.
    """
    if setting.side not in (None, SIDE):
        raise UsageError(f"inception looks at {SIDE}x{SIDE} pixels, not at {setting.side}x{setting.side}")
    path = setting.weights or weights()
    if path is None:
        raise UnavailableError("no weights for inception: they come in no package", fix=FIX)
    content = read(path, fix=FIX)
    if foreign := path.suffix == ".safetensors":
        tensors = unpack(content, path)
    else:
        tensors = unpickle(check(content, SHA256, path, fix=FIX))
    network = Inception()
    fit(network, tensors, path)
    network.requires_grad_(False).eval().to(setting.device)

    def look(images: Tensor) -> tuple[Tensor, Tensor]:
        seen: tuple[Tensor, Tensor] = network((images * 127.5 - 0.5) / 128)  # a byte x is (x - 128) / 128
        return seen

    return Extractor(
        # The rule of the original graph goes without saying where scores are called what papers call them.
        name=variant("inception", setting, SIDE, rule="clean" if foreign else "tensorflow"),
        sees=f"(byte - 128) / 128, {SIDE}x{SIDE}, resized by the rule {setting.rule}",
        license="not known" if foreign else "Apache-2.0",
        sha256=digest(content),
        dimension=FEATURES,
        classes=CLASSES,
        network=look,
        channels=3,
        setting=replace(setting, side=SIDE),
        published=not foreign,
    )
