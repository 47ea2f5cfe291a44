"""What a feature network sees in the two sides; of data sets it is kept, so that they are looked at only once."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from ..errors import DiskError, Stopped
from ..metrics.features import Extractor, Seen
from ..pictures.atomic import replacing
from .sides import Side, pieces

FORMAT = 1
"""Raised when the same network would see the same pictures otherwise."""

Progress = Callable[[int, int], None]


class Sight:
    """Looks at sides with a network, or at points as they are.

    Args:
        extractor: the network; None for points, which are features themselves.
        folder: where what was seen in data sets is kept; None keeps nothing.
        progress: told (done, total) while a side is looked at.
        should_stop: asked between pieces.
    """

    def __init__(
        self,
        extractor: Extractor | None,
        folder: Path | None = None,
        progress: Progress = lambda done, total: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.extractor, self.folder, self.progress, self.should_stop = extractor, folder, progress, should_stop

    @property
    def name(self) -> str:
        """Of the network, as scores are named after it."""
        return self.extractor.name if self.extractor else "points"

    def see(self, side: Side) -> Seen:
        """Features and logits of a whole side.

        Raises:
            Stopped: somebody asked for it.
        """
        path = self._path(side)
        if path is not None and (kept := _read(path, len(side))) is not None:
            return kept
        seen = self._look(side)
        if path is not None:
            _write(path, seen)
        return seen

    def _look(self, side: Side) -> Seen:
        features, logits, done = [], [], 0
        for batch in pieces(side):
            if self.should_stop():
                raise Stopped("stopped while pictures were looked at")
            found = self.extractor(batch.image) if self.extractor else Seen(batch.image, None)
            features.append(found.features)
            if found.logits is not None:
                logits.append(found.logits)
            done += len(batch)
            self.progress(done, len(side))
        return Seen(torch.cat(features), torch.cat(logits) if logits else None)

    def _path(self, side: Side) -> Path | None:
        if self.folder is None or self.extractor is None or side.key is None:
            return None
        facts = [FORMAT, self.extractor.name, self.extractor.sees, self.extractor.sha256, side.key]
        return self.folder / f"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:40]}.safetensors"


def _read(path: Path, count: int) -> Seen | None:
    """What was kept; None where nothing was, or where it is damaged."""
    try:
        tensors = safetensors.torch.load(path.read_bytes())
        features = tensors["features"]
    except (OSError, SafetensorError, KeyError):
        return None
    whole = features.ndim == 2 and len(features) == count and bool(features.isfinite().all())
    return Seen(features, tensors.get("logits")) if whole else None


def _write(path: Path, seen: Seen) -> None:
    """Keeps what was seen, whole or not at all. What cannot be kept is seen again the next time."""
    tensors: dict[str, Tensor] = {"features": seen.features.contiguous()}
    if seen.logits is not None:
        tensors["logits"] = seen.logits.contiguous()
    with contextlib.suppress(DiskError), replacing(path) as draft:
        draft.write_bytes(safetensors.torch.save(tensors))
