"""Pictures that are used one by one, each at a size of its own: a file, a folder or a zip, or what a camera sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import DataError, MissingError
from .cache import default_folder
from .camera import PREFIX, snapshot
from .decode import Decoded, calm, decode, decode_array
from .layout import shown
from .places import open_place
from .policy import Policy
from .report import ScanReport, Skip
from .scan import Watch, judge

_FILTER = Image.Resampling.BICUBIC  # as wherever pictures become data


class Loose:
    """Pictures under their names, decoded when they are asked for.

    Args:
        spec: a picture file, a folder or zip of pictures at any depth, an npz, or `camera:0`.
        channels: 1, 3 or 4, that all of them get.
        size: pixels that the shorter side is scaled to; None leaves pictures as large as they are.
        policy: decisions about odd pictures.
        watch: stop flag and progress.

    Attributes:
        single: whether it is one picture that is named, and no place where pictures lie.
        names: relative, `/` between their parts; those that turn out to be unusable among them.
        report: what could not be used, of what was asked for so far.

    Raises:
        MissingError: there is no such place; or no camera, or none can be read here.
        DataError: the place is damaged or unsafe; or the one picture cannot be used.
    """

    def __init__(
        self,
        spec: str,
        *,
        channels: int,
        size: int | None = None,
        policy: Policy | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.channels, self.size = channels, size
        self.policy, self.watch = policy or Policy(), watch or Watch()
        self.report = ScanReport(spec)
        if not spec.startswith(PREFIX) and not Path(spec).exists():
            fix = f"a picture, a folder or zip of pictures, or {PREFIX}0"
            raise MissingError(f"nothing to look at in {shown(spec)}", where="IN", fix=fix)
        self.single = spec.startswith(PREFIX) or _is_picture(Path(spec))
        self._first = self._one(spec) if self.single else None
        self._storage = None if self.single else open_place(spec, default_folder(), self.watch.check)
        self._listing = self._storage.survey(self.policy) if self._storage else None
        for name, skip in self._listing.skipped if self._listing else ():
            self.report.skip(name, skip)

    @property
    def names(self) -> list[str]:
        if self._listing is None:
            return [Path(self.report.source.replace(":", "-")).name]
        return [entry.name for entry in self._listing.entries]

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each usable picture with its name, uint8 (H, W, C); the others are noted in `report`.

        Raises:
            MissingError: none could be used.
            DataError: more could not than the policy bears; told after the last.
            Stopped: the watch asked for it.
        """
        if self._first is not None:
            self.report.usable = 1
            yield self.names[0], self._scaled(self._first)
            return
        assert self._storage is not None, "a place, where it is no single picture"
        assert self._listing is not None, "and what lies there"
        self.report.ignored, self.report.first_ignored = dict(self._listing.ignored), self._listing.first_ignored
        for done, entry in enumerate(self._listing.entries, 1):
            self.watch.check()
            with calm():
                found = self._storage.load(entry, self.policy, None, self.channels)
            if isinstance(found, Skip):
                self.report.skip(entry.name, found)
                if self.policy.on_bad == "stop":
                    break
            else:
                self.report.usable += 1
                yield entry.name, self._scaled(found)
            self.watch.progress(done, len(self._listing.entries))
        judge(self.report, self.policy)

    def _one(self, spec: str) -> Decoded:
        with calm():
            if spec.startswith(PREFIX):
                found = decode_array(snapshot(spec), self.policy, channels=self.channels)
            else:
                try:
                    found = decode(Path(spec).read_bytes(), self.policy, channels=self.channels)
                except OSError as error:
                    raise MissingError(f"cannot open {shown(spec)}: {error.strerror}", where="IN") from error
        if isinstance(found, Skip):
            detail = f" ({found.detail})" if found.detail else ""
            raise DataError(f"{shown(spec)} cannot be used: {found.reason}{detail}", where="IN")
        return found

    def _scaled(self, found: Decoded) -> np.ndarray:
        """Pixels with the shorter side as asked, antialiased."""
        height, width = found.pixels.shape[:2]
        if self.size is None or self.size == min(height, width):
            return found.pixels
        factor = self.size / min(height, width)
        wanted = (max(1, round(width * factor)), max(1, round(height * factor)))
        image = Image.fromarray(found.pixels[..., 0] if self.channels == 1 else found.pixels)
        return np.array(image.resize(wanted, _FILTER)).reshape(wanted[1], wanted[0], self.channels)


def _is_picture(path: Path) -> bool:
    """Whether a path is one file that may be a picture: whatever is no place that holds some."""
    return path.is_file() and path.suffix.lower() not in (".zip", ".npz")
