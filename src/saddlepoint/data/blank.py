"""A source without data: enough to build a game for a model that is loaded, shown or counted."""

from __future__ import annotations

from .images import Images
from .points import Points
from .toys import Toy


class Blank:
    """Stands in for a data source when only the shape of the data matters.

    Args:
        channels: of the data, for a recipe that takes them as they are.
        size: (height, width) for a recipe that takes the data's size.
        classes: class names.
        toy: the distribution, when the data are points.
    """

    def __init__(
        self,
        channels: int = 3,
        size: tuple[int, int] = (64, 64),
        classes: tuple[str, ...] = (),
        toy: Toy | None = None,
    ) -> None:
        self.channels, self.size, self.classes, self.toy = channels, size, classes, toy

    def examples(self, *, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Images | Points:
        """What stands for the data: zeros for points, mid-gray pictures else."""
        return Points.blank(self.toy) if self.toy else self.images(size=size, channels=channels)

    def images(self, *, size: int | tuple[int, int] | None = None, channels: int | None = None) -> Images:
        """Mid-gray pictures of the asked shape that take no memory."""
        return Images.blank(size or self.size, channels or self.channels, self.classes)
