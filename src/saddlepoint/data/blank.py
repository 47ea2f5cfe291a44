"""A source without pictures: enough to build a game for a model that is loaded, shown or counted."""

from __future__ import annotations

from .images import Images


class Blank:
    """Stands in for a data source when only the shape of the data matters.

    Args:
        channels: of the data, for a recipe that takes them as they are.
        size: (height, width) for a recipe that takes the data's size.
        classes: class names.
    """

    def __init__(self, channels: int = 3, size: tuple[int, int] = (64, 64), classes: tuple[str, ...] = ()) -> None:
        self.channels, self.size, self.classes = channels, size, classes

    def images(self, *, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Images:
        """Mid-gray pictures of the asked shape that take no memory."""
        return Images.blank(size or self.size, channels or self.channels, self.classes)
