"""The numbers behind the pictures of a run on points: kept beside each print, so that all can be developed again.

`samples/truth.npz` is what the run should learn, written once; `samples/step-000500.npz` is how far it was then.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from .atomic import replacing

_STEP = re.compile(r"step-(\d+)\.npz")
_TRUTH = "truth.npz"
_LARGEST = 1 << 26  # bytes; ours have a hundredth of it, and what claims more is not read

Part = TypeVar("Part", "Truth", "Opinion", "Hits")


@dataclass(frozen=True, eq=False)
class Truth:
    """A distribution on the line or in the plane, as pictures need it.

    Attributes:
        box: (low, high) of each axis, (D, 2); on the plane a square, which every frame shows.
        density: at the centers of the cells of the box: (M,), or (M, M) with rows from the bottom.
        points: drawn from it (N, D).
        centers: of its modes (K, D), where it has modes.
        weights: of its modes (K,).
    """

    box: np.ndarray
    density: np.ndarray
    points: np.ndarray
    centers: np.ndarray | None = None
    weights: np.ndarray | None = None

    @property
    def dimension(self) -> int:
        """1 on the line, 2 on the plane."""
        return len(self.box)


@dataclass(frozen=True, eq=False)
class Opinion:
    """What a discriminator makes of the line or the plane.

    Attributes:
        surface: its score at the centers of the cells of the box, as `Truth.density`, less `level`.
        level: what was taken off the score, shape (): 0 where the score is a logit.
        places: where the score's gradient was taken (P, D): a lattice over the box, then some of the samples.
        pushes: the gradient there (P, D), the way in which the generator is asked to move what it makes.
        lattice: how many of the places belong to the lattice, shape ().
    """

    surface: np.ndarray
    level: np.ndarray
    places: np.ndarray
    pushes: np.ndarray
    lattice: np.ndarray


@dataclass(frozen=True, eq=False)
class Hits:
    """How samples fall on the modes.

    Attributes:
        histogram: samples of high quality by mode (K,).
        weights: the share that each mode should have (K,).
        high_quality: share of the samples that are of high quality, shape ().
        reverse_kl: of the histogram and the weights, in nats, shape ().
        perfect: what points of the data reach: high quality and reverse KL, (2,).
    """

    histogram: np.ndarray
    weights: np.ndarray
    high_quality: np.ndarray
    reverse_kl: np.ndarray
    perfect: np.ndarray

    @property
    def count(self) -> int:
        """Modes that at least one sample of high quality belongs to."""
        return int((self.histogram > 0).sum())


@dataclass(frozen=True, eq=False)
class View:
    """What a game had come to.

    Attributes:
        step: over all stages.
        points: of the generator (N, D), of the same latents at every step.
        opinion: of the discriminator, where it has one of single points.
        hits: on the modes, where there are modes.
    """

    step: int
    points: np.ndarray
    opinion: Opinion | None = None
    hits: Hits | None = None


def keep_truth(truth: Truth, folder: Path) -> Path:
    """Writes what a run should learn into its folder.

    Raises:
        DiskError: the disk is full or the folder cannot be written to.
    """
    return _write(folder / "samples" / _TRUTH, vars(truth))


def keep(view: View, folder: Path) -> Path:
    """Writes the numbers of a view into a run's folder.

    Raises:
        DiskError: the disk is full or the folder cannot be written to.
    """
    arrays = {"points": view.points}
    for part in (view.opinion, view.hits):
        arrays |= vars(part) if part else {}
    return _write(folder / "samples" / f"step-{view.step:06d}.npz", arrays)


def truth(folder: Path) -> Truth | None:
    """What the run of this folder should learn; None for a run on pictures."""
    arrays = _read(folder / "samples" / _TRUTH)
    return _part(Truth, arrays)


def views(folder: Path) -> list[View]:
    """What a run has come to, in the order of steps; files that cannot be read are passed over."""
    found = []
    for path in (folder / "samples").glob("*.npz"):
        arrays = _read(path)
        if (match := _STEP.fullmatch(path.name)) and "points" in arrays:
            found.append(View(int(match[1]), arrays["points"], _part(Opinion, arrays), _part(Hits, arrays)))
    return sorted(found, key=lambda view: view.step)


def _part(kind: type[Part], arrays: Mapping[str, np.ndarray]) -> Part | None:
    """The dataclass whose fields these arrays hold; None when one without a default is missing."""
    own = {field.name: arrays[field.name] for field in fields(kind) if field.name in arrays}
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    return kind(**own) if needed <= own.keys() else None


def _write(path: Path, arrays: Mapping[str, np.ndarray | None]) -> Path:
    with replacing(path) as draft, draft.open("wb") as file:
        kept = {name: array for name, array in arrays.items() if array is not None}
        np.savez_compressed(file, allow_pickle=False, **kept)
    return path


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; none when it is missing, damaged, or larger than any of ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
                return {}
        with np.load(path) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return {}
