"""`pixels`: no network at all; what any other one has to be better than."""

from __future__ import annotations

from torch import Tensor

from .extractor import Extractor, Setting


def pixels(setting: Setting) -> Extractor:
    """The extractor; a picture's numbers themselves, channel by channel, row by row.

    Pictures keep their size, and with it their number of features, unless the setting has a side.
    """

    def look(images: Tensor) -> tuple[Tensor, None]:
        return images.flatten(1), None

    size = f"{setting.side}x{setting.side}, resized by the rule {setting.rule}" if setting.side else "any size"
    suffix = f"_{setting.side}" if setting.side else ""
    return Extractor(
        name=f"pixels{suffix}" + (f"_{setting.rule}" if setting.side and setting.rule != "clean" else ""),
        sees=f"values in [-1, 1], {size}",
        license="none needed",
        sha256=None,
        dimension=None,
        classes=0,
        network=look,
        channels=None,
        setting=setting,
    )
