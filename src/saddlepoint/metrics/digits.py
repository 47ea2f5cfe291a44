"""A classifier of handwritten digits, which counts the modes of a generator of digits.

It is trained where it is first asked for, in a few minutes on a CPU, and kept. The same data and the same number of
threads give the same weights.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import UsageError
from .classify import Classifier, Fit

SIDE = 32
CLASSES = 10
BATCH = 128
SHIFT = 2  # pixels
RATE = 4e-3
SEED = 0
VERSION = 1
"""Raised when other weights would come out; old files are then left where they are."""

Digits = tuple[Tensor, Tensor]
"""Pictures float32 (N, 1, H, W) in [-1, 1] and their digits, int64 (N,)."""


def digit_classifier(read: Callable[[], Digits], folder: Path, *, epochs: int = 6) -> nn.Module:
    """The classifier kept in `folder`, trained first if there is none, or if the file is damaged.

    Args:
        read: gives the pictures to train on, MNIST's 60,000; only called when they are needed.
        folder: of the cache.
        epochs: passes over the pictures; six reach 99.4 % of MNIST's 10,000 test digits.

    Returns:
        A network in evaluation mode for `recognize`.
    """
    network = build()
    found = _load(folder, epochs)
    if found is None:
        found = train(*read(), epochs=epochs).state_dict()
        _save(folder, found, epochs)
    network.load_state_dict(found)
    return network.eval()


@torch.no_grad()
def recognize(classifier: nn.Module, images: Tensor) -> Tensor:
    """The digit in each channel of each picture.

    Args:
        classifier: from `digit_classifier`.
        images: float32 (N, C, H, W) in [-1, 1], a digit a channel; resized to 32x32.

    Returns:
        Digits, int64 (N, C).
    """
    single = _fit(images.flatten(0, 1).unsqueeze(1))
    return torch.cat([classifier(part).argmax(1) for part in single.split(512)]).view(images.shape[:2])


def stacked_labels(digits: Tensor) -> Tensor:
    """The class 100 r + 10 g + b, int64 (N,), of digits (N, 3) in red, green and blue."""
    return digits @ torch.tensor([100, 10, 1])


def build() -> nn.Sequential:
    """The untrained network: four convolutions to logits (N, 10) of pictures (N, 1, 32, 32)."""
    layers: list[nn.Module] = []
    for entering, leaving, side, stride in ((1, 32, 5, 2), (32, 64, 3, 1), (64, 128, 3, 1), (128, 128, 3, 1)):
        convolution = nn.Conv2d(entering, leaving, side, stride, padding=side // 2, bias=False)
        layers += [convolution, nn.BatchNorm2d(leaving), nn.ReLU(inplace=True)]
        if stride == 1:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4, CLASSES))


def train(images: Tensor, digits: Tensor, *, epochs: int) -> nn.Sequential:
    """Trains a new network on pictures shifted at random by up to two pixels; draws from a generator of its own.

    Args:
        images: float32 (N, 1, H, W) in [-1, 1].
        digits: int64 (N,).
        epochs: passes over them.

    Raises:
        UsageError: fewer pictures than a batch.
    """
    if len(images) < BATCH:
        raise UsageError(f"{len(images)} digits are too few to learn from", fix=f"at least {BATCH}")
    images = _fit(images)
    steps = epochs * (len(images) // BATCH)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = build().train()
        optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        for chosen in _batches(len(images), steps):
            loss = F.cross_entropy(network(_shift(images[chosen])), digits[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def learner(epochs: int) -> Fit:
    """What `classify.gan_train` asks for: trains a new network on pictures of digits, as `train` does."""

    def fit(images: Tensor, digits: Tensor) -> Classifier:
        network = train(images, digits, epochs=epochs)
        return lambda images: recognize(network, images)[:, 0]

    return fit


def _batches(count: int, steps: int) -> Iterator[Tensor]:
    """Which pictures to learn from in each step: shuffled epochs, without their last, smaller batch."""
    per_epoch = count // BATCH
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(count)
        yield order[step % per_epoch * BATCH :][:BATCH]


def _shift(images: Tensor) -> Tensor:
    """A batch, moved as a whole: the next one moves elsewhere."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist()
    return images.roll((down, right), (2, 3))


def _fit(images: Tensor) -> Tensor:
    if images.shape[2:] == (SIDE, SIDE):
        return images
    return F.interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)


def _load(folder: Path, epochs: int) -> dict[str, Tensor] | None:
    """The newest file that is what its name says."""
    for path in folder.glob(_name(epochs, "*")):
        content = path.read_bytes()
        if path.name == _name(epochs, hashlib.sha256(content).hexdigest()):
            return safetensors.torch.load(content)
        # Damaged: of no use to anybody, and in the way of the next look.
        path.unlink(missing_ok=True)
    return None


def _save(folder: Path, tensors: dict[str, Tensor], epochs: int) -> None:
    """Writes the weights under a name that holds their digest, whole or not at all."""
    content = safetensors.torch.save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".digits-{os.getpid()}-{secrets.token_hex(4)}"
    temporary.write_bytes(content)
    os.replace(temporary, folder / _name(epochs, hashlib.sha256(content).hexdigest()))


def _name(epochs: int, digest: str) -> str:
    return f"digits-{VERSION}-{epochs}-{digest}.safetensors"
